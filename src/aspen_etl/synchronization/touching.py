"""Who changed in a source since it was read last: by which of its rows are the same as then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Optional, Protocol

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
from aspen_etl.schema.values import Extract
from aspen_etl.store.kept import FormName, KeptSheet

__all__ = [
    "IN_PART",
    "Compared",
    "Form",
    "Keepable",
    "TouchedRows",
    "find_touched",
    "find_whose",
    "leave_out",
    "refused",
    "tell_why",
]

#: What a look at some rows may raise: one at all of them tells what is wrong, if anything is.
IN_PART = (
    ArgumentError, ExtractError, ModelFunctionError, NotSupportedError, ValidationError,
)  # fmt: skip

#: The share of subjects above which a run reads everything.
_MOST_TOUCHED = 0.1


class Keepable(Protocol):
    """A sheet that can be kept for the next run."""

    def keep(self, rejected: Positions, stayed: pd.Series, /) -> KeptSheet:
        """Give it as it is kept.

        Args:
            rejected: The numbers of the rows that have a reject.
            stayed: Of whom each row of before is that stays although it is absent.
        """


@dataclass(frozen=True, eq=False)
class TouchedRows:
    """Hold what is touched in a source.

    Attributes:
        subjects: What the touched are known by.
        now: Their rows, and those that name no subject.
        then: The same of the source as it was read last.
        sheets: The whole source, as it can be kept.
        stayed: By sheet, of whom each row of before is that stays although it is absent; those of
            the touched are left out.
        notes: What its reader noticed, by sheet; none where that is what it noticed before.
    """

    subjects: frozenset[str]
    now: Extract
    then: Extract = field(repr=False)
    sheets: Mapping[str, Keepable] = field(repr=False)
    stayed: Mapping[str, pd.Series] = field(repr=False)
    notes: Optional[Mapping[str, Mapping[str, int]]] = None


class Form(Protocol):
    """A source in a form in which it can be compared with the one before: lines, or cells."""

    @property
    def name(self) -> FormName:
        """What the form is called."""

    def read(self) -> Extract:
        """Read all of the source.

        Raises:
            ExtractError: A file is not what it should be.
        """

    def sheets(self, extract: Extract, /) -> Mapping[str, Keepable]:
        """Give all of the source as it can be kept, with what was read of it."""

    def find_touched(self, kept: Mapping[str, KeptSheet], /) -> TouchedRows:
        """Find who changed since the source was kept, and take their rows.

        Raises:
            NotSupportedError: The whole source must be read, for the reason named.
            ExtractError: A line is faulty.
        """


class Compared(NamedTuple):
    """A sheet in two states, row by row.

    Attributes:
        then: What the subject of each row was known by, missing where it named none.
        rejected: Which rows had a reject then.
        now: What the subject of each row is known by.
        at: Which row of then each one is, the same in each cell, or -1.
        faulty: The rows that hold what is no text.
    """

    then: pd.Series
    rejected: Mask
    now: pd.Series
    at: Positions
    faulty: Positions


# ----------------------------------------------------------------------------- what is touched


def find_touched(sheets: Mapping[str, Compared], root: str, /) -> set[str]:
    """Name the subjects of which a row is new or gone, faulty, or was rejected, or that turned.

    Args:
        sheets: The sheets.
        root: The one that has a row for each subject.

    Raises:
        NotSupportedError: They are too many.
    """
    touched: set[str] = set()
    for each in sheets.values():
        then = each.rejected.copy()
        then[rows_without(each.at, len(then))] = True
        now = each.at < 0
        now[each.faulty] = True
        for subjects, rows in ((each.then, then), (each.now, now)):
            touched |= _texts(COLUMNS.take(subjects, np.flatnonzero(rows)))
        touched |= _turned(each.at, each.now)
    count, most = len(touched), max(_MOST_TOUCHED * len(sheets[root].now), 1)
    if count > most:
        raise refused(f"{count:,} of {len(sheets[root].now):,} subjects changed, more than a tenth")
    return touched


def _turned(at: Positions, subjects: pd.Series) -> set[str]:
    """Name the subjects whose rows follow each other in another order than before."""
    held = np.flatnonzero(at >= 0)
    if (np.diff(at[held]) > 0).all():  # as they mostly are
        return set()
    found, distinct = codes(COLUMNS.take(subjects, held))
    order = np.argsort(found, kind="stable")
    whose, place = found[order], at[held][order]
    turned = (whose[1:] == whose[:-1]) & (place[1:] < place[:-1]) & (whose[1:] >= 0)
    return _texts(COLUMNS.take(distinct, np.unique(whose[1:][turned])))


def _texts(values: pd.Series) -> set[str]:
    return {str(text) for text in values[are_present(values)]}


def find_whose(subjects: pd.Series, touched: set[str], /) -> Positions:
    """Find the rows of the touched, and those that name no subject.

    Args:
        subjects: What the subject of each row is known by.
        touched: What the touched are known by.
    """
    mine: Mask = ~are_present(subjects)
    if touched:
        keys = conform_text(pd.Series(sorted(touched), dtype=object))
        mine |= COLUMNS.find(subjects, keys) >= 0
    return np.flatnonzero(mine)


def leave_out(subjects: pd.Series, touched: set[str], /) -> pd.Series:
    """Give those of whom rows are without the touched."""
    return COLUMNS.take(subjects, rows_without(find_whose(subjects, touched), len(subjects)))


# ----------------------------------------------------------------------------- why not


def refused(reason: str, /) -> NotSupportedError:
    """Say that the whole source must be read, and why."""
    return NotSupportedError(f"the whole source must be read: {reason}", reason=reason)


def tell_why(error: AspenETLError, /) -> str:
    """Say why everything must be looked at, without a cell.

    Args:
        error: What a look at lines, or at some rows, raised.
    """
    if isinstance(error, NotSupportedError):
        return str(error.details.get("reason") or "it is no source that is compared by its rows")
    if isinstance(error, ExtractError):
        return "a line of the source is faulty"
    return "the model cannot be applied to the rows alone whose subjects changed"
