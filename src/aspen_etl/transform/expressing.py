"""Tables as flat rows, where somebody else wrote into them: who has no flat row is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Optional, Union

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import held_frames
from aspen_etl.columns.rows import find_keys, sort_rows, take_rows
from aspen_etl.errors import ModelFunctionError, ProofError
from aspen_etl.schema.evolution import complete
from aspen_etl.schema.types import TYPES
from aspen_etl.transform.naming import name_references
from aspen_etl.transform.noting import join_notes, make_notes
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.recovery import recover

__all__ = ["express"]

#: How many subjects are found one by one; whoever is left then is not looked at singly.
_MOST = 1_000

Frames = Mapping[str, pd.DataFrame]

_Failure = Union[ProofError, ModelFunctionError]


def express(tables: Frames, how: Partitioning, /) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Read tables back into sheets, those of every subject for whom it can be done.

    Args:
        tables: The tables, whole; nobody has to have validated them.
        how: How the model is partitioned.

    Returns:
        The sheets, a reference as the key that it refers to; and notes of whom no rows are there:
        ``duplicate``, where two rows of a table have one natural key, else ``inexpressible``,
        with the table and column as ``TABLE.COLUMN``. A row that leads to nobody is one, too.

    Raises:
        ModelFunctionError: The inverse of a builder fails for more than a thousand subjects.
    """
    held, _ = complete(held_frames(tables), how.model)
    held = {name: frame.reset_index(drop=True) for name, frame in held.items()}
    found = _try(held, how)
    if not isinstance(found, Exception):
        return found, join_notes([])
    return _Search(held, how).run()


def _try(tables: Frames, how: Partitioning) -> Union[dict[str, pd.DataFrame], _Failure]:
    try:
        return name_references(recover(tables, how.model), how.model)
    except (ProofError, ModelFunctionError) as error:
        return error


class _Search:
    """Halve subjects until those are alone whose tables do not hold together."""

    def __init__(self, tables: Frames, how: Partitioning) -> None:
        self.how = how
        self.notes: list[pd.DataFrame] = []
        self.whole: list[dict[str, pd.DataFrame]] = []
        self.left = _MOST
        own = [tables[name][owner.column] for name, owner in how.owners.items() if not owner.table]
        every = COLUMNS.concat(own)
        first = np.flatnonzero((every.notna() & ~every.duplicated()).to_numpy(dtype=bool))
        self.subjects = COLUMNS.take(every, first)
        codes = self._codes(tables)
        self.tables = {
            name: take_rows(tables[name], np.flatnonzero(c >= 0)) for name, c in codes.items()
        }
        self.codes = {name: found[found >= 0] for name, found in codes.items()}
        self.lookups = {name: tables[name] for name in how.lookups}

    def run(self) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
        """Give the sheets of all others, and the notes."""
        self._halve(self.tables, self.codes, 0, len(self.subjects))
        if not self.whole:
            nobody = {name: frame.iloc[:0] for name, frame in self.tables.items()}
            self.whole.append(
                name_references(recover({**self.lookups, **nobody}, self.how.model), self.how.model)
            )
        rows = {
            name: pd.DataFrame(
                {
                    column: COLUMNS.concat([part[name][column] for part in self.whole])
                    for column in self.how.model.sources[name].columns
                }
            )
            for name in self.how.model.sources
        }
        return rows, join_notes(self.notes)

    def _codes(self, tables: Frames) -> dict[str, Positions]:
        """Give whose each row of each table is, by number; note those that are nobody's."""
        codes: dict[str, Positions] = {}
        for name, owner in self.how.owners.items():
            values = tables[name][owner.column]
            if owner.table is None:
                codes[name] = at = find_keys(values, self.subjects)
            else:
                key = tables[owner.table][self.how.model.tables[owner.table].primary_key]
                at = find_keys(values, key)
                codes[name] = np.append(codes[owner.table], -1)[at]
            lost = int((at < 0).sum())  # what hangs on these is nobody's, and told with them
            self._note(np.full(lost, None, dtype=object), "inexpressible", f"{name}.{owner.column}")
        return codes

    def _halve(self, tables: Frames, codes: Mapping[str, Positions], low: int, high: int) -> None:
        found = _try({**self.lookups, **tables}, self.how)
        if not isinstance(found, Exception):
            self.whole.append(found)
            return
        if high - low <= 1 or self.left <= 0:
            if self.left <= 0 and isinstance(found, ModelFunctionError):
                raise found
            self.left -= 1
            self._blame(tables, found, low, high)
            return
        middle = (low + high) // 2
        for first, last in ((low, middle), (middle, high)):
            mine = {name: np.flatnonzero((c >= first) & (c < last)) for name, c in codes.items()}
            part = {name: take_rows(tables[name], rows) for name, rows in mine.items()}
            self._halve(part, {name: codes[name][rows] for name, rows in mine.items()}, first, last)

    def _blame(self, tables: Frames, error: _Failure, low: int, high: int) -> None:
        """Note subjects, and what is wrong with them."""
        kind, place = "duplicate", self._find_twice(tables)
        if place is None:
            table, column = (error.details.get(name) for name in ("table", "column"))
            kind, place = "inexpressible", f"{table}.{column}" if table and column else None
        ids = COLUMNS.take(self.subjects, np.arange(low, high))
        spec = replace(self.how.key, nullable=True)
        has_text = not TYPES[spec.type].rules(spec)
        texts = ids if has_text else TYPES[spec.type].text(ids, spec)
        self._note(texts.to_numpy(dtype=object), kind, place)

    def _find_twice(self, tables: Frames) -> Optional[str]:
        """Find the table in which two rows of one subject have one natural key."""
        for name, frame in tables.items():
            natural = self.how.model.tables[name].natural_key
            columns = [frame[column] for column in natural]
            if sort_rows(columns)[1].any():
                return f"{name}.{natural[-1]}"
        return None

    def _note(self, subjects: np.ndarray, kind: str, place: Optional[str]) -> None:
        if len(subjects):
            none = np.full(len(subjects), None, dtype=object)
            self.notes.append(make_notes(self.how.root, subjects, none, column=place, kind=kind))
