"""The sheets of a borrower extract and the nine tables, declared once.

Source of every length and rule: the model of the lender's relational database. One departure:
``email.value`` holds 254 characters, the limit of RFC 5321, where the lender's own diagram
gives 20.
"""

from __future__ import annotations

import pandas as pd
from pandera.typing import Series

from aspen_etl.columns.text import WHITE_SPACE, TextFormat
from aspen_etl.schema.column import column, ref
from aspen_etl.schema.declared import Source, Table

__all__ = [
    "EMAIL",
    "PHONE",
    "SOURCES",
    "TABLES",
    "ZIP_CODE",
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
]

# ----------------------------------------------------------------------------- formats

#: Five digits, or five and four (USPS ZIP+4).
ZIP_CODE = TextFormat("zip_code", "[0-9]{5}(?:-[0-9]{4})?")

#: 7 to 15 digits (ITU-T E.164 allows 15) with the usual separators, optional + and extension.
PHONE = TextFormat(
    "phone",
    r"[(]?\+?[(]?[0-9](?:[-. /()]{0,3}[0-9]){6,14}(?: "
    r"?(?:[xX#]|[eE][xX][tT](?:[.]|[eE][nN][sS][iI][oO][nN])?) ?[0-9]{1,6})?",
)

#: One @ with text on both sides and no white space; RFC 5321 limits the length to 254.
EMAIL = TextFormat("email", f"[^@{WHITE_SPACE}]+@[^@{WHITE_SPACE}]+")

# ----------------------------------------------------------------------------- the source


class Borrower(Source):
    """One row for each borrower."""

    id: Series[str] = column()
    full_name: Series[str] = column(label="name")
    street: Series[str] = column(nullable=True)
    city: Series[str] = column(nullable=True)
    state: Series[str] = column(nullable=True)
    zip_code: Series[str] = column(nullable=True)
    phone_home: Series[str] = column(nullable=True)
    phone_cell: Series[str] = column(nullable=True)
    email: Series[str] = column(nullable=True)


class RoleProfileSheet(Source):
    """One row for each role of a borrower."""

    borrower_id: Series[str] = column()
    role_profile: Series[str] = column(label="role")


# ----------------------------------------------------------------------------- the target


class UserProfile(Table):
    """Who a borrower is."""

    user_profile_id: Series[str] = column(primary_key=True, length=128, source="borrower.id")
    first_name: Series[str] = column(length=128, source="borrower.full_name")
    last_name: Series[str] = column(length=128, source="borrower.full_name")


class User(Table):
    """A borrower as a user of the new system."""

    user_id: Series[int] = column(primary_key=True)
    user_profile_id: Series[str] = column(
        natural_key=True, references="user_profile", source="borrower.id"
    )


class RoleProfileType(Table):
    """The roles that a borrower can have."""

    role_profile_type_id: Series[int] = column(primary_key=True)
    type: Series[str] = column(natural_key=True, length=128)


class RoleProfile(Table):
    """A role of a user, or that a user has none; contacts belong to it."""

    role_profile_id: Series[int] = column(primary_key=True)
    user_id: Series[int] = column(
        natural_key=True, references="user", source="role_profile.borrower_id"
    )
    role_profile_type_id: Series[pd.Int64Dtype] = column(
        natural_key=True,
        nullable=True,
        references="role_profile_type",
        source="role_profile.role_profile",
    )


class PhoneNumberType(Table):
    """The kinds of phone numbers."""

    phone_number_type_id: Series[int] = column(primary_key=True)
    type: Series[str] = column(natural_key=True, length=128)


class PhoneNumber(Table, source="borrower.phone_*"):
    """A phone number of a role profile."""

    phone_number_id: Series[int] = column(primary_key=True)
    role_profile_id: Series[int] = ref("role_profile", natural_key=True)
    phone_number_type_id: Series[int] = ref(
        "phone_number_type", natural_key=True, from_name=("home", "cell")
    )
    value: Series[str] = column(length=20, text_format=PHONE)


class EmailType(Table):
    """The kinds of e-mail addresses."""

    email_type_id: Series[int] = column(primary_key=True)
    type: Series[str] = column(natural_key=True, length=128)


class Email(Table):
    """An e-mail address of a role profile."""

    email_id: Series[int] = column(primary_key=True)
    role_profile_id: Series[int] = column(natural_key=True, references="role_profile")
    email_type_id: Series[int] = column(natural_key=True, references="email_type")
    value: Series[str] = column(length=254, text_format=EMAIL, source="borrower.email")


class Address(Table):
    """The address of a role profile."""

    address_id: Series[int] = column(primary_key=True)
    role_profile_id: Series[int] = column(natural_key=True, references="role_profile")
    street: Series[str] = column(length=128, nullable=True, source="borrower.street")
    city: Series[str] = column(length=128, source="borrower.city")
    state: Series[str] = column(length=64, source="borrower.state")
    zip_code: Series[str] = column(length=32, text_format=ZIP_CODE, source="borrower.zip_code")


SOURCES = (Borrower, RoleProfileSheet)

TABLES = (
    UserProfile,
    User,
    RoleProfileType,
    RoleProfile,
    PhoneNumberType,
    PhoneNumber,
    EmailType,
    Email,
    Address,
)
