"""Rules as values: those that follow from the declarations, and those that a model brings."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import pandas as pd
import pytest
from hypothesis import given

import aspen_etl as ae
from aspen_etl import derive
from aspen_etl.columns import threads
from aspen_etl.errors import ModelError
from aspen_etl.schema import Rule
from aspen_etl.schema.evolution import describe_functions
from aspen_etl.testing import extracts
from aspen_etl.transform import Sheet, clean, rules_of
from tests.support.effort import some
from tests.support.own_rules import (
    MODEL,
    PO_BOX,
    TEST_ADDRESS,
    UNREACHABLE,
    is_po_box,
    is_unreachable,
)
from tests.support.refusals import refused
from tests.transform.sheets import ADA, BO, RUN, extract


def with_rule(mask: Any, **facts: Any) -> ae.Model:
    rule = Rule(**{"name": "odd", "scope": "row", "columns": ("id",), "mask": mask, **facts})
    return ae.BORROWER_MODEL.replace(rules={"borrower": [rule]})


def rejects(result: ae.NormalizeResult) -> list[list[Any]]:
    return result.rejects[["row", "column", "rule", "scope"]].to_numpy().tolist()


def test_rules_follow_from_the_declarations_and_own_ones_come_last() -> None:
    names = [(rule.columns[0], rule.name) for rule in rules_of(ae.BORROWER_MODEL)["borrower"]]
    assert names == [
        ("id", "invalid_text"),
        ("id", "too_long"),
        ("full_name", "invalid_text"),
        ("full_name", "too_long"),
        ("street", "invalid_text"),
        ("street", "too_long"),
        ("city", "invalid_text"),
        ("city", "too_long"),
        ("state", "invalid_text"),
        ("state", "too_long"),
        ("zip_code", "emptied"),
        ("zip_code", "invalid_text"),
        ("zip_code", "invalid_zip_code"),
        ("zip_code", "too_long"),
        ("phone_home", "invalid_text"),
        ("phone_home", "invalid_phone"),
        ("phone_home", "too_long"),
        ("phone_cell", "invalid_text"),
        ("phone_cell", "invalid_phone"),
        ("phone_cell", "too_long"),
        ("email", "invalid_text"),
        ("email", "invalid_email"),
        ("email", "too_long"),
        ("city", "incomplete_address"),
        ("state", "incomplete_address"),
        ("zip_code", "incomplete_address"),
        ("id", "missing_id"),
        ("full_name", "missing_name"),
    ]
    assert rules_of(MODEL)["borrower"][-3:] == (PO_BOX, UNREACHABLE, TEST_ADDRESS)


def test_a_rule_is_held_against_a_sheet_alone() -> None:
    sheet = clean(extract({**ADA, "street": " PO  Box 7"}, BO), MODEL)["borrower"]
    assert sheet.clean["street"].str.startswith("PO Box", na=False).tolist() == [True, False]
    assert is_unreachable(sheet).tolist() == [False, True]


def test_an_own_rule_keeps_out_what_its_scope_says() -> None:
    given = extract({**ADA, "street": "PO Box 7", "email": "a@test"}, BO)
    result = ae.normalize(given, run=RUN, model=MODEL)
    assert rejects(result) == [
        [2, "street", "po_box", "address"],
        [2, "email", "test_address", "value"],
        [3, "phone_cell", "unreachable", "row"],
    ]
    counts = {name: len(frame) for name, frame in result.tables.items()}
    assert (counts["user"], counts["address"], counts["email"], counts["phone_number"]) == (
        *(1, 0, 0, 2),
    )
    ae.verify(result, given, run=RUN, model=MODEL)
    kept = ae.normalize(given, run=RUN, previous=ae.normalize(given, run=RUN).snapshot, model=MODEL)
    assert kept.summary.sources["borrower"].kept == 1


def test_what_an_own_rule_rejects_is_unknown_to_others_and_no_duplicate() -> None:
    given = extract(BO, {**ADA, "id": "b"}, roles=(("b", "x"),))
    result = ae.normalize(given, run=RUN, model=MODEL)
    assert rejects(result) == [[2, "phone_cell", "unreachable", "row"]]
    given = extract(BO, roles=(("b", "x"),))
    result = ae.normalize(given, run=RUN, model=MODEL)
    assert [row[2] for row in rejects(result)] == ["unreachable", "unknown_borrower"]


def test_a_valid_extract_breaks_no_own_rule_that_looks_at_one_column() -> None:
    def is_odd(sheet: Sheet) -> pd.Series:
        return sheet.clean["city"].str.len() % 2 == 1

    model = with_rule(is_odd, scope="address", columns=("city",))

    @some(2, least=5)
    @given(extracts(model))
    def nothing_is_broken(extract: ae.Extract) -> None:
        assert ae.normalize(extract, run=RUN, model=model).rejects.empty

    nothing_is_broken()


def test_an_own_rule_stands_in_the_data_dictionary_and_only_there() -> None:
    page = derive.markdown(MODEL)
    assert page.startswith(derive.markdown(ae.BORROWER_MODEL))
    assert page.splitlines()[-5:] == [
        "| rule | sheet and column | keeps out | what |",
        "| --- | --- | --- | --- |",
        "| `po_box` | borrower `street` | address | A post office box, where nobody lives. |",
        (
            "| `unreachable` | borrower `phone_cell`, with `phone_home`, `email` | row | "
            "Neither a phone nor an e-mail. |"
        ),
        "| `test_address` | borrower `email` | value | An address of a test. |",
    ]


def test_a_rule_of_ones_own_makes_a_source_looked_at_again_unless_a_version_tells() -> None:
    assert describe_functions(ae.BORROWER_MODEL) is not None
    assert describe_functions(MODEL) is None


def test_a_model_with_rules_travels() -> None:
    assert pickle.loads(pickle.dumps(MODEL)).rules == MODEL.rules  # noqa: S301 - our own


def test_own_rules_are_called_in_the_callers_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_MANY_ROWS", 0)
    monkeypatch.setattr(threads, "_cores", lambda: 2)
    found: list[threading.Thread] = []

    def look(sheet: Sheet) -> Any:
        found.append(threading.current_thread())
        return sheet.usable["id"] & False

    ae.normalize(extract(ADA), run=RUN, model=with_rule(look))
    assert found == [threading.current_thread()]


def raising(sheet: Sheet) -> Any:
    raise KeyError(sheet.clean["city"].iloc[0])


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        (raising, "the rule 'odd' of 'borrower' raised KeyError; run it alone to see why"),
        (lambda _: True, "must give a truth for each row of its sheet"),
        (lambda sheet: sheet.usable["id"][1:], "must give a truth for each row of its sheet"),
        (lambda sheet: sheet.clean["id"], "must give a truth for each row of its sheet"),
    ],
)
def test_a_rule_that_fails_is_named_and_no_cell_is_shown(mask: Any, text: str) -> None:
    with refused("rule") as caught:
        ae.normalize(extract(ADA), run=RUN, model=with_rule(mask))
    assert text in str(caught.value)
    assert "Turin" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"name": "Odd One"}, "use lower-case letters"),
        ({"columns": ()}, "names no columns"),
        ({"columns": "id"}, "names no columns"),
        ({"columns": ("ids",)}, "did you mean 'id'?"),
        ({"scope": "value"}, "keeps out: 'row'"),
        ({"columns": ("street",), "scope": "value"}, "keeps out: 'row' or 'address'"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_when_the_model_is_made(
    facts: dict[str, Any], text: str
) -> None:
    with pytest.raises(ModelError) as caught:
        with_rule(is_po_box, **facts)
    assert text in str(caught.value)


def test_rules_have_one_name_for_a_column_of_a_sheet() -> None:
    with pytest.raises(ModelError, match="no source; did you mean 'borrower'"):
        ae.BORROWER_MODEL.replace(rules={"borower": [PO_BOX]})
    with pytest.raises(ModelError, match=r"street\.po_box' is given twice"):
        ae.BORROWER_MODEL.replace(rules={"borrower": [PO_BOX, PO_BOX]})
    with pytest.raises(ModelError, match=r"already a rule 'borrower\.street\.po_box'"):
        MODEL.add(rules={"borrower": [PO_BOX]})
    other = Rule("po_box", "row", ("street",), is_po_box)
    replaced = MODEL.replace(rules={"borrower": [other]}).rules["borrower"]
    assert replaced == (UNREACHABLE, TEST_ADDRESS, other)
