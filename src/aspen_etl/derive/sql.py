"""Relational databases: the tables of a model as SQLAlchemy metadata and as DDL.

What the dialects do differently, and why each is written as it is:

- Text is compared by its code points (``COLLATE "C"``, ``utf8mb4_bin``, ``BIN2``, ``BINARY``):
  the default collations of MySQL and SQL Server take ``A1`` and ``a1`` for one.
- A length counts characters. SQL Server's ``nvarchar(n)`` counts halves of some of them, and
  SQLite does not look at lengths, so these two have a check.
- A natural key is unique with null equal to null. SQL Server does so by itself. PostgreSQL can
  only from version 15 on, SQLite cannot: there an index over an expression does it. MariaDB has
  no such index, so there an invisible generated column does it.
- Keys are given by us and by nobody else while we load; as identity columns they go on by
  themselves once the tables are written by others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from aspen_etl.derive.sql_columns import DIALECTS, SQLDialect, checks_of, quoted, type_of
from aspen_etl.errors import MissingDependencyError, ModelError, NotSupportedError
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import ColumnSpec, TableSpec

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["DIALECTS", "LOAD_TABLE", "SQLDialect", "sql_ddl", "sql_metadata"]

#: The table of one row that says which commit the database is at.
LOAD_TABLE = "aspen_etl_load"

#: The most bytes of an index entry: InnoDB, and SQL Server (a clustered key has less).
_MYSQL_KEY_BYTES, _MSSQL_KEY_BYTES, _MSSQL_PRIMARY_KEY_BYTES = 3_072, 1_700, 900
_INTEGER_BYTES = 8

_NAMES = {
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
    _require_sqlalchemy()
    import sqlalchemy as sa

    if dialect not in DIALECTS:
        msg = f"there is no SQL dialect {dialect!r}; use one of {', '.join(DIALECTS)}"
        raise NotSupportedError(msg, dialect=dialect)
    if LOAD_TABLE in model.tables:
        msg = f"the name {LOAD_TABLE!r} is taken by what tells which commit a database is at"
        raise ModelError(msg, table=LOAD_TABLE)
    metadata = sa.MetaData(schema=schema, naming_convention=_NAMES)
    for table in model.tables.values():
        _check_index_size(table, dialect)
        _table(metadata, table, model, dialect)
    _load_table(metadata, dialect)
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
    if dialect == "mssql":  # comments name the schema, and no connection tells which it is
        engine.dialect.default_schema_name = "dbo"
    for table in metadata.tables.values():
        table.create(engine, checkfirst=False)
    return "\n".join(statements)


def _require_sqlalchemy() -> None:
    try:
        import sqlalchemy  # noqa: F401 - asked whether it is there
    except ImportError:
        missing = True
    else:
        missing = False
    if missing:
        raise MissingDependencyError.for_extra("sqlalchemy", "sql", "a relational database")


# ----------------------------------------------------------------------------- tables


def _table(metadata: sa.MetaData, table: TableSpec, model: Model, dialect: SQLDialect) -> None:
    import sqlalchemy as sa
    from sqlalchemy.sql import quoted_name

    columns: list[Any] = []
    for spec in table.columns.values():
        columns.append(_column(metadata, table, spec, model, dialect))
        if dialect == "mysql" and spec.name in _nullable_keys(table):
            columns.append(_comparable(spec))
        if dialect != "sqlite":  # which adds checks to a table only along with their column
            columns += checks_of(spec, dialect)
    made = sa.Table(
        quoted_name(table.name, quote=True),
        metadata,
        *columns,
        comment=_first_line(table.schema.__doc__),
        **_options(dialect),
    )
    if table.has_surrogate_key:
        _unique_natural_key(made, table, dialect)
    led = table.natural_key[0] if table.has_surrogate_key else table.primary_key
    for name in table.references:
        if name != led:  # else the unique key's own index serves
            sa.Index(None, made.c[name])


def _options(dialect: SQLDialect) -> dict[str, Any]:
    if dialect == "mysql":
        facts = {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}
        return {
            f"{name}_{key}": fact for name in ("mysql", "mariadb") for key, fact in facts.items()
        }
    return {"sqlite_autoincrement": True} if dialect == "sqlite" else {}


def _column(
    metadata: sa.MetaData, table: TableSpec, spec: ColumnSpec, model: Model, dialect: SQLDialect
) -> sa.Column[Any]:
    import sqlalchemy as sa
    from sqlalchemy.sql import quoted_name

    parts: list[Any] = []
    if spec.references:
        target = metadata.tables[_key(spec.references, metadata.schema)]
        parts.append(sa.ForeignKey(target.c[model.tables[spec.references].primary_key]))
    numbered = spec.primary_key and table.has_surrogate_key
    if numbered and dialect in ("postgresql", "mssql"):
        parts.append(sa.Identity(start=1))
    if dialect == "sqlite":
        parts += checks_of(spec, dialect)
    return sa.Column(
        quoted_name(spec.name, quote=True),
        type_of(spec, dialect),
        *parts,
        primary_key=spec.primary_key,
        autoincrement=numbered,
        nullable=spec.nullable,
        comment=spec.description,
    )


def _key(table: str, schema: Optional[str]) -> str:
    return f"{schema}.{table}" if schema else table


def _first_line(text: Optional[str]) -> Optional[str]:
    return text.strip().splitlines()[0] if text and text.strip() else None


# ----------------------------------------------------------------------------- natural keys


def _nullable_keys(table: TableSpec) -> list[str]:
    if not table.has_surrogate_key:
        return []
    return [name for name in table.natural_key if table.columns[name].nullable]


def _unique_natural_key(made: sa.Table, table: TableSpec, dialect: SQLDialect) -> None:
    import sqlalchemy as sa

    nullable = _nullable_keys(table)
    if not nullable or dialect == "mssql":
        made.append_constraint(sa.UniqueConstraint(*(made.c[name] for name in table.natural_key)))
    elif dialect == "mysql":
        names = [_comparable_name(n) if n in nullable else n for n in table.natural_key]
        made.append_constraint(sa.UniqueConstraint(*(made.c[name] for name in names)))
    else:
        parts: list[Any] = []
        for name in table.natural_key:
            column = made.c[name]
            if name not in nullable:
                parts.append(column)
                continue
            # Together they tell null from the value that stands for it.
            parts += [sa.func.coalesce(column, _stand_in(table.columns[name])), column.is_(None)]
        sa.Index(f"uq_{table.name}", *parts, unique=True)


def _stand_in(spec: ColumnSpec) -> Any:
    import sqlalchemy as sa

    return sa.literal_column("''" if spec.type == "text" else "0")


def _comparable_name(name: str) -> str:
    return f"{name}_or_none"


def _comparable(spec: ColumnSpec) -> sa.Column[Any]:
    """Give MySQL's invisible column in which null equals null: no key is 0 or ''."""
    import sqlalchemy as sa
    from sqlalchemy.sql import quoted_name

    name = quoted_name(_comparable_name(spec.name), quote=True)
    nothing = "''" if spec.type == "text" else "0"
    text = f"coalesce({quoted(spec.name, 'mysql')}, {nothing})"
    return sa.Column(name, type_of(spec, "mysql"), _invisible(text))


