"""Tables that take several columns of one sheet as rows: built, and inverted, as declared.

A sheet with ``phone_home`` and ``phone_cell`` becomes a table with one row for each phone that is
there: whose it is, of which type, and the phone. The type is what ``*`` stands for in the name of
the column, so the way back is known, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.handing import takes_held
from aspen_etl.columns.positions import argsort_numbers, gather
from aspen_etl.columns.text import conform_text
from aspen_etl.columns.threads import map_threads
from aspen_etl.errors import ModelError
from aspen_etl.schema.builder import Builder
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.lineage import TableLineage
from aspen_etl.schema.spec import TableSpec

__all__ = ["FanOut", "fan_out", "is_derived"]


@dataclass(frozen=True)
class FanOut:
    """Say how several columns of a sheet become rows.

    Attributes:
        sheet: The sheet.
        parent: The column that refers to whom a row belongs to.
        way: From there to the table of the sheet's rows: each table, and the column of it that
            refers to the next one; the last one has none.
        kind: The column of the type.
        kinds: The types, in order.
        values: For each column of values, the columns of the sheet, one for each type.
    """

    sheet: str
    parent: str
    way: tuple[tuple[str, Optional[str]], ...]
    kind: str
    kinds: tuple[str, ...]
    values: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def frames(self) -> tuple[str, ...]:
        """The names of the frames that it needs."""
        return (self.sheet, *(f"{table}_rows" for table, _ in self.way))

    @takes_held
    def build(self, **frames: pd.DataFrame) -> pd.DataFrame:
        """Make one row for each type of which a cell is there, for each row of the parent."""
        sheet, owner = frames[self.sheet], self._owners(frames)
        held = []
        for turn in range(len(self.kinds)):
            cells = [sheet[columns[turn]] for _, columns in self.values]
            there = np.logical_or.reduce([cell.notna().to_numpy(dtype=bool) for cell in cells])
            rows = np.flatnonzero(np.append(there, False)[owner])
            held.append(rows * len(self.kinds) + turn)
        places = np.concatenate(held)
        rows, turns = np.divmod(places[argsort_numbers(places)], len(self.kinds))
        at = owner[rows] + turns * len(sheet)
        kinds = conform_text(pd.Series(list(self.kinds), dtype=object))
        taken = [(kinds, turns)] + [
            (COLUMNS.concat([sheet[column] for column in columns]), at)
            for _, columns in self.values
        ]
        found = map_threads(lambda column: COLUMNS.take(*column), taken, rows=len(rows))
        names = [self.kind, *(name for name, _ in self.values)]
        return make_frame({self.parent: make_column(rows), **dict(zip(names, found))})

    def _owners(self, frames: Mapping[str, pd.DataFrame]) -> Positions:
        """Give the row of the sheet that each row of the parent belongs to; -1 for none."""
        at = np.arange(len(frames[f"{self.way[0][0]}_rows"]), dtype=np.int64)
        for table, column in self.way:
            rows = frames[f"{table}_rows"]
            values = rows.index if column is None else rows[column]
            at = gather(values.to_numpy(dtype=np.int64), at)
        return at

    @takes_held
    def invert(self, rows: pd.DataFrame) -> Mapping[str, pd.Series]:
        """Give each cell back to the column that its type names."""
        kinds = as_text(rows[self.kind])
        out = {}
        for turn, kind in enumerate(self.kinds):
            mask = (kinds == kind).to_numpy(dtype=bool)
            for name, columns in self.values:
                out[columns[turn]] = COLUMNS.keep(rows[name], mask)
        return out


def is_derived(builder: Builder, /) -> bool:
    """Tell whether a builder was made of a declaration, and follows from it anew."""
    return isinstance(getattr(builder.build, "__self__", None), FanOut)


def fan_out(
    table: TableSpec,
    tables: Mapping[str, TableSpec],
    traced: Mapping[str, TableLineage],
    before: Optional[Builder] = None,
    /,
) -> Builder:
    """Make the builder of a table whose declaration says what it is.

    Args:
        table: The table.
        tables: The tables of the model.
        traced: What follows for them.
        before: What was made of it in the model that this one is made of, to be kept where it
            is the same.

    Raises:
        ModelError: What comes from several columns refers to other than a list of texts.
    """
    kind = next(spec for spec in table.own_columns if spec.from_name)
    _check_references(table, traced, kind)
    values = [spec for spec in table.own_columns if spec.source]
    sheet = values[0].source[0].partition(".")[0]
    first, *rest = traced[table.name].anchors[sheet]
    way: list[tuple[str, Optional[str]]] = []
    here = str(table.columns[first].references)
    for column in rest:
        way.append((here, column))
        here = str(tables[here].columns[column].references)
    # In the order of their keys, so that rows are made in the order of theirs.
    order = sorted(range(len(kind.from_name)), key=lambda turn: _sorted_by(kind, turn))
    facts = FanOut(
        sheet=sheet,
        parent=first,
        way=(*way, (here, None)),
        kind=kind.name,
        kinds=tuple(kind.from_name[turn][1] for turn in order),
        values=tuple(
            (spec.name, tuple(spec.source[turn].partition(".")[2] for turn in order))
            for spec in values
        ),
    )
    if before is not None and getattr(before.build, "__self__", None) == facts:
        return before
    return Builder(facts.build, facts.invert, facts.frames)


def _sorted_by(kind: ColumnSpec, turn: int) -> tuple[int, str]:
    text = kind.from_name[turn][1]
    return (int(text) if kind.type == "integer" and kind.references is None else 0, text)


def _check_references(
    table: TableSpec, traced: Mapping[str, TableLineage], kind: ColumnSpec
) -> None:
    for spec in table.own_columns:
        if not spec.references or not (spec.source or spec is kind):
            continue
        if not traced[spec.references].is_lookup:
            msg = (
                f"{table.name}.{spec.name} refers to {spec.references!r}; what several columns "
                "hold can refer to a list of texts alone, an Entity of one column of text and no "
                "source: declare that, or make the column text"
            )
            raise ModelError(msg, table=table.name, column=spec.name)
