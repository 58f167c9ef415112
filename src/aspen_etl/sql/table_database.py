"""A database that holds the tables of a model, as one side of two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import exc

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.changes import Changes, diff
from aspen_etl.derive.sql import LOAD_TABLE
from aspen_etl.errors import ConflictError
from aspen_etl.errors.base import instead
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Tables
from aspen_etl.sql.creating import make_tables
from aspen_etl.sql.database import Database, LoadState
from aspen_etl.sql.guarding import DriftError, Writer
from aspen_etl.sql.moving import move_after_commit, move_identities
from aspen_etl.sql.reading import read_some, read_tables
from aspen_etl.sql.standing import TableStanding, look_at_tables
from aspen_etl.sql.writing import state_of

__all__ = ["TableDatabase"]


@dataclass(frozen=True)
class TableDatabase:
    """Know a database that holds the tables of a model, and read them as they stand.

    Attributes:
        engine: A SQLAlchemy engine.
        model: The model of the tables.
        schema: The database schema; by default that of the connection.
    """

    engine: sa.Engine
    model: Model = field(default=BORROWER_MODEL, repr=False)
    schema: Optional[str] = None

    def read(self) -> Tables:
        """Read the tables as one transaction sees them; nothing is validated.

        Raises:
            DatabaseError: The database cannot be reached, a table is not there, or the database
                does not show one moment.
            SourceNotFoundError: There is no such file of SQLite.
        """
        database = Database(self.engine, self.model, self.schema)
        database.check_file()
        return Tables(database.run(read_tables, database))

    def read_tables(self, use: Callable[[str, pd.DataFrame], None], /) -> None:
        """Read the tables as ``read`` does, some rows at a time; nothing of them is kept.

        Args:
            use: Takes the name of a table and some of its rows, each table after those that it
                refers to.

        Raises:
            AspenETLError: What ``read`` raises.
        """
        database = Database(self.engine, self.model, self.schema)
        database.check_file()
        database.run(read_some, database, use)

    def create(self) -> tuple[str, ...]:
        """Make the tables that are missing; give their names.

        Raises:
            ModelMismatchError: There are tables of these names that the model cannot continue.
            DatabaseError: The database cannot be reached, or refused.
        """
        return make_tables(Database(self.engine, self.model, self.schema))

    def state(self) -> Optional[LoadState]:
        """Read which commit the tables hold; none where nothing was ever loaded into them.

        Raises:
            DatabaseError: The database cannot be reached.
            SourceNotFoundError: There is no such file of SQLite.
        """
        database = Database(self.engine, self.model, self.schema)
        database.check_file()
        return database.run(_look, database)

    def standing(self) -> TableStanding:
        """Look at the keys that the database gives next, and whether its constraints hold.

        Raises:
            DatabaseError: The database cannot be reached, or a table is not there.
            SourceNotFoundError: There is no such file of SQLite.
        """
        database = Database(self.engine, self.model, self.schema)
        database.check_file()
        return database.run(look_at_tables, database)

    def write(
        self,
        before: Mapping[str, pd.DataFrame],
        after: Mapping[str, pd.DataFrame],
        /,
        *,
        version: int,
        token: str,
        expected: Optional[LoadState],
    ) -> Mapping[str, Mapping[str, int]]:
        """Bring the tables from one state to another, in one transaction.

        Args:
            before: What was last read of them; a row that is to change or go must still be so.
            after: What they are to hold; a row that they hold already is left alone.
            version: The commit that they are at afterwards.
            token: Its own token.
            expected: What ``state`` gave when ``before`` was read.

        Returns:
            The rows inserted, updated and deleted, by table.

        Raises:
            ConflictError: Somebody else wrote or loaded since then; nothing was written.
            DatabaseChangedError: The database made other values of what was written.
            DatabaseError: The database cannot be reached or refused; it holds what it held before.
        """
        database = Database(self.engine, self.model, self.schema)
        make_tables(database)
        push = _Push(diff(before, after, model=self.model), version, token, expected)
        counts = instead(
            lambda: database.run(_push, database, push),
            DriftError,
            lambda _: ConflictError.side(database.url, database.step),
        )
        database.committed = True
        database.run(move_after_commit, database, {})
        return counts


class _Push(NamedTuple):
    """What is written, on which state, and what is the state then."""

    changes: Changes
    version: int
    token: str
    expected: Optional[LoadState]


def _look(database: Database) -> Optional[LoadState]:
    database.step = "asking what the database holds"
    with database.reading() as connection:
        inspector = sa.inspect(connection)
        if not inspector.has_table(LOAD_TABLE, schema=database.schema):
            return None
        state = database.state(connection)
    return state if state is not None and state.version is not None else None


def _push(database: Database, push: _Push) -> Mapping[str, Mapping[str, int]]:
    database.step = "waiting for other loaders"
    with database.writing() as connection:
        if _place(database.state(connection, lock=True)) != _place(push.expected):
            raise DriftError
        writer = Writer(database, connection)
        try:
            writer.write(writer.without_done(push.changes))
        except exc.IntegrityError:
            refused = True  # a key or a reference is not what it was
        else:
            refused = False
        if refused:
            raise DriftError
        move_identities(database, connection, {})
        database.step = "committing"
        database.set_state(connection, state_of(database, push.version, push.token))
    return writer.counts


def _place(state: Optional[LoadState]) -> Optional[tuple[int, Optional[str]]]:
    """Give what tells two states apart: a newer library that looked in is no other state."""
    return None if state is None or state.version is None else (state.version, state.token)
