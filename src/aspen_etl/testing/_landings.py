"""Histories of a database, drawn: what SQLite holds in the end, and what DMS would land of it.

Each statement that SQLite takes is logged as DMS reads it from the log of a database; the full
load reads each row at another moment, while changes go on.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from hypothesis import strategies as st

from aspen_etl.schema.landing import Landing
from aspen_etl.schema.model import Model
from aspen_etl.simulation.landed_database import (
    Key,
    LandedDatabase,
    LandedHistory,
    LoggedChange,
    Row,
    own_columns,
)

__all__ = ["LandedHistory", "LoggedChange", "Row", "landed_histories", "own_columns"]

#: What is drawn for cells and keys; no error may hold the word that stands in most of them.
_CELLS = (None, "", "x", "é", " hush ", "NULL", "007", "hush,hush", 'say "hush"', "hush\nhush")
_KEYS = ("hush-a", "hush-b", "hush,c")
#: How many of them need no quotes in CSV; some histories have no others.
_PLAIN_CELLS, _PLAIN_KEYS = 7, 2


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
            lambda *told: _Drawn(landing, model, late_columns or {}).run(*told),
            steps,
            load,
            alter,
        )

    return most.flatmap(histories)


class _Drawn:
    """A database that takes drawn steps, while it is loaded."""

    def __init__(self, landing: Landing, model: Model, late: Mapping[str, str]) -> None:
        self.database = LandedDatabase(landing, model, late)
        self.tables = landing.tables

    def run(self, steps: Sequence[_Step], load_at: int, alter_at: int) -> LandedHistory:
        """Take the steps; the full load begins before one of them, and reads a key at each."""
        database = self.database
        load_at = min(load_at, len(steps))
        wanted = self._all_keys()
        loads: dict[str, list[Row]] = {source: [] for source in self.tables}
        began, columns, truths = database.moment, {}, []
        for place, step in enumerate([*steps, None]):
            if place == alter_at:
                database.alter()
            if place == load_at:
                began = database.moment
                columns = {source: database.columns_now(source) for source in self.tables}
            if place >= load_at and wanted:
                self._load(wanted.pop(), loads, columns)
            if step is not None:
                self._take(step)
            if step is not None and step.kind == "commit" and not wanted:
                truths.append((len(database.since(began)), database.rows()))
        for each in reversed(wanted):
            self._load(each, loads, columns)
        truths.append((len(database.since(began)), database.rows()))
        database.close()
        return LandedHistory(loads, database.since(began), truths, columns, began, database.altered)

    def _all_keys(self) -> list[tuple[str, Key]]:
        """Give every key that there could be: the load looks for each."""
        found: list[tuple[str, Key]] = []
        for source, table in self.tables.items():
            parts: list[Key] = [()]
            for _ in table.key:
                parts = [(*part, text) for part in parts for text in _KEYS]
            found += [(source, part) for part in parts]
        return found

    def _load(
        self,
        wanted: tuple[str, Key],
        loads: Mapping[str, list[Row]],
        columns: Mapping[str, Sequence[str]],
    ) -> None:
        row = self.database.row(*wanted)
        if row is not None:
            loads[wanted[0]].append({name: row[name] for name in columns[wanted[0]]})

    def _take(self, step: _Step) -> None:
        if step.kind == "commit":
            self.database.commit()
            return
        source = list(self.tables)[step.table]
        key = self._key(source, step.key)
        if step.kind == "delete":
            self.database.delete(source, key)
        elif step.kind == "write":
            self.database.write(source, self._values(source, step, key))
        else:
            other = dict(zip(self.tables[source].key, self._key(source, step.other)))
            with contextlib.suppress(sqlite3.IntegrityError):  # there is a row of that key
                self.database.change(source, key, other)

    def _key(self, source: str, places: tuple[int, ...]) -> Key:
        return tuple(_KEYS[place] for place in places[: len(self.tables[source].key)])

    def _values(self, source: str, step: _Step, key: Key) -> dict[str, Optional[str]]:
        row: dict[str, Optional[str]] = dict(zip(self.tables[source].key, key))
        names = self.database.columns_now(source)
        for name, place in zip(self.database.columns[source], step.cells):
            row.setdefault(name, _CELLS[place] if name in names else None)
        return row
