"""Read the sheets back out of finished tables: the inverse of ``assemble``.

Every copy of every cell is read, and copies that disagree are an error. Keys and references
are followed as they stand in the tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.errors import BuilderError, ProofError
from aspen_etl.schema.frames import make_column, make_frame
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import ColumnSpec, TableSpec
from aspen_etl.schema.text import as_text
from aspen_etl.threads import map_threads
from aspen_etl.transform import kernels
from aspen_etl.transform.calling import call
from aspen_etl.transform.kernels import Mask, Positions, differ, is_range, same_cells
from aspen_etl.transform.ordering import sort_rows
from aspen_etl.transform.positions import find_keys, find_rows, gather, reverse

__all__ = ["Recovered", "compare", "fail", "recover"]


_OTHER = "hold another value than another copy of it"


class _Copy(NamedTuple):
    """The cells of one source column as one table holds them, one for each row of it."""

    table: TableSpec
    name: str
    cells: pd.Series
    origin: tuple[str, str]


class Recovered:
    """Read the sheets back out of tables, each sheet after those that it refers to.

    Attributes:
        sheets: The rows of each sheet, in their order; a column that refers to another sheet
            holds the row number there.
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
        self.sheets: dict[str, pd.DataFrame] = {}
        for source in model.sources:
            self._place(source)
            self.sheets[source] = self._sheet(source)

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

    def _natural(self, table: TableSpec, spec: ColumnSpec) -> pd.Series:
        """Give a column in natural terms: text, or the row number in the table referred to."""
        values = self.tables[table.name][spec.name]
        if spec.references is None:
            return as_text(values) if spec.type == "integer" else values
        if self.model.lineage.tables[spec.references].kind == "lookup":
            listed = self.tables[spec.references][self.model.tables[spec.references].natural_key[0]]
            return kernels.take(listed, self.links[table.name][spec.name])
        return make_column(self.links[table.name][spec.name])

    # ------------------------------------------------------------------------- rows

    def _place(self, source: str) -> None:
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
        held = np.flatnonzero(_all_present(columns))
        order, same = sort_rows([_take(column, held) for column in columns])
        if same.any():
            count = int(same.sum())
            fail(
                f"{count} rows of {table.name!r} stand for a row that another stands for",
                table.name,
                table.natural_key[0],
                count,
            )
        rows = held[order]
        return [_take(column, rows) for column in columns], reverse(rows, len(columns[0]))

    def _key(self, table: TableSpec, key: tuple[str, ...]) -> list[pd.Series]:
        by_source = {
            table.columns[name].source[0].partition(".")[2]: table.columns[name]
            for name in table.natural_key
        }
        return [self._sheet_column(table, by_source[name]) for name in key]

    def _sheet_column(self, table: TableSpec, spec: ColumnSpec) -> pd.Series:
        """Give a column as the sheet has it: a reference to another sheet as its row number."""
        source = spec.source[0].partition(".")[0]
        if spec.references is None or self.model.lineage.tables[spec.references].kind == "lookup":
            return self._natural(table, spec)
        target = self.model.lineage.tables[spec.references].source
        if target != source:
            parents = self.links[table.name][spec.name]
            return make_column(gather(self.rows[spec.references], parents))
        parent = self.model.tables[spec.references]
        column = next(c for c in parent.own_columns if c.source == spec.source)
        if column.primary_key:  # a reference that leads to a row holds that row's key
            return self.tables[table.name][spec.name]
        return _take(self._sheet_column(parent, column), self.links[table.name][spec.name])

    def _by_reference(self, table: TableSpec, key: tuple[str, ...]) -> Optional[Positions]:
        """Place the rows of a table by those placed already that refer to it by the same key."""
        for name, rows in self.rows.items():
            for column, parent in self.model.tables[name].references.items():
                spec = self.model.tables[name].columns[column]
                names_key = len(key) == 1 and column in self.model.tables[name].natural_key
                mine = table.columns[table.primary_key]
                if parent == table.name and names_key and mine.source == spec.source:
                    at = np.full(len(self.tables[parent]), -1, dtype=np.int64)
                    at[self.links[name][column]] = rows
                    return at
        return None

    def _checked(
        self, table: TableSpec, at: Positions, columns: list[pd.Series], length: int
    ) -> Positions:
        """Make sure that each row of the sheet has one row of a table, and each of these one."""
        seen = np.bincount(at[at >= 0], minlength=length)
        wrong = int((seen != 1).sum()) + int(((at < 0) & _all_present(columns)).sum())
        if wrong:
            fail(
                f"{wrong} rows of {table.name!r} are missing, doubled or of another key",
                table.name,
                table.natural_key[0],
                wrong,
            )
        return at

    # ------------------------------------------------------------------------- cells

    def _sheet(self, source: str) -> pd.DataFrame:
        spec, length = self.model.sources[source], self._length(source)
        copies = [copy for table in self._held() for copy in self._copies(table, source)]
        first = [copy for copy in copies if not self._is_further(copy, source)]
        collected = map_threads(
            lambda copy: self._collect(copy, source, length), first, rows=length
        )
        columns: dict[str, pd.Series] = {}
        others: list[tuple[pd.Series, _Copy, pd.Series]] = []
        for copy, found in zip(first, collected):
            known = columns.setdefault(copy.name, found)
            if known is not found:
                others.append((known, copy, found))
        for copy in copies:
            if self._is_further(copy, source):
                anchors = self.model.lineage.tables[copy.table.name].anchors[source]
                owner = self._owner(copy.table.name, anchors)
                others.append((_take(columns[copy.name], owner), copy, copy.cells))
        for known, copy, found in others:
            compare(known, found, copy.origin, _OTHER)
        nothing = kernels.repeat(None, length)
        return make_frame(
            {name: columns.get(name, nothing) for name in spec.columns}, pd.RangeIndex(length)
        )

    def _held(self) -> list[TableSpec]:
        return [table for table in self.model.tables.values() if table.name not in self.absent]

    def _is_further(self, copy: _Copy, source: str) -> bool:
        """Tell whether a built table merely copies a column that a table of all rows holds."""
        kinds = self.model.lineage.tables
        fed = self.model.lineage.sources[source].destinations[copy.name]
        built = kinds[copy.table.name].kind == "built"
        return built and any(kinds[table].kind == "rows" for table, _ in fed)

    def _length(self, source: str) -> int:
        tables = self.model.lineage.tables
        bases = [table.name for table in self._held() if tables[table.name].source == source]
        return int((self.rows[bases[0]] >= 0).sum()) if bases else 0

    def _copies(self, table: TableSpec, source: str) -> Iterator[_Copy]:
        """Give the cells of a sheet that a table holds, by source column, one for each row."""
        split = self.model.lineage.split[table.name]
        wanted = {name for name in split if name.startswith(f"{source}.")}
        if wanted:
            yield from self._inverted(table, wanted)
        for spec in table.own_columns:
            if (
                len(spec.source) == 1
                and spec.source[0] not in split
                and spec.source[0].startswith(f"{source}.")
            ):
                name = spec.source[0].partition(".")[2]
                yield _Copy(table, name, self._sheet_column(table, spec), (table.name, spec.name))

    def _inverted(self, table: TableSpec, wanted: set[str]) -> Iterator[_Copy]:
        natural = make_frame(
            {c.name: self._natural(table, c) for c in table.own_columns if not _is_given(table, c)}
        )
        invert = self.model.builders[table.name].invert
        what = f"the inverse of the builder of {table.name!r}"
        found = {} if invert is None else call(what, lambda: invert(natural), BuilderError)
        fed = next(c.name for c in table.own_columns if any(name in wanted for name in c.source))
        silent = np.ones(len(natural), dtype=bool)
        for name in sorted(wanted):
            column = name.partition(".")[2]
            if column not in found:
                fail(
                    f"the inverse of the builder of {table.name!r} does not give {column!r}",
                    table.name,
                    fed,
                    len(natural),
                )
            values = found[column].reset_index(drop=True)
            silent &= values.isna().to_numpy(dtype=bool)
            destination = next(c.name for c in table.own_columns if name in c.source)
            yield _Copy(table, column, values, (table.name, destination))
        if silent.any():
            count = int(silent.sum())
            fail(
                f"{count} rows of {table.name}.{fed} go back to no source column",
                table.name,
                fed,
                count,
            )

    def _collect(self, copy: _Copy, source: str, length: int) -> pd.Series:
        """Bring a table's copies of a column to one cell for each row of the sheet."""
        table, values = copy.table, copy.cells
        lineage = self.model.lineage.tables[table.name]
        if lineage.source == source:
            return _take(values, reverse(self.rows[table.name], length))
        first, *rest = lineage.anchors[source]
        if (
            lineage.kind == "built"
        ):  # no row where there is no cell: the table referred to tells who lacks one
            carrier = str(table.columns[first].references)
            copies = self._scatter(copy, first, len(self.tables[carrier]))
            owner = self._owner(carrier, tuple(rest))
        else:
            copies, owner = values, self._owner(table.name, lineage.anchors[source])
        one = _take(copies, reverse(owner, length))
        if len(owner) != length or not is_range(owner):
            what = "differ between the copies of one source row"
            compare(_take(one, owner), copies, copy.origin, what)
        return one

    def _owner(self, table: str, path: tuple[str, ...]) -> Positions:
        """Follow references from the rows of a table to the rows of a sheet."""
        at = np.arange(len(self.tables[table]), dtype=np.int64)
        for column in path:
            at = gather(self.links[table][column], at)
            table = str(self.model.tables[table].columns[column].references)
        return gather(self.rows[table], at)

    def _scatter(self, copy: _Copy, first: str, length: int) -> pd.Series:
        table, held = copy.table.name, np.flatnonzero(_present(copy.cells))
        at = self.links[table][first][held]
        where = np.full(length, -1, dtype=np.int64)
        where[at] = held
        if (where[at] != held).any():
            count = int((np.bincount(at[at >= 0], minlength=length) > 1).sum())
            fail(f"{count} rows of {table!r} hold {copy.name!r} twice", table, first, count)
        return _take(copy.cells, where)


