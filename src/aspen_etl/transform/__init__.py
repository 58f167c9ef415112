"""How one shape becomes another: cleaners, builders, rules, keys, audit columns, proof."""

from aspen_etl.transform.borrower import BORROWER_MODEL, borrower_model
from aspen_etl.transform.builders import address, email, phone_number, role_profile, user_profile
from aspen_etl.transform.cleaners import (
    clean_white_space,
    join_full_name,
    lower_case,
    pad_zip_code,
    split_full_name,
)

__all__ = [
    "BORROWER_MODEL",
    "address",
    "borrower_model",
    "clean_white_space",
    "email",
    "join_full_name",
    "lower_case",
    "pad_zip_code",
    "phone_number",
    "role_profile",
    "split_full_name",
    "user_profile",
]
