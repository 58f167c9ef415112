"""Tell of columns that they are sound, so that pandera need not be asked; and which cells are not.

Whatever is not surely sound is left to pandera, which says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.schema.column import METADATA, check_names
from aspen_etl.schema.column_facts import ColumnFacts
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.conforming import is_of_type, outside_range
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.types import TYPES

__all__ = ["are_sound", "declared_facts", "unfit_cells"]


def are_sound(frame: pd.DataFrame, table: TableSpec, names: Collection[str], /) -> bool:
    """Tell whether columns surely pass what their table declares, keys and references aside.

    Args:
        frame: The table, as ``conform`` gives it. Each of its columns whose type has rules is of
            that type, and holds nothing that is outside of its range.
        table: What it is.
        names: The columns to look at.
    """
    facts = declared_facts(table.schema)
    if facts is None:
        return False
    return all(_is_sound(frame[name], table.columns[name], facts.get(name, _KEY)) for name in names)


#: What is declared of the key that follows where a table declares none.
_KEY = ColumnFacts(primary_key=True)


@lru_cache(maxsize=1024)
def declared_facts(table: type[Any], /) -> Optional[Mapping[str, ColumnFacts]]:
    """Give what a table declares of each column, or nothing where it asks for more than that.

    More is whatever only pandera knows: a check or a parser of its own, or a schema that is
    changed after it is made.
    """
    from aspen_etl.schema.declared import Table

    own = getattr(table.to_schema, "__func__", None)
    if not issubclass(table, Table) or own is not Table.to_schema.__func__:  # type: ignore[attr-defined]
        return None
    schema: Any = super(Table, table).to_schema()
    if any(getattr(schema, option, None) for option in _OPTIONS):
        return None
    facts: dict[str, ColumnFacts] = {}
    for name, held in schema.columns.items():
        fact = (held.metadata or {}).get(METADATA)
        if not isinstance(fact, ColumnFacts) or held.parsers or held.coerce or held.regex:
            return None
        if sorted(str(check.name) for check in held.checks) != check_names(fact):
            return None
        facts[name] = fact
    return MappingProxyType(facts)


#: What a schema may ask of a table as a whole; that it has no other columns is looked at before.
_OPTIONS = (
    "checks",
    "parsers",
    "index",
    "dtype",
    "coerce",
    "ordered",
    "unique",
    "unique_column_names",
    "add_missing_columns",
    "drop_invalid_rows",
)


def _is_sound(values: pd.Series, spec: ColumnSpec, facts: ColumnFacts) -> bool:
    if not spec.nullable and values.hasnans:
        return False
    if isinstance(facts.minimum, int) and (values < facts.minimum).any():
        return False
    if not TYPES[spec.type].rules(spec) and not is_of_type(values, spec):
        return False
    if spec.type == "text" and not _is_sound_text(values, facts, nullable=spec.nullable):
        return False
    return facts.references is not None or not facts.from_name or _is_named(values, facts)


def _is_sound_text(values: pd.Series, facts: ColumnFacts, *, nullable: bool) -> bool:
    if values.dtype == object and pd.api.types.infer_dtype(values) not in {"string", "empty"}:
        return False
    if facts.length is not None:
        if COLUMNS.longer(values, facts.length).any():
            return False
        if nullable and (values == "").any():  # a second way to say that there is none
            return False
    form = facts.text_format
    return form is None or bool(COLUMNS.matches(values, form.pattern).all())


def _is_named(values: pd.Series, facts: ColumnFacts) -> bool:
    """Tell whether a column holds but what stands for the names that it is taken from."""
    held = values.dropna().unique()
    return {str(value) for value in np.asarray(held, dtype=object)} <= {
        text for _, text in facts.from_name
    }


def unfit_cells(values: pd.Series, spec: ColumnSpec, /) -> Mask:
    """Tell which cells a column surely does not take, by null, length, form or range.

    Args:
        values: Cells of the column's dtype.
        spec: The column.
    """
    unfit: Mask = values.isna().to_numpy(dtype=bool) & (not spec.nullable)
    if spec.type != "text":
        return unfit | outside_range(values, spec)
    if spec.length is not None:
        unfit |= COLUMNS.longer(values, spec.length)
        if spec.nullable:
            unfit |= (values == "").fillna(value=False).to_numpy(dtype=bool)
    if spec.text_format is not None:
        unfit |= ~COLUMNS.matches(values, spec.text_format.pattern)
    return unfit
