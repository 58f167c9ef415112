"""Booleans: ``true`` and ``false``, in any case, and the words that are declared."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.text import WHITE_SPACE, conform_text
from aspen_etl.schema.types.base import (
    INVALID,
    Canonical,
    Facts,
    Finding,
    Type,
    always,
    read_cells,
)

__all__ = ["BOOLEAN"]

_RUN = re.compile(f"[{WHITE_SPACE}]+")
_TEXTS = {False: "false", True: "true"}
_VALUES = {text: value for value, text in _TEXTS.items()}


def _dtype(spec: Facts) -> Any:
    return pd.BooleanDtype() if spec.nullable else np.dtype("bool")


def _canonical(values: pd.Series, spec: Facts) -> Canonical:
    words = {word: _TEXTS[value] for word, value in spec.words}
    return read_cells(values, partial(_read, words))


def _read(words: dict[str, str], text: str) -> Finding:
    lower = text.lower()
    if lower in _VALUES:  # as a workbook shows it, in any case
        return lower, ""
    return (words[text], "") if text in words else ("", INVALID)


def _parse(values: pd.Series, spec: Facts) -> pd.Series:
    found, distinct = pd.factorize(values)
    if not set(distinct) <= set(_VALUES):
        raise ValueError("some cells are neither 'true' nor 'false'")
    held = np.array([*(_VALUES[text] for text in distinct), False], dtype=bool)[found]
    if spec.nullable:
        return pd.Series(pd.arrays.BooleanArray(held, found < 0), copy=False)
    if (found < 0).any():
        raise ValueError("a boolean is missing")
    return pd.Series(held, copy=False)


def _text(values: pd.Series, _spec: Facts) -> pd.Series:
    if not pd.api.types.is_bool_dtype(values.dtype):
        raise ValueError("the column holds no booleans")
    absent = values.isna().to_numpy(dtype=bool)
    held = values.to_numpy(dtype=bool, na_value=False) if absent.any() else values.to_numpy(bool)
    texts = conform_text(pd.Series([_TEXTS[False], _TEXTS[True]], dtype=object))
    return COLUMNS.take(texts, np.where(absent, -1, held.astype(np.int64)))


def _check(spec: Facts) -> Optional[str]:
    said: dict[str, bool] = {}
    for word, value in spec.words:
        if not isinstance(word, str) or not isinstance(value, bool):
            return "words= are texts, and what each says is True or False"
        if not word or word != _RUN.sub(" ", word).strip(" "):
            return "a word of words= has white space that no clean cell has, or is empty"
        if said.setdefault(word, value) is not value:
            return "a word of words= says both True and False"
        if _VALUES.get(word.lower(), value) is not value:
            return "words= must not turn true and false around"
    return None


BOOLEAN = Type(
    name="boolean",
    dtype=_dtype,
    canonical=_canonical,
    parse=_parse,
    convert=_parse,
    text=_text,
    check=_check,
    rules=always(INVALID),
)
