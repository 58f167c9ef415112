"""The model of the contract: the borrower extract and its nine tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from aspen_etl.borrower import builders
from aspen_etl.borrower.cleaners import lower_case, pad_zip_code
from aspen_etl.schema.later import made_later
from aspen_etl.schema.model import Builder, Model

__all__ = ["BORROWER_MODEL", "borrower_model", "phone_number"]


def borrower_model(
    *, classify_email: Callable[[pd.Series], pd.Series] = builders.email_type
) -> Model:
    """Make the borrower model.

    Args:
        classify_email: Gives the type of each e-mail address, from the addresses; by default
            all are of type ``email``.

    Examples:
        >>> by_domain = borrower_model(classify_email=lambda emails: emails.str.partition("@")[2])
        >>> list(by_domain.tables)[:2]
        ['user_profile', 'user']
    """
    from aspen_etl.borrower.tables import SOURCES, TABLES

    return Model.of(
        sources=SOURCES,
        tables=TABLES,
        cleaners={"borrower.zip_code": pad_zip_code, "role_profile.role_profile": lower_case},
        builders={
            "user_profile": Builder(builders.user_profile, builders.invert_user_profile),
            "role_profile": Builder(builders.role_profile),
            "email": Builder(partial(builders.email, classify_email=classify_email)),
            "address": Builder(builders.address),
        },
        subject="user_profile",
    )


#: The model of the contract.
BORROWER_MODEL: Model = made_later(borrower_model)


def phone_number(borrower: pd.DataFrame, role_profile_rows: pd.DataFrame) -> pd.DataFrame:
    """Make one row for each phone of each role profile, as the table declares it.

    Args:
        borrower: The borrowers.
        role_profile_rows: The rows that ``role_profile`` makes.
    """
    # A user has the row of its borrower.
    frames = {"borrower": borrower, "role_profile_rows": role_profile_rows, "user_rows": borrower}
    return BORROWER_MODEL.builders["phone_number"].build(**frames)
