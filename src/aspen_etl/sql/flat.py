"""Flat tables of a database as a source: the sheets of an extract, read as of one moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Optional

import pandas as pd
import sqlalchemy as sa

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.errors import ArgumentError, AspenETLError, ConflictError, DatabaseError
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import Extract
from aspen_etl.sql.database import Connections
from aspen_etl.sql.flat_guards import guards_of
from aspen_etl.sql.flat_sheets import CHUNK_ROWS, FlatRows, read_rows, read_some
from aspen_etl.sql.flat_state import FlatState, has_table, read_state
from aspen_etl.sql.flat_tables import FlatNames, find_flat_tables
from aspen_etl.sql.flat_writing import FlatWrite, write_changes
from aspen_etl.transform.flat_changes import FlatChanges

__all__ = ["FlatDatabase"]


def _hand(
    use: Callable[[str, pd.DataFrame, pd.DataFrame], None], source: str, rows: FlatRows
) -> None:
    use(source, rows.frame, rows.faults)


class FlatDatabase(Connections):
    """Know a database and which of its tables are the sources of a model.

    Attributes:
        model: The model.
        names: What they are called there.
        writes: Whether what is done now is to change it.
    """

    def __init__(
        self,
        engine: sa.Engine,
        model: Model = BORROWER_MODEL,
        names: FlatNames = FlatNames(),  # noqa: B008 - a frozen value
        schema: Optional[str] = None,
    ) -> None:
        super().__init__(engine, schema)
        self.model, self.names, self.writes = model, names, False

    def read(self, chunk_rows: int = CHUNK_ROWS) -> Extract:
        """Read all sources; see ``read_database``.

        Raises:
            SourceNotFoundError: There is no such file of SQLite, which a connection would make.
        """
        if chunk_rows < 1:
            raise ArgumentError("chunk_rows= is at least 1", problem="limit", argument="chunk_rows")
        self.check_file()
        return self.run(self._read, chunk_rows)[0]

    def read_with_state(self, chunk_rows: int = CHUNK_ROWS) -> tuple[Extract, Optional[FlatState]]:
        """Read all sources, and as of the same moment what was last written here; see ``state``."""
        self.check_file()
        return self.run(partial(self._read, with_state=True), chunk_rows)

    def read_sheets(
        self, use: Callable[[str, pd.DataFrame, pd.DataFrame], None], /, chunk_rows: int = 100_000
    ) -> None:
        """Read all sources as ``read`` does, some rows at a time; nothing of them is kept.

        Args:
            use: Takes the name of a source, some of its rows, and the faults among them.
            chunk_rows: How many rows are fetched at a time; of a table without a key, all.

        Raises:
            AspenETLError: What ``read`` raises.
        """
        self.check_file()
        self.run(self._read_sheets, use, chunk_rows)

    def _read_sheets(
        self, use: Callable[[str, pd.DataFrame, pd.DataFrame], None], chunk_rows: int
    ) -> None:
        with self.snapshot() as connection:
            self.step = "looking at the tables"
            for table in find_flat_tables(self, connection, self.model, self.names):
                self.step, name = f"reading {table.source}", table.source
                hand = partial(_hand, use, name)
                read_some(connection, table, self.model, hand, chunk_rows)

    def _read(
        self, chunk_rows: int, *, with_state: bool = False
    ) -> tuple[Extract, Optional[FlatState]]:
        frames, faults = {}, []
        with self.snapshot() as connection:
            state = self._state(connection) if with_state else None
            self.step = "looking at the tables"
            for table in find_flat_tables(self, connection, self.model, self.names):
                self.step = f"reading {table.source}"
                found = read_rows(connection, table, self.model, chunk_rows)
                frames[table.source] = found.frame
                faults.append(found.faults)
        return Extract.from_frames(frames, faults=pd.concat(faults, ignore_index=True)), state

    # ------------------------------------------------------------------------- writing

    def state(self) -> Optional[FlatState]:
        """Read what was last written here by ``write``; none where nothing was.

        Raises:
            DatabaseError: The database cannot be reached or refused.
            SourceNotFoundError: There is no such file of SQLite.
        """
        self.check_file()
        return self.run(self._state_now)

    def _state_now(self) -> Optional[FlatState]:
        with self.reading() as connection:
            return self._state(connection)

    def _state(self, connection: sa.Connection) -> Optional[FlatState]:
        self.step = "asking what was last written"
        return read_state(self, connection) if has_table(self, connection) else None

    def write(
        self,
        changes: FlatChanges,
        /,
        *,
        version: int,
        token: str,
        deletes: bool,
        expected: Optional[FlatState],
        defaults: Optional[Mapping[str, Any]] = None,
    ) -> dict[str, dict[str, int]]:
        """Write changes in one transaction, over nothing that is not as they know it.

        Only cells that change are written. A row is known by its clean key, whatever surrounds it
        there. Every cell that is written over, and every cell of a row that goes, has to be, clean,
        what ``changes.was`` or ``changes.deleted`` says; a new row must not be there, unless it is
        equal. Each statement meets a row alone whose key and changed cells are as they were read.
        At the end all is read back. Where there is nothing to write, no statement is made.

        Args:
            changes: The changes.
            version: The commit that they lead to.
            token: The commit's own token.
            deletes: Whether rows that are gone are among the changes, or held.
            expected: What ``state`` has to say.
            defaults: What new rows have in columns that the model does not know, by
                ``table.column`` as the database calls them.

        Returns:
            The rows inserted, updated and deleted, by source.

        Raises:
            ConflictError: The side is not as it was read (``problem="side"``), or somebody held a
                lock for too long; nothing was written.
            DatabaseError: A text is no value of its column, several rows have one key, what was
                written is not what was to be there, or the database refused; nothing was written.
            ArgumentError: ``defaults`` lacks a column, or names none.
        """
        if changes.is_empty:
            return {name: dict(counts) for name, counts in changes.counts.items()}
        self.check_file()
        state = FlatState(version, token, deletes)
        asked = FlatWrite(changes, state, expected, dict(defaults or {}))
        self.writes = True
        try:
            return self.run(write_changes, self, self.model, self.names, asked)
        finally:
            self.writes = False

    def failure(self, reason: str, *, is_busy: bool = False) -> AspenETLError:
        """Say that the step failed, and what became of what was to be written."""
        if not self.writes:
            return super().failure(reason, is_busy=is_busy)
        if is_busy:
            waits = self.waits
            return ConflictError.load(
                self.url, self.step, reason, seconds=waits.longest, holders=waits.holders
            )
        if reason.rpartition(" ")[2] in guards_of(self.behaviour).again:
            told = (
                f"{self.step} met a row of the same key ({reason}): one that came since, or one "
                "that the database takes for equal"
            )
            return ConflictError.side(self.url, told)
        return DatabaseError.at_writing(self.url, self.step, reason)
