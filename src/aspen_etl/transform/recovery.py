"""Read the sheets back out of finished tables: the inverse of ``assemble``.

Every copy of every cell is read, and copies that disagree are an error. Keys and references
are followed as they stand in the tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.handing import as_given
from aspen_etl.columns.positions import gather, is_range, reverse
from aspen_etl.columns.rows import are_present
from aspen_etl.columns.threads import map_threads
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.feeding import Feed
from aspen_etl.schema.lineage import SourceLineage
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import TableSpec
from aspen_etl.transform.calling import call
from aspen_etl.transform.given import text_of
from aspen_etl.transform.placing import Placed, compare, fail

__all__ = ["Recovered", "prove", "recover"]

_OTHER = "hold another value than another copy of it"


class _Copy(NamedTuple):
    """The cells of one source column as one table holds them, one for each row of it.

    Of an entity it is told where it stands in the sheet.
    """

    table: TableSpec
    name: str
    cells: pd.Series
    origin: tuple[str, str]
    feed: Optional[Feed] = None


class _Way(NamedTuple):
    """The way between the rows of a table and those of a sheet.

    Attributes:
        first: The reference by which a built table names its carrier; None for other tables.
        owner: The row of the sheet of each row, of the carrier's where there is one; -1 for none.
        back: The row of each row of the sheet; -1 for none.
        single: Whether no two rows of the table stand for one row of the sheet.
    """

    first: Optional[str]
    owner: Positions
    back: Positions
    single: bool


class Recovered(Placed):
    """Read the sheets back out of tables, each sheet after those that it refers to."""

    def sheets(self) -> dict[str, pd.DataFrame]:
        """Give the rows of each sheet; a reference to another sheet is the row number there."""
        found = {}
        for source in self.model.sources:
            self.place(source)
            found[source] = self._sheet(source)
        return found

    # ------------------------------------------------------------------------- cells

    def _sheet(self, source: str) -> pd.DataFrame:
        spec, length = self.model.sources[source], self._length(source)
        copies = [copy for table in self._held() for copy in self._copies(table, source)]
        first = [copy for copy in copies if not self._is_further(copy, source)]
        kinds = dict.fromkeys((copy.table.name, copy.feed) for copy in first)
        ways = {kind: self._way(*kind, source, length) for kind in kinds}
        collected = map_threads(
            lambda copy: self._collect(copy, ways[copy.table.name, copy.feed]), first, rows=length
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
                others.append((COLUMNS.take(columns[copy.name], owner), copy, copy.cells))
        for known, copy, found in others:
            compare(known, found, copy.origin, _OTHER)
        nothing = COLUMNS.repeat(None, length)
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
        lineage = self.model.lineage.tables[table.name]
        for feed in (each for each in lineage.feeds if each.sheet == source):
            for name, cells in feed.columns.items():
                if len(cells) == 1:  # what refers to a key of several columns is read there
                    held = self.sheet_column(table, table.columns[name], source)
                    yield _Copy(table, cells[0], held, (table.name, name), feed)
        if lineage.is_entity:
            return
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
                yield _Copy(
                    table, name, self.sheet_column(table, spec, source), (table.name, spec.name)
                )

    def _inverted(self, table: TableSpec, wanted: set[str]) -> Iterator[_Copy]:
        natural = make_frame(
            {c.name: self.natural(table, c) for c in table.own_columns if not _is_given(table, c)}
        )
        invert = self.model.builders[table.name].invert
        what = f"the inverse of the builder of {table.name!r}"
        given = natural if invert is None else as_given(invert, natural)
        found = {} if invert is None else call(what, lambda: invert(given), "builder")
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
            values = self._conform(found[column].reset_index(drop=True), name)
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

    def _conform(self, values: pd.Series, name: str) -> pd.Series:
        """Bring what an inverse gives to text; a reference to another sheet is a row number."""
        source, _, column = name.partition(".")
        if column in self.model.lineage.sources[source].references:
            return values
        spec = self.model.lineage.cells.get(name)
        return as_text(values) if spec is None else text_of(values, replace(spec, nullable=True))

    def _way(self, table: str, feed: Optional[Feed], source: str, length: int) -> _Way:
        """Find the way from the rows of a table to those of a sheet, and back."""
        if feed is not None:
            back = self.entity_rows(feed, length)
            return _Way(None, back, back, single=True)
        lineage, first = self.model.lineage.tables[table], None
        if lineage.source == source:
            owner = self.rows[table]
        elif lineage.kind == "built":
            # No row where there is no cell: the table referred to tells who lacks one.
            first, *rest = lineage.anchors[source]
            carrier = str(self.model.tables[table].columns[first].references)
            owner = self._owner(carrier, tuple(rest))
        else:
            owner = self._owner(table, lineage.anchors[source])
        in_order = len(owner) == length and is_range(owner)
        back = owner if in_order else reverse(owner, length)
        return _Way(first, owner, back, in_order or lineage.source == source)

    def _collect(self, copy: _Copy, way: _Way) -> pd.Series:
        """Bring a table's copies of a column to one cell for each row of the sheet."""
        copies = copy.cells if way.first is None else self._scatter(copy, way.first)
        one = COLUMNS.take(copies, way.back)
        if not way.single:
            what = "differ between the copies of one source row"
            compare(COLUMNS.take(one, way.owner), copies, copy.origin, what)
        return one

    def _owner(self, table: str, path: tuple[str, ...]) -> Positions:
        """Follow references from the rows of a table to the rows of a sheet."""
        at = np.arange(len(self.tables[table]), dtype=np.int64)
        for column in path:
            at = gather(self.links[table][column], at)
            table = str(self.model.tables[table].columns[column].references)
        return gather(self.rows[table], at)

    def _scatter(self, copy: _Copy, first: str) -> pd.Series:
        """Put the cells of a built table where the rows stand that they refer to."""
        table, held = copy.table.name, np.flatnonzero(are_present(copy.cells))
        length = len(self.tables[str(copy.table.columns[first].references)])
        at = self.links[table][first][held]
        where = np.full(length, -1, dtype=np.int64)
        where[at] = held
        if (where[at] != held).any():
            count = int((np.bincount(at[at >= 0], minlength=length) > 1).sum())
            fail(f"{count} rows of {table!r} hold {copy.name!r} twice", table, first, count)
        return COLUMNS.take(copy.cells, where)


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
    return Recovered(tables, model, absent, like).sheets()


# ----------------------------------------------------------------------------- helpers


def _is_given(table: TableSpec, spec: ColumnSpec) -> bool:
    return table.has_surrogate_key and spec.primary_key


# ----------------------------------------------------------------------------- proof


def prove(
    accepted: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], model: Model, /
) -> None:
    """Prove that the tables hold exactly the accepted rows.

    Raises:
        ProofError: They do not; it names table, column and how many rows.
    """
    work = Recovered(tables, model, like=accepted)
    found = work.sheets()
    work.check_entities()
    for source, expected in accepted.items():
        lineage = model.lineage.sources[source]
        if len(found[source]) != len(expected):
            table, column = lineage.destinations[lineage.key[-1]][0]
            count = abs(len(found[source]) - len(expected))
            fail(
                f"{count} rows of {source!r} are missing in or added to {table!r}",
                table,
                column,
                count,
            )
        compared = partial(_compare, source, expected, found[source], lineage)
        map_threads(compared, expected.columns, rows=len(expected))


def _compare(
    source: str, expected: pd.DataFrame, found: pd.DataFrame, lineage: SourceLineage, name: str
) -> None:
    what = f"are not what {source}.{name} holds"
    compare(expected[name], found[name], lineage.destinations[name][0], what)
