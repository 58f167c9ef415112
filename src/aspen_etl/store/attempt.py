"""One attempt at a commit: what changed goes to files of its own, then the commit names them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Optional

import pandas as pd

from aspen_etl.columns.dtypes import HAS_ARROW
from aspen_etl.columns.frames import equal_frames
from aspen_etl.derive.formats import FileFormat, FormatName
from aspen_etl.errors import CorruptStoreError, DeadlineError, ReadError, SourceNotFoundError
from aspen_etl.io.batch import Batch
from aspen_etl.io.codecs import encode, encode_ahead, encoders
from aspen_etl.io.filesystem import Location
from aspen_etl.io.writing import Data
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.rejects import columns_as_named, rename
from aspen_etl.schema.snapshot import REJECTS
from aspen_etl.schema.spec import TableSpec
from aspen_etl.store.commit import Commit
from aspen_etl.store.frames import check_sizes, checksum, read_frame, send_file
from aspen_etl.store.held_tables import Written
from aspen_etl.store.place import Place
from aspen_etl.store.stored import KeyEntry, Stored
from aspen_etl.transform.keys import Retired, key_columns

__all__ = ["Attempt", "keys_path", "table_path"]


def table_path(name: str, folder: str, part: int, /) -> str:
    """Give where an attempt writes a part of a table, below the store, without the suffix."""
    return f"{name}/{folder}/part-{part:05d}"


def keys_path(name: str, folder: str, /) -> str:
    """Give where an attempt writes the keys of a table whose row is gone, without the suffix."""
    return f"_aspen/keys/{folder}/{name}"


class Attempt:
    """Write the files of one attempt under a token that no other attempt has.

    Args:
        place: The store.
        version: The version that it is to become.
        give_up: Called before each file and before the commit; it raises to stop.
        base: The commit that it goes on from, in whose format it goes on.

    Attributes:
        format: ``csv`` or ``parquet``.
        token: 64 random bits, as hexadecimal digits.
        folder: What its files lie in, below the folder of their table.
    """

    def __init__(
        self,
        place: Place,
        version: int,
        give_up: Optional[Callable[[str], None]] = None,
        *,
        base: Optional[Commit] = None,
    ) -> None:
        self.root, self.rejects_root = place.root, place.rejects_root
        self.format, self.limit = place.format_after(base), place.attempt_limit
        self.landed_format = _landed_format(base, self.format)
        self.give_up = give_up
        self.token = secrets.token_hex(8)
        self.folder = f"{version:020d}-{self.token}"
        self._started: Optional[float] = None

    def check(self, step: str) -> None:
        """Give up where the time is over.

        Raises:
            DeadlineError: The attempt takes too long.
        """
        if self.give_up is not None:
            self.give_up(step)
        if self._started is not None:
            seconds = time.monotonic() - self._started
            if seconds > self.limit.total_seconds():
                raise DeadlineError.after(seconds, self.limit.total_seconds(), step)

    def begin(self) -> None:
        """Begin to write, unless the time is over.

        Raises:
            DeadlineError: It is.
        """
        self.check("writing files")
        if self._started is None:
            self._started = time.monotonic()

    def tables(
        self,
        frames: Mapping[str, pd.DataFrame],
        tables: Mapping[str, TableSpec],
        written: Mapping[str, Written] = MappingProxyType({}),
    ) -> dict[str, Stored]:
        """Write tables, all of them or none.

        Args:
            frames: Tables by name, as frames.
            tables: What the tables are.
            written: Other tables by name, as bytes already.
        """
        columns = {name: tables[name].columns for name in frames}
        stored = {}
        with Batch() as batch:
            for name, parts in encode_ahead(frames, columns, self.format):
                made = Written(parts, len(frames[name]), self.format)
                stored[name] = self._send(batch, self._path_of(name), tables[name].columns, made)
            for name, made in written.items():
                stored[name] = self._send(batch, self._path_of(name), tables[name].columns, made)
        for each in stored.values():
            check_sizes(self.root, each)
        return stored

    def _path_of(self, name: str) -> str:
        return table_path(name, self.folder, 0)

    def keys(self, table: TableSpec, found: Retired, before: Optional[KeyEntry]) -> KeyEntry:
        """Write the keys whose row is gone, unless they stand there already."""
        path = keys_path(table.name, self.folder)
        held = before.retired if before else None
        return KeyEntry(found.next, self._once(path, found.keys, key_columns(table), held))

    def rejects(self, frame: pd.DataFrame, before: Optional[Stored]) -> Stored:
        """Write the rejects, unless they stand there already."""
        path = f"_aspen/rejects/{self.folder}/rejects"
        return self._once(path, frame, REJECTS, before, elsewhere=self.rejects_root is not None)

    def landed(self, path: str, frame: pd.DataFrame, columns: Mapping[str, ColumnSpec]) -> Stored:
        """Write rows of the state of a landing folder, where the rejects are."""
        elsewhere = self.rejects_root is not None
        file_format = self.landed_format
        if not len(frame):
            return Stored(file_format, tuple(columns), (), elsewhere)
        return self._write(path, frame, columns, where=(file_format, elsewhere))

    def sided(
        self,
        path: str,
        frame: pd.DataFrame,
        columns: Mapping[str, ColumnSpec],
        before: Optional[Stored],
    ) -> Stored:
        """Write what is known of a side where the rejects are, unless it stands there already."""
        return self._once(path, frame, columns, before, elsewhere=self.rejects_root is not None)

    def _once(
        self,
        path: str,
        frame: pd.DataFrame,
        columns: Mapping[str, ColumnSpec],
        before: Optional[Stored],
        *,
        elsewhere: bool = False,
    ) -> Stored:
        nothing = Stored(self.format, tuple(columns), (), elsewhere)
        if not len(frame):
            same = before is not None and not before.files and before.elsewhere == elsewhere
            return before if before is not None and same else nothing
        data = encode(frame, columns, self.format)
        if before is not None and self._is_same(before, frame, columns, data, elsewhere=elsewhere):
            return before
        return self._write(path, frame, columns, [data], where=(self.format, elsewhere))

    def _is_same(
        self,
        before: Stored,
        frame: pd.DataFrame,
        columns: Mapping[str, ColumnSpec],
        data: bytes,
        *,
        elsewhere: bool,
    ) -> bool:
        """Tell whether files hold a frame: by its bytes, or, of other versions, by its values."""
        if before.elsewhere != elsewhere or before.rows != len(frame):
            return False
        if [file.sha256 for file in before.files] == [checksum(data)]:
            return not elsewhere or self._are_there(before)
        if before.format != self.format:
            return False
        held = columns_as_named(before.columns) if columns is REJECTS else columns
        try:
            found = read_frame(self._root(elsewhere=elsewhere), before, held)
        except (ReadError, CorruptStoreError, SourceNotFoundError, PermissionError):
            return False
        return equal_frames(rename(found) if columns is REJECTS else found, frame[list(columns)])

    def _are_there(self, stored: Stored) -> bool:
        """Tell whether files are where they would be now: the place may be another than before."""
        root = self._root(elsewhere=stored.elsewhere)
        return all(root.child(file.path).kind() == "file" for file in stored.files)

    def _write(
        self,
        path: str,
        frame: pd.DataFrame,
        columns: Mapping[str, ColumnSpec],
        parts: Optional[Iterable[Data]] = None,
        *,
        where: tuple[FileFormat, bool],
    ) -> Stored:
        file_format, elsewhere = where
        if parts is None:
            parts = (make() for make in encoders(frame, columns, file_format))
        made = Written(parts, len(frame), file_format)
        with Batch() as batch:
            stored = self._send(batch, path, columns, made, elsewhere=elsewhere)
        check_sizes(self._root(elsewhere=elsewhere), stored)
        return replace(stored, elsewhere=elsewhere)

    def _send(
        self,
        batch: Batch,
        path: str,
        columns: Iterable[str],
        made: Written,
        *,
        elsewhere: bool = False,
    ) -> Stored:
        self.begin()
        root = self._root(elsewhere=elsewhere)
        file = send_file(batch, root, f"{path}.{made.format}", made.parts, made.rows)
        return Stored(made.format, tuple(columns), (file,))

    def _root(self, *, elsewhere: bool) -> Location:
        return self.rejects_root if elsewhere and self.rejects_root is not None else self.root

    def rewrite(
        self, path: str, frame: pd.DataFrame, columns: Mapping[str, ColumnSpec], old: Stored
    ) -> Stored:
        """Write what is left of another file, in its format."""
        return self._write(path, frame, columns, where=(old.format, old.elsewhere))


def _landed_format(base: Optional[Commit], tables: FormatName) -> FileFormat:
    """Choose how the state of a landing folder is written, which nobody else reads.

    As Arrow lays it out nothing is parsed, which is most of a short run. A store whose state was
    first written without pyarrow keeps its format: who writes it may have none.
    """
    held = () if base is None or base.landing is None else base.landing.stored
    others = any(each.files and each.format != "arrow" for each in held)
    return tables if others or not HAS_ARROW else "arrow"
