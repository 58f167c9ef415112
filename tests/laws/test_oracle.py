"""The whole result, compared with the contract written once more in plain Python."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given

import aspen_etl as ae
from aspen_etl.testing import extracts
from tests.laws import oracle

pytestmark = pytest.mark.smoke

RUN = ae.Run(
    time=dt.datetime(2026, 1, 31, 12, 0, 0, 999_999, tzinfo=dt.timezone.utc), actor="oracle"
)
MOMENT = pd.Timestamp("2026-01-31 12:00:00.999", tz="UTC")
AUDIT = {"created": MOMENT, "created_by": "oracle", "updated": None, "updated_by": None}


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a frame as dicts, every missing cell as None."""
    cells = [[None if pd.isna(cell) else cell for cell in frame[name].tolist()] for name in frame]
    return [dict(zip(frame.columns, row)) for row in zip(*cells)]


def expected_of(extract: ae.Extract) -> oracle.Expected:
    """Ask the oracle."""
    sheets = {
        name: list(zip(frame.index.tolist(), records(frame))) for name, frame in extract.items()
    }
    faults = {
        (f["source"], f["row"], f["column"]): (f["value"], f["rule"])
        for f in records(extract.faults)
    }
    return oracle.normalize(sheets["borrower"], sheets["role_profile"], faults)


def read(reject: dict[str, Any]) -> dict[str, Any]:
    """Read the record of a reject: JSON can write one text in several ways."""
    return {**reject, "record": json.loads(reject["record"])}


def assert_as_the_contract_says(extract: ae.Extract) -> None:
    result = ae.normalize(extract, run=RUN)
    expected = expected_of(extract)
    for name, rows in expected.tables.items():
        assert records(result.tables[name]) == [{**row, **AUDIT} for row in rows], name
    assert list(result.tables) == list(expected.tables)
    assert [read(row) for row in records(result.rejects)] == expected.rejects
    assert result.rejects["record"].map(str.isascii).all()
    assert list(result.rejects.columns) == [
        *("source", "row", "subject", "column", "value", "rule", "scope", "record")
    ]


@given(extracts(faults="all", max_rows=8))
def test_everything_is_as_the_contract_says(extract: ae.Extract) -> None:
    assert_as_the_contract_says(extract)


# ------------------------------------------------------------------------- cases by hand

ADA = {
    "id": "b1",
    "full_name": "Ada Degli Antoni",
    "street": "1 Main St",
    "city": "Turin",
    "state": "MA",
    "zip_code": "02138",
    "phone_home": "617-555-0100",
    "phone_cell": "6175550101",
    "email": "ada@example.com",
}
BARE = dict.fromkeys(("street", "city", "state", "zip_code", "phone_home", "phone_cell", "email"))

ZIP_CODES = (
    *("6705", "705", "05", "5", "02138.0", "2138.0", "021381234", "21381234", "1381234", "381234"),
    *("02138-1234", "02138 1234", "2138.00", "2138.5", "02138\n", "０２１３８", "٠٢١٣٨", "2.138e3"),
    *("-2138", "0", "K1A 0B1", "021381234.0", "02138.0.0", "2138."),
)
PHONES = (
    *("5550100", "555010", "+390110000000", "+39 011 000 0000", "(617) 555-0100", "617.555.0100"),
    *("617/555-0100", "1" * 15, "1" * 16, "617-555-0100 x12", "6175550100 ext. 1", "٦١٧٥٥٥٠١٠٠"),
    *(
        "617-555-0100 extension",
        "none",
        "617-555-0100\n",
        "617 - 555 - 0100",
        "617555010O",
        "1.5e10",
    ),
    *("++6175550100", "617-555-0100 x12 34", "617-555-0100 x1234567", "617-555-0100 #7", "617-555"),
)
EMAILS = (
    *("a@b", "@b", "a@", "@", "a", "a@b@c", "a b@c", "a@b\u00a0c", " a@b ", "a@b.", "é@ü", "a\n@b"),
    *("a@\u3000b", "x" * 252 + "@b", "x" * 253 + "@b", '"a b"@c', "=1+1@b", "a@b,c@d", "a＠b"),
)

