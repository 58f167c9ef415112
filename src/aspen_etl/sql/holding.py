"""Which rows stay as the database has them, so that what is written around them still refers.

A row that is held keeps those of its subject: what refers to it stays, too, unless it is of a
lookup table; so does what it refers to, where that was to go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.rows import find_rows
from aspen_etl.schema.spec import TableSpec
from aspen_etl.sql.conflicting import Found
from aspen_etl.sql.staging import Staging
from aspen_etl.sql.values import driver_values

__all__ = ["current_references", "hold_around"]

#: How many keys one statement names.
_KEYS = 500


def hold_around(
    staging: Staging, found: Mapping[str, Found], held: Mapping[str, Mask]
) -> dict[str, Mask]:
    """Hold what depends on held rows, of those that differ.

    Args:
        staging: The database.
        found: The differing rows of each table.
        held: Which of them are held.
    """
    out = {name: mask.copy() for name, mask in held.items()}
    count = -1
    while count != (count := sum(int(mask.sum()) for mask in out.values())):
        for name, each in found.items():
            for column, parent in each.spec.references.items():
                if parent in found:
                    out[name] |= _refers(staging, each, column, found[parent], out[parent])
        for name, each in reversed(list(found.items())):
            for column, parent in each.spec.references.items():
                if parent in found and out[name].any():
                    there = COLUMNS.take(each.keys, np.flatnonzero(out[name] & each.is_there))
                    needed = current_references(staging, each.spec, column, there)
                    out[parent] |= _stands(found[parent], needed)
    return out


def _refers(staging: Staging, found: Found, column: str, parents: Found, held: Mask) -> Mask:
    """Tell which rows refer to a held one, or would refer to one that is not there."""
    is_lookup = staging.database.model.lineage.tables[parents.spec.name].is_lookup
    kept = np.flatnonzero(held & ~parents.is_there if is_lookup else held)
    keys = COLUMNS.take(parents.keys, kept)
    out = np.zeros(len(found.keys), dtype=bool)
    for frame, rows in ((found.wanted, found.after), (found.base, found.before)):
        known = np.flatnonzero(rows >= 0)
        out[known] |= _among(COLUMNS.take(frame[column], rows[known]), keys)
    return out


def _stands(parents: Found, needed: pd.Series) -> Mask:
    """Tell which rows were to go, and are referred to by one that stays."""
    gone = parents.is_there & (parents.after < 0)
    return gone & _among(parents.keys, needed)


def _among(values: pd.Series, keys: pd.Series) -> Mask:
    out = np.zeros(len(values), dtype=bool)
    there = np.flatnonzero(values.notna().to_numpy(dtype=bool))
    if len(keys) and len(there):
        cells = COLUMNS.take(values, there)
        if cells.dtype != keys.dtype and pd.api.types.is_integer_dtype(keys.dtype):
            cells = cells.astype(keys.dtype)  # a reference may be null, and a key not
        out[there] = find_rows([cells], [keys]) >= 0
    return out


def current_references(
    staging: Staging, spec: TableSpec, column: str, keys: pd.Series
) -> pd.Series:
    """Give the distinct keys that rows refer to now, as the database has them."""
    table = staging.database.table(spec.name)
    key = table.c[spec.primary_key]
    cells: list[Any] = []
    for some in _pieces(driver_values(spec.columns[spec.primary_key]).cells(keys)):
        query = sa.select(table.c[column]).where(key.in_(some), table.c[column].is_not(None))
        cells += staging.column(query)
    target = staging.database.model.tables[spec.references[column]]
    of = target.columns[target.primary_key]
    return driver_values(of).column(list(dict.fromkeys(cells)), of)


def _pieces(cells: list[Any]) -> Iterator[list[Any]]:
    return (cells[start : start + _KEYS] for start in range(0, len(cells), _KEYS))
