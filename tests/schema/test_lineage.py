"""Keys, references and scopes of the sheets follow from the tables that they feed."""

from __future__ import annotations

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.schema.lineage import SourceLineage, TableLineage


def test_what_follows_for_the_borrower_sheet() -> None:
    assert BORROWER_MODEL.lineage.sources["borrower"] == SourceLineage(
        key=("id",),
        references={},
        owners=(),
        required=("id", "full_name"),
        destinations={
            "id": (("user_profile", "user_profile_id"), ("user", "user_profile_id")),
            "full_name": (("user_profile", "first_name"), ("user_profile", "last_name")),
            "street": (("address", "street"),),
            "city": (("address", "city"),),
            "state": (("address", "state"),),
            "zip_code": (("address", "zip_code"),),
            "phone_home": (("phone_number", "value"),),
            "phone_cell": (("phone_number", "value"),),
            "email": (("email", "value"),),
        },
        scopes={
            "id": "row",
            "full_name": "row",
            "street": "address",
            "city": "address",
            "state": "address",
            "zip_code": "address",
            "phone_home": "value",
            "phone_cell": "value",
            "email": "value",
        },
    )


def test_what_follows_for_the_role_sheet() -> None:
    found = BORROWER_MODEL.lineage.sources["role_profile"]
    assert found.key == ("borrower_id", "role_profile")
    assert found.references == {"borrower_id": "borrower"}
    assert found.required == ("borrower_id", "role_profile")
    assert found.scopes == {"borrower_id": "row", "role_profile": "row"}


def test_how_each_table_gets_its_rows() -> None:
    contact = {"borrower": ("role_profile_id", "user_id")}
    assert BORROWER_MODEL.lineage.tables == {
        "user_profile": TableLineage("rows", "borrower", {}),
        "user": TableLineage("rows", "borrower", {}),
        "role_profile_type": TableLineage("entity", None, {}, is_lookup=True),
        "role_profile": TableLineage("rows", "role_profile", {}),
        "phone_number_type": TableLineage("entity", None, {}, is_lookup=True),
        "phone_number": TableLineage("built", None, contact),
        "email_type": TableLineage("entity", None, {}, is_lookup=True),
        "email": TableLineage("built", None, contact),
        "address": TableLineage("built", None, contact),
    }


def test_what_only_an_inverse_can_give_back() -> None:
    needed = {name: BORROWER_MODEL.lineage.needs_inverse(name) for name in BORROWER_MODEL.tables}
    assert {name: columns for name, columns in needed.items() if columns} == {
        "user_profile": {"borrower.full_name"},
        "phone_number": {"borrower.phone_home", "borrower.phone_cell"},
    }
