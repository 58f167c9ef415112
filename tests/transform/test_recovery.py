"""The proof: sheets are read back out of tables, every copy of every cell, or it fails."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.columns.rows import find_keys
from aspen_etl.errors import ProofError
from aspen_etl.schema import Model, Table, column, ref
from aspen_etl.transform.recovery import prove, recover
from tests.transform.sheets import ADA, BO, RUN, accepted, extract, rows

GIVEN = extract(BO, ADA, roles=(("a", "x"), ("a", "y")))


@lru_cache(maxsize=1)
def result() -> ae.NormalizeResult:
    return ae.normalize(GIVEN, run=RUN)


def tables() -> dict[str, pd.DataFrame]:
    return dict(result().tables)


def failing(changed: dict[str, pd.DataFrame]) -> tuple[Any, Any, Any]:
    with pytest.raises(ProofError) as caught:
        prove(accepted(GIVEN), changed, ae.BORROWER_MODEL)
    text, details = str(caught.value), caught.value.details
    assert text.startswith("the proof failed: ")
    return details["table"], details["column"], details["count"]


def with_cell(table: str, row: int, column: str, cell: object) -> dict[str, pd.DataFrame]:
    frame = tables()[table]
    cells = [cell if at == row else other for at, other in enumerate(frame[column])]
    return {
        **tables(),
        table: frame.assign(**{column: pd.Series(cells, dtype=frame[column].dtype)}),
    }


def test_sheets_come_back_in_the_order_of_their_keys() -> None:
    found = recover(tables(), ae.BORROWER_MODEL)
    assert rows(found["borrower"]) == [
        [
            *("a", "Ada Degli Antoni", "1 Main St", "Turin", "MA", "02138"),
            *("5550100", "5550101", "a@b"),
        ],
        ["b", "Bo", *[None] * 7],
    ]
    assert rows(found["role_profile"]) == [[0, "x"], [0, "y"]]


def test_the_proof_holds_for_what_was_made() -> None:
    prove(accepted(GIVEN), tables(), ae.BORROWER_MODEL)


@pytest.mark.parametrize(
    ("table", "row", "column", "cell"),
    [
        ("user_profile", 0, "last_name", "Degli"),
        ("address", 0, "city", "Rome"),
        ("address", 1, "street", None),
        ("phone_number", 0, "value", "5550109"),
        ("email", 1, "value", "x@y"),
    ],
)
def test_a_changed_cell_is_found(table: str, row: int, column: str, cell: Optional[str]) -> None:
    found, _, count = failing(with_cell(table, row, column, cell))
    assert (found, count) == (table, 1)


def test_a_borrower_that_is_missing_in_every_table_is_found() -> None:
    fewer = ae.normalize(extract(ADA, roles=(("a", "x"), ("a", "y"))), run=RUN).tables
    assert failing(dict(fewer)) == ("user_profile", "user_profile_id", 1)


def test_copies_of_a_cell_that_differ_between_roles_are_found() -> None:
    assert failing(with_cell("email", 1, "value", "x@y")) == ("email", "value", 1)


@pytest.mark.parametrize("table", ["user_profile", "user", "role_profile", "email", "address"])
@pytest.mark.parametrize("change", ["drop", "double"])
def test_a_dropped_or_doubled_row_is_found(table: str, change: str) -> None:
    frame = tables()[table]
    kept = frame.iloc[1:] if change == "drop" else frame.iloc[[0, *range(len(frame))]]
    found, column, count = failing({**tables(), table: kept.reset_index(drop=True)})
    assert found in ae.BORROWER_MODEL.tables
    assert column in ae.BORROWER_MODEL.tables[found].columns
    assert count > 0


def test_a_reference_that_leads_nowhere_is_found() -> None:
    assert failing(with_cell("email", 0, "role_profile_id", 99)) == ("email", "role_profile_id", 1)


def test_a_changed_type_is_found_where_it_is_used() -> None:
    assert failing(with_cell("role_profile_type", 0, "type", "z"))[0] == "role_profile"


def test_a_row_of_a_type_that_no_source_column_has_is_found() -> None:
    changed = with_cell("phone_number_type", 0, "type", "work")
    assert failing(changed)[0] == "phone_number"


def test_the_text_of_a_failure_holds_no_cell() -> None:
    with pytest.raises(ProofError) as caught:
        prove(accepted(GIVEN), with_cell("address", 0, "city", "CANARY"), ae.BORROWER_MODEL)
    assert str(caught.value) == (
        "the proof failed: 1 cells of address.city differ between the copies of one source row; "
        "nothing may be committed: this is a fault of a builder, an inverse or the library"
    )


NUMBERS = st.lists(st.integers(-3, 12) | st.sampled_from([-(2**63), 2**62, 2**63 - 1]), max_size=6)


@given(NUMBERS, st.lists(st.integers(1, 9), max_size=6) | NUMBERS)
@example([7, 5, 6, -1], [7, 5])
@example([1, 3, 2, 0, 4], [1, 2, 3])
@example([-(2**63), 2**63 - 1], [5, 6, 8])
def test_keys_are_found_dense_or_with_gaps(values: list[int], keys: list[int]) -> None:
    numbers = pd.Series(keys, dtype=np.int64)
    last = {key: place for place, key in enumerate(keys)}
    found = [last.get(value, -1) for value in values]
    assert find_keys(pd.Series(values, dtype=np.int64), numbers).tolist() == found
    assert find_keys(pd.Series(values, dtype="Int64"), numbers).tolist() == found


def test_a_null_reference_is_found_nowhere() -> None:
    values = pd.Series([1, None], dtype="Int64")
    assert find_keys(values, pd.Series([1], dtype=np.int64)).tolist() == [0, -1]


def test_keys_of_text_are_found_also_where_one_stands_twice() -> None:
    assert find_keys(pd.Series(["b", "x", "a"]), pd.Series(["a", "b"])).tolist() == [1, -1, 0]
    twice = find_keys(pd.Series(["b", "a"]), pd.Series(["a", "a", "b"])).tolist()
    assert twice[0] == 2
    assert twice[1] in {0, 1}


class NamedEmail(ae.borrower.Email):
    name: Series[str] = ae.column(length=257, source="borrower.full_name")

    class Config:
        name = "email"


def test_a_further_copy_is_compared_where_a_built_table_has_a_row() -> None:
    model = ae.BORROWER_MODEL.replace(tables=[NamedEmail])
    columns = list(model.sources["borrower"].columns)
    people = pd.DataFrame(
        [["b1", "Ada Lee", *[None] * 6, "a@b"], ["b2", "Bo", *[None] * 7]], columns=columns
    )
    roles = pd.DataFrame({"borrower_id": ["b1", "b1"], "role_profile": ["x", "y"]})
    sheets = ae.Extract(borrower=people, role_profile=roles)
    tables = dict(ae.normalize(sheets, model=model, run=RUN).tables)
    assert tables["email"]["name"].tolist() == ["Ada Lee", "Ada Lee"]
    tables["email"] = tables["email"].assign(name=["Ada Lee", "Bo"])
    with pytest.raises(ProofError, match=r"email\.name hold another value"):
        ae.denormalize(tables, model=model)


# ------------------------------------------------------------------------- copies of references


class Ward(Table, source="wards"):
    ward_no: Series[int] = column(natural_key=True)


class Bed(Table, source="beds"):
    ward_id: Series[int] = ref("ward", natural_key=True, source="ward")


class Stay(Table, source="stays"):
    stay_no: Series[str] = column(natural_key=True, length=9)
    bed_id: Series[int] = ref("bed", source="bed", nullable=True)


class Bill(Table, source="stays"):
    """Other facts of the same rows: it has the text to which the other one refers."""

    stay_no: Series[str] = column(natural_key=True, length=9)
    bed: Series[int] = column(nullable=True)


STAYS = Model.of(tables=[Ward, Bed, Stay, Bill], subject="ward")


def test_a_copy_of_what_refers_to_another_sheet_comes_back_and_is_compared() -> None:
    frames = {
        "wards": pd.DataFrame({"ward_no": ["10", "9"]}),
        "beds": pd.DataFrame({"ward": ["9", "10"]}),
        "stays": pd.DataFrame(
            {"stay_no": ["a", "b", "c", "d"], "bed": ["9", None, "10", "7"]}, dtype=object
        ),
    }
    given_ = ae.Extract.from_frames(frames)
    made = ae.normalize(given_, model=STAYS, run=RUN)
    assert made.tables["bill"]["bed"].astype(object).where(lambda b: b.notna(), None).tolist() == [
        *(9, None, 10, None),
    ]
    ae.verify(made, given_, model=STAYS, run=RUN)
    assert rows(ae.denormalize(made.tables, model=STAYS)["stays"]) == [
        *(["a", "9"], ["b", None], ["c", "10"], ["d", None]),
    ]
    for wrong in (10, 7):
        bill = made.tables["bill"].copy()
        bill.loc[0, "bed"] = wrong
        with pytest.raises(ProofError, match="hold another value than another copy of it"):
            ae.denormalize({**made.tables, "bill": bill}, model=STAYS)
