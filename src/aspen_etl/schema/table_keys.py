"""The keys of a table: which are declared, which follows, and what can be none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aspen_etl.errors import ModelError
from aspen_etl.schema.column import METADATA
from aspen_etl.schema.column_facts import ColumnFacts
from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.schema.keywords import Keywords

__all__ = ["KEY_TYPES", "check_keys", "with_key"]

#: The types of keys: their values are told apart, ordered and written in one way everywhere.
KEY_TYPES: Mapping[ColumnType, str] = {
    "text": "Series[str]",
    "integer": "Series[int]",
    "date": "Series[dt.date]",
}


def with_key(schema: Any, table: str, /) -> Any:
    """Give the schema of a table the key that follows where none is declared: ``<table>_id``."""
    facts = [(found.metadata or {}).get(METADATA) for found in schema.columns.values()]
    known = [each for each in facts if isinstance(each, ColumnFacts)]
    name = f"{table}_id"
    is_declared = any(each.primary_key for each in known)
    if is_declared or name in schema.columns or not any(each.natural_key for each in known):
        return schema
    import pandera.pandas as pa

    key = pa.Column(
        np.dtype("int64"), unique=True, metadata={METADATA: ColumnFacts(primary_key=True)}
    )
    out = schema.add_columns({name: key})
    out.columns = {name: out.columns[name], **out.columns}
    return out


def check_keys(
    owner: str, table: str, own: Mapping[str, ColumnSpec], keywords: Keywords, /
) -> tuple[str, tuple[str, ...]]:
    """Give the primary key and the natural key of a table.

    Args:
        owner: What a ``ModelError`` calls the table.
        table: Its name.
        own: Its own columns by name, the key that follows included.
        keywords: The keywords of its class.

    Raises:
        ModelError: There is no single primary key, no natural key, or one cannot be a key.
    """
    keys = [name for name, spec in own.items() if spec.primary_key]
    natural = tuple(name for name, spec in own.items() if spec.natural_key)
    if not keys and natural:
        msg = (
            f"{owner}: the key that follows would be called {table}_id, as a column is that "
            f"is there; call the column otherwise, as in {table}_no: ... = "
            f"column(source={table + '_id'!r}), or declare a key with column(primary_key=True)"
        )
        raise ModelError(msg, table=table, column=f"{table}_id")
    if not keys:
        msg = (
            f"{owner}: nothing says what a row is known by; give natural_key=True to the "
            "columns that identify it in the source, or primary_key=True to the only one"
        )
        raise ModelError(msg, table=table)
    if len(keys) > 1:
        msg = (
            f"{owner} has {len(keys)} primary keys; give column(primary_key=True) to exactly "
            "one column"
        )
        raise ModelError(msg, table=table, columns=tuple(keys))
    natural = natural or tuple(keys)
    _check_primary(owner, own[keys[0]], natural)
    for name in natural:
        _check_natural(owner, own[name], keywords)
    return keys[0], natural


def _check_primary(owner: str, key: ColumnSpec, natural: tuple[str, ...]) -> None:
    if natural == (key.name,):
        if key.type not in KEY_TYPES:
            _refuse(owner, key)
        if key.type != "text" and (not key.source or key.references):
            msg = (
                f"{owner}: nothing says what a row is known by; give natural_key=True to the "
                "columns that identify it in the source"
            )
            raise ModelError(msg, column=key.name)
    elif key.name in natural or key.type != "integer" or key.source or key.references:
        msg = (
            f"{owner}: the key {key.name!r} beside a natural key is a number that is given; "
            "annotate it as Series[int] "
            "and take natural_key=, source= and references= away from it"
        )
        raise ModelError(msg, column=key.name)


def _check_natural(owner: str, spec: ColumnSpec, keywords: Keywords) -> None:
    if spec.references is None and spec.type not in KEY_TYPES:
        _refuse(owner, spec)
    if spec.type == "text" and not spec.references and spec.length is None:
        msg = (
            f"{owner}: the key column {spec.name!r} needs a length, since databases do not index "
            "unlimited text; give length="
        )
        raise ModelError(msg, column=spec.name)
    if spec.nullable and keywords.entity is not None:
        msg = (
            f"{owner}: {spec.name!r} is part of what an entity is known by, and may be missing; "
            "take nullable=True away, or natural_key=True"
        )
        raise ModelError(msg, column=spec.name)


def _refuse(owner: str, spec: ColumnSpec) -> None:
    msg = (
        f"{owner}: the key column {spec.name!r} is {spec.type}, which can be no key; annotate it "
        f"as {' or '.join(KEY_TYPES.values())}"
    )
    raise ModelError(msg, column=spec.name)
