"""What of a side is unknown, and what it counts as."""

from __future__ import annotations

import pandas as pd

import aspen_etl as ae
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.side_rows import assume, leave_unknown, read_side, read_tables_side
from tests.transform.sheets import ADA, BO, RUN, extract, rows
from tests.transform.test_three_way import cells

HOW = can_part(ae.BORROWER_MODEL)

ADA_FINE = {**ADA, "zip_code": "02138", "phone_home": "617-555-0100", "phone_cell": "617-555-0101"}
ROLES = (("a", "lender"), ("a", "agent"), ("b", "agent"))
SHADOW = read_side(extract(ADA_FINE, BO, roles=ROLES), HOW).rows


def test_what_is_accepted_is_as_it_stands_clean() -> None:
    assert cells(SHADOW["borrower"], "id", "full_name") == [["a", ADA["full_name"]], ["b", "Bo"]]
    assert rows(SHADOW["role_profile"]) == [["a", "agent"], ["a", "lender"], ["b", "agent"]]


def test_a_cell_that_is_rejected_is_as_it_was_and_others_are_as_they_are() -> None:
    now = {**ADA_FINE, "phone_home": "none", "email": "x@y", "city": None, "street": "2 Side St"}
    found = read_side(extract(now, BO, roles=ROLES), HOW)
    assert {c: mask.tolist() for c, mask in found.cells["borrower"].items() if mask.any()} == {
        column: [True, False] for column in ("phone_home", "street", "city", "state", "zip_code")
    }
    side = assume(found, SHADOW, HOW)["borrower"]
    columns = ("phone_home", "email", "street", "city")
    assert cells(side, *columns)[0] == ["617-555-0100", "x@y", "1 Main St", "Turin"]


def test_a_new_row_has_no_cell_where_it_is_rejected() -> None:
    new = {**BO, "id": "c", "phone_home": "none"}
    side = assume(read_side(extract(ADA_FINE, BO, new, roles=ROLES), HOW), SHADOW, HOW)
    assert cells(side["borrower"], "id", "phone_home")[2] == ["c", None]


def test_a_row_that_is_rejected_is_as_it_was_and_so_is_what_refers_to_it() -> None:
    now = {**ADA_FINE, "full_name": None, "email": "x@y"}
    found = read_side(extract(now, BO, roles=(*ROLES, ("a", "seller"), ("c", "agent"))), HOW)
    side = assume(found, SHADOW, HOW)
    assert cells(side["borrower"], "id", "email") == cells(SHADOW["borrower"], "id", "email")
    assert rows(side["role_profile"]) == rows(SHADOW["role_profile"])
    fewer = read_side(extract(now, BO, roles=(("a", "agent"), ("b", "agent"))), HOW)
    assert rows(assume(fewer, SHADOW, HOW)["role_profile"]) == [["a", "agent"], ["b", "agent"]]


def test_what_refers_to_a_row_that_is_gone_is_gone() -> None:
    side = assume(read_side(extract(BO, roles=ROLES), HOW), SHADOW, HOW)
    assert rows(side["role_profile"]) == [["b", "agent"]]


def test_a_role_that_cannot_be_read_may_be_each_of_that_borrower() -> None:
    for cell in (None, "ag\x07ent"):
        now = (("a", "lender"), ("a", cell))
        found = read_side(extract(ADA_FINE, BO, roles=now), HOW)
        assert found.nameless == 0
        roles = rows(assume(found, SHADOW, HOW)["role_profile"])
        assert roles == [["a", "agent"], ["a", "lender"]]


def test_a_borrower_that_cannot_be_read_is_counted() -> None:
    found = read_side(extract({**ADA_FINE, "id": "a\x07"}, BO, roles=(("b", "agent"),)), HOW)
    assert found.nameless == 1
    assert cells(assume(found, SHADOW, HOW)["borrower"], "id") == [["b"]]
    kept = assume(found, SHADOW, HOW, deletes=False)
    assert cells(kept["borrower"], "id") == [["a"], ["b"]]
    assert rows(kept["role_profile"]) == rows(SHADOW["role_profile"])


# ----------------------------------------------------------------------------- tables


def test_whose_tables_do_not_hold_together_is_as_they_were() -> None:
    tables = dict(ae.normalize(extract(ADA_FINE, BO, roles=ROLES), run=RUN).tables)
    whole = read_tables_side(tables, HOW)
    assert whole.broken.empty
    assert rows(whole.rows["role_profile"]) == rows(SHADOW["role_profile"])
    email = tables["email"].copy()
    email.loc[0, "value"] = "x@y"  # of one of two roles of one borrower
    found = read_tables_side({**tables, "email": email}, HOW)
    columns = ["kind", "sheet", "subject"]
    assert rows(found.broken[columns]) == [["inexpressible", "borrower", "a"]]
    assert cells(found.rows["borrower"], "id") == [["b"]]
    side = assume(found, SHADOW, HOW)
    assert rows(side["borrower"]) == rows(SHADOW["borrower"])
    assert rows(side["role_profile"]) == rows(SHADOW["role_profile"])
    assert cells(assume(found, {}, HOW)["borrower"], "id") == [["b"]]


# ----------------------------------------------------------------------------- what is left


def changed(**of_ada: str) -> dict[str, pd.DataFrame]:
    return dict(read_side(extract({**ADA_FINE, **of_ada}, BO, roles=(("b", "lender"),)), HOW).rows)


def test_what_is_unknown_is_left_as_it_was() -> None:
    now = {**ADA_FINE, "phone_home": "none"}
    found = read_side(extract(now, {**BO, "full_name": None}, roles=ROLES), HOW)
    left = leave_unknown(found, SHADOW, changed(phone_home="617-555-9999", email="x@y"), HOW)
    assert cells(left["borrower"], "id", "phone_home", "email") == [
        ["a", "617-555-0100", "x@y"],
        ["b", None, None],
    ]
    assert rows(left["role_profile"]) == [["b", "agent"]]


def test_who_is_deleted_stays_while_something_of_theirs_is_unknown() -> None:
    found = read_side(extract({**ADA_FINE, "phone_home": "none"}, BO, roles=ROLES), HOW)
    nobody = {name: frame.iloc[:0] for name, frame in SHADOW.items()}
    left = leave_unknown(found, SHADOW, nobody, HOW)
    assert cells(left["borrower"], "id") == [["a"]]
    assert rows(left["role_profile"]) == [["a", "agent"], ["a", "lender"]]


def test_a_row_is_not_put_where_one_is_rejected() -> None:
    new = {**BO, "id": "c", "full_name": None}
    found = read_side(extract(ADA_FINE, BO, new, roles=ROLES), HOW)
    head = read_side(extract(ADA_FINE, BO, {**BO, "id": "c"}, roles=(("c", "agent"),)), HOW).rows
    left = leave_unknown(found, SHADOW, head, HOW)
    assert cells(left["borrower"], "id") == [["a"], ["b"]]
    assert left["role_profile"].empty
