"""How drawn rows become rows of a valid sheet: references, entities, keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

from aspen_etl.testing import _cells
from aspen_etl.testing._entities import Agreement
from aspen_etl.testing._plan import Cell, ColumnPlan, SheetPlan
from aspen_etl.testing._types import PLAIN, spell

__all__ = ["Drawn", "Valid"]

Row = dict[str, Cell]


class Drawn(NamedTuple):
    """A row as it is drawn, and for each entity that it tells of a number: how it agrees."""

    row: Row
    numbers: tuple[int, ...]


class Valid:
    """Select the rows of one sheet that are valid together."""

    def __init__(self, sheet: SheetPlan, keys: dict[str, list[str]], entities: Agreement) -> None:
        self.sheet, self.keys, self.entities = sheet, keys, entities
        self.own = keys.setdefault(sheet.name, [])

    def select(self, generated: Sequence[Drawn]) -> list[Row]:
        found = [(self._refer(drawn.row), drawn.numbers) for drawn in generated]
        rows = [(row, numbers) for row, numbers in found if row is not None]
        clean = {
            column.name: column.clean([row[column.name] for row, _ in rows])
            for column in self.sheet.columns
        }
        kept: list[Row] = []
        seen: set[tuple[Cell, ...]] = set()
        for place, (row, numbers) in enumerate(rows):
            cells = {name: column[place] for name, column in clean.items()}
            self.entities.pending.clear()
            if (
                self._mend(row, cells)
                and self._agree(row, cells, numbers)
                and self._distinguish(row, cells, seen)
            ):
                self.entities.keep()
                kept.append(row)
                self.own.append(str(cells[self.sheet.key[0]]))
        return kept

    def _refer(self, row: Row) -> Optional[Row]:
        out = dict(row)
        for column in self.sheet.columns:
            if column.reference is not None:
                known = self.keys[column.reference]
                if not known:
                    return None
                number: Any = row[column.name]
                number, place = divmod(number, len(known))
                out[column.name] = _cells.decorate(known[place], number)
        return out

    def _mend(self, row: Row, clean: dict[str, Cell]) -> bool:
        """Empty what a cleaner made unfit; tell whether the row is valid then."""
        for column in self.sheet.columns:
            cell = clean[column.name]
            fits = cell is None or (
                column.fits(cell)
                and (column.reference is None or cell in self.keys[column.reference])
            )
            lost = (
                cell is None
                and column.mandatory
                and column.group is not None
                and row[column.name] is not None
            )
            if not fits or lost:
                group = (
                    [c.name for c in self.sheet.columns if c.group == column.group]
                    if column.group
                    else [column.name]
                )
                row.update(dict.fromkeys(group))
                clean.update(dict.fromkeys(group))
        return self._is_whole(clean)

    def _is_whole(self, clean: dict[str, Cell]) -> bool:
        return all(
            clean[column.name] is not None for column in self.sheet.columns if column.required
        )

    def _agree(self, row: Row, clean: dict[str, Cell], numbers: tuple[int, ...]) -> bool:
        """Let a row say of entities what others say; tell whether it is valid then."""
        before = dict(clean)
        for entity, number in zip(self.sheet.entities, numbers):
            if not self.entities.agree(entity, clean, number):
                return False
        for column in self.sheet.columns:
            cell = clean[column.name]
            if cell != before[column.name]:
                row[column.name] = cell if cell is None else self._write(column, cell, numbers[0])
                if column.clean([row[column.name]]) != [cell]:
                    return False
        return self._is_whole(clean)

    def _write(self, column: ColumnPlan, cell: str, number: int) -> str:
        text = cell if column.typed is None else spell(cell, number, column.typed)
        return _cells.decorate(text, number)

    def _distinguish(self, row: Row, clean: dict[str, Cell], seen: set[tuple[Cell, ...]]) -> bool:
        """Give a key that is there already another number at its end; tell whether it is new."""
        last = next(column for column in self.sheet.columns if column.name == self._own_key())
        for number in range(1, 9):
            key = tuple(clean[name] for name in self.sheet.key)
            if key not in seen:
                seen.add(key)
                return True
            if last.reference is not None or last.told:
                return False
            row[last.name] = _other(last, f"{_cells.tidy(row[last.name])}", len(seen) + number)
            (cell,) = last.clean([row[last.name]])
            if cell is None or not last.fits(cell):
                return False
            clean[last.name] = cell
        return False

    def _own_key(self) -> str:
        own = [
            column.name
            for column in self.sheet.columns
            if column.name in self.sheet.key and column.reference is None and not column.told
        ]
        return own[-1] if own else self.sheet.key[-1]


def _other(column: ColumnPlan, text: str, number: int) -> str:
    """Give another cell of a key: with a number at its end, or another value of its type."""
    if column.typed is not None:
        return PLAIN[column.typed.type].canonical(number * 7 + 1, column.typed)
    if column.limit is not None and len(text) >= column.limit:
        text = text[: -len(str(number))]
    return f"{text}{number}"
