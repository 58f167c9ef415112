"""A header in the middle of a sheet is one reject of its row, however it is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.io import read_extract
from aspen_etl.schema.headers import known_headers
from aspen_etl.schema.repeating import repeated_headers
from tests.support.borrowers import RUN
from tests.support.workbooks import BORROWER, ROLE_PROFILE, row, sheet, workbook

EMPTY = [None] * (len(BORROWER) - 2)
ANN, EVE = ["1", "Ann", *EMPTY], ["2", "Eve", *EMPTY]


def extract(*rows: list[Any]) -> ae.Extract:
    return ae.Extract(
        borrower=pd.DataFrame([ANN, *rows, EVE], columns=list(BORROWER), dtype=object),
        role_profile=pd.DataFrame(columns=list(ROLE_PROFILE), dtype=object),
    )


def outcome(source: ae.Extract) -> tuple[list[str], list[tuple[Any, ...]]]:
    result = ae.normalize(source, run=RUN)
    columns = ["source", "row", "column", "value", "rule", "scope"]
    rejects = [tuple(row) for row in result.rejects[columns].to_numpy(dtype=object)]
    return result.tables["user_profile"]["user_profile_id"].tolist(), rejects


def rejected(value: str, number: int = 3) -> list[tuple[Any, ...]]:
    return [("borrower", number, "id", value, "repeated_header", "row")]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (list(BORROWER), "id"),
        ([name.upper() for name in BORROWER], "ID"),
        ([f"\u00a0{name}\t" for name in BORROWER], "\u00a0id\t"),
        ([f"\ufeff{BORROWER[0]}", *BORROWER[1:]], "\ufeffid"),
        (list(BORROWER[::-1]), "email"),
    ],
)
def test_a_repeated_header_is_one_reject(header: list[str], value: str) -> None:
    assert outcome(extract(header)) == (["1", "2"], rejected(value))


def test_the_record_of_a_repeated_header_is_whole() -> None:
    rejects = ae.normalize(extract(list(BORROWER)), run=RUN).rejects
    assert json.loads(rejects["record"].iloc[0]) == dict(zip(BORROWER, BORROWER))


@pytest.mark.parametrize(
    "changes",
    [{"email": None}, {"id": "x"}, {"city": "street"}, {"full_name": "id", "id": "id"}],
)
def test_a_row_of_some_such_words_is_a_borrower(changes: dict[str, Any]) -> None:
    cells = {**dict(zip(BORROWER, BORROWER)), **changes}
    kept, rejects = outcome(extract([cells[name] for name in BORROWER]))
    assert kept == sorted(["1", "2", cells["id"]])
    assert "repeated_header" not in {rule for *_, rule, _ in rejects}


def test_a_single_word_of_a_sheet_of_one_column_is_a_value() -> None:
    cells = {"code": pd.Series(["us", "code"], dtype=object)}
    assert len(repeated_headers(cells, known_headers(["code"]))) == 0


# ----------------------------------------------------------------------------- as read


RENAMED = ["Key", *BORROWER[1:]]


def folder(path: Path, borrower: str) -> Path:
    (path / "borrower.csv").write_text(borrower, encoding="utf-8")
    (path / "role_profile.csv").write_text("borrower_id,role_profile\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "again", [RENAMED, list(BORROWER), [" KEY", *BORROWER[1:]], RENAMED[1:] + RENAMED[:1]]
)
def test_a_repeated_header_is_known_by_the_names_that_the_caller_gives(
    tmp_path: Path, again: list[str]
) -> None:
    lines = [RENAMED, ["1", "Ann", *[""] * 7], again, ["2", "Eve", *[""] * 7]]
    path = folder(tmp_path, "".join(",".join(line) + "\n" for line in lines))
    read = read_extract(path, columns={"key": "id"})
    assert outcome(read) == (["1", "2"], rejected(again[0]))


def test_a_repeated_header_of_a_workbook_is_a_reject(tmp_path: Path) -> None:
    rows = [["May"], RENAMED, ["1", "Ann"], RENAMED, ["2", "Eve"]]
    xml = sheet("".join(row(number, cells) for number, cells in enumerate(rows, 1)))
    path = tmp_path / "book.xlsx"
    path.write_bytes(workbook({"borrower": xml}))
    read = read_extract(path, columns={"Key": "id"})
    assert outcome(read) == (["1", "2"], rejected("Key", 4))
