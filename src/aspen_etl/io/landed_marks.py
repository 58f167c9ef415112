"""What DMS adds to each row: the time of its commit, and its place in the order of changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.rows import are_present, codes
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import LandedFileError
from aspen_etl.io.landed_names import LandedName
from aspen_etl.io.landed_tables import LandedRows
from aspen_etl.io.landed_times import canonical_moment
from aspen_etl.schema.landing import Landing
from aspen_etl.transform.changing import LOAD, LOAD_STAMP, row_stamps

__all__ = ["read_cells", "read_moments", "read_stamps"]

#: AR_H_CHANGE_SEQ: 16 digits of time and 19 of a counter.
_SEQUENCE = "[0-9]{35}"


def read_cells(part: LandedRows, place: Optional[int], landing: Landing) -> pd.Series:
    """Give the cells of a column, missing where the token for null stands; or the column is not.

    Text of no length is missing, too, as in each extract.
    """
    if place is None:
        return COLUMNS.repeat(None, len(part.rows))
    values = part.column(place)
    is_null = (values == "").to_numpy(dtype=bool)
    if part.has_tokens:
        is_null = is_null | (values == landing.null).to_numpy(dtype=bool)
    return COLUMNS.keep(values, ~is_null) if is_null.any() else values


def read_moments(
    part: LandedRows, places: Mapping[str, int], kinds: npt.NDArray[np.int8], landing: Landing
) -> pd.Series:
    """Give the time of each change's commit; the time of a full load says nothing."""
    if landing.time not in places:
        raise _bad_mark("time", part.file, landing.time, int((kinds != LOAD).sum()))
    found, distinct = codes(read_cells(part, places[landing.time], landing))
    texts: list[Any] = [canonical_moment(text) for text in distinct]
    moments = np.array([*texts, None], dtype=object)[found]
    moments[kinds == LOAD] = None
    values = conform_text(pd.Series(moments, dtype=object))
    wrong = int((~are_present(values) & (kinds != LOAD)).sum())
    if wrong:
        raise _bad_mark("time", part.file, landing.time, wrong)
    return values


def read_stamps(
    part: LandedRows,
    places: Mapping[str, int],
    told: tuple[LandedName, npt.NDArray[np.int8], pd.Series],
    landing: Landing,
) -> pd.Series:
    """Give the stamps of rows.

    Args:
        part: The rows.
        places: The position of each column.
        told: What the file's name says, what the rows say, and their times.
        landing: What orders changes.

    Raises:
        LandedFileError: A sequence is empty, or of another form.
    """
    name, kinds, moments = told
    if landing.order == "sequence":
        stamps = _sequences(part, places, kinds, landing)
    elif landing.order == "time":
        base = name.path.rpartition("/")[2]
        stamps = row_stamps(base, part.rows, moments)
    else:
        stamps = row_stamps(name.order, part.rows)
    if name.kind != "load":
        return stamps
    return COLUMNS.repeat(LOAD_STAMP, len(kinds))


def _sequences(
    part: LandedRows, places: Mapping[str, int], kinds: npt.NDArray[np.int8], landing: Landing
) -> pd.Series:
    changed = kinds != LOAD
    if landing.sequence not in places:
        if changed.any():
            raise _bad_mark("sequence", part.file, landing.sequence, int(changed.sum()))
        return COLUMNS.repeat(LOAD_STAMP, len(kinds))
    values = part.column(places[landing.sequence])
    whole = are_present(values) & COLUMNS.matches(values, _SEQUENCE)
    wrong = int((changed & ~whole).sum())
    if wrong:
        raise _bad_mark("sequence", part.file, landing.sequence, wrong)
    return values


def _bad_mark(problem: str, file: str, column: str, count: int) -> LandedFileError:
    told = {
        "sequence": (
            "35 digits of $AR_H_CHANGE_SEQ",
            "add the column by a mapping rule, as a string of at least 35 characters",
        ),
        "time": (
            "a time such as 2020-01-31 14:05:00.000000",
            "set TimestampColumnName of the endpoint",
        ),
    }
    wanted, hint = told[problem]
    return LandedFileError.of(
        problem,
        file,
        f"has {count:,} changes whose column {column!r} is not {wanted}",
        hint,
        column=column,
        count=count,
    )