def recover(
    tables: Mapping[str, pd.DataFrame],
    model: Model,
    /,
    *,
    absent: Collection[str] = (),
    like: Optional[Mapping[str, pd.DataFrame]] = None,
) -> dict[str, pd.DataFrame]:
    """Read the sheets back out of tables.

    Args:
        tables: The tables, whole.
        model: The model.
        absent: The names of tables to pass over; what only they hold is missing.
        like: The sheets that should come out, whose keys give the order of the rows; without
            them, rows are in the order of their keys.

    Raises:
        ProofError: The tables do not hold together: a reference leads nowhere, a row is
            missing or doubled, or the copies of a cell differ. It names table and column.
    """
    return Recovered(tables, model, absent, like).sheets


# ----------------------------------------------------------------------------- helpers


def _is_given(table: TableSpec, spec: ColumnSpec) -> bool:
    return table.has_surrogate_key and spec.primary_key


def _present(values: pd.Series) -> Mask:
    if values.dtype == np.int64:
        return (values >= 0).to_numpy(dtype=bool)
    return values.notna().to_numpy(dtype=bool)


def _all_present(columns: list[pd.Series]) -> Mask:
    return np.logical_and.reduce([_present(column) for column in columns])


def _take(values: pd.Series, positions: Positions) -> pd.Series:
    if values.dtype == np.int64:
        return make_column(gather(values.to_numpy(), positions))
    return kernels.take(values, positions)


def compare(expected: pd.Series, found: pd.Series, where: tuple[str, str], what: str) -> None:
    """Raise where two columns differ; ``where`` is the table and column to name."""
    count = int(differ(expected, found).sum())
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
