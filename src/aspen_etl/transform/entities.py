"""The rows of entities, out of sheets whose rows agree: one for each distinct natural key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.positions import gather
from aspen_etl.columns.rows import are_present, number_rows
from aspen_etl.schema.feeding import Feed, cells_of
from aspen_etl.schema.model import Model

__all__ = ["Entities"]


class _Found(NamedTuple):
    """The entity of each row of sheets, by sheet and columns of the key, and how many there are."""

    rows: Mapping[tuple[str, tuple[str, ...]], Positions]
    entities: int


class Entities:
    """Find the distinct natural keys that agreed sheets hold.

    Args:
        agreed: The sheets, in which every row holds its entities' values.
        model: The model.
    """

    def __init__(self, agreed: Mapping[str, pd.DataFrame], model: Model) -> None:
        self.agreed, self.model = agreed, model
        self._found: dict[str, _Found] = {}

    def rows(self, entity: str, sheet: str, column: str, table: str) -> Positions:
        """Give the entity that each row of a sheet refers to, by a column of a table; -1 is none.

        Args:
            entity: The entity referred to.
            sheet: The sheet.
            column: The column that refers to it.
            table: The table of that column.
        """
        spec, tables = self.model.tables[table].columns[column], self.model.tables
        cells = cells_of(spec, sheet, tables, self.model.lineage.entities)
        return self._find(entity).rows[sheet, cells]

    def length(self, entity: str) -> int:
        """Count the distinct keys of an entity."""
        return self._find(entity).entities

    def cells(self, entity: str, column: str) -> Optional[pd.Series]:
        """Give a column of an entity as sheets hold it, one cell for each; none where none does."""
        parts = self._parts(entity, column)
        if not parts:
            return None
        values = [self.agreed[feed.sheet][feed.columns[column][0]] for feed, _ in parts]
        held = [are_present(each) for each in values]
        return COLUMNS.take(COLUMNS.concat(values), self._holders(entity, parts, held))

    def references(self, entity: str, column: str) -> Positions:
        """Give the entity that each one refers to, by a column; -1 is none."""
        target = str(self.model.tables[entity].columns[column].references)
        parts = self._parts(entity, column)
        rows = [self._find(target).rows[feed.sheet, feed.columns[column]] for feed, _ in parts]
        if not rows:
            return np.full(self.length(entity), -1, dtype=np.int64)
        at = self._holders(entity, parts, [each >= 0 for each in rows])
        return gather(np.concatenate(rows), at)

    # ------------------------------------------------------------------------- where they stand

    def _parts(self, entity: str, column: str) -> list[tuple[Feed, Positions]]:
        """Give where a column of an entity stands, and whose each row there is."""
        found = self._find(entity).rows
        feeds = self.model.lineage.tables[entity].feeds
        return [(feed, found[feed.sheet, feed.key]) for feed in feeds if column in feed.columns]

    def _holders(
        self, entity: str, parts: list[tuple[Feed, Positions]], held: list[Mask]
    ) -> Positions:
        """Give a row that holds each entity's cell, of all parts one after the other, or -1."""
        owner = np.concatenate([rows for _, rows in parts])
        rows = np.flatnonzero(np.concatenate(held) & (owner >= 0))
        out = np.full(self.length(entity), -1, dtype=np.int64)
        out[owner[rows]] = rows
        return out

    def _find(self, entity: str) -> _Found:
        if entity not in self._found:
            self._found[entity] = self._number(self.model.lineage.tables[entity].feeds)
        return self._found[entity]

    def _number(self, feeds: tuple[Feed, ...]) -> _Found:
        parts = [[self.agreed[feed.sheet][name] for name in feed.key] for feed in feeds]
        if not parts:
            return _Found({}, 0)
        codes, length = number_rows([COLUMNS.concat(columns) for columns in zip(*parts)])
        ends = np.cumsum([len(part[0]) for part in parts])[:-1]
        places = [(feed.sheet, feed.key) for feed in feeds]
        return _Found(dict(zip(places, np.split(codes, ends))), length)
