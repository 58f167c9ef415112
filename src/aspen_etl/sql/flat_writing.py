"""Write changes to flat tables in one transaction, over nothing that is not as it was known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

import sqlalchemy as sa

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.frames import make_frame
from aspen_etl.errors import ConflictError, DatabaseError
from aspen_etl.errors.base import instead
from aspen_etl.schema.model import Model
from aspen_etl.sql.database import Connections
from aspen_etl.sql.flat_guards import guards_of
from aspen_etl.sql.flat_looking import Found, Held, Seen, hold, lacks, look, with_parents
from aspen_etl.sql.flat_planning import SheetWrite, cells_of, plan_write
from aspen_etl.sql.flat_state import FlatState, alone, make_table, read_state, set_state
from aspen_etl.sql.flat_statements import MissedError, delete, insert, update
from aspen_etl.sql.flat_tables import FlatNames, FlatTable, find_flat_tables
from aspen_etl.sql.flat_targets import find_targets
from aspen_etl.transform.flat_changes import FlatChanges

__all__ = ["FlatWrite", "write_changes"]


@dataclass(frozen=True)
class FlatWrite:
    """What is to be written to a flat side.

    Attributes:
        changes: The changes, by sheet.
        state: What the side says afterwards.
        expected: What it says now; none where nothing was written to it yet.
        defaults: What new rows have in columns outside of the model, by ``table.column``.
    """

    changes: FlatChanges
    state: FlatState
    expected: Optional[FlatState]
    defaults: Mapping[str, Any] = field(default_factory=dict, repr=False)


def write_changes(
    database: Connections, model: Model, names: FlatNames, asked: FlatWrite, /
) -> dict[str, dict[str, int]]:
    """Write changes; see ``FlatDatabase.write``."""
    writing = _Writing(database, model, asked)
    guards = guards_of(database.behaviour)
    database.step = "looking at the tables"
    with database.reading() as connection:
        writing.prepare(connection, find_flat_tables(database, connection, model, names))
    if guards.creates_alone:
        database.step = "making the table of the side"
        with database.writing() as connection, alone(database, connection):
            make_table(database, connection)
    database.step = "waiting for other runs"
    with (
        database.writing() as connection,
        guards.session(connection),
        alone(database, connection),
    ):
        make_table(database, connection)
        if read_state(database, connection, lock=True) != asked.expected:
            raise ConflictError.side(database.url, "another run wrote to this side")
        counts = writing.write(connection)
        database.step = "writing the table of the side"
        set_state(database, connection, asked.state)
        database.step = "committing"
    return counts


#: Why nothing was written.
_CHANGED = "what is to be written was changed there since it was read"


class _Writing:
    """Write to the tables of a database, within one transaction."""

    def __init__(self, database: Connections, model: Model, asked: FlatWrite) -> None:
        self.database, self.model, self.changes = database, model, asked.changes
        self.defaults = asked.defaults
        self.tables: list[FlatTable] = []
        self.writes: dict[str, SheetWrite] = {}

    def prepare(self, connection: sa.Connection, tables: Sequence[FlatTable]) -> None:
        """Turn the changes into values, and refuse what the tables cannot hold."""
        wanted = [name for name, counts in self.changes.counts.items() if any(counts.values())]
        read = with_parents(wanted, self.model)
        self.tables = [each for each in tables if each.source in read]
        targets = find_targets(
            self.database,
            connection,
            [each for each in tables if each.source in wanted],
            self.defaults,
            frozenset(name for name in wanted if len(self.changes.inserted[name])),
        )
        self.writes = {
            name: plan_write(target, self.changes, self.model) for name, target in targets.items()
        }
        refused = [text for write in self.writes.values() for text in write.refused]
        if refused:
            raise DatabaseError.cannot_hold(self.database.url, refused)

    def write(self, connection: sa.Connection) -> dict[str, dict[str, int]]:
        """Hold the changes against what is there, write them, and read them back."""
        self.database.step = "reading what is there"
        beside = {name: write.target.ask(write.guarded) for name, write in self.writes.items()}
        seen = look(connection, self.tables, self.model, beside)
        held = {
            name: hold(write, seen[name], self._key(name)) for name, write in self.writes.items()
        }
        self._check(held)
        counts = {name: dict.fromkeys(each, 0) for name, each in self.changes.counts.items()}
        instead(lambda: self._write(connection, seen, held, counts), MissedError, self._missed)
        self.database.step = "reading back"
        self._check_back(look(connection, self.tables, self.model, {}))
        return counts

    def _missed(self, error: MissedError) -> ConflictError:
        return ConflictError.side(self.database.url, _CHANGED, {(error.source, None): error.count})

    def _write(
        self,
        connection: sa.Connection,
        seen: Mapping[str, Seen],
        held: Mapping[str, Held],
        counts: Mapping[str, dict[str, int]],
    ) -> None:
        """Run all statements; what is referred to is there while somebody refers to it."""
        order = [name for name in self.model.lineage.source_order if name in self.writes]
        for name in reversed(order):
            self.database.step = f"deleting from {name}"
            counts[name]["deleted"] = delete(connection, self.writes[name], seen[name], held[name])
        for name in order:
            self.database.step = f"updating {name}"
            counts[name]["updated"] = update(connection, self.writes[name], seen[name], held[name])
            self.database.step = f"inserting into {name}"
            more = self._references(name, seen)
            counts[name]["inserted"] = insert(connection, self.writes[name], held[name], more)

    def _key(self, name: str) -> tuple[str, ...]:
        return self.model.lineage.sources[name].key

    def _check(self, held: Mapping[str, Held]) -> None:
        twins = [
            f"{name}: {found.twins:,} of the keys {'belongs' if found.twins == 1 else 'belong'} to "
            "several rows"
            for name, found in held.items()
            if found.twins
        ]
        if twins:
            raise DatabaseError.cannot_hold(self.database.url, twins)
        changed: Counter[tuple[str, Optional[str]]] = Counter()
        for found in held.values():
            changed += found.changed
        if changed:
            raise ConflictError.side(self.database.url, _CHANGED, changed)

    def _check_back(self, seen: Mapping[str, Seen]) -> None:
        """Compare what is there now with what was to be there."""
        found: Found = Counter()
        twins: Found = Counter()
        for name, write in self.writes.items():
            found += lacks(write, seen[name], self._key(name))
            _, several = seen[name].find(write.inserted, self._key(name))
            twins[name, None] += int(several.sum())
        if +twins:
            raise ConflictError.side(self.database.url, _CHANGED, +twins)
        if found:
            raise DatabaseError.not_kept(self.database.url, found)

    def _references(self, name: str, seen: Mapping[str, Seen]) -> dict[str, list[Any]]:
        """Give the keys that new rows refer to as they stand there, with what surrounds them."""
        write, out = self.writes[name], {}
        is_text = {each.source: each.cells for each in self.tables}
        for column, parent in self.model.lineage.sources[name].references.items():
            key = self._key(parent)[0]
            both = is_text[name][column].is_text and is_text[parent][key].is_text
            if column not in write.values or not both:
                continue
            wanted = make_frame({key: write.inserted[column]})
            at, _ = seen[parent].find(wanted, (key,))
            raw = seen[parent].sheet.raw[key]
            texts = cells_of(COLUMNS.take(raw.reset_index(drop=True), at))
            out[column] = [
                value if place < 0 else text
                for value, place, text in zip(write.values[column], at.tolist(), texts)
            ]
        return out
