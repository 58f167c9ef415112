"""The formats of files: all that one format says otherwise than another, and Arrow schemas.

A format is one entry of ``FORMATS``. What has to know a format asks its entry; nothing compares
its name, so that no format is taken for another one. How its bytes are made and read is the
paired table ``CODECS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Optional, get_args

from aspen_etl.errors import MissingDependencyError
from aspen_etl.errors.base import named
from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.schema.model import Model

__all__ = [
    "ARROW_TYPES",
    "DEFAULT_FORMAT",
    "FORMATS",
    "TRINO_TYPES",
    "FileFormat",
    "Format",
    "FormatName",
    "Serde",
    "arrow_schema",
    "arrow_text",
    "hive_type",
    "trino_type",
]

FormatName = Literal["csv", "parquet"]

#: ... and what this library alone reads: frames as Arrow lays them out.
FileFormat = Literal["csv", "parquet", "arrow"]

#: What files are written in where nothing else is asked for.
DEFAULT_FORMAT: FormatName = "csv"


@dataclass(frozen=True)
class Serde:
    """How Hive, and so Athena, reads the files of a format.

    Attributes:
        library: The class that makes fields of records.
        input_format: The class that finds records in files.
        output_format: The class that would write them.
        parameters: What the library is told.
        stored_as: The word of a statement that implies both classes of files.
        is_spelled_out: Whether a statement names the library too, since ``stored_as`` implies
            another one.
    """

    library: str
    input_format: str
    output_format: str
    parameters: Mapping[str, str]
    stored_as: str
    is_spelled_out: bool


@dataclass(frozen=True)
class Format:
    """What is to know of a format of files.

    Attributes:
        name: Its name, and what the names of its files end in.
        media_type: Its media type, as IANA registers it.
        hive_types: Gives the type of Hive that a column is read in, by the type of the column.
        serde: How Hive reads it.
        table_properties: What Hive, Athena and Glue are told of a table of it.
        typed_view: Whether Hive's types are not those of the columns, so that a view gives them.
        resource: What a Data Package says of a file of it.
        has_size: Whether a Data Package states its size. ``frictionless`` holds that of Parquet
            against one that it never takes.
        time_format: How it writes a moment, where that is text.
        absent: What ``frictionless`` reads of a cell that is null, by the type of the column,
            where that is not an empty field.
    """

    name: str
    media_type: str
    hive_types: Mapping[str, Callable[[ColumnSpec], str]]
    serde: Serde
    table_properties: Mapping[str, str]
    typed_view: bool
    resource: Mapping[str, Any]
    has_size: bool
    time_format: Optional[str]
    absent: Mapping[str, tuple[str, ...]]


FORMATS: Mapping[str, Format] = {
    "csv": Format(
        name="csv",
        media_type="text/csv",
        hive_types=dict.fromkeys(get_args(ColumnType), lambda _: "string"),
        serde=Serde(
            library="org.apache.hadoop.hive.serde2.OpenCSVSerde",
            input_format="org.apache.hadoop.mapred.TextInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            parameters={"separatorChar": ",", "quoteChar": '"', "escapeChar": "\t"},
            stored_as="TEXTFILE",
            is_spelled_out=True,
        ),
        table_properties={"classification": "csv", "skip.header.line.count": "1"},
        typed_view=True,
        resource={
            "profile": "tabular-data-resource",
            "encoding": "utf-8",
            "dialect": {"delimiter": ",", "lineTerminator": "\n", "quoteChar": '"'},
        },
        has_size=True,
        time_format="%Y-%m-%d %H:%M:%S.%f",  # UTC, to the millisecond
        absent={},
    ),
    "parquet": Format(
        name="parquet",
        media_type="application/vnd.apache.parquet",
        hive_types={
            "text": lambda _: "string",
            "integer": lambda _: "bigint",
            "decimal": lambda spec: f"decimal({spec.precision},{spec.scale})",
            "date": lambda _: "date",
            "datetime": lambda _: "timestamp",
            "timestamp": lambda _: "timestamp",
            "boolean": lambda _: "boolean",
        },
        serde=Serde(
            library="org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            input_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            parameters={"serialization.format": "1"},
            stored_as="PARQUET",
            is_spelled_out=False,
        ),
        table_properties={"classification": "parquet"},
        typed_view=False,
        resource={},
        has_size=False,
        time_format=None,
        absent={"integer": ("", "nan")},  # it reads them as floats
    ),
}


def hive_type(spec: ColumnSpec, file_format: Format, /) -> str:
    """Give the type of Hive that a column of a format's files is read in.

    Raises:
        NotSupportedError: The format has no such type.
    """
    noun = f"type of columns in {file_format.name}"
    return named(file_format.hive_types, spec.type, kind="type", noun=noun)(spec)


#: Gives the type that a view over text casts to; text it leaves as it is.
TRINO_TYPES: Mapping[str, Callable[[ColumnSpec], Optional[str]]] = {
    "text": lambda _: None,
    "integer": lambda _: "bigint",
    "decimal": lambda spec: f"decimal({spec.precision},{spec.scale})",
    "date": lambda _: "date",
    "datetime": lambda _: "timestamp(3)",
    "timestamp": lambda _: "timestamp(3)",
    "boolean": lambda _: "boolean",
}


def trino_type(spec: ColumnSpec, /) -> Optional[str]:
    """Give the type that a view over text casts a column to, or none where it leaves it.

    Raises:
        NotSupportedError: There is no such type.
    """
    return named(TRINO_TYPES, spec.type, kind="type", noun="type of columns in a view")(spec)


# ----------------------------------------------------------------------------- Arrow


#: Gives the Arrow type of a column, by the type of the column.
ARROW_TYPES: Mapping[str, Callable[[Any, ColumnSpec], Any]] = {
    "text": lambda pa, _: pa.string(),
    "integer": lambda pa, _: pa.int64(),
    "decimal": lambda pa, spec: pa.decimal128(spec.precision, spec.scale),
    "date": lambda pa, _: pa.date32(),
    "datetime": lambda pa, _: pa.timestamp("ms"),
    "timestamp": lambda pa, _: pa.timestamp("ms"),
    "boolean": lambda pa, _: pa.bool_(),
}


def arrow_schema(columns: Mapping[str, ColumnSpec], /) -> Any:
    """Give the Arrow schema of a table's columns.

    Text is ``string``, whole numbers are ``int64``, decimals ``decimal128``, dates ``date32``,
    truth is ``bool``; moments are ``timestamp[ms]`` without a zone, points in time in UTC: what
    Athena and Hive read.

    Args:
        columns: The columns by name, such as ``TableSpec.columns``.

    Returns:
        A ``pyarrow.Schema``.

    Raises:
        MissingDependencyError: pyarrow is not installed.
        NotSupportedError: There is no such type.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> arrow_schema(BORROWER_MODEL.tables["user"].columns).names[:2]
        ['user_id', 'user_profile_id']
    """
    try:
        import pyarrow as pa
    except ImportError:
        pa = None
    if pa is None:
        raise MissingDependencyError.for_extra("pyarrow", "parquet", "Parquet")
    return pa.schema(
        [
            pa.field(name, _arrow_type(pa, spec), nullable=spec.nullable)
            for name, spec in columns.items()
        ]
    )


def _arrow_type(pa: Any, spec: ColumnSpec) -> Any:
    return named(ARROW_TYPES, spec.type, kind="type", noun="Arrow type")(pa, spec)


def arrow_text(model: Model, /) -> str:
    """Write the Arrow schemas of a model's tables.

    Raises:
        MissingDependencyError: pyarrow is not installed.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> print(arrow_text(BORROWER_MODEL).splitlines()[1])
        user_profile_id: string not null
    """
    parts = [f"{name}\n{arrow_schema(table.columns)}" for name, table in model.tables.items()]
    return "\n\n".join(parts) + "\n"
