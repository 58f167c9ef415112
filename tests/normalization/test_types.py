"""Cells become values of their columns' types, or rejects; values become the same cells again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.errors import ProofError
from aspen_etl.schema import Model, Source, Table, column
from aspen_etl.transform import clean, rules_of
from tests.support.payments import MODEL, RUN, extract, normalize, told

TABLE = MODEL.tables["payment"]


def values(result: ae.NormalizeResult, name: str) -> list[Any]:
    """Give a column as plain values, None where one is missing."""
    cells = result.tables["payment"][name].astype(object)
    return [None if pd.isna(cell) else cell for cell in cells]


# ------------------------------------------------------------------------------ to values


def test_each_column_has_the_dtype_of_its_type() -> None:
    result = normalize({}, {"rate": "0.5", "disputed": "TRUE", "parts": "3"})
    assert result.tables["payment"].dtypes.to_dict() == {
        name: spec.dtype for name, spec in TABLE.columns.items()
    }


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [
        ("amount", "1,234.5", Decimal("1234.50")),
        ("amount", "-0", Decimal("0.00")),
        ("amount", " 0001.500 ", Decimal("1.50")),
        ("amount", "9999999999.99", Decimal("9999999999.99")),
        ("rate", "0.0000010", Decimal("0.000001")),
        ("paid", "02/29/2020", pd.Timestamp("2020-02-29")),
        ("paid", "2020-02-29", pd.Timestamp("2020-02-29")),
        ("due", "9999-12-31", np.datetime64("9999-12-31", "s")),
        ("booked", "2020-01-31", pd.Timestamp("2020-01-31")),
        ("booked", "2020-01-31T14:05", pd.Timestamp("2020-01-31 14:05")),
        ("booked", "2020-01-31 14:05:00.1230000", pd.Timestamp("2020-01-31 14:05:00.123")),
        ("seen", "2020-01-31 00:30:00+02:00", pd.Timestamp("2020-01-30 22:30", tz="UTC")),
        ("seen", "2020-01-31T00:30:00Z", pd.Timestamp("2020-01-31 00:30", tz="UTC")),
        ("seen", "2020-01-31T00:30:00", pd.Timestamp("2020-01-31 00:30", tz="UTC")),
        ("settled", "N", False),
        ("settled", "TRUE", True),
        ("disputed", "False", False),
        ("parts", "9223372036854775807", 2**63 - 1),
    ],
)
def test_a_cell_becomes_a_value(name: str, cell: str, value: Any) -> None:
    result = normalize({name: cell})
    assert told(result) == []
    assert values(result, name) == [value]


@pytest.mark.parametrize(
    ("name", "cell", "rule"),
    [
        ("amount", "1.234,50", "invalid_amount"),
        ("amount", "1e3", "invalid_amount"),
        ("amount", "+5", "invalid_amount"),
        ("amount", "１２", "invalid_amount"),
        ("amount", "0.30000000000000004", "too_precise"),
        ("amount", "1.005", "too_precise"),
        ("amount", "10000000000", "out_of_range"),
        ("rate", ".5", "invalid_rate"),
        ("paid", "02/30/2020", "invalid_paid"),
        ("paid", "2021-02-29", "invalid_paid"),
        ("paid", "31/01/2020", "invalid_paid"),
        ("paid", "1582-10-14", "out_of_range"),
        ("paid", "43861", "invalid_paid"),
        ("due", "1999-12-31", "out_of_range"),
        ("booked", "2020-01-31 24:00:00", "invalid_booked"),
        ("booked", "2020-01-31 14:05:00+02:00", "invalid_booked"),
        ("booked", "2020-01-31 14:05:00.0001", "too_precise"),
        ("seen", "2020-01-31 14:05:60Z", "invalid_seen"),
        ("settled", "yes", "invalid_settled"),
        ("settled", "y", "invalid_settled"),
        ("disputed", "Y", "invalid_disputed"),
        ("parts", "-1", "out_of_range"),
        ("parts", "1.0", "invalid_parts"),
        ("parts", "007", "invalid_parts"),
        ("parts", "9223372036854775808", "invalid_parts"),
    ],
)
def test_a_cell_that_is_no_value_is_a_reject(name: str, cell: str, rule: str) -> None:
    scope = "value" if TABLE.columns[name].nullable else "row"
    result = normalize({}, {name: cell})
    assert told(result) == [(3, name, rule, scope)]
    assert result.rejects["value"].tolist() == [cell]
    assert len(result.tables["payment"]) == (2 if scope == "value" else 1)


def test_repairs_are_counted_with_those_of_cleaners_each_cell_once() -> None:
    def drop_sign(cells: pd.Series) -> pd.Series:
        return cells.str.replace("$", "", regex=False)

    model = MODEL.replace(cleaners={"payment.amount": drop_sign})
    given = extract({"amount": "$1,000.0"}, {"amount": "$1.00"}, {"amount": "2.0"}, {})
    result = ae.normalize(given, run=RUN, model=model)
    assert result.summary.sources["payment"].repairs == {"amount": 3}
    again = ae.normalize(ae.denormalize(result.tables, model=model), run=RUN, model=model)
    assert again.summary.sources["payment"].repairs == {}


def test_a_cleaner_sees_the_cells_before_their_type_does() -> None:
    seen = []

    def cleaner(cells: pd.Series) -> pd.Series:
        seen.extend(cells.tolist())
        return cells

    clean(extract({"amount": " 1,000 "}), MODEL.replace(cleaners={"payment.amount": cleaner}))
    assert seen == ["1,000"]


def test_clean_sheets_hold_canonical_text_and_what_is_no_value_as_it_was() -> None:
    sheet = clean(extract({"amount": "1,000"}, {"amount": "x"}, {"rate": "7"}), MODEL)["payment"]
    assert sheet.clean["amount"].tolist() == ["1000.00", "x", "1.00"]
    assert sheet.clean["rate"].tolist()[2] == "7.000000"
    assert {place: mask.tolist() for place, mask in sheet.misfits.items()} == {
        ("amount", "invalid"): [False, True, False]
    }
    assert sheet.present("amount").all()


def test_the_rules_of_a_type_are_rules_of_the_model_and_no_others() -> None:
    names = [(rule.columns[0], rule.name, rule.scope) for rule in rules_of(MODEL)["payment"]]
    typed = [name for name in names if name[1] not in {"invalid_text", "too_long"}]
    assert [name for name in typed if not name[1].startswith("missing_")] == [
        ("amount", "invalid_amount", "row"),
        ("amount", "too_precise", "row"),
        ("amount", "out_of_range", "row"),
        ("rate", "invalid_rate", "value"),
        ("rate", "too_precise", "value"),
        ("rate", "out_of_range", "value"),
        ("paid", "invalid_paid", "row"),
        ("paid", "out_of_range", "row"),
        ("due", "invalid_due", "value"),
        ("due", "out_of_range", "value"),
        ("booked", "invalid_booked", "value"),
        ("booked", "too_precise", "value"),
        ("booked", "out_of_range", "value"),
        ("seen", "invalid_seen", "value"),
        ("seen", "too_precise", "value"),
        ("seen", "out_of_range", "value"),
        ("settled", "invalid_settled", "row"),
        ("disputed", "invalid_disputed", "value"),
        ("parts", "invalid_parts", "value"),
        ("parts", "out_of_range", "value"),
    ]


# ------------------------------------------------------------------------------ and back

ROWS: list[dict[str, Any]] = [
    {"amount": "1,234.50", "rate": "0.000001", "booked": "2020-01-31 10:00", "parts": "7"},
    {"amount": "-7", "paid": "12/31/1999", "due": "2000-01-01", "seen": "2020-01-31T10:00+01:00"},
    {"settled": "N", "disputed": "true", "rate": "-1.5", "parts": "0"},
    {},
]


def test_tables_go_back_to_canonical_text_and_come_again_without_a_repair() -> None:
    result = normalize(*ROWS)
    sheets = ae.denormalize(result.tables, model=MODEL)
    row = sheets["payment"].iloc[1]
    assert row[row.notna()].to_dict() == {
        "no": "00001",
        "amount": "-7.00",
        "paid": "1999-12-31",
        "due": "2000-01-01",
        "seen": "2020-01-31 09:00:00.000Z",
        "settled": "true",
    }
    assert sheets["payment"]["amount"].tolist() == ["1234.50", "-7.00", "1.00", "1.00"]
    again = ae.normalize(sheets, run=RUN, model=MODEL)
    assert again.snapshot.equals(result.snapshot)
    assert told(again) == []
    assert ae.denormalize(again.tables, model=MODEL).equals(sheets)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("amount", Decimal("1234.51")),
        ("paid", pd.Timestamp("2020-02-01")),
        ("booked", pd.Timestamp("2020-01-31 10:00:00.001")),
        ("seen", pd.Timestamp("2020-01-31 10:00:00.001", tz="UTC")),
        ("settled", False),
        ("parts", 8),
    ],
)
def test_one_value_that_is_another_is_found_by_the_proof(name: str, other: Any) -> None:
    given = extract({**ROWS[0], "seen": "2020-01-31 10:00"}, {})
    result = ae.normalize(given, run=RUN, model=MODEL)
    frame = result.tables["payment"].copy()
    cells = frame[name].astype(object).tolist()
    frame[name] = pd.Series([other, *cells[1:]], dtype=frame[name].dtype)
    changed = ae.NormalizeResult(
        ae.schema.Snapshot(
            ae.schema.Tables({"payment": frame}), result.snapshot.keys, result.snapshot.time
        ),
        result.rejects,
        result.changes,
        result.summary,
    )
    with pytest.raises(ProofError) as caught:
        ae.verify(changed, given, run=RUN, model=MODEL)
    assert caught.value.details["column"] == name


def test_tables_of_other_values_do_not_go_back() -> None:
    frame = normalize(*ROWS).tables["payment"]
    wrong = frame.assign(amount=frame["amount"].astype(float))
    with pytest.raises(ProofError, match=r"payment\.amount is a column of other values than decim"):
        ae.denormalize({"payment": wrong}, model=MODEL)


# ------------------------------------------------------------------------------ one after another


def test_a_later_run_changes_nothing_keeps_keys_and_stamps_what_changed() -> None:
    first = normalize(*ROWS)
    same = normalize(*ROWS, previous=first.snapshot)
    assert same.changes.is_empty
    assert same.snapshot.equals(first.snapshot)
    turned = [{"no": f"{number:05}", **row} for number, row in enumerate(ROWS)][::-1]
    assert normalize(*turned, previous=first.snapshot).changes.is_empty
    later = [*ROWS[:2], {**ROWS[2], "rate": "-1.500001"}, {"no": "new", "paid": "01/02/2003"}]
    second = normalize(*later, previous=first.snapshot)
    assert second.changes.counts == {"payment": {"inserted": 1, "updated": 1, "deleted": 1}}
    assert second.tables["payment"]["payment_id"].tolist() == [1, 2, 3, 5]
    diffed = ae.diff(first.tables, second.tables, model=MODEL)
    assert diffed == second.changes
    assert ae.apply_changes(diffed, first.tables).equals(second.tables)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "1,234.51"},
        {"rate": None},
        {"rate": "0.000002"},
        {"paid": "02/01/2020"},
        {"due": "2020-01-01"},
        {"booked": "2020-01-31 10:00:00.001"},
        {"seen": "2020-01-31 10:00:00.001Z"},
        {"settled": "N"},
        {"disputed": "false"},
        {"parts": None},
        {"parts": "0"},
    ],
    ids=str,
)
def test_each_type_is_compared_to_the_last_digit(change: dict[str, Any]) -> None:
    first = normalize(*ROWS)
    second = normalize({**ROWS[0], **change}, *ROWS[1:], previous=first.snapshot)
    assert second.changes.counts == {"payment": {"inserted": 0, "updated": 1, "deleted": 0}}
    assert not second.tables.equals(first.tables)


def test_a_row_that_is_rejected_now_keeps_its_last_values() -> None:
    first = normalize(*ROWS)
    second = normalize({**ROWS[0], "amount": "x"}, *ROWS[1:], previous=first.snapshot)
    assert told(second) == [(2, "amount", "invalid_amount", "row")]
    assert second.summary.sources["payment"].kept == 1
    assert second.tables.equals(first.tables)
    stayed = normalize(ROWS[0], previous=first.snapshot, missing="keep")
    assert stayed.tables.equals(first.tables)


def test_a_new_column_of_each_type_is_missing_in_rows_of_before() -> None:
    class Older(Table):
        payment_id: Series[int] = column(primary_key=True)
        no: Series[str] = column(natural_key=True, length=10, source="payment.no")

        class Config:
            name = "payment"

    class Sheet(Source):
        no: Series[str] = column()

        class Config:
            name = "payment"

    class Newer(Older):
        rate: Series[Decimal] = column(precision=9, scale=6, nullable=True, source="payment.rate")
        due: Series[dt.date] = column(nullable=True, source="payment.due")
        booked: Series[dt.datetime] = column(nullable=True, source="payment.booked")
        seen: Series[dt.datetime] = column(nullable=True, zone="UTC", source="payment.seen")
        disputed: Series[bool] = column(nullable=True, source="payment.disputed")

        class Config:
            name = "payment"

    class NewerSheet(Sheet):
        rate: Series[str] = column(nullable=True)
        due: Series[str] = column(nullable=True)
        booked: Series[str] = column(nullable=True)
        seen: Series[str] = column(nullable=True)
        disputed: Series[str] = column(nullable=True)

        class Config:
            name = "payment"

    older = Model.of(sources=[Sheet], tables=[Older])
    newer = Model.of(sources=[NewerSheet], tables=[Newer])
    first = ae.normalize(ae.Extract(payment=pd.DataFrame({"no": ["a", "b"]})), run=RUN, model=older)
    cells = {"rate": ["1", None], "due": ["2020-01-31", None], "booked": ["2020-01-31", None]}
    more = {"seen": ["2020-01-31", None], "disputed": ["true", None]}
    frame = pd.DataFrame({"no": ["a", "b"], **cells, **more}, dtype=object)
    second = ae.normalize(ae.Extract(payment=frame), run=RUN, model=newer, previous=first.snapshot)
    assert second.changes.counts["payment"] == {"inserted": 0, "updated": 1, "deleted": 0}
    assert second.tables["payment"].iloc[1, 2:7].isna().all()