def _invisible(text: str) -> Any:
    from sqlalchemy import Computed
    from sqlalchemy.ext.compiler import compiles

    class Invisible(Computed):
        inherit_cache = True

    @compiles(Invisible)
    def _(element: Any, compiler: Any, **options: Any) -> str:
        return f"{compiler.visit_computed_column(element, **options)} INVISIBLE"

    return Invisible(text, persisted=False)


def _check_index_size(table: TableSpec, dialect: SQLDialect) -> None:
    limits = {
        "mysql": (_MYSQL_KEY_BYTES, _MYSQL_KEY_BYTES),
        "mssql": (_MSSQL_PRIMARY_KEY_BYTES, _MSSQL_KEY_BYTES),
    }
    if dialect not in limits:
        return
    for names, limit in zip(((table.primary_key,), table.natural_key), limits[dialect]):
        specs = [table.columns[name] for name in names]
        size = sum(4 * spec.length if spec.length else _INTEGER_BYTES for spec in specs)
        if size > limit:
            msg = (
                f"table {table.name!r}: the key {', '.join(names)} can have {size} bytes, and an "
                f"index of {dialect} holds {limit}; give its text a shorter length="
            )
            raise ModelError(msg, table=table.name, columns=names)


def _load_table(metadata: sa.MetaData, dialect: SQLDialect) -> None:
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
        **_options(dialect if dialect != "sqlite" else "postgresql"),
    )
