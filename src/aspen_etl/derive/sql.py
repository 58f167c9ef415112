"""Relational databases: the tables of a model as SQLAlchemy metadata and as DDL.

What the dialects do differently, and why each is written as it is:

- Text is compared by its code points (``COLLATE "C"``, ``utf8mb4_bin``, ``BIN2``, ``BINARY``):
  the default collations of MySQL and SQL Server take ``A1`` and ``a1`` for one.
- A length counts characters. SQL Server's ``nvarchar(n)`` counts halves of some of them, and
  SQLite does not look at lengths, so these two have a check.
- A natural key is unique with null equal to null. SQL Server does so by itself. PostgreSQL can
  only from version 15 on, SQLite cannot: there an index over an expression does it. MariaDB has
  no such index, so there an invisible generated column does it.
- Keys below ``ADOPTED_FROM`` are given by us alone; what others insert is numbered by an identity
  column that begins there. SQLite cannot be told so in a table's statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from aspen_etl.derive.dialects import (
    DIALECTS,
    Dialect,
    SQLDialect,
    checks_of,
    quoted,
    type_of,
)
from aspen_etl.errors import MissingDependencyError, ModelError
from aspen_etl.errors.base import named
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import ADOPTED_FROM
from aspen_etl.schema.spec import TableSpec

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["LOAD_TABLE", "NAMES", "require_sqlalchemy", "sql_ddl", "sql_metadata"]

#: The table of one row that says which commit the database is at.
LOAD_TABLE = "aspen_etl_load"

#: How many bytes of an index entry a number takes, and a character at most.
_INTEGER_BYTES, _CHARACTER_BYTES = 8, 4

#: How keys, indexes and checks are called, as SQLAlchemy takes it.
NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


def sql_metadata(
    model: Model, /, *, dialect: SQLDialect = "postgresql", schema: Optional[str] = None
) -> sa.MetaData:
    """Describe a model's tables to SQLAlchemy, in reference order, and the load table.

    Args:
        model: The model.
        dialect: ``postgresql``, ``mysql`` (also for MariaDB), ``mssql`` or ``sqlite``.
        schema: The database schema of the tables; by default that of the connection.

    Returns:
        Tables with primary keys, references, unique natural keys (null equal to null), lengths
        in characters, binary collations, checks and comments. Names are always quoted.

    Raises:
        ModelError: A key is too long for an index of the database, or a name is taken.
        NotSupportedError: There is no such dialect.
        MissingDependencyError: SQLAlchemy is not installed.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> list(sql_metadata(BORROWER_MODEL).tables)[:2]
        ['user_profile', 'user']
    """
    require_sqlalchemy("a relational database")
    import sqlalchemy as sa

    known = named(DIALECTS, dialect, kind="dialect", noun="SQL dialect")
    if LOAD_TABLE in model.tables:
        msg = f"the name {LOAD_TABLE!r} is taken by what tells which commit a database is at"
        raise ModelError(msg, table=LOAD_TABLE)
    metadata = sa.MetaData(schema=schema, naming_convention=NAMES)
    for table in model.tables.values():
        _check_index_size(table, known)
        _table(metadata, table, model, known)
    _load_table(metadata, known)
    return metadata


def sql_ddl(
    model: Model, /, *, dialect: SQLDialect = "postgresql", schema: Optional[str] = None
) -> str:
    """Write the DDL that creates a model's tables, in reference order, and the load table.

    Args:
        model: The model.
        dialect: ``postgresql``, ``mysql`` (also for MariaDB), ``mssql`` or ``sqlite``.
        schema: The database schema of the tables; by default that of the connection.

    Returns:
        Statements that each end with a semicolon.

    Raises:
        ModelError: A key is too long for an index of the database, or a name is taken.
        NotSupportedError: There is no such dialect.
        MissingDependencyError: SQLAlchemy is not installed.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> print(sql_ddl(BORROWER_MODEL, dialect="sqlite").splitlines()[0])
        CREATE TABLE "user_profile" (
    """
    metadata = sql_metadata(model, dialect=dialect, schema=schema)
    import sqlalchemy as sa

    statements: list[str] = []

    def note(statement: Any, *_: Any, **__: Any) -> None:
        text = str(statement.compile(dialect=engine.dialect))
        lines = [line.rstrip().replace("\t", "  ") for line in text.strip().splitlines()]
        statements.append("\n".join(line for line in lines if line) + ";\n")

    engine = sa.create_mock_engine(f"{dialect}://", note)
    if DIALECTS[dialect].default_schema is not None:
        engine.dialect.default_schema_name = DIALECTS[dialect].default_schema
    for table in metadata.tables.values():
        table.create(engine, checkfirst=False)
    return "\n".join(statements)


def require_sqlalchemy(purpose: str, /) -> None:
    """Make sure that SQLAlchemy is there.

    Raises:
        MissingDependencyError: It is not; the text names the extra that brings it.
    """
    try:
        import sqlalchemy  # noqa: F401 - asked whether it is there
    except ImportError:
        missing = True
    else:
        missing = False
    if missing:
        raise MissingDependencyError.for_extra("sqlalchemy", "sql", purpose)


# ----------------------------------------------------------------------------- tables


def _table(metadata: sa.MetaData, table: TableSpec, model: Model, dialect: Dialect) -> None:
    import sqlalchemy as sa
    from sqlalchemy.sql import quoted_name

    columns: list[Any] = []
    nullable = [name for name in table.natural_key if table.columns[name].nullable]
    for spec in table.columns.values():
        columns.append(_column(metadata, table, spec, model, dialect))
        if table.has_surrogate_key and spec.name in nullable:
            beside = dialect.comparable(spec, quoted(spec.name, dialect), type_of(spec, dialect))
            columns += [] if beside is None else [beside]
        if not dialect.has_constraints_in_columns:
            columns += checks_of(spec, dialect)
    made = sa.Table(
        quoted_name(table.name, quote=True),
        metadata,
        *columns,
        comment=table.about,
        **dialect.options,
        **dialect.model_options,
        **(dialect.first_number(ADOPTED_FROM) if table.has_surrogate_key else {}),
    )
    made.indexes = sa.util.OrderedSet()  # a set has another order each time, and so would the text
    if table.has_surrogate_key:
        dialect.unique_nulls(made, table, nullable)
    led = table.natural_key[0] if table.has_surrogate_key else table.primary_key
    for name in table.references:
        if name != led:  # else the unique key's own index serves
            sa.Index(None, made.c[name])


def _column(
    metadata: sa.MetaData, table: TableSpec, spec: ColumnSpec, model: Model, dialect: Dialect
) -> sa.Column[Any]:
    import sqlalchemy as sa
    from sqlalchemy.sql import quoted_name

    parts: list[Any] = []
    if spec.references:
        target = metadata.tables[_key(spec.references, metadata.schema)]
        parts.append(sa.ForeignKey(target.c[model.tables[spec.references].primary_key]))
    numbered = spec.primary_key and table.has_surrogate_key
    if numbered and dialect.has_identity:
        parts.append(sa.Identity(start=ADOPTED_FROM))
    checks = checks_of(spec, dialect) if dialect.has_constraints_in_columns else []
    parts += checks
    made: sa.Column[Any] = sa.Column(
        quoted_name(spec.name, quote=True),
        type_of(spec, dialect),
        *parts,
        primary_key=spec.primary_key,
        autoincrement=numbered,
        nullable=spec.nullable,
        comment=spec.description,
    )
    made.constraints = sa.util.OrderedSet(checks)  # likewise
    return made


def _key(table: str, schema: Optional[str]) -> str:
    return f"{schema}.{table}" if schema else table


def _check_index_size(table: TableSpec, dialect: Dialect) -> None:
    if dialect.key_bytes is None:
        return
    for names, limit in zip(((table.primary_key,), table.natural_key), dialect.key_bytes):
        lengths = [table.columns[name].length for name in names]
        size = sum(_CHARACTER_BYTES * length if length else _INTEGER_BYTES for length in lengths)
        if size > limit:
            msg = (
                f"table {table.name!r}: the key {', '.join(names)} can have {size} bytes, and an "
                f"index of {dialect.name} holds {limit}; give its text a shorter length="
            )
            raise ModelError(msg, table=table.name, columns=names)


def _load_table(metadata: sa.MetaData, dialect: Dialect) -> None:
    import sqlalchemy as sa
    from sqlalchemy.sql import quoted_name

    def text(length: Optional[int]) -> Any:
        return type_of(ColumnSpec("", "text", length=length), dialect)

    number = type_of(ColumnSpec("", "integer"), dialect)
    one = sa.CheckConstraint(sa.text(f"{quoted('id', dialect)} = 1"), name="one_row")
    columns = (
        ("id", number, False, "always 1: the table has one row"),
        ("version", number, True, "the commit that the tables hold; null after a load of frames"),
        ("token", text(64), True, "the commit's own token, which no other store has"),
        ("model", text(None), True, "the tables of the model, as JSON"),
        ("library", text(64), True, "the version of aspen_etl that loaded"),
    )
    sa.Table(
        quoted_name(LOAD_TABLE, quote=True),
        metadata,
        *(
            sa.Column(
                quoted_name(name, quote=True),
                kind,
                primary_key=name == "id",
                autoincrement=False,
                nullable=nullable,
                comment=comment,
            )
            for name, kind, nullable, comment in columns
        ),
        one,
        comment="Which commit of which store the tables hold.",
        **dialect.options,
    )
