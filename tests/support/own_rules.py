"""Rules that a user brings, one of each scope, and the model that has them."""

from __future__ import annotations

from typing import Any

import pandas as pd

import aspen_etl as ae
from aspen_etl.schema import Rule
from aspen_etl.transform import Sheet


def is_po_box(sheet: Sheet) -> pd.Series:
    """A post office box, where nobody lives."""
    return sheet.clean["street"].str.startswith("PO Box")


def is_unreachable(sheet: Sheet) -> Any:
    """Neither a phone nor an e-mail."""
    return ~(sheet.usable["phone_home"] | sheet.usable["phone_cell"] | sheet.usable["email"])


def is_test_address(sheet: Sheet) -> pd.Series:
    """An address of a test."""
    return sheet.clean["email"].str.endswith("@test")


PO_BOX = Rule("po_box", "address", ("street",), is_po_box)
UNREACHABLE = Rule("unreachable", "row", ("phone_cell", "phone_home", "email"), is_unreachable)
TEST_ADDRESS = Rule("test_address", "value", ("email",), is_test_address)
MODEL = ae.BORROWER_MODEL.replace(rules={"borrower": [PO_BOX, UNREACHABLE, TEST_ADDRESS]})
