"""Arrow schemas: what a Parquet file of a table looks like, whatever it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aspen_etl.errors import MissingDependencyError
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import ColumnSpec

__all__ = ["arrow_schema", "arrow_text"]


def arrow_schema(columns: Mapping[str, ColumnSpec], /) -> Any:
    """Give the Arrow schema of a table's columns.

    Text is ``string``, whole numbers are ``int64``, points in time ``timestamp[ms]`` in UTC
    without a zone: what Athena and Hive read.

    Args:
        columns: The columns by name, such as ``TableSpec.columns``.

    Returns:
        A ``pyarrow.Schema``.

    Raises:
        MissingDependencyError: pyarrow is not installed.

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
    types = {"text": pa.string(), "integer": pa.int64(), "timestamp": pa.timestamp("ms")}
    return pa.schema(
        [pa.field(name, types[spec.type], nullable=spec.nullable) for name, spec in columns.items()]
    )


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
