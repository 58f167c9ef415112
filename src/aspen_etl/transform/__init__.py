"""How one shape becomes another: cleaning, rules, keys, audit columns, proof."""

from typing import TYPE_CHECKING

from aspen_etl.errors.moving import moved
from aspen_etl.transform.cleaning import clean_white_space

__all__ = ["clean_white_space"]

#: The model, cleaners and builders of the borrower, which stood here.
_MOVED = (
    "BORROWER_MODEL",
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
)

if not TYPE_CHECKING:
    __getattr__ = moved(__name__, "aspen_etl.borrower", _MOVED)
