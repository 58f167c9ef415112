"""Tables that are written part by part, by workers: each file is a part of one table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Optional

import pandas as pd

from aspen_etl.derive.formats import FormatName
from aspen_etl.io.batch import Batch
from aspen_etl.io.codecs import encoders
from aspen_etl.io.exchange import Exchange, Piece
from aspen_etl.io.filesystem import Location
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.snapshot import Snapshot
from aspen_etl.schema.spec import TableSpec
from aspen_etl.store.attempt import Attempt, keys_path, table_path
from aspen_etl.store.commit import Commit
from aspen_etl.store.contents import Put, put_keys
from aspen_etl.store.frames import check_sizes, empty, send_file
from aspen_etl.store.stored import KeyEntry, Stored, StoredFile
from aspen_etl.transform.claiming import KeyMap
from aspen_etl.transform.keys import Retired, key_columns
from aspen_etl.transform.merging import renumber
from aspen_etl.transform.parting import Partitioning
from aspen_etl.workers import Workers

__all__ = ["MadePart", "PartedTables"]


class MadePart(NamedTuple):
    """Say where is what a worker made of a part.

    Attributes:
        tables: By table of subjects, its rows, new ones under the part's own numbers.
        retired: By table of subjects whose keys are given, the keys of rows that are gone.
        changed: The tables of which these are others than before.
    """

    tables: Mapping[str, Piece]
    retired: Mapping[str, Piece]
    changed: frozenset[str]


@dataclass(frozen=True, eq=False)
class PartedTables:
    """Hold what was made of all parts.

    Attributes:
        how: How the model is partitioned.
        parts: What was made of each part.
        keys: What is settled for each.
        lookups: The lookup tables, and the keys that they gave.
        anew: Whether what is stored is cut otherwise, so that what is written must be whole.
        exchange: Where what was made is left.
        workers: Who writes.
    """

    how: Partitioning = field(repr=False)
    parts: Sequence[MadePart] = field(repr=False)
    keys: Sequence[KeyMap] = field(repr=False)
    lookups: Snapshot
    anew: bool
    exchange: Exchange
    workers: Workers

    def put(self, attempt: Attempt, names: Collection[str], base: Optional[Commit]) -> Put:
        """Write some tables, or where these were cut otherwise all of them, and their keys."""
        retired = self._retired_to_write(attempt, base)
        if self.anew and (names or retired):
            names, retired = self.how.model.tables, tuple(self.how.numbered)
        owned = tuple(name for name in self.how.owners if name in names)
        shared = {name: self.lookups.tables[name] for name in self.how.lookups if name in names}
        tables = attempt.tables(shared, self.how.model.tables)
        entries = put_keys(attempt, self._lookup_keys(), base)
        files = self._write(attempt, owned, retired)
        for name in owned:
            tables[name] = self._stored(attempt, name, files)
        for name in self.how.numbered:
            kept = base.keys[name].retired if base and name not in retired else None
            columns = tuple(key_columns(self.how.model.tables[name]))
            found = tuple(written.retired[name] for written in files if name in written.retired)
            entries[name] = KeyEntry(
                self.keys[0].after[name], kept or Stored(attempt.format, columns, found)
            )
        parts = len(self.parts) if owned or retired or base is None else base.parts
        in_order = {table: entries[table] for table in self.how.model.tables if table in entries}
        return Put(tables, in_order, parts)

    def _lookup_keys(self) -> list[tuple[TableSpec, Retired]]:
        tables = [self.how.model.tables[name] for name in self.how.lookups]
        return [
            (
                table,
                Retired.of(self.lookups.keys[table.name], self.lookups.tables[table.name], table),
            )
            for table in tables
        ]

    def _retired_to_write(self, attempt: Attempt, base: Optional[Commit]) -> tuple[str, ...]:
        """Name the tables whose retired keys are others than before, or stand there otherwise."""
        changed = frozenset[str]().union(*(part.changed for part in self.parts))
        tables, out = self.how.model.tables, []
        for name in self.how.numbered:
            held = base.keys.get(name) if base else None
            columns = tuple(key_columns(tables[name]))
            form = (attempt.format, columns)
            if (
                name in changed
                or held is None
                or (held.retired.format, held.retired.columns) != form
            ):
                out.append(name)
        return tuple(out)

    def _write(
        self, attempt: Attempt, owned: Sequence[str], retired: Sequence[str]
    ) -> list[WrittenPart]:
        if not owned and not retired:
            return []
        attempt.begin()
        jobs = [
            _Job(
                number,
                {name: part.tables[name] for name in owned},
                {name: part.retired[name] for name in retired},
                keys,
            )
            for number, (part, keys) in enumerate(zip(self.parts, self.keys))
        ]
        writer = _Writer(attempt.root, attempt.folder, attempt.format, self.how, self.exchange)
        return self.workers.map(partial(_write_part, writer), jobs)

    def _stored(self, attempt: Attempt, name: str, files: Sequence[WrittenPart]) -> Stored:
        table = self.how.model.tables[name]
        found = tuple(written.tables[name] for written in files if name in written.tables)
        if not found:  # readers take the columns of a table from a file, also where it has no row
            return attempt.tables({name: empty(table.columns)}, {name: table})[name]
        return Stored(attempt.format, tuple(table.columns), found)


# ----------------------------------------------------------------------------- what a worker does


@dataclass(frozen=True)
class _Writer:
    """What every worker knows that writes."""

    root: Location
    folder: str
    format: FormatName
    how: Partitioning = field(repr=False)
    exchange: Exchange


@dataclass(frozen=True, eq=False)
class _Job:
    """What is written of one part."""

    number: int
    tables: Mapping[str, Piece]
    retired: Mapping[str, Piece]
    keys: KeyMap


class WrittenPart(NamedTuple):
    """Name the files that were written of a part; where there are no rows, there is none."""

    tables: Mapping[str, StoredFile]
    retired: Mapping[str, StoredFile]


def _write_part(writer: _Writer, job: _Job) -> WrittenPart:
    # NOTE: the names are those of any try. A file gets its name when it is whole, and what another
    # try writes are the same bytes, so whichever comes last, it is what the commit says.
    specs, tables, retired = writer.how.model.tables, {}, {}
    for name, piece in job.tables.items():
        frame = renumber(writer.exchange.get(piece), specs[name], job.keys)
        path = table_path(name, writer.folder, job.number)
        if len(frame):
            tables[name] = _write_file(writer, path, frame, specs[name].columns)
    for name, piece in job.retired.items():
        frame = writer.exchange.get(piece)
        path = f"{keys_path(name, writer.folder)}.part-{job.number:05d}"
        if len(frame):
            retired[name] = _write_file(writer, path, frame, key_columns(specs[name]))
    return WrittenPart(tables, retired)


def _write_file(
    writer: _Writer, path: str, frame: pd.DataFrame, columns: Mapping[str, ColumnSpec]
) -> StoredFile:
    parts = (make() for make in encoders(frame, columns, writer.format))
    with Batch() as batch:
        file = send_file(batch, writer.root, f"{path}.{writer.format}", parts, len(frame))
    check_sizes(writer.root, Stored(writer.format, tuple(columns), (file,)))
    return file
