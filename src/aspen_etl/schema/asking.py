"""Ask pandera what is wrong with the columns of a table."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any, Optional

import pandas as pd
import pandera.errors

from aspen_etl.columns.handing import handed
from aspen_etl.schema.declared import Table
from aspen_etl.schema.spec import TableSpec

__all__ = ["failure_cases"]


def failure_cases(
    frame: pd.DataFrame, table: TableSpec, known: Collection[str], /
) -> Optional[pd.DataFrame]:
    """Ask pandera; its error holds cell values, so it must not become the context of ours.

    Args:
        frame: The table, as ``conform`` gives it; it may be changed.
        table: What it is.
        known: The columns that are not asked about.

    Returns:
        What is wrong (``column``, ``check``, ``index``), or nothing.
    """
    others = [name for name in table.columns if name not in known]
    try:
        # In place: the frame is `conform`'s, and nothing is coerced.
        _columns_alone(table.schema, tuple(others)).validate(
            handed(frame[others] if known else frame), lazy=True, inplace=True
        )
    except pandera.errors.SchemaErrors as error:
        cases: pd.DataFrame = error.failure_cases[["column", "check", "index"]]
        return cases
    return None


@lru_cache(maxsize=1024)  # pandera copies a schema, with all its checks, whenever it is asked
def _columns_alone(table: type[Table], names: tuple[str, ...]) -> Any:
    """Give the schema of some columns, without the uniqueness of keys, which we look at."""
    schema = table.to_schema().select_columns(list(names))
    keys = {name: {"unique": False} for name, held in schema.columns.items() if held.unique}
    return schema.update_columns(keys) if keys else schema
