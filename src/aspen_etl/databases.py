"""A database as a source, for who needs no SQLAlchemy until a database is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Optional, Union

from aspen_etl.borrower import BORROWER_MODEL
from aspen_etl.derive.dialects import DIALECTS
from aspen_etl.derive.sql import require_sqlalchemy
from aspen_etl.schema import Extract, Model

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["is_database", "read_database"]


def read_database(
    source: Union[str, sa.Engine],
    /,
    *,
    model: Model = BORROWER_MODEL,
    tables: Optional[Mapping[str, str]] = None,
    columns: Optional[Mapping[str, str]] = None,
    schema: Optional[str] = None,
    chunk_rows: int = 10_000,
) -> Extract:
    """Read the sources of a model from the tables or views of a database, all as of one moment.

    One transaction reads, and cannot write: ``REPEATABLE READ`` on PostgreSQL, a consistent
    snapshot on MariaDB and MySQL, ``SNAPSHOT`` on SQL Server, which must allow it, a transaction on
    SQLite. Columns that the model does not know are not read. Rows come in the order of the primary
    key, those of a table or view without one in the order of their cells, so that one state always
    gives one extract.

    Args:
        source: A SQLAlchemy engine of PostgreSQL, MariaDB, MySQL, SQL Server or SQLite, or its
            url.
        model: What to read.
        tables: The table or view of a source, ``table`` or ``schema.table``, where it is not
            called like the source.
        columns: The model's name of a column by that in the database, where they differ.
        schema: The database schema; by default that of the connection.
        chunk_rows: How many rows are fetched at a time; the memory beside the extract grows
            with it.

    Returns:
        The sheets, every cell text or missing. What goes to a typed column of the model is its
        canonical text, where it is a value of that type: digits are never those of a float, moments
        with a zone are in UTC, a number in a column of booleans is ``true`` or ``false``. A null is
        missing; an empty text stays one. A cell without an exact text (a large float) is among
        the ``faults``. Rows are numbered from 2, as if a header stood above them.

    Raises:
        HeaderError: A table or a column of the model is not there.
        FileFormatError: A column is of a type that is no value: bytes, an array, JSON, an
            interval.
        ExtractError: A cell of SQLite is none, or ``tables=`` names no source.
        DatabaseError: The database cannot be reached or refused, or cannot show one moment.
        SourceNotFoundError: There is no such file of SQLite.
        MissingDependencyError: SQLAlchemy is not installed.

    Examples:
        >>> import sqlite3
        >>> lender = sqlite3.connect("lender.db")
        >>> names = ", ".join(BORROWER_MODEL.sources["borrower"].columns)
        >>> _ = lender.execute(f"CREATE TABLE borrower ({names})")
        >>> _ = lender.execute("CREATE TABLE roles (borrower_id, role_profile)")
        >>> _ = lender.execute("INSERT INTO roles VALUES ('b1', 'Borrower')")
        >>> lender.commit()
        >>> lender.close()
        >>> read_database("sqlite:///lender.db", tables={"role_profile": "roles"})
        <Extract borrower: 0, role_profile: 1>
    """
    require_sqlalchemy("reading a database")
    from aspen_etl.sql.connecting import make_engine
    from aspen_etl.sql.flat import FlatDatabase
    from aspen_etl.sql.flat_tables import FlatNames

    names = FlatNames(dict(tables or {}), dict(columns or {}))
    if not isinstance(source, str):
        return FlatDatabase(source, model, names, schema).read(chunk_rows)
    engine = make_engine(source)
    try:
        return FlatDatabase(engine, model, names, schema).read(chunk_rows)
    finally:
        engine.dispose()


def is_database(word: str, /) -> bool:
    """Tell whether a source is the url of a database.

    Examples:
        >>> is_database("postgresql+psycopg://me@host/loans"), is_database("s3://bucket/in.xlsx")
        (True, False)
    """
    scheme, separator, _ = word.partition("://")
    backend = scheme.partition("+")[0].lower()
    return bool(separator) and any(backend in each.engines for each in DIALECTS.values())
