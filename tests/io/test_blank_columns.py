"""A column without a header is nothing where its cells are blank, else it is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.io import read_extract
from aspen_etl.schema import Extract
from tests.support.refusals import refused
from tests.support.workbooks import BORROWER, row, sheet

HEADER = ",".join(BORROWER)
EMPTY = [None] * len(BORROWER)
SPACES = [" ", "\u00a0", "\u2003\t"]


def names(extract: Extract) -> list[Any]:
    return [list(extract["borrower"].columns), *extract["borrower"]["full_name"]]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    "rows",
    [
        [[*BORROWER], ["1", "Ann", *EMPTY[2:], None, None, "{}"]],
        [[*BORROWER, "{}"], ["1", "Ann", *EMPTY[2:], "{}"]],
        [["{}", *BORROWER], [None, "1", "Ann"]],
        [[*BORROWER[:4], None, *BORROWER[4:]], ["1", "Ann", None, None, "{}"]],
    ],
)
def test_blank_cells_of_a_workbook_make_no_column(
    read: Callable[..., Extract], rows: list[list[Any]], space: str
) -> None:
    filled = [[cell and cell.format(space) if cell else cell for cell in line] for line in rows]
    xml = sheet("".join(row(number, line) for number, line in enumerate(filled, 1)))
    assert names(read({"borrower": xml})) == [list(BORROWER), "Ann"]


def test_a_cell_below_an_empty_header_is_told_with_its_position(
    read: Callable[..., Extract],
) -> None:
    xml = sheet(row(1, BORROWER) + row(2, ["1", *EMPTY[1:], " ", None, "call back"]))
    with refused("unknown_column", match=r"\(column 12\)") as caught:
        read({"borrower": xml})
    assert "call" not in str(caught.value)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("line", ["{},1,Ann,,,,,,,", "1,Ann,,,,,,,,{}", "1,Ann,{},,,,,,,"])
def test_blank_cells_of_csv_make_no_column(
    folder: Callable[..., Path], line: str, space: str
) -> None:
    place = line.split(",").index("{}")
    header = ",".join([*BORROWER[:place], space, *BORROWER[place:]])
    data = f"{header}\n{line.format(space)}\n{line.format('')}\n".encode()
    assert names(read_extract(folder(data))) == [list(BORROWER), "Ann", "Ann"]


@pytest.mark.usefixtures("engine")
def test_separators_behind_the_last_column_make_none(folder: Callable[..., Path]) -> None:
    data = f"{HEADER}\n1,Ann,,,,,,,\n2,Eve,,,,,,,, ,\n".encode()
    assert names(read_extract(folder(data))) == [list(BORROWER), "Ann", "Eve"]
    with refused("ragged_rows", match="row 3 has 11 fields"):
        read_extract(folder(f"{HEADER}\n1,Ann,,,,,,,\n2,Eve,,,,,,,, ,x\n".encode()))


def test_blank_cells_of_parquet_make_no_column(folder: Callable[..., Path]) -> None:
    pytest.importorskip("pyarrow")
    cells = {name: ["1", "2"] for name in BORROWER} | {"\u00a0": [None, " "], "": [None, None]}
    path = folder(b"", "borrower.parquet")
    pd.DataFrame(cells).to_parquet(path / "borrower.parquet", index=False)
    assert names(read_extract(path)) == [list(BORROWER), "1", "2"]


def test_blank_cells_of_a_frame_make_no_column() -> None:
    borrower = pd.DataFrame({name: ["1"] for name in BORROWER} | {" ": ["\u00a0"]})
    extract = ae.Extract(
        borrower=borrower, role_profile=pd.DataFrame({"borrower_id": [], "role_profile": []})
    )
    run = ae.Run(time=pd.Timestamp("2026-01-31", tz="UTC").to_pydatetime(), actor="me")
    assert len(ae.normalize(extract, run=run).tables["user"]) == 1
