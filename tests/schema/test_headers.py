"""Headers match without regard to case and white space, and no column goes missing."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from aspen_etl.errors import ExtractError
from aspen_etl.schema.headers import match_headers
from tests.support.refusals import Kind, refused

EXPECTED = ("id", "zip_code")


def match(*found: Any, **options: Any) -> dict[int, str]:
    return match_headers(found, EXPECTED, sheet="borrower", **options)


@pytest.mark.parametrize(
    ("found", "options", "expected"),
    [
        (("id", "zip_code"), {}, {0: "id", 1: "zip_code"}),
        (("zip_code", "id"), {}, {1: "id", 0: "zip_code"}),
        ((" ID\u00a0", "Zip_Code\n"), {}, {0: "id", 1: "zip_code"}),
        (
            ("id", None, "zip_code", float("nan"), " "),
            {"empty": {1, 3, 4}},
            {0: "id", 2: "zip_code"},
        ),
        (("id", "ZIP"), {"rename": {"zip ": "zip_code"}}, {0: "id", 1: "zip_code"}),
        (("id", "zip_code"), {"rename": {"ID": "loan_id"}}, {0: "id", 1: "zip_code"}),
        (
            ("zip_code", "id"),
            {"rename": {"id": "zip_code", "zip_code": "id"}},
            {0: "id", 1: "zip_code"},
        ),
        (("id", "note", "Note", "zip_code"), {"ignore": ["NOTE"]}, {0: "id", 3: "zip_code"}),
    ],
)
def test_columns_are_found(found: Any, options: Any, expected: dict[int, str]) -> None:
    assert list(match(*found, **options).items()) == list(expected.items())


@pytest.mark.parametrize(
    ("found", "options", "kind", "text"),
    [
        (
            ("id", "zip"),
            {},
            "missing_column",
            "no column 'zip_code'; its headers are 'id', 'zip'",
        ),
        (("id",), {}, "missing_column", "no column 'zip_code'; its headers are 'id'"),
        (("id", "zip_code", "x"), {}, "unknown_column", "the model has no column 'x'"),
        (
            ("id", "ID", "zip_code"),
            {},
            "duplicate_column",
            r"id stands there 2 times \(columns 1, 2\)",
        ),
        (("id", "zip_code", None), {}, "unknown_column", r"an empty header \(column 3\)"),
        (("id", "zip_code"), {"ignore": ["ID"]}, "missing_column", "no column 'id'"),
        (
            ("id", "zip", "zip_code"),
            {"rename": {"zip": "zip_code"}},
            "duplicate_column",
            "zip_code stands there 2 times",
        ),
    ],
)
def test_what_does_not_match_is_named(found: Any, options: Any, kind: Kind, text: str) -> None:
    with refused(kind, match=text) as caught:
        match(*found, **options)
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert (str(copy), copy.details) == (str(caught.value), caught.value.details)
    assert str(caught.value).startswith("sheet borrower: ")


def test_a_row_that_may_be_a_borrower_is_not_quoted() -> None:
    with refused("missing_column", match="is among its 3 headers") as caught:
        match("4f1c", "Ann Canary", "02138", None)
    assert "Canary" not in f"{caught.value} {caught.value.details}"


def test_many_and_long_headers_are_cut_in_the_message() -> None:
    with refused("unknown_column", match="and 80 more") as caught:
        match("id", "zip_code", *(f"{i}{'x' * 500}" for i in range(100)))
    assert len(str(caught.value)) < 2_500


@pytest.mark.parametrize(
    ("found", "options", "advice"),
    [
        (("id", "Zip Code."), {}, "did you mean columns={'Zip Code.': 'zip_code'}?"),
        (("id", "Zip_kode"), {}, "did you mean columns={'Zip_kode': 'zip_code'}?"),
        (
            ("id", "zip_code", "comment"),
            {"ignore": ["coment"]},
            "('coment' is no header; did you mean 'comment'?)",
        ),
        (
            ("id", "zip_code", "Postcode"),
            {"rename": {"Post code": "zip_code"}},
            "('Post code' is no header; did you mean 'Postcode'?)",
        ),
    ],
)
def test_what_is_nearly_right_is_suggested(found: Any, options: Any, advice: str) -> None:
    with pytest.raises(ExtractError) as caught:
        match(*found, **options)
    assert str(caught.value).endswith(advice)


@pytest.mark.parametrize(
    ("found", "options"),
    [(("id", "postal"), {}), (("id", "zip_code", "x"), {"ignore": ["note"], "rename": {"y": "z"}})],
)
def test_what_is_far_off_is_not_suggested(found: Any, options: Any) -> None:
    with pytest.raises(ExtractError) as caught:
        match(*found, **options)
    assert "did you mean" not in str(caught.value)


def test_the_mark_of_a_joined_file_is_no_part_of_a_header() -> None:
    assert match("\ufeffid", "zip_code") == {0: "id", 1: "zip_code"}
