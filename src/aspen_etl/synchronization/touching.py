"""Who changed in a source since it was read last: by its lines, of which new ones are parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.positions import rows_without
from aspen_etl.columns.rows import are_present, codes
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import (
    ArgumentError,
    AspenETLError,
    ExtractError,
    ModelFunctionError,
    NotSupportedError,
    ValidationError,
)
from aspen_etl.io.csv_lines import CsvLines, have_one_header
from aspen_etl.io.lines import align
from aspen_etl.io.reading import Reading
from aspen_etl.io.sheet_lines import LoadedSheet, read_rows, sheet_lines
from aspen_etl.schema.values import Extract
from aspen_etl.store.kept import KeptSheet
from aspen_etl.transform.cleaning import clean_column
from aspen_etl.transform.parting import Partitioning

__all__ = ["IN_PART", "LinedSheet", "TouchedRows", "find_lined", "find_touched", "tell_why"]

#: What a look at some rows may raise: one at all of them tells what is wrong, if anything is.
IN_PART = (
    ArgumentError, ExtractError, ModelFunctionError, NotSupportedError, ValidationError,
)  # fmt: skip

#: The share of subjects above which a run reads everything.
_MOST_TOUCHED = 0.1


class LinedSheet(NamedTuple):
    """A sheet as lines, and whose they are.

    Attributes:
        loaded: The file.
        lines: Its lines.
        subjects: What the subject of each line is known by, missing where it names none.
    """

    loaded: LoadedSheet
    lines: CsvLines
    subjects: pd.Series


@dataclass(frozen=True, eq=False)
class TouchedRows:
    """Hold what is touched in a source.

    Attributes:
        subjects: What the touched are known by.
        now: Their rows, and those that name no subject.
        then: The same of the source before.
        sheets: The whole source, as lines.
    """

    subjects: frozenset[str]
    now: Extract
    then: Extract = field(repr=False)
    sheets: Mapping[str, LinedSheet] = field(repr=False)


def find_lined(
    loaded: Mapping[str, LoadedSheet], extract: Extract, how: Partitioning, reading: Reading, /
) -> dict[str, LinedSheet]:
    """Find the lines of sheets that were read as a whole, and whose they are.

    Raises:
        NotSupportedError: Their lines are no records.
    """
    out = {}
    for name, sheet in loaded.items():
        lines = sheet_lines(name, sheet, how.model, reading)
        every = np.arange(len(lines), dtype=np.int64)
        out[name] = LinedSheet(sheet, lines, _subjects(extract, name, lines, every, how))
    return out


def _subjects(
    extract: Extract, name: str, lines: CsvLines, at: Positions, how: Partitioning
) -> pd.Series:
    """Give what the subject of some lines is known by, as an extract of them has it."""
    texts = clean_column(extract, name, how.columns[name], how.model)
    rows = extract[name].index.to_numpy(dtype=np.int64) - lines.first_row
    place = np.full(len(lines) + 1, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    return COLUMNS.take(texts, place[at])


# ----------------------------------------------------------------------------- what is touched


def find_touched(
    kept: Mapping[str, KeptSheet],
    loaded: Mapping[str, LoadedSheet],
    how: Partitioning,
    reading: Reading,
    /,
) -> TouchedRows:
    """Find the subjects of which a line is new or gone, or was rejected, and take their rows.

    Args:
        kept: The source as it was read last.
        loaded: The source as it is.
        how: How the model is partitioned.
        reading: How the source is read.

    Raises:
        NotSupportedError: The whole source must be read, for the reason named.
        ExtractError: A line is faulty.
    """
    pairs = {name: _pair(name, kept[name], sheet, how, reading) for name, sheet in loaded.items()}
    fresh = read_rows(
        [(name, pair.now, pair.after, np.flatnonzero(pair.at < 0)) for name, pair in pairs.items()],
        how.model,
        reading,
    )
    sheets, touched = {}, set()
    for name, pair in pairs.items():
        new = np.flatnonzero(pair.at < 0)
        found = _subjects(fresh, name, pair.after, new, how)
        at = pair.at.copy()
        at[new] = len(pair.kept.subjects) + np.arange(len(new))
        subjects = COLUMNS.take(COLUMNS.concat([pair.kept.subjects, found]), at)
        sheets[name] = LinedSheet(pair.now, pair.after, subjects)
        then = pair.kept.rejected.copy()
        then[rows_without(pair.at, len(then))] = True
        touched |= _texts(found) | _texts(COLUMNS.take(pair.kept.subjects, np.flatnonzero(then)))
        touched |= _turned(pair.at, subjects)
    _check_share(len(touched), len(sheets[how.root].lines))
    return _take(touched, pairs, sheets, how, reading)


class _Pair(NamedTuple):
    """A sheet before and now, and the line before that each line is."""

    kept: KeptSheet
    then: LoadedSheet
    before: CsvLines
    now: LoadedSheet
    after: CsvLines
    at: Positions


def _pair(
    name: str, kept: KeptSheet, now: LoadedSheet, how: Partitioning, reading: Reading
) -> _Pair:
    then = LoadedSheet(now.place, kept.data)
    before = sheet_lines(name, then, how.model, reading)
    after = sheet_lines(name, now, how.model, reading)
    if len(before) != len(kept.subjects):
        raise _refused("what is kept of its lines is of another number of them")
    if not have_one_header(before, after):
        raise _refused(f"what stands above the records of {name!r} is not what it was")
    return _Pair(kept, then, before, now, after, align(before, after))


def _refused(reason: str) -> NotSupportedError:
    return NotSupportedError(f"the whole source must be read: {reason}", reason=reason)


def tell_why(error: AspenETLError, /) -> str:
    """Say why everything must be looked at, without a cell.

    Args:
        error: What a look at lines, or at some rows, raised.
    """
    if isinstance(error, NotSupportedError):
        return str(error.details.get("reason") or "it is no source that is compared by its lines")
    if isinstance(error, ExtractError):
        return "a line of the source is faulty"
    return "the model cannot be applied to the rows alone whose subjects changed"


def _turned(at: Positions, subjects: pd.Series) -> set[str]:
    """Name the subjects whose lines follow each other in another order than before."""
    held = np.flatnonzero(at >= 0)
    if (np.diff(at[held]) > 0).all():  # as they mostly are
        return set()
    found, distinct = codes(COLUMNS.take(subjects, held))
    order = np.argsort(found, kind="stable")
    whose, place = found[order], at[held][order]
    turned = (whose[1:] == whose[:-1]) & (place[1:] < place[:-1]) & (whose[1:] >= 0)
    return _texts(COLUMNS.take(distinct, np.unique(whose[1:][turned])))


def _check_share(touched: int, subjects: int) -> None:
    if touched > max(_MOST_TOUCHED * subjects, 1):
        raise _refused(f"{touched:,} of {subjects:,} subjects changed, more than a tenth")


def _texts(values: pd.Series) -> set[str]:
    return {str(text) for text in values[are_present(values)]}


def _take(
    touched: set[str],
    pairs: Mapping[str, _Pair],
    sheets: Mapping[str, LinedSheet],
    how: Partitioning,
    reading: Reading,
) -> TouchedRows:
    """Take the rows of the touched out of both states of a source."""
    keys = conform_text(pd.Series(sorted(touched), dtype=object))
    now, then = [], []
    for name, pair in pairs.items():
        now.append((name, pair.now, pair.after, _mine(sheets[name].subjects, keys)))
        then.append((name, pair.then, pair.before, _mine(pair.kept.subjects, keys)))
    return TouchedRows(
        frozenset(touched),
        read_rows(now, how.model, reading),
        read_rows(then, how.model, reading),
        sheets,
    )


def _mine(subjects: pd.Series, keys: pd.Series) -> Positions:
    mine: Mask = ~are_present(subjects)
    if len(keys):
        mine |= COLUMNS.find(subjects, keys) >= 0
    return np.flatnonzero(mine)
