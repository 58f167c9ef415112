"""Histories of a database, drawn: what SQLite holds in the end, and what DMS would land of it.

SQLite is the judge of what there is. Each statement that it takes is logged as DMS reads it from
the log of a database; the full load reads each row at another moment, while changes go on.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from hypothesis import strategies as st

from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.schema.model import Model

__all__ = ["LandedHistory", "LoggedChange", "Row", "landed_histories"]

#: The cells of a row by the landed name of their columns.
Row = Mapping[str, Optional[str]]

#: What is drawn for cells and keys; no error may hold the word that stands in most of them.
_CELLS = (None, "", "x", "é", " hush ", "NULL", "007", "hush,hush", 'say "hush"', "hush\nhush")
_KEYS = ("hush-a", "hush-b", "hush,c")
#: How many of them need no quotes in CSV; some histories have no others.
_PLAIN_CELLS, _PLAIN_KEYS = 7, 2

_START = dt.datetime(2026, 3, 29, 0, 59, 59, tzinfo=dt.timezone.utc)


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
    """

    source: str
    operation: str
    row: Row
    before: Optional[tuple[str, ...]]
    number: int
    moment: dt.datetime
    columns: tuple[str, ...]

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
    truths: Sequence[tuple[int, Mapping[str, Mapping[tuple[str, ...], Row]]]] = field(repr=False)
    columns: Mapping[str, tuple[str, ...]]
    began: dt.datetime
    altered: Optional[dt.datetime]

    @property
    def truth(self) -> Mapping[str, Mapping[tuple[str, ...], Row]]:
        """What each source holds in the end."""
        return self.truths[-1][1]


@dataclass(frozen=True)
class _Step:
    """A step of a history: what is done, to which key, with which cells."""

    kind: str
    table: int
    key: tuple[int, ...]
    other: tuple[int, ...]
    cells: tuple[int, ...]


