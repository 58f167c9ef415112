"""Whole numbers of 64 bits: ``0``, ``-17``."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.conversion import parse_integers
from aspen_etl.columns.scanning import no_integers
from aspen_etl.schema.types.base import (
    INVALID,
    OUT_OF_RANGE,
    Canonical,
    Facts,
    Finding,
    Type,
    judged,
)

__all__ = ["INTEGER"]

#: Whole numbers that 64 bits hold, however large their digits.
_SURE = "0|-?[1-9][0-9]{0,17}"
_NUMBER = re.compile("0|-?[1-9][0-9]*")
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
#: The most characters of such a number.
_WIDTH = len(str(_LOWEST))


def _dtype(spec: Facts) -> Any:
    return pd.Int64Dtype() if spec.nullable else np.dtype("int64")


def _canonical(values: pd.Series, spec: Facts) -> Canonical:
    if spec.minimum is None:
        return judged(values, _SURE, partial(_read, _LOWEST))
    found = judged(values, _SURE, partial(_read, spec.minimum))
    low = (COLUMNS.integers(found.text) < spec.minimum) & found.text.notna().to_numpy(dtype=bool)
    if not low.any():
        return found
    text = COLUMNS.keep(found.text, ~low)
    below = low | found.faults.get(OUT_OF_RANGE, low)
    return Canonical(text, {**found.faults, OUT_OF_RANGE: below}, found.repaired & ~low)


def _read(minimum: int, text: str) -> Finding:
    if not _NUMBER.fullmatch(text):
        return "", INVALID
    if len(text) > _WIDTH or not _LOWEST <= int(text) <= _HIGHEST:
        return "", INVALID  # as it was called before there were types
    return ("", OUT_OF_RANGE) if int(text) < minimum else (text, "")


def _parse(values: pd.Series, spec: Facts) -> pd.Series:
    wrong = int(no_integers(values).sum())
    if wrong:
        raise ValueError(f"{wrong} cells are no whole numbers of 64 bits in canonical form")
    return parse_integers(values.reset_index(drop=True), nullable=spec.nullable)


def _text(values: pd.Series, _spec: Facts) -> pd.Series:
    if not pd.api.types.is_integer_dtype(values.dtype):
        raise ValueError("the column holds no whole numbers")
    absent = values.isna().to_numpy(dtype=bool)
    return COLUMNS.spell(values.fillna(0).to_numpy(dtype=np.int64), absent)


def _check(spec: Facts) -> Optional[str]:
    least = spec.minimum
    if least is not None and (not isinstance(least, int) or isinstance(least, bool)):
        return "minimum= of a whole number is a whole number"
    if least is not None and not _LOWEST <= least <= _HIGHEST:
        return "minimum= is no whole number of 64 bits"
    return None


def _rules(spec: Facts) -> tuple[str, ...]:
    return (INVALID,) if spec.minimum is None else (INVALID, OUT_OF_RANGE)


INTEGER = Type(
    name="integer",
    dtype=_dtype,
    canonical=_canonical,
    parse=_parse,
    convert=_parse,
    text=_text,
    check=_check,
    rules=_rules,
)
