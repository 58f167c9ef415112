"""A database whose statements are logged as DMS reads them, with SQLite as the judge."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.schema.model import Model

__all__ = [
    "COMMITTED",
    "Key",
    "LandedDatabase",
    "LandedHistory",
    "LoggedChange",
    "Row",
    "own_columns",
]

#: The cells of a row by the landed name of their columns.
Row = Mapping[str, Optional[str]]

#: The cells of a row's key.
Key = tuple[str, ...]

START = dt.datetime(2026, 3, 29, 0, 59, 59, tzinfo=dt.timezone.utc)

#: Commit times of SQL Server are 3.3 ms apart: some transactions share one.
COMMITTED = dt.timedelta(microseconds=3333)


@dataclass(frozen=True)
class LoggedChange:
    """A change as DMS reads it.

    Attributes:
        source: The source that the table feeds.
        operation: I, U or D.
        row: The row afterwards; of a deletion as it was.
        before: The key before the change, of an update.
        number: Its place among all changes of the history.
        moment: The time of its commit.
        columns: The columns that the table had then.
        unlogged: The columns that the log does not hold, since they did not change.
    """

    source: str
    operation: str
    row: Row
    before: Optional[Key]
    number: int
    moment: dt.datetime
    columns: tuple[str, ...]
    unlogged: tuple[str, ...] = ()

    @property
    def sequence(self) -> str:
        """What AR_H_CHANGE_SEQ says of it."""
        hundredths = f"{self.moment:%Y%m%d%H%M%S}{self.moment.microsecond // 10_000:02}"
        return f"{hundredths}{2 * self.number:019}"


@dataclass(frozen=True)
class LandedHistory:
    """What happened in a database.

    Attributes:
        loads: The rows of the full load by source, each as it was when it was read.
        log: The changes since the task began, in the order of their commits.
        truths: What each source held after each commit, from the end of the full load on: how
            many changes had been logged, and the rows by key.
        columns: The columns of the full load by source.
        began: When the full load began.
        altered: When an ALTER brought the late columns, if it did.
    """

    loads: Mapping[str, Sequence[Row]]
    log: Sequence[LoggedChange]
    truths: Sequence[tuple[int, Mapping[str, Mapping[Key, Row]]]] = field(repr=False)
    columns: Mapping[str, tuple[str, ...]]
    began: dt.datetime
    altered: Optional[dt.datetime]

    @property
    def truth(self) -> Mapping[str, Mapping[Key, Row]]:
        """What each source holds in the end."""
        return self.truths[-1][1]


def own_columns(table: LandedTable, source: str, model: Model) -> list[str]:
    """Give the landed columns of a table: its key, and what the model has of it."""
    named = {to: name for name, to in table.columns.items()}
    columns = [named.get(name, name) for name in model.sources[source].columns]
    return [name for name in table.key if name not in columns] + columns


class LandedDatabase:
    """SQLite as the source of truth, and a log of what it took.

    Args:
        landing: The tables.
        model: Whose sources they feed.
        late: By source a column that an ALTER adds.
    """

    def __init__(
        self, landing: Landing, model: Model, late: Optional[Mapping[str, str]] = None
    ) -> None:
        self.tables = landing.tables
        self.late = late or {}
        self.columns = {
            source: own_columns(table, source, model) for source, table in self.tables.items()
        }
        self.log: list[LoggedChange] = []
        self.moment = START
        self.altered: Optional[dt.datetime] = None
        self._sql = sqlite3.connect(":memory:", isolation_level=None)
        for source, names in self.columns.items():
            columns = ", ".join(f'"{name}" text' for name in names)
            key = ", ".join(f'"{name}"' for name in self.tables[source].key)
            self._sql.execute(f'create table "{source}" ({columns}, primary key ({key}))')

    def close(self) -> None:
        """Let go of what it holds."""
        self._sql.close()

    # ------------------------------------------------------------------------- statements

    def commit(self, span: dt.timedelta = COMMITTED, /) -> None:
        """End a transaction; what comes next is of a later time."""
        self.moment += span

    def alter(self) -> None:
        """Bring the late columns."""
        self.commit(dt.timedelta(milliseconds=10))
        self.altered = self.moment

    def write(self, source: str, row: Row, /, *, unlogged: Sequence[str] = ()) -> None:
        """Insert a row, or change the one of its key; missing columns are null.

        Args:
            source: The source that the table feeds.
            row: Its cells.
            unlogged: The columns that the log of a change does not hold.
        """
        key = self._key(source, row)
        if self.row(source, key) is not None:
            self.change(source, key, row, unlogged=unlogged)
            return
        names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
        statement = f'insert into "{source}" ({names}) values ({marks})'  # noqa: S608 - our names
        self._sql.execute(statement, list(row.values()))
        self._append(source, "I", self.row(source, key) or {}, None)

    def change(self, source: str, key: Key, row: Row, /, *, unlogged: Sequence[str] = ()) -> None:
        """Change cells of the row with a key, its key too.

        Raises:
            sqlite3.IntegrityError: There is a row of that key.
        """
        cells = ", ".join(f'"{name}" = ?' for name in row)
        statement = f'update "{source}" set {cells} where {self._where(source)}'  # noqa: S608
        if self._sql.execute(statement, [*row.values(), *key]).rowcount:
            before = dict(zip(self.tables[source].key, key))
            now = self.row(source, self._key(source, {**before, **row})) or {}
            self._append(source, "U", now, key, tuple(unlogged))

    def delete(self, source: str, key: Key, /) -> None:
        """Delete the row with a key, if there is one."""
        row = self.row(source, key)
        if row is not None:
            statement = f'delete from "{source}" where {self._where(source)}'  # noqa: S608
            self._sql.execute(statement, key)
            self._append(source, "D", row, None)

    def truncate(self, source: str, /) -> None:
        """Empty a table; the log holds no row of that."""
        self._sql.execute(f'delete from "{source}"')  # noqa: S608

    # ------------------------------------------------------------------------- what it holds

    def row(self, source: str, key: Key, /) -> Optional[Row]:
        """Give the row with a key."""
        statement = f'select * from "{source}" where {self._where(source)}'  # noqa: S608
        found: Any = self._sql.execute(statement, key).fetchone()
        return None if found is None else dict(zip(self.columns[source], found))

    def rows(self) -> dict[str, dict[Key, Row]]:
        """Give what each source holds, by key."""
        out: dict[str, dict[Key, Row]] = {}
        for source in self.tables:
            found = self._sql.execute(f'select * from "{source}"')  # noqa: S608
            rows = [dict(zip(self.columns[source], cells)) for cells in found]
            out[source] = {self._key(source, row): row for row in rows}
        return out

    def columns_now(self, source: str, /) -> tuple[str, ...]:
        """Give the columns of a table as they are now."""
        late = self.late.get(source)
        return tuple(name for name in self.columns[source] if self.altered or name != late)

    def since(self, began: dt.datetime, /) -> list[LoggedChange]:
        """Give the changes since a moment."""
        return [change for change in self.log if change.moment >= began]

    def told(self) -> LandedHistory:
        """Give the history of a database whose rows are loaded as they are at the first commit.

        The full load reads what was there after the first commit, and nothing changes meanwhile.
        """
        began = START + COMMITTED
        loads: dict[str, list[Row]] = {source: [] for source in self.tables}
        for change in self.log:
            if change.moment < began:
                loads[change.source].append(change.row)
        columns = {source: self.columns_now(source) for source in self.tables}
        log = self.since(began)
        return LandedHistory(loads, log, [(len(log), self.rows())], columns, began, None)

    def _key(self, source: str, row: Row) -> Key:
        return tuple(row[name] or "" for name in self.tables[source].key)

    def _where(self, source: str) -> str:
        return " and ".join(f'"{name}" = ?' for name in self.tables[source].key)

    def _append(
        self,
        source: str,
        operation: str,
        row: Row,
        before: Optional[Key],
        unlogged: tuple[str, ...] = (),
    ) -> None:
        number, columns = len(self.log) + 1, self.columns_now(source)
        told = (source, operation, row, before, number, self.moment, columns, unlogged)
        self.log.append(LoggedChange(*told))
