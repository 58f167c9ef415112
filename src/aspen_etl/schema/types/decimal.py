"""Decimals of a fixed number of places: ``-1234.50``, never a float, never rounded."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.decimals import decimal_texts, parse_decimals
from aspen_etl.columns.dtypes import HAS_ARROW, decimal_dtype
from aspen_etl.schema.types.base import (
    INVALID,
    OUT_OF_RANGE,
    TOO_PRECISE,
    Canonical,
    Facts,
    Finding,
    Type,
    always,
    judged,
)
from aspen_etl.schema.types.numbers import PLAIN, Digits, NumberFormat, read_number_format

__all__ = ["DECIMAL"]

#: The most digits that 128 bits hold.
_MOST_DIGITS = 38


def _size(spec: Facts) -> tuple[int, int]:
    """Give precision and scale."""
    if spec.precision is None or spec.scale is None:
        raise ValueError("a decimal has a precision and a scale")
    return spec.precision, spec.scale


def _dtype(spec: Facts) -> Any:
    return decimal_dtype(*_size(spec))


@lru_cache(maxsize=256)
def _forms(precision: int, scale: int) -> tuple[str, str]:
    """Give the form of canonical text but for a minus before 0.0..., and with it."""
    digits = precision - scale
    large = f"[1-9][0-9]{{0,{digits - 1}}}" if digits else ""
    whole = f"(?:0|{large})" if large else "0"
    places = rf"\.[0-9]{{{scale}}}" if scale else ""
    below = f"|-{large}{places}" if large else ""
    # Some digit of the fraction is not 0: the first, or the second ...
    small = [rf"0{{{n}}}[1-9][0-9]{{{scale - n - 1}}}" for n in range(scale)]
    rest = rf"|-0\.(?:{'|'.join(small)})" if small else ""
    return f"{whole}{places}{below}", f"{whole}{places}{below}{rest}"


# ----------------------------------------------------------------------------- canonical text


def _canonical(values: pd.Series, spec: Facts) -> Canonical:
    size = _size(spec)
    shape = read_number_format(spec.format) if spec.format is not None else None
    many = partial(_spell_many, size, shape) if HAS_ARROW else None
    return judged(values, _forms(*size)[0], partial(_read, size, shape), many)


def _spell_many(
    size: tuple[int, int], shape: Optional[NumberFormat], values: pd.Series
) -> tuple[pd.Series, Mask]:
    """Spell numbers without a zero too many, all at once, by way of their values."""
    precision, scale = size
    whole = rf"-?[0-9]{{1,{precision - scale}}}" if precision > scale else "-?0"
    places = rf"(?:\.[0-9]{{1,{scale}}})?" if scale else ""
    hit = np.zeros(len(values), dtype=bool)
    texts = values
    if shape is not None:
        for form, template in shape.plain:
            texts = COLUMNS.replace(texts, form, template)
        hit = COLUMNS.differ(values, texts) & COLUMNS.matches(texts, rf"={whole}(?:\.|{places})")
        texts = COLUMNS.replace(texts, "=(.*)", r"\g<1>")
    if shape is None or shape.group != ".":
        hit |= COLUMNS.matches(values, whole + places)
    numbers = parse_decimals(COLUMNS.keep(texts, hit), precision, scale)
    return decimal_texts(numbers, scale), hit


def _read(size: tuple[int, int], shape: Optional[NumberFormat], text: str) -> Finding:
    found = shape.read(text) if shape is not None else None
    if found is not None:
        return _spelt(size, found)
    plain = PLAIN.read(text)
    if plain is None:
        return "", INVALID
    answer = _spelt(size, plain)
    if shape is None or shape.group != "." or answer == (text, ""):
        return answer  # canonical text is always read
    return "", INVALID


def _spelt(size: tuple[int, int], digits: Digits) -> Finding:
    """Spell a number, whose digits are looked at, not reckoned with."""
    precision, scale = size
    whole, fraction = digits.whole.lstrip("0"), digits.fraction.rstrip("0")
    if len(fraction) > scale:
        return "", TOO_PRECISE
    if len(whole) > precision - scale:
        return "", OUT_OF_RANGE
    sign = "-" if digits.is_negative and (whole or fraction) else ""
    places = f".{fraction:0<{scale}}" if scale else ""
    return f"{sign}{whole or '0'}{places}", ""


# ----------------------------------------------------------------------------- values


def _parse(values: pd.Series, spec: Facts) -> pd.Series:
    precision, scale = _size(spec)
    wrong = int((~COLUMNS.matches(values, _forms(precision, scale)[1])).sum())
    if wrong:
        raise ValueError(f"{wrong} cells are no decimals ({precision}, {scale}) in canonical form")
    return _convert(values, spec)


def _convert(values: pd.Series, spec: Facts) -> pd.Series:
    if not spec.nullable and values.hasnans:
        raise ValueError("a decimal is missing")
    return parse_decimals(values, *_size(spec))


def _text(values: pd.Series, spec: Facts) -> pd.Series:
    return decimal_texts(values, _size(spec)[1])


# ----------------------------------------------------------------------------- declarations


def _check(spec: Facts) -> Optional[str]:
    precision, scale = spec.precision, spec.scale
    if precision is None or scale is None:
        return "a decimal has precision= and scale=, as in precision=12, scale=2"
    if not (0 <= scale <= precision and 1 <= precision <= _MOST_DIGITS):
        return f"precision= is 1 to {_MOST_DIGITS}, and scale= from 0 to the precision"
    if spec.format is not None:
        shape = read_number_format(spec.format)
        if shape is None:
            return (
                f"format={spec.format!r} is no example of a number; write 1234.50 as the source "
                "does, as in '1,234.50', '1.234,50', '$1,234.50', '(1,234.50)' or '1234.50-'"
            )
        if any(_misread(shape, text) for text in _samples(precision, scale)):
            return (
                f"format={spec.format!r} reads plain numbers of {scale} places as other ones: "
                f"'1.{'2' * scale}' has no point there; take another scale, or a cleaner"
            )
    return None


def _samples(precision: int, scale: int) -> list[str]:
    """Give canonical texts of each length before the point, as far as a format may mind."""
    wholes = ["0", *("1234567"[:length] for length in range(1, min(precision - scale, 7) + 1))]
    return [f"{whole}.{'2' * scale}" if scale else whole for whole in wholes]


def _misread(shape: NumberFormat, text: str) -> bool:
    found, right = shape.read(text), PLAIN.read(text)
    return found is not None and right is not None and found != right


DECIMAL = Type(
    name="decimal",
    dtype=_dtype,
    canonical=_canonical,
    parse=_parse,
    convert=_convert,
    text=_text,
    check=_check,
    rules=always(INVALID, TOO_PRECISE, OUT_OF_RANGE),
)
