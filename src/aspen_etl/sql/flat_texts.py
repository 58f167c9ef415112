"""What was read of a database as the types of a model spell it: one entry a type of column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.errors.base import named
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.types import TYPES

__all__ = ["FLAT_TEXTS", "canonical"]


def canonical(texts: pd.Series, spec: Optional[ColumnSpec], /) -> pd.Series:
    """Spell values as the type of a model's column does; those that are none of it stay.

    Args:
        texts: The texts of values that the database has no text for.
        spec: The column whose type they have in the model, if it says so.
    """
    if spec is None:
        return texts
    noun = "type of columns in a database"
    return named(FLAT_TEXTS, spec.type, kind="type", noun=noun)(texts, spec)


def _as_they_are(texts: pd.Series, spec: ColumnSpec) -> pd.Series:
    del spec
    return texts


def _spelt(texts: pd.Series, spec: ColumnSpec) -> pd.Series:
    """Spell plain forms: a database has no form of its owner's."""
    found = TYPES[spec.type].canonical(texts, replace(spec, format=None, minimum=None))
    wrong = np.zeros(len(texts), dtype=bool)
    for mask in found.faults.values():
        wrong |= mask
    return found.text.where(~wrong, texts) if wrong.any() else found.text


#: The words by which a database without booleans says yes and no.
_NUMBERS = (("1", True), ("0", False))


def _truths(texts: pd.Series, spec: ColumnSpec) -> pd.Series:
    """Take numbers for what they say, unless the model says something of them."""
    declared = {word for word, _ in spec.words}
    return _spelt(texts, replace(spec, words=() if declared & {"0", "1"} else _NUMBERS))


FLAT_TEXTS: Mapping[str, Callable[[pd.Series, ColumnSpec], pd.Series]] = {
    "text": _as_they_are,
    "integer": _spelt,
    "decimal": _spelt,
    "date": _spelt,
    "datetime": _spelt,
    "timestamp": _spelt,
    "boolean": _truths,
}
