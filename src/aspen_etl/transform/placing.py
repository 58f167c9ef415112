"""Find which row of a sheet each row of finished tables stands for, by keys and references."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import make_column
from aspen_etl.columns.positions import gather, reverse
from aspen_etl.columns.rows import are_whole, find_keys, find_rows, same_cells, sort_rows
from aspen_etl.errors import ProofError
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.conforming import is_of_type
from aspen_etl.schema.feeding import Feed, cells_of
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.types import TYPES

__all__ = ["Placed", "compare", "fail"]


class Placed:
    """Follow keys and references as they stand in tables.

    Args:
        tables: The tables, whole.
        model: The model.
        absent: The names of tables to pass over.
        like: The sheets that should come out, if they are known.

    Attributes:
        links: By table and column, the row referred to; -1 for null.
        rows: By table, the row of its sheet that each row stands for; -1 for none.
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        model: Model,
        absent: Collection[str] = (),
        like: Optional[Mapping[str, pd.DataFrame]] = None,
    ) -> None:
        self.tables, self.model, self.absent, self.like = tables, model, absent, like
        self.links = {name: self._links(table) for name, table in model.tables.items()}
        self.rows: dict[str, Positions] = {}

    # ------------------------------------------------------------------------- references

    def _links(self, table: TableSpec) -> dict[str, Positions]:
        """Give the row, in the table referred to, of each reference; -1 for null."""
        links = {}
        for column, target in table.references.items():
            values = self.tables[table.name][column]
            keys = self.tables[target][self.model.tables[target].primary_key]
            links[column] = find_keys(values, keys)
            lost = int(((links[column] < 0) & values.notna().to_numpy(dtype=bool)).sum())
            if lost:
                fail(
                    f"{lost} rows of {table.name}.{column} refer to no row of {target!r}",
                    table.name,
                    column,
                    lost,
                )
        return links

    def natural(self, table: TableSpec, spec: ColumnSpec) -> pd.Series:
        """Give a column in natural terms: text, or the row number in the table referred to."""
        if spec.references is None:
            return self._text(table, spec)
        if self.model.lineage.tables[spec.references].is_lookup:
            listed = self.tables[spec.references][self.model.tables[spec.references].natural_key[0]]
            return COLUMNS.take(listed, self.links[table.name][spec.name])
        return make_column(self.links[table.name][spec.name])

    def _text(self, table: TableSpec, spec: ColumnSpec) -> pd.Series:
        """Give the canonical text of a column that holds values."""
        values, kind = self.tables[table.name][spec.name], TYPES[spec.type]
        if not kind.rules(spec):
            return values
        if not is_of_type(values, spec):
            what = f"{table.name}.{spec.name} is a column of other values than {spec.type}"
            fail(what, table.name, spec.name, len(values))
        return kind.text(values, spec)

    # ------------------------------------------------------------------------- rows

    def place(self, source: str) -> None:
        """Find which row of the sheet each row of its tables stands for; -1 for none."""
        key = self.model.lineage.sources[source].key
        fed = [
            table
            for table in self.model.tables.values()
            if self.model.lineage.tables[table.name].source == source
            and table.name not in self.absent
        ]
        if not fed:
            return
        columns = {table.name: self._key(table, key) for table in fed}
        if self.like is None:
            base, fed = fed[0], fed[1:]
            keys, self.rows[base.name] = self._in_order(base, columns[base.name])
        else:
            keys = [self.like[source][name] for name in key]
            for table in list(fed):  # what stands in the very same order is no work
                if all(map(same_cells, columns[table.name], keys)):
                    self.rows[table.name] = np.arange(len(keys[0]), dtype=np.int64)
                    fed.remove(table)
        for table in fed:
            at = self._by_reference(table, key)
            if at is None:
                at = find_rows(columns[table.name], keys)
            self.rows[table.name] = self._checked(table, at, columns[table.name], len(keys[0]))

    def _in_order(
        self, table: TableSpec, columns: list[pd.Series]
    ) -> tuple[list[pd.Series], Positions]:
        """Put the keys that a table holds in order, and tell where each row's stands."""
        held = np.flatnonzero(are_whole(columns))
        order, same = sort_rows([COLUMNS.take(column, held) for column in columns])
        if same.any():
            count = int(same.sum())
            fail(
                f"{count} rows of {table.name!r} stand for a row that another stands for",
                table.name,
                table.natural_key[0],
                count,
            )
        rows = held[order]
        return [COLUMNS.take(column, rows) for column in columns], reverse(rows, len(columns[0]))

    def _key(self, table: TableSpec, key: tuple[str, ...]) -> list[pd.Series]:
        lineage = self.model.lineage
        sheet = str(lineage.tables[table.name].source)
        found: dict[str, pd.Series] = {}
        for spec in (table.columns[name] for name in table.natural_key):
            cells = cells_of(spec, sheet, self.model.tables, lineage.entities)
            columns = [self.sheet_column(table, spec, sheet)] if len(cells) == 1 else []
            if not columns:
                links = self.links[table.name][spec.name]
                columns = self._held_key(str(spec.references), links, sheet)
            found.update(zip(cells, columns))
        return [found[name] for name in key]

    def _held_key(self, entity: str, at: Positions, sheet: str) -> list[pd.Series]:
        """Give the columns of a sheet that hold the natural key of some rows of an entity."""
        table, out = self.model.tables[entity], []
        for spec in (table.columns[name] for name in table.natural_key):
            if spec.references in self.model.lineage.entities:
                links = gather(self.links[entity][spec.name], at)
                out += self._held_key(str(spec.references), links, sheet)
            else:
                out.append(COLUMNS.take(self.sheet_column(table, spec, sheet), at))
        return out

    def sheet_column(self, table: TableSpec, spec: ColumnSpec, source: str) -> pd.Series:
        """Give a column as a sheet has it: a reference to another sheet as its row number.

        A reference to an entity must be to one whose key is one column.
        """
        if spec.references is None or self.model.lineage.tables[spec.references].is_lookup:
            names = cells_of(spec, source, self.model.tables, self.model.lineage.entities)
            texts = self.natural(table, spec)
            # An entity's key that another table names a column for has none of its own there.
            return self._lead(source, names[0], texts) if names else texts
        if spec.references in self.model.lineage.entities:
            return self._held_key(spec.references, self.links[table.name][spec.name], source)[0]
        target = self.model.lineage.tables[spec.references].source
        if target != source:
            parents = self.links[table.name][spec.name]
            return make_column(gather(self.rows[spec.references], parents))
        parent = self.model.tables[spec.references]
        column = next(c for c in parent.own_columns if c.source == spec.source)
        if column.primary_key:  # a reference that leads to a row holds that row's key
            return self._text(table, spec)
        return COLUMNS.take(
            self.sheet_column(parent, column, source), self.links[table.name][spec.name]
        )

    def _lead(self, source: str, column: str, texts: pd.Series) -> pd.Series:
        """Lead a copy of what refers to rows of another sheet to these; others are as they are."""
        parent = self.model.lineage.sources[source].references.get(column)
        if parent is None:
            return texts
        table = next(
            t
            for t in self.model.tables.values()
            if t.name in self.rows and self.model.lineage.tables[t.name].source == parent
        )
        known = self.sheet_column(table, table.columns[table.natural_key[0]], parent)
        texts = self._lead(parent, self.model.lineage.sources[parent].key[0], texts)
        return make_column(gather(self.rows[table.name], find_rows([texts], [known])))

    def entity_rows(self, feed: Feed, length: int) -> Positions:
        """Give the entity of each row of a sheet, as references lead to it; -1 for none."""
        table, at = feed.table, np.full(length, -1, dtype=np.int64)
        if table in self.rows:
            at = reverse(self.rows[table], length)
        for column in feed.path:
            at = gather(self.links[table][column], at)
            table = str(self.model.tables[table].columns[column].references)
        return at

    def check_entities(self) -> None:
        """Make sure that something refers to each row of an entity."""
        for name in self.model.lineage.entities:
            reached = np.zeros(len(self.tables[name]), dtype=bool)
            for table in self.model.tables.values():
                for column, target in table.references.items():
                    if target == name:
                        at = self.links[table.name][column]
                        reached[at[at >= 0]] = True
            count = int((~reached).sum())
            if count:
                key = self.model.tables[name].natural_key[0]
                fail(f"nothing refers to {count} rows of {name!r}", name, key, count)

    def _by_reference(self, table: TableSpec, key: tuple[str, ...]) -> Optional[Positions]:
        """Place the rows of a table by those placed already that refer to it by the same key."""
        for name, rows in self.rows.items():
            for column, parent in self.model.tables[name].references.items():
                spec = self.model.tables[name].columns[column]
                names_key = len(key) == 1 and column in self.model.tables[name].natural_key
                mine = table.columns[table.primary_key]
                if parent == table.name and names_key and mine.source == spec.source:
                    at = np.full(len(self.tables[parent]), -1, dtype=np.int64)
                    held = np.flatnonzero(self.links[name][column] >= 0)
                    at[self.links[name][column][held]] = rows[held]
                    return at
        return None

    def _checked(
        self, table: TableSpec, at: Positions, columns: list[pd.Series], length: int
    ) -> Positions:
        """Make sure that each row of the sheet has one row of a table, and each of these one."""
        seen = np.bincount(at[at >= 0], minlength=length)
        wrong = int((seen != 1).sum()) + int(((at < 0) & are_whole(columns)).sum())
        if wrong:
            fail(
                f"{wrong} rows of {table.name!r} are missing, doubled or of another key",
                table.name,
                table.natural_key[0],
                wrong,
            )
        return at


# ----------------------------------------------------------------------------- helpers


def compare(expected: pd.Series, found: pd.Series, where: tuple[str, str], what: str) -> None:
    """Raise where two columns differ; ``where`` is the table and column to name."""
    count = int(COLUMNS.differ(expected, found).sum())
    if count:
        table, column = where
        fail(f"{count} cells of {table}.{column} {what}", table, column, count)


def fail(what: str, table: str, column: str, count: int) -> None:
    """Raise the error of a proof that does not hold."""
    msg = (
        f"the proof failed: {what}; nothing may be committed: this is a fault of a builder, an "
        "inverse or the library"
    )
    raise ProofError(msg, table=table, column=column, count=count)