def landed_histories(
    landing: Landing,
    model: Model,
    *,
    max_steps: int = 20,
    key_updates: bool = True,
    late_columns: Mapping[str, str] | None = None,
) -> st.SearchStrategy[LandedHistory]:
    """Generate histories of the tables of a landing.

    Args:
        landing: The tables.
        model: Whose sources they feed.
        max_steps: The most steps.
        key_updates: Whether keys change.
        late_columns: By source a column that an ALTER adds at some time.
    """
    tables = landing.tables
    widths = [len(own_columns(tables[source], source, model)) for source in tables]
    parts = max(len(table.key) for table in tables.values())
    most = st.booleans().map(
        lambda plain: (_PLAIN_KEYS, _PLAIN_CELLS) if plain else (len(_KEYS), len(_CELLS))
    )
    kinds = ["write", "write", "delete", "commit"] + ["rekey"] * key_updates

    def histories(most: tuple[int, int]) -> st.SearchStrategy[LandedHistory]:
        keys = st.tuples(*[st.integers(0, most[0] - 1)] * parts)
        cells = st.tuples(*[st.integers(0, most[1] - 1)] * max(widths))
        table = st.integers(0, len(tables) - 1)
        step = st.builds(_Step, st.sampled_from(kinds), table, keys, keys, cells)
        steps = st.lists(step, min_size=max_steps // 2, max_size=max_steps)
        load, alter = st.integers(0, max_steps // 4), st.integers(0, max_steps)
        return st.builds(
            lambda *told: _Database(landing, model, late_columns or {}).run(*told),
            steps,
            load,
            alter,
        )

    return most.flatmap(histories)


def own_columns(table: LandedTable, source: str, model: Model) -> list[str]:
    """Give the landed columns of a table: its key, and what the model has of it."""
    named = {to: name for name, to in table.columns.items()}
    columns = [named.get(name, name) for name in model.sources[source].columns]
    return [name for name in table.key if name not in columns] + columns


class _Database:
    """SQLite as the source of truth, and a log of what it took."""

    def __init__(self, landing: Landing, model: Model, late: Mapping[str, str]) -> None:
        self.tables = landing.tables
        self.late = late
        self.columns = {
            source: own_columns(table, source, model) for source, table in self.tables.items()
        }
        self.log: list[LoggedChange] = []
        self.number = 0
        self.moment = _START
        self.altered: Optional[dt.datetime] = None
        self.sql = sqlite3.connect(":memory:", isolation_level=None)
        for source, names in self.columns.items():
            columns = ", ".join(f'"{name}" text' for name in names)
            key = ", ".join(f'"{name}"' for name in self.tables[source].key)
            self.sql.execute(f'create table "{source}" ({columns}, primary key ({key}))')

    def run(self, steps: Sequence[_Step], load_at: int, alter_at: int) -> LandedHistory:
        """Take the steps; the full load begins before one of them, and reads a key at each."""
        load_at = min(load_at, len(steps))
        wanted = self._all_keys()
        loads: dict[str, list[Row]] = {source: [] for source in self.tables}
        began, columns, truths = self.moment, {}, []
        for place, step in enumerate([*steps, None]):
            if place == alter_at:
                self.moment += dt.timedelta(milliseconds=10)
                self.altered = self.moment
            if place == load_at:
                began = self.moment
                columns = {source: self._columns_now(source) for source in self.tables}
            if place >= load_at and wanted:
                self._load(wanted.pop(), loads, columns)
            if step is not None:
                self._take(step)
            if step is not None and step.kind == "commit" and not wanted:
                truths.append((len(self._since(began)), self._rows()))
        for each in reversed(wanted):
            self._load(each, loads, columns)
        truths.append((len(self._since(began)), self._rows()))
        self.sql.close()
        return LandedHistory(loads, self._since(began), truths, columns, began, self.altered)

    def _since(self, began: dt.datetime) -> list[LoggedChange]:
        return [change for change in self.log if change.moment >= began]

    def _all_keys(self) -> list[tuple[str, tuple[str, ...]]]:
        """Give every key that there could be: the load looks for each."""
        found: list[tuple[str, tuple[str, ...]]] = []
        for source, table in self.tables.items():
            parts: list[tuple[str, ...]] = [()]
            for _ in table.key:
                parts = [(*part, text) for part in parts for text in _KEYS]
            found += [(source, part) for part in parts]
        return found

    def _load(
        self,
        wanted: tuple[str, tuple[str, ...]],
        loads: Mapping[str, list[Row]],
        columns: Mapping[str, Sequence[str]],
    ) -> None:
        row = self._row(*wanted)
        if row is not None:
            loads[wanted[0]].append({name: row[name] for name in columns[wanted[0]]})

    def _columns_now(self, source: str) -> tuple[str, ...]:
        late = self.late.get(source)
        return tuple(name for name in self.columns[source] if self.altered or name != late)

    # ------------------------------------------------------------------------- statements

    def _take(self, step: _Step) -> None:
        if step.kind == "commit":
            # Commit times of SQL Server are 3.3 ms apart: some transactions share one.
            self.moment += dt.timedelta(microseconds=3333)
            return
        source = list(self.tables)[step.table]
        key = self._key(source, step.key)
        try:
            getattr(self, f"_{step.kind}")(source, key, step)
        except sqlite3.IntegrityError:
            return

    def _key(self, source: str, places: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(_KEYS[place] for place in places[: len(self.tables[source].key)])

    def _values(self, source: str, step: _Step, key: tuple[str, ...]) -> dict[str, Optional[str]]:
        row: dict[str, Optional[str]] = dict(zip(self.tables[source].key, key))
        names = self._columns_now(source)
        for name, place in zip(self.columns[source], step.cells):
            row.setdefault(name, _CELLS[place] if name in names else None)
        return row

    def _write(self, source: str, key: tuple[str, ...], step: _Step) -> None:
        row = self._values(source, step, key)
        if self._row(source, key) is not None:
            self._set(source, key, row)
            return
        marks = ", ".join("?" * len(row))
        names = ", ".join(f'"{name}"' for name in row)
        statement = f'insert into "{source}" ({names}) values ({marks})'  # noqa: S608 - our names
        self.sql.execute(statement, list(row.values()))
        self._append(source, "I", self._row(source, key) or {}, None)

    def _rekey(self, source: str, key: tuple[str, ...], step: _Step) -> None:
        other = self._key(source, step.other)
        self._set(source, key, dict(zip(self.tables[source].key, other)))

    def _set(self, source: str, key: tuple[str, ...], row: Mapping[str, Optional[str]]) -> None:
        cells = ", ".join(f'"{name}" = ?' for name in row)
        statement = f'update "{source}" set {cells} where {self._where(source)}'  # noqa: S608
        if self.sql.execute(statement, [*row.values(), *key]).rowcount:
            now = tuple(row[name] or "" for name in self.tables[source].key)
            self._append(source, "U", self._row(source, now) or {}, key)

    def _delete(self, source: str, key: tuple[str, ...], step: _Step) -> None:
        del step
        row = self._row(source, key)
        if row is not None:
            statement = f'delete from "{source}" where {self._where(source)}'  # noqa: S608
            self.sql.execute(statement, key)
            self._append(source, "D", row, None)

    def _where(self, source: str) -> str:
        return " and ".join(f'"{name}" = ?' for name in self.tables[source].key)

    def _row(self, source: str, key: tuple[str, ...]) -> Optional[Row]:
        statement = f'select * from "{source}" where {self._where(source)}'  # noqa: S608
        found: Any = self.sql.execute(statement, key).fetchone()
        return None if found is None else dict(zip(self.columns[source], found))

    def _rows(self) -> dict[str, dict[tuple[str, ...], Row]]:
        out: dict[str, dict[tuple[str, ...], Row]] = {}
        for source, table in self.tables.items():
            rows = [
                dict(zip(self.columns[source], found))
                for found in self.sql.execute(f'select * from "{source}"')  # noqa: S608
            ]
            out[source] = {tuple(row[name] or "" for name in table.key): row for row in rows}
        return out

    def _append(
        self, source: str, operation: str, row: Row, before: Optional[tuple[str, ...]]
    ) -> None:
        self.number += 1
        columns = self._columns_now(source)
        self.log.append(
            LoggedChange(source, operation, row, before, self.number, self.moment, columns)
        )
