"""What is written to a side, and its shadow before and after."""

from __future__ import annotations

import pandas as pd

import aspen_etl as ae
from aspen_etl.columns.text import conform_text
from aspen_etl.schema import Model, Series, Table, column
from aspen_etl.transform.flat_changes import after_push, changes_to_push
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.shadowing import difference, patched, presence_column
from tests.transform.sheets import rows
from tests.transform.test_three_way import cells, sheets

HOW = can_part(ae.BORROWER_MODEL)

SHADOW = sheets({"id": "a", "email": "1"}, {"id": "b"}, {"id": "d"}, roles=(("a", "r"),))
HEAD = sheets({"id": "a", "email": "2"}, {"id": "c"}, {"id": "d"}, roles=(("a", "s"),))


def test_changes_are_whole_rows() -> None:
    changes = changes_to_push(SHADOW, HEAD, HOW)
    assert cells(changes.updated["borrower"], "id", "email") == [["a", "2"]]
    assert cells(changes.was["borrower"], "id", "email") == [["a", "1"]]
    assert cells(changes.inserted["borrower"], "id", "full_name") == [["c", "Bo"]]
    assert cells(changes.deleted["borrower"], "id", "full_name") == [["b", "Bo"]]
    assert changes.counts["role_profile"] == {"inserted": 1, "updated": 0, "deleted": 1}
    assert "Bo" not in repr(changes)


def test_who_is_held_and_deletions_stay() -> None:
    changes = changes_to_push(SHADOW, HEAD, HOW, held=("a", "a", "zz"), deletes=False)
    assert not changes.is_empty
    assert changes.counts["borrower"] == {"inserted": 1, "updated": 0, "deleted": 0}
    assert changes.counts["role_profile"] == {"inserted": 0, "updated": 0, "deleted": 0}
    assert changes.held_deletes == {"borrower": 1, "role_profile": 0}
    after = after_push(SHADOW, changes, HOW)
    assert cells(after["borrower"], "id") == [["a"], ["b"], ["c"], ["d"]]
    again = changes_to_push(after, HEAD, HOW, held=("a",), deletes=False)
    assert again.is_empty
    assert again.held_deletes == changes.held_deletes


def test_a_difference_says_which_rows_there_are() -> None:
    found = difference(HEAD, SHADOW, HOW)
    columns = ["id", "full_name", "email", "present"]
    assert rows(found["borrower"][columns]) == [
        ["a", "Bo", "1", True],
        ["b", "Bo", None, True],
        ["c", None, None, False],
    ]
    assert found["borrower"]["present"].dtype == bool
    assert rows(found["role_profile"]) == [["a", "r", True], ["a", "s", False]]
    back = patched(HEAD, {"borrower": found["borrower"]}, HOW)
    assert cells(back["borrower"], "id", "email") == cells(SHADOW["borrower"], "id", "email")
    assert rows(back["role_profile"]) == [["a", "s"]]


def test_a_sheet_may_have_a_column_of_that_name() -> None:
    class Thing(Table, source="things"):
        """Known by a text."""

        k: Series[str] = column(natural_key=True, length=8)
        present: Series[str] = column(nullable=True, length=8)

    how = can_part(Model.of(tables=[Thing]))
    assert presence_column(how.model.sources["things"]) == "_present"
    head, shadow = (
        {"things": pd.DataFrame({"k": [key], "present": ["x"]}, dtype=object)} for key in "ab"
    )
    found = difference(head, shadow, how)
    assert rows(patched(head, found, how)["things"]) == [["b", "x"]]
    as_text = {"things": found["things"].assign(k=conform_text(found["things"]["k"]))}
    assert rows(patched(head, as_text, how)["things"]) == [["b", "x"]]
