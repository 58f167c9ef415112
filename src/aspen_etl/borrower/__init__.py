"""The borrower: its sheets and nine tables, their cleaners and builders, and the model of all."""

from aspen_etl.borrower.builders import address, email, role_profile, user_profile
from aspen_etl.borrower.cleaners import (
    join_full_name,
    lower_case,
    pad_zip_code,
    split_full_name,
)
from aspen_etl.borrower.model import BORROWER_MODEL, borrower_model, phone_number
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
