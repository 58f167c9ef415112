"""The borrower: its sheets and nine tables, their cleaners and builders, and the model of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aspen_etl.borrower.builders import address, email, role_profile, user_profile
from aspen_etl.borrower.cleaners import (
    join_full_name,
    lower_case,
    pad_zip_code,
    split_full_name,
)
from aspen_etl.borrower.model import BORROWER_MODEL, borrower_model, phone_number

if TYPE_CHECKING:
    from aspen_etl.borrower.tables import (
        Address,
        Borrower,
        Email,
        EmailType,
        PhoneNumber,
        PhoneNumberType,
        RoleProfile,
        RoleProfileSheet,
        RoleProfileType,
        User,
        UserProfile,
    )

__all__ = [
    "BORROWER_MODEL",
    "Address",
    "Borrower",
    "Email",
    "EmailType",
    "PhoneNumber",
    "PhoneNumberType",
    "RoleProfile",
    "RoleProfileSheet",
    "RoleProfileType",
    "User",
    "UserProfile",
    "address",
    "borrower_model",
    "email",
    "join_full_name",
    "lower_case",
    "pad_zip_code",
    "phone_number",
    "role_profile",
    "split_full_name",
    "user_profile",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Declare the sheets and the tables when one is asked for: to do so loads pandera."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from aspen_etl.borrower import tables

        found = globals()[name] = getattr(tables, name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
