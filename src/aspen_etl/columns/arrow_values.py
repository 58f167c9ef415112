"""How a column that Arrow holds becomes text: the same values, or none at all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from aspen_etl.columns.cells import NoText, cell_text, exact_bits, float_texts, outside_years
from aspen_etl.errors import ExtractError

__all__ = ["arrow_faults", "arrow_texts"]

_DAY = 86_400
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH = "1970-01-01"


def arrow_faults(values: Any, /) -> dict[int, NoText]:
    """Give the cells of a column of numbers, dates or times that have no exact text.

    Args:
        values: A chunked array, no dictionary.
    """
    import pyarrow as pa

    kind = values.type
    if pa.types.is_floating(kind):
        held = _floats(values)
        bits = exact_bits(held.dtype)
        with np.errstate(invalid="ignore"):
            wrong = np.abs(held) >= np.ldexp(held.dtype.type(1), bits)
        return {
            int(i): NoText(str(held[i].item()), "inexact_number", bits)
            for i in np.flatnonzero(wrong)
        }
    if not pa.types.is_temporal(kind) or pa.types.is_interval(kind):
        return {}
    numbers, unit = _numbers(values), _unit(kind)
    return {
        int(i): NoText(_count(numbers[i], unit, kind), "out_of_range")
        for i in np.flatnonzero(_outside(numbers, unit, kind) & _present(values))
    }


def arrow_texts(values: Any, /, *, utc: bool = False) -> list[Any]:
    """Give the cells as text, None where one is missing or has no exact text.

    Args:
        values: A chunked array, no dictionary.
        utc: Whether a time of day is one in UTC.

    Raises:
        ExtractError: The type is none of values: a list, a struct, bytes.
    """
    import pyarrow as pa

    kind, present = values.type, _present(values)
    present[list(arrow_faults(values))] = False
    out = np.full(len(values), None, dtype=object)
    if pa.types.is_floating(kind):
        out[present] = float_texts(_floats(values)[present])
    elif pa.types.is_time(kind):
        numbers, unit = _numbers(values)[present].tolist(), _unit(kind)
        out[present] = [_time_text(number, unit, utc=utc) for number in numbers]
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        out[:] = values.to_pylist()
    else:
        kept = values.filter(pa.array(present))
        if pa.types.is_date64(kind):  # which may hold more than a day
            kept = kept.cast(pa.timestamp("ms"))
        out[present] = [cell_text(value) for value in _as_python(kept)]
    return out.tolist()


def _present(values: Any) -> Any:
    return np.array(values.is_valid(), dtype=bool)


def _floats(values: Any) -> Any:
    """Give floats in their own type; what is missing is any number."""
    import pyarrow as pa

    if pa.types.is_float16(values.type):  # pyarrow 17 fills no gaps of this type
        return values.to_numpy()
    return values.fill_null(0).to_numpy()


def _as_python(values: Any) -> list[Any]:
    try:
        found: list[Any] = values.to_pylist()
    except Exception:  # noqa: BLE001 - a zone may be unknown to any of three libraries
        found = []
    if len(found) < len(values):
        raise ExtractError(f"cells of type {values.type} cannot be taken as values of a table")
    return found


# ----------------------------------------------------------------------------- dates and times


def _unit(kind: Any) -> str:
    import pyarrow as pa

    return "D" if pa.types.is_date32(kind) else "ms" if pa.types.is_date64(kind) else kind.unit


def _numbers(values: Any) -> Any:
    """Give the whole numbers that stand for dates and times; what is missing is any number."""
    import pyarrow as pa

    narrow = values.type.bit_width == 32  # noqa: PLR2004 - bits
    numbers = values.cast(pa.int32() if narrow else pa.int64())
    return numbers.fill_null(0).to_numpy().astype(np.int64)


def _outside(numbers: Any, unit: str, kind: Any) -> Any:
    import pyarrow as pa

    if unit == "D":
        return outside_years(numbers * _DAY, "s", zone=False)
    if pa.types.is_time(kind):
        day = _DAY * _PER_SECOND[unit]
        return (numbers < 0) | (numbers > day)  # a day has an end: 24:00:00
    if pa.types.is_duration(kind):
        seconds, most = numbers // _PER_SECOND[unit], dt.timedelta.max.days * _DAY
        return (seconds > most) | (seconds < -most)
    zone = getattr(kind, "tz", None) is not None
    return outside_years(numbers, unit, zone=zone)


def _count(number: int, unit: Any, kind: Any) -> str:
    """Write what is stored: a date as far as NumPy knows it, any other number with its unit."""
    import pyarrow as pa

    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        return f"{number} {unit}"
    return str(np.datetime64(_EPOCH, unit) + np.timedelta64(number, unit))


def _time_text(number: int, unit: str, *, utc: bool) -> str:
    second, rest = divmod(number, _PER_SECOND[unit])
    text = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    nanoseconds = rest * (10**9 // _PER_SECOND[unit])
    if nanoseconds:
        text += f".{nanoseconds:09d}" if nanoseconds % 1000 else f".{nanoseconds // 1000:06d}"
    return f"{text}+00:00" if utc else text