CASES: dict[str, tuple[list[dict[str, Any]], list[tuple[Any, Any]]]] = {
    "nothing at all": ([], []),
    "headers and roles of nobody": ([], [("b1", "borrower")]),
    "one borrower without a role": ([ADA], []),
    "two roles, so every contact twice": ([ADA], [("b1", "borrower"), ("b1", "Co-Borrower")]),
    "one role in two cases": ([ADA], [("b1", "Borrower"), ("b1", "BORROWER")]),
    "lower case makes another length": ([ADA], [("b1", "İ"), ("b1", "i̇")]),
    "ids that differ in case, form and inner space": (
        [{**ADA, "id": i} for i in ("b1", "B1", "é", "e\u0301", "a b", "a  b", "a\u00a0b")],
        [("a\u3000b", "x"), ("B1", "x"), ("e\u0301", "y")],
    ),
    "ids in an order that locales would change": (
        [
            {**ADA, "id": i}
            for i in ("b", "B", "a", "10", "9", "é", "z", "\U00010000", "\uffff", "_")
        ],
        [],
    ),
    "the first row of an id is rejected and the second accepted": (
        [{**ADA, "full_name": None}, ADA, {**ADA, "full_name": "Other"}],
        [("b1", "x")],
    ),
    "the role of a borrower whose own row is rejected": (
        [{**ADA, "full_name": " "}],
        [("b1", "x")],
    ),
    "names of one, two and three words": (
        [
            {**ADA, "id": str(i), "full_name": n}
            for i, n in enumerate(("Cher", " Ada  Lovelace ", "van der Berg"))
        ],
        [],
    ),
    "names at the limit and over it": (
        [
            {**ADA, "id": str(i), "full_name": n}
            for i, n in enumerate(
                (
                    "x" * 128,
                    "x" * 129,
                    f"{'x' * 128} {'y' * 128}",
                    f"{'x' * 128} {'y' * 129}",
                    f"{'é' * 129} y",
                    "😀" * 128,
                )
            )
        ],
        [],
    ),
    "ids at the limit and over it": (
        [{**ADA, "id": "x" * 128}, {**ADA, "id": "x" * 129}],
        [("x" * 129, "x")],
    ),
    "roles at the limit and over it": ([ADA], [("b1", "R" * 128), ("b1", "R" * 129)]),
    "no address at all": ([{**ADA, **BARE}], []),
    "an address of a street alone": ([{**ADA, **BARE, "street": "1 Main St"}], []),
    "an address without its street": ([{**ADA, "street": None}], []),
    "parts of an address missing": (
        [{**ADA, "id": c, c: None} for c in ("street", "city", "state", "zip_code")],
        [],
    ),
    "an address that is wrong in every part": (
        [{**ADA, "street": "x" * 129, "city": "x" * 129, "state": "x" * 65, "zip_code": "x" * 33}],
        [],
    ),
    "ZIP codes of every form": (
        [{**ADA, "id": str(i), "zip_code": cell} for i, cell in enumerate(ZIP_CODES)],
        [],
    ),
    "phones of every form": (
        [{**ADA, "id": str(i), "phone_home": cell} for i, cell in enumerate(PHONES)],
        [],
    ),
    "e-mail addresses of every form": (
        [{**ADA, "id": str(i), "email": cell} for i, cell in enumerate(EMAILS)],
        [],
    ),
    "words that look like something else": (
        [
            {**ADA, "id": w, "full_name": f"{w} {w}", "street": w, "city": w, "state": w}
            for w in (
                "NA",
                "None",
                "nan",
                "null",
                "NULL",
                "N/A",
                "",
                "1e5",
                "TRUE",
                "=1+1",
                "+1",
                "-1",
                "@x",
                "#N/A",
                "007",
                "1.0",
            )
        ],
        [("NA", "None"), ("nan", "NaN"), ("null", "NULL"), ("007", "1.0"), ("7", "1")],
    ),
    "white space of every kind": (
        [
            {
                **ADA,
                "id": f"{s}b{i}{s}",
                "full_name": f"{s}Ada{s}{s}Lovelace{s}",
                "street": s,
                "email": f"{s}a@b{s}",
            }
            for i, s in enumerate(oracle.SPACES)
        ],
        [(f"b{i}{s}", f"{s}x{s}y") for i, s in enumerate(oracle.SPACES)],
    ),
    "white space that is none": (
        [
            {**ADA, "id": f"{s}b{i}{s}", "full_name": f"Ada{s}Lovelace", "city": s}
            for i, s in enumerate("\u200b\ufeff\u180e\u2060\u00ad")
        ],
        [],
    ),
    "control characters in every column": (
        [
            {**ADA, "id": f"{c}{i}", c: f"{ADA[c]}{x}"}
            for i, x in enumerate("\0\x01\x1b\x1c\x1f\x7f\x85\x9f")
            for c in ADA
        ],
        [("b\0", "x"), ("id0", "x\x85"), ("\x1c", "\x1d")],
    ),
    "lone surrogates in every column": (
        [
            {**ADA, "id": f"{c}{i}", c: f"{ADA[c]}{x}"}
            for i, x in enumerate(("\ud800", "\udfff", "\0\ud83d"))
            for c in ADA
        ],
        [("b\ud800", "x"), ("email0", "\udc00")],
    ),
    "a row of nothing but what is no text": (
        [
            dict.fromkeys(ADA, "\ud800"),
            dict.fromkeys(ADA, "\0"),
            dict.fromkeys(ADA, " "),
            dict.fromkeys(ADA),
        ],
        [("\ud800", "\ud800"), ("\0", "\0"), (" ", "\t"), (None, None)],
    ),
    "a role twice, its first row rejected": (
        [ADA],
        [("b1", "x\0"), ("b1", "x"), ("b1", "x"), (None, "x"), ("b1", None), ("b1", "")],
    ),
    "text that JSON, CSV and SQL must escape": (
        [
            {
                **ADA,
                "id": "\"'\\,;/\u2028<>&%",
                "full_name": '\\N "x"',
                "street": "a/b\\c",
                "city": "\u2028x\u2029y",
            }
        ],
        [("\"'\\,;/ <>&%", "\\")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_case_by_hand_is_as_the_contract_says(name: str) -> None:
    borrowers, roles = CASES[name]
    extract = ae.Extract(
        borrower=pd.DataFrame(borrowers, columns=list(ADA), dtype=object),
        role_profile=pd.DataFrame(roles, columns=["borrower_id", "role_profile"], dtype=object),
    )
    assert_as_the_contract_says(extract)


def test_a_zip_code_of_nothing_but_its_point_is_rejected_as_invalid() -> None:
    extract = ae.Extract(
        borrower=pd.DataFrame([{**ADA, "zip_code": ".0"}]),
        role_profile=pd.DataFrame({"borrower_id": [], "role_profile": []}),
    )
    assert_as_the_contract_says(extract)


def test_rows_keep_the_numbers_of_their_sheet() -> None:
    numbers = pd.Index([2, 5, 6, 40], name="row")
    names = ["Ada", None, " ", "Bo"]
    borrower = pd.DataFrame(
        [{**ADA, "id": str(i), "full_name": n} for i, n in enumerate(names)], index=numbers
    )
    extract = ae.Extract(
        borrower=borrower, role_profile=pd.DataFrame({"borrower_id": [], "role_profile": []})
    )
    assert_as_the_contract_says(extract)
    assert ae.normalize(extract, run=RUN).rejects["row"].tolist() == [5, 6]
