"""Builders: each makes the rows of the table it is named for, in natural terms.

The parameters name the frames that a builder needs, so the signature is the lineage: a
source's name stands for its accepted rows, ``<table>_rows`` for rows that another builder
made. A reference column holds the row number in the table referred to, or the text that a
lookup table lists. Keys and audit columns are given later, in one place.

Every builder can be used alone, in a notebook, on frames of clean text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from aspen_etl.borrower.cleaners import join_full_name, split_full_name
from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.handing import as_given, takes_held
from aspen_etl.columns.threads import map_threads

__all__ = [
    "address",
    "email",
    "email_type",
    "invert_user_profile",
    "role_profile",
    "user_profile",
]


@takes_held
def user_profile(borrower: pd.DataFrame) -> pd.DataFrame:
    """Make one row for each borrower, the name split in two.

    Examples:
        >>> user_profile(pd.DataFrame({"id": ["a"], "full_name": ["Ada Degli Antoni"]})).loc[
        ...     0, "last_name"
        ... ]
        'Degli Antoni'
    """
    return split_full_name(borrower["full_name"]).assign(user_profile_id=borrower["id"])


@takes_held
def invert_user_profile(rows: pd.DataFrame) -> Mapping[str, pd.Series]:
    """Give back the full names."""
    return {"full_name": join_full_name(rows["first_name"], rows["last_name"])}


@takes_held
def role_profile(borrower: pd.DataFrame, role_profile: pd.DataFrame) -> pd.DataFrame:
    """Make one row for each role, and one without a type for a borrower who has no role.

    Contacts belong to a role profile, so a borrower without one would have nowhere to keep
    them. The index is the row in the sheet, -1 where there is none.
    """
    owner = row_numbers(role_profile["borrower_id"], borrower["id"])
    without = np.flatnonzero(np.bincount(owner, minlength=len(borrower)) == 0)
    index = np.concatenate([np.arange(len(owner)), np.full(len(without), -1)])
    roles = COLUMNS.take(role_profile["role_profile"].reset_index(drop=True), index)
    owners = make_column(np.concatenate([owner, without]))
    columns = {"user_id": owners, "role_profile_type_id": roles}
    return make_frame(columns).set_axis(index)


@takes_held
def email_type(values: pd.Series) -> pd.Series:
    """Give every e-mail address the one type ``email``, for the column it came from."""
    return COLUMNS.repeat("email", len(values)).set_axis(values.index)


@takes_held
def email(
    borrower: pd.DataFrame,
    role_profile_rows: pd.DataFrame,
    *,
    classify_email: Callable[[pd.Series], pd.Series] = email_type,
) -> pd.DataFrame:
    """Make one row for each e-mail address of each role profile.

    Args:
        borrower: The borrowers.
        role_profile_rows: The rows that ``role_profile`` makes.
        classify_email: Gives the type of each address, from the addresses.
    """
    rows = _contacts(borrower["email"], role_profile_rows)
    return rows.assign(email_type_id=classify_email(as_given(classify_email, rows["value"])))


@takes_held
def address(borrower: pd.DataFrame, role_profile_rows: pd.DataFrame) -> pd.DataFrame:
    """Make one row for each role profile whose borrower has any part of an address."""
    parts = borrower[["street", "city", "state", "zip_code"]]
    has_any = np.logical_or.reduce([parts[name].notna().to_numpy(dtype=bool) for name in parts])
    owner = role_profile_rows["user_id"].to_numpy(dtype=np.int64)
    held = np.flatnonzero(has_any[owner])
    columns = map_threads(
        lambda name: COLUMNS.take(parts[name], owner[held]), list(parts.columns), rows=len(held)
    )
    return make_frame({"role_profile_id": make_column(held), **dict(zip(parts.columns, columns))})


def row_numbers(values: pd.Series, keys: pd.Series) -> Positions:
    """Give the row of ``keys`` that each value names; row numbers stay what they are."""
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.to_numpy(dtype=np.int64)
    return COLUMNS.find(values, keys)


def _contacts(values: pd.Series, role_profile_rows: pd.DataFrame) -> pd.DataFrame:
    owner = role_profile_rows["user_id"].to_numpy(dtype=np.int64)
    present = values.notna().to_numpy(dtype=bool)
    held = np.flatnonzero(present[owner])
    return make_frame(
        {"role_profile_id": make_column(held), "value": COLUMNS.take(values, owner[held])}
    )
