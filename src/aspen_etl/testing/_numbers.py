"""Numbers in plain Python: what their texts mean, and how they may be spelt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Optional

from aspen_etl.schema.column_spec import ColumnSpec

__all__ = [
    "canonical_decimal",
    "canonical_integer",
    "judge_decimal",
    "judge_integer",
    "odd_decimals",
    "odd_integers",
    "spell_decimal",
    "whole_number",
]

Verdict = tuple[Optional[str], Optional[str]]

_INTEGER = re.compile("0|-?[1-9][0-9]*")
_PLAIN = re.compile("(-?)([0-9]+)(?:[.]([0-9]+))?")
_DIGITS = "0123456789"


def whole_number(number: int) -> str:
    """Give a whole number of 64 bits."""
    number, form = divmod(number, 2)
    return str(
        _WHOLE[number % len(_WHOLE)]
        if form
        else (number * 0x9E3779B97F4A7C15 + 2**63) % 2**64 - 2**63
    )


_WHOLE = (1, -1, 7, 100, 2**31, 2**53 + 1, 2**63 - 1, -(2**63))


def judge_integer(text: str, spec: ColumnSpec) -> Verdict:
    """Judge a cell of whole numbers; what 64 bits do not hold is none."""
    if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        return None, "invalid"
    least = spec.minimum if isinstance(spec.minimum, int) else -(2**63)
    return (text, None) if int(text) >= least else (None, "out_of_range")


# ----------------------------------------------------------------------------- decimals


def judge_decimal(text: str, spec: ColumnSpec) -> Verdict:
    """Judge a cell of decimals: plain ones, and those spelt as the example of the format."""
    plain = _PLAIN.fullmatch(text)
    mark = _group(spec.format)
    found = None
    if plain is not None:
        found = _spelt((plain[1], plain[2], plain[3] or ""), spec)
        if mark == "." and found != (text, None):  # there a point parts thousands
            found = None
    if found is None and spec.format is not None:
        digits = _by_example(text, spec.format)
        found = None if digits is None else _spelt(digits, spec)
    return found or (None, "invalid")


def _spelt(digits: tuple[str, str, str], spec: ColumnSpec) -> Verdict:
    sign, whole, places = digits
    precision, scale = spec.precision or 0, spec.scale or 0
    whole, places = whole.lstrip("0"), places.rstrip("0")
    if len(places) > scale:
        return None, "too_precise"
    if len(whole) > precision - scale:
        return None, "out_of_range"
    if not whole and not places:
        sign = ""
    text = sign + (whole or "0")
    return (f"{text}.{places.ljust(scale, '0')}" if scale else text), None


def _group(example: Optional[str]) -> str:
    """Give what stands between the thousands of an example."""
    mark = example[example.index("1") + 1] if example else ""
    return "" if mark in _DIGITS else mark


def _around(example: str) -> tuple[str, str, str, str]:
    """Give what stands before and behind a number of an example, if above zero and below it."""
    first = example.index("1")
    last = max(place for place, character in enumerate(example) if character in _DIGITS)
    before, behind = example[:first], example[last + 1 :]
    drop = str.maketrans("", "", "-()")
    above = before.translate(drop), behind.translate(drop)
    is_signed = above != (before, behind)
    return (*above, before if is_signed else f"-{before}", behind)


def _point(example: str) -> str:
    """Give what stands before the places of an example, if it has any."""
    marks = re.findall("4([.,])5", example)
    return str(marks[0]) if marks else ""


def _by_example(text: str, example: str) -> Optional[tuple[str, str, str]]:
    """Give sign, digits and places of a number that is spelt as an example."""
    before, behind, before_negative, behind_negative = _around(example)
    for sign, left, right in (("", before, behind), ("-", before_negative, behind_negative)):
        if not (text.startswith(left) and text.endswith(right)):
            continue
        inner = text[len(left) : len(text) - len(right)]
        point = _point(example)
        whole, there, places = inner.partition(point) if point else (inner, "", "")
        parts = whole.split(_group(example)) if _group(example) else [whole]
        lengths = [len(part) for part in parts]
        is_grouped = len(parts) > 1
        fits = not is_grouped or (1 <= lengths[0] <= 3 and set(lengths[1:]) == {3})  # noqa: PLR2004 - thousands
        digits = "".join(parts)
        ascii_digits = all(character in _DIGITS for character in digits + places)
        if fits and digits and ascii_digits and (bool(places) or not there):
            return sign, digits, places
    return None


def spell_decimal(text: str, scale: int, example: Optional[str]) -> Iterator[str]:
    """Give ways to spell a decimal: more zeros, fewer, a minus before nothing, by example."""
    sign, number = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, places = number.partition(".")
    yield f"{sign}00{number}"
    yield f"{text}00" if scale else f"{text}.0"
    yield (sign + number.rstrip("0").rstrip(".")) if scale else text
    yield f"-{number}"
    if example:
        point, group = _point(example), _group(example)
        before, behind, before_negative, behind_negative = _around(example)
        left, right = (before_negative, behind_negative) if sign else (before, behind)
        grouped = re.sub(r"(?<=[0-9])(?=(?:[0-9]{3})+\Z)", lambda _: group, whole)
        for shown in (grouped, whole):
            for rest in (places, places.rstrip("0")):
                if rest and point:
                    yield f"{left}{shown}{point}{rest}{right}"
                elif not rest:
                    yield f"{left}{shown}{right}"


# ----------------------------------------------------------------------------- made of a number


def canonical_decimal(number: int, spec: ColumnSpec) -> str:
    """Make a decimal of a number, the ends of the range among them."""
    precision, scale = spec.precision or 1, spec.scale or 0
    number, form = divmod(number, 2)
    ends = (0, 1, -1, 10**scale, 10**precision - 1, 1 - 10**precision, 5, -(10**scale))
    most = 10**precision
    drawn = ends[number % len(ends)] if not form else number * 0x9E3779B97F4A7C15 * 7 ** (scale + 9)
    unscaled = drawn if abs(drawn) < most else drawn % (2 * most - 1) - (most - 1)
    digits = f"{abs(unscaled):0{scale + 1}d}"
    whole, places = digits[: len(digits) - scale], digits[len(digits) - scale :]
    return ("-" if unscaled < 0 else "") + whole + (f".{places}" if scale else "")


def odd_decimals(spec: ColumnSpec) -> Iterable[str]:
    """Give texts beyond the range or the scale, and such as are none."""
    precision, scale = spec.precision or 1, spec.scale or 0
    return (
        "0." + "0" * scale + "1",
        "9" * (precision - scale + 1),
        "-1" + "0" * (precision - scale) + ".0",
        "1" * (precision - scale) + "." + "0" * scale + "5",
        "0.30000000000000004",
        "1,23,4.5",
        "(1",
        "$",
        "1.2.3",
        "1 234",
        "1\u2009234",
    )


def canonical_integer(number: int, spec: ColumnSpec) -> str:
    """Make a whole number of a number."""
    drawn = int(whole_number(number))
    least = spec.minimum if isinstance(spec.minimum, int) else -(2**63)
    return str(drawn if drawn >= least else least + abs(drawn) % min(1000, 2**63 - least))


def odd_integers(spec: ColumnSpec) -> Iterable[str]:
    """Give a whole number before the least, where there is one."""
    return (str(spec.minimum - 1),) if isinstance(spec.minimum, int) else ("1.0",)
