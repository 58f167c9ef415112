r"""Athena and the Glue catalogue: statements, and the values of Glue's own interface.

Sources: the Athena user guide on ``CREATE TABLE``, its SerDes and its reserved words.

- Parquet is the form to query. CSV works too, by way of a view: OpenCSVSerDe reads neither ISO
  timestamps nor empty numbers, so the table under the view is text alone, and the view gives
  types and nulls back. It casts with ``CAST``, not ``TRY_CAST``: a field that is not what the
  model says fails the query, where ``TRY_CAST`` would show a null that is not in the data.
- OpenCSVSerDe drops its escape character, which is ``\`` unless another is named. Here it is a
  tab: no accepted text holds one, since cleaning turns white space into single spaces.
- Names are always quoted (``user`` is reserved); what comes from outside is checked first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional, Union

from aspen_etl.derive.formats import FORMATS, Format, FormatName, hive_type, trino_type
from aspen_etl.errors import ArgumentError, ModelError
from aspen_etl.errors.base import named
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import TableSpec

__all__ = ["athena_create", "athena_ddl", "athena_drop", "glue_tables"]

#: Athena lowers names and takes no other characters.
_NAME = re.compile(r"[a-z0-9_]{1,255}\Z")
#: Printable characters without those that end a text, name a variable or stand for others.
_LOCATION = re.compile(
    r"(?:s3a?://[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]|file://)/[^\s\"'`\\;<>{}|$?*\x00-\x20\x7f]*\Z"
)


def athena_create(
    model: Model,
    /,
    *,
    database: str,
    location: Union[str, Mapping[str, str]],
    format: FormatName = "parquet",  # noqa: A002 - the field's word for it
) -> tuple[str, ...]:
    """Write the statements that make a model's tables in Athena, over folders of files.

    Args:
        model: The model.
        database: The Athena database.
        location: The folder of each table by name, or the one that holds a folder for each. A
            folder may hold nothing but files of that table: ``s3://bucket/prefix/``.
        format: ``parquet``; or ``csv``, for a table of text and a typed view for each table.

    Returns:
        Statements without a semicolon, to be run one by one: ``CREATE EXTERNAL TABLE``, and for
        CSV ``CREATE OR REPLACE VIEW`` after it.

    Raises:
        ArgumentError: The database, a location or a name cannot stand in a statement.
        ModelError: A table of text would have the name of another table.
        NotSupportedError: There is no such format.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> ddl = athena_create(BORROWER_MODEL, database="aspen", location="s3://bucket/tables")
        >>> print(ddl[1].splitlines()[0])
        CREATE EXTERNAL TABLE IF NOT EXISTS `aspen`.`user` (
    """
    known, folders = _check(model, database, location, format)
    out = []
    for table in model.tables.values():
        out.append(_table(table, database, folders[table.name], known))
        if known.typed_view:
            out.append(_view(table, database, known))
    return tuple(out)


def athena_ddl(
    model: Model,
    /,
    *,
    database: str,
    location: Union[str, Mapping[str, str]],
    format: FormatName = "parquet",  # noqa: A002 - the field's word for it
) -> str:
    r"""Give the statements of ``athena_create`` as one text, each ended by a semicolon.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> text = athena_ddl(BORROWER_MODEL, database="aspen", location="s3://bucket/tables")
        >>> text.count(";\n")
        9
    """
    statements = athena_create(model, database=database, location=location, format=format)
    return "\n\n".join(f"{statement};" for statement in statements) + "\n"


def athena_drop(
    model: Model,
    /,
    *,
    database: str,
    format: FormatName = "parquet",  # noqa: A002 - the field's word for it
) -> tuple[str, ...]:
    """Write the statements that drop what ``athena_create`` made; files stay.

    Raises:
        ArgumentError: The database or a name cannot stand in a statement.
        ModelError: A table of text would have the name of another table.
        NotSupportedError: There is no such format.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> athena_drop(BORROWER_MODEL, database="aspen")[0]
        'DROP TABLE IF EXISTS `aspen`.`user_profile`'
    """
    known, _ = _check(model, database, "s3://bucket/", format)
    out = []
    for name in model.tables:
        if known.typed_view:
            out.append(f'DROP VIEW IF EXISTS "{database}"."{name}"')  # views are Trino's
        out.append(f"DROP TABLE IF EXISTS `{database}`.`{_table_name(name, known)}`")
    return tuple(out)


def glue_tables(
    model: Model,
    /,
    *,
    location: Union[str, Mapping[str, str]],
    format: FormatName = "parquet",  # noqa: A002 - the field's word for it
    parameters: Optional[Mapping[str, str]] = None,
) -> dict[str, dict[str, Any]]:
    """Give the ``TableInput`` of each table, for Glue's ``CreateTable`` and ``UpdateTable``.

    For CSV these are the tables of text; their views are made by Athena itself.

    Args:
        model: The model.
        location: As for ``athena_create``.
        format: ``parquet`` or ``csv``.
        parameters: More parameters of each table, such as the commit that it stands on.

    Returns:
        The values, by name of the model's table.

    Raises:
        ArgumentError: A location or a name cannot be.
        ModelError: A table of text would have the name of another table.
        NotSupportedError: There is no such format.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> user = glue_tables(BORROWER_MODEL, location="s3://bucket/tables")["user"]
        >>> user["StorageDescriptor"]["Location"]
        's3://bucket/tables/user/'
    """
    known, folders = _check(model, "database", location, format)
    return {
        name: _table_input(table, folders[name], known, parameters or {})
        for name, table in model.tables.items()
    }


# ----------------------------------------------------------------------------- what comes in


def _check(
    model: Model, database: str, location: Union[str, Mapping[str, str]], format_name: str
) -> tuple[Format, dict[str, str]]:
    """Make sure that every name and location can stand in a statement; give the locations."""
    file_format = named(FORMATS, format_name, kind="format")
    if not _NAME.match(database):
        msg = (
            "the name of the Athena database has other characters than a-z, 0-9 and _, or more "
            "than 255 of them; give another one"
        )
        raise ArgumentError(msg, problem="name")
    for table in model.tables.values():
        made = _table_name(table.name, file_format)
        for name in (made, *table.columns):
            if not _NAME.match(name):
                msg = (
                    f"{table.name}: Athena takes no name but of a-z, 0-9 and _, up to 255 of them; "
                    f"{name!r} is another"
                )
                raise ArgumentError(msg, problem="name", table=table.name)
        if made != table.name and made in model.tables:
            msg = (
                f"the table of text under {table.name!r} would be called like the table "
                f"{made!r}; rename one, or use Parquet"
            )
            raise ModelError(msg, table=table.name)
    return file_format, {name: _folder(location, name) for name in model.tables}


def _folder(location: Union[str, Mapping[str, str]], table: str) -> str:
    place = f"{location.rstrip('/')}/{table}" if isinstance(location, str) else location.get(table)
    if place is None:
        msg = f"no location is given for the table {table!r}; name its folder"
        raise ArgumentError(msg, problem="name", table=table)
    url = f"{place.rstrip('/')}/"
    if not _LOCATION.match(url):
        msg = (
            f"the location of the table {table!r} is no folder that a statement can name; write "
            "it as in s3://bucket/prefix/, without white space, quotes, \\ ; < > { } | $ ? *"
        )
        raise ArgumentError(msg, problem="name", table=table)
    return url


def _table_name(name: str, file_format: Format) -> str:
    """Give the name of a table over files; a view over it has the table's own name."""
    return f"{name}_{file_format.name}" if file_format.typed_view else name


# ----------------------------------------------------------------------------- statements


def _table(table: TableSpec, database: str, folder: str, file_format: Format) -> str:
    name = _table_name(table.name, file_format)
    lines = [
        f"CREATE EXTERNAL TABLE IF NOT EXISTS `{database}`.`{name}` (",
        ",\n".join(
            f"  `{spec.name}` {hive_type(spec, file_format)}{_comment(spec.description)}"
            for spec in table.columns.values()
        ),
        f"){_comment(table.about)}",
    ]
    serde = file_format.serde
    if serde.is_spelled_out:
        lines.append(f"ROW FORMAT SERDE {_text(serde.library)}")
        lines.append(f"WITH SERDEPROPERTIES ({_pairs(serde.parameters)})")
    lines.append(f"STORED AS {serde.stored_as}")
    lines.append(f"LOCATION {_text(folder)}")
    return "\n".join([*lines, f"TBLPROPERTIES ({_pairs(file_format.table_properties)})"])


def _pairs(facts: Mapping[str, str]) -> str:
    return ", ".join(f"{_text(name)}={_text(fact)}" for name, fact in facts.items())


def _view(table: TableSpec, database: str, file_format: Format) -> str:
    columns = ",\n".join(f'  {_typed(spec)} AS "{spec.name}"' for spec in table.columns.values())
    return (
        f'CREATE OR REPLACE VIEW "{database}"."{table.name}" AS\nSELECT\n{columns}\n'
        f'FROM "{database}"."{_table_name(table.name, file_format)}"'
    )


def _typed(spec: ColumnSpec) -> str:
    """Read one field: an empty one is null in a nullable column, and '' or wrong in another."""
    field = f'"{spec.name}"'
    if spec.nullable:
        field = f"NULLIF({field}, '')"
    kind = trino_type(spec)
    return field if kind is None else f"CAST({field} AS {kind})"


def _comment(text: Optional[str]) -> str:
    return f" COMMENT {_text(text)}" if text else ""


def _text(text: str) -> str:
    r"""Write a text of Hive: a backslash escapes, and no line ends within."""
    escapes = {"\\": "\\\\", "'": "\\'", "\t": "\\t", "\n": " ", "\r": " "}
    return f"'{''.join(escapes.get(character, character) for character in text)}'"


# ----------------------------------------------------------------------------- Glue


def _table_input(
    table: TableSpec, folder: str, file_format: Format, parameters: Mapping[str, str]
) -> dict[str, Any]:
    serde = file_format.serde
    columns = []
    for spec in table.columns.values():
        column = {"Name": spec.name, "Type": hive_type(spec, file_format)}
        columns.append({**column, "Comment": spec.description} if spec.description else column)
    return {
        "Name": _table_name(table.name, file_format),
        "Description": table.about or "",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],  # Athena fails on a table without the key
        "Parameters": {"EXTERNAL": "TRUE", **file_format.table_properties, **parameters},
        "StorageDescriptor": {
            "Columns": columns,
            "Location": folder,
            "InputFormat": serde.input_format,
            "OutputFormat": serde.output_format,
            "Compressed": False,
            "NumberOfBuckets": -1,
            "SerdeInfo": {
                "SerializationLibrary": serde.library,
                "Parameters": dict(serde.parameters),
            },
        },
    }
