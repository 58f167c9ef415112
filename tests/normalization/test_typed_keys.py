"""Rows may be known by text, a whole number or a date; keys are given in the order of values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.errors import ModelError
from aspen_etl.schema import Model, Source, Table, column, ref
from tests.support.payments import RUN
from tests.transform.sheets import rows

# ------------------------------------------------------------- the key itself: a number, a date


class BranchSheet(Source):
    no: Series[str] = column()
    name: Series[str] = column()


class DaySheet(Source):
    day: Series[str] = column()
    rate: Series[str] = column()


class DealSheet(Source):
    no: Series[str] = column()
    branch: Series[str] = column(nullable=True)
    day: Series[str] = column()
    settles: Series[str] = column(nullable=True)


class Branch(Table):
    branch_no: Series[int] = column(primary_key=True, source="branch.no")
    name: Series[str] = column(length=20, source="branch.name")

    class Config:
        name = "branches"


class Day(Table):
    day: Series[dt.date] = column(primary_key=True, format="%d.%m.%Y", source="day.day")
    rate: Series[Decimal] = column(precision=9, scale=4, source="day.rate")

    class Config:
        name = "days"


class Deal(Table):
    deal_id: Series[int] = column(primary_key=True)
    no: Series[int] = column(natural_key=True, source="deal.no")
    branch_no: Series[int] = column(nullable=True, references="branches", source="deal.branch")
    day: Series[dt.date] = column(natural_key=True, references="days", source="deal.day")
    settles: Series[dt.date] = column(
        nullable=True, references="days", format="%m/%d/%Y", source="deal.settles"
    )

    class Config:
        name = "deals"


MODEL = Model.of(sources=[BranchSheet, DaySheet, DealSheet], tables=[Branch, Day, Deal])
BRANCHES = [["10", "ten"], ["9", "nine"], ["-1", "below"], ["0", "zero"]]
DAYS = [["31.01.2020", "1.5"], ["2019-12-31", "2"], ["01.02.2020", "3"]]
DEALS: list[list[Any]] = [
    ["10", "9", "31.01.2020", "01/31/2020"],
    ["9", None, "2020-02-01", None],
    ["9", "-1", "31.12.2019", "2020-02-01"],
    ["-5", "0", "2019-12-31", "12/31/2019"],
]


def extract(
    branches: list[list[Any]] = BRANCHES,
    days: list[list[Any]] = DAYS,
    deals: list[list[Any]] = DEALS,
) -> ae.Extract:
    held = {"branch": branches, "day": days, "deal": deals}
    return ae.Extract(
        **{
            name: pd.DataFrame(cells, columns=list(MODEL.sources[name].columns), dtype=object)
            for name, cells in held.items()
        }
    )


def normalize(given: ae.Extract, **options: Any) -> ae.NormalizeResult:
    result = ae.normalize(given, run=RUN, model=MODEL, **options)
    ae.verify(result, given, run=RUN, model=MODEL, **options)
    return result


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def shown(result: ae.NormalizeResult, name: str) -> list[list[Any]]:
    spec = MODEL.tables[name]
    own = result.tables[name][[each.name for each in spec.own_columns]]
    return [
        [None if pd.isna(cell) else cell for cell in row]
        for row in own.astype(object).to_numpy().tolist()
    ]


def test_rows_are_known_by_numbers_and_dates_in_the_order_of_their_values() -> None:
    result = normalize(extract())
    assert result.rejects.empty
    assert [row[0] for row in shown(result, "branches")] == [-1, 0, 9, 10]
    assert [row[0] for row in shown(result, "days")] == [
        day("2019-12-31"),
        day("2020-01-31"),
        day("2020-02-01"),
    ]
    assert shown(result, "deals") == [
        [1, -5, 0, day("2019-12-31"), day("2019-12-31")],
        [2, 9, -1, day("2019-12-31"), day("2020-02-01")],
        [3, 9, None, day("2020-02-01"), None],
        [4, 10, 9, day("2020-01-31"), day("2020-01-31")],
    ]
    assert {name: str(result.tables["deals"][name].dtype) for name in ("branch_no", "day")} == {
        "branch_no": "Int64",
        "day": "datetime64[s]",
    }


def test_the_order_of_rows_does_not_count() -> None:
    turned = extract(BRANCHES[::-1], DAYS[::-1], DEALS[::-1])
    assert normalize(turned).snapshot.equals(normalize(extract()).snapshot)


def test_sheets_come_back_and_make_the_same_tables() -> None:
    result = normalize(extract())
    sheets = ae.denormalize(result.tables, model=MODEL)
    found = {tuple(row) for row in rows(sheets["deal"])}
    assert found == {
        ("-5", "0", "2019-12-31", "2019-12-31"),
        ("10", "9", "2020-01-31", "2020-01-31"),
        ("9", "-1", "2019-12-31", "2020-02-01"),
        ("9", None, "2020-02-01", None),
    }
    assert normalize(sheets).snapshot.equals(result.snapshot)


def test_a_key_in_two_forms_is_one_key() -> None:
    result = normalize(extract(days=[*DAYS, ["2020-01-31", "9"]]))
    assert result.rejects[["column", "rule"]].to_numpy().tolist() == [["day", "duplicate_day"]]


def test_what_is_no_key_is_unknown_and_no_reject_of_its_type() -> None:
    deals: list[list[Any]] = [
        ["1", "9x", "31.01.2020", None],
        ["2", "9", "99.99.2020", None],
        ["3", "007", "x", None],
        ["x", "9", "31.01.2020", None],
    ]
    result = normalize(extract(deals=deals))
    found = result.rejects[result.rejects["source"] == "deal"]
    assert found[["row", "column", "rule", "scope"]].to_numpy().tolist() == [
        [2, "branch", "unknown_branch", "value"],
        [3, "day", "unknown_day", "row"],
        [4, "branch", "unknown_branch", "value"],
        [4, "day", "unknown_day", "row"],
        [5, "no", "invalid_no", "row"],
    ]


def test_keys_stay_with_numbers_and_dates_for_good() -> None:
    first = normalize(extract())
    fewer = normalize(extract(deals=DEALS[:2]), previous=first.snapshot)
    assert fewer.tables["deals"]["deal_id"].tolist() == [3, 4]
    later = [["8", "9", "31.01.2020", None], ["7", "9", "31.01.2020", None], *DEALS]
    third = normalize(extract(deals=later), previous=fewer.snapshot)
    assert [(row[1], row[0]) for row in shown(third, "deals")] == [
        (-5, 1),
        (9, 2),
        (9, 3),
        (10, 4),
        (7, 5),
        (8, 6),
    ]
    assert normalize(extract(deals=later), previous=third.snapshot).changes.is_empty
    assert ae.diff(first.tables, third.tables, model=MODEL).counts["deals"]["inserted"] == 2
    changed = ae.diff(fewer.tables, third.tables, model=MODEL)
    assert ae.apply_changes(changed, fewer.tables).equals(third.tables)


def test_a_rejected_row_keeps_its_state_by_a_key_of_any_type() -> None:
    first = normalize(extract())
    days = [["31.01.2020", "x"], *DAYS[1:]]
    second = normalize(extract(days=days), previous=first.snapshot)
    assert second.summary.sources["day"].kept == 1
    assert second.tables.equals(first.tables)
    kept = normalize(extract(BRANCHES[:1], DAYS[:1], []), previous=first.snapshot, missing="keep")
    assert kept.tables["deals"].equals(first.tables["deals"])


def test_a_parent_that_goes_takes_the_reference_with_it() -> None:
    first = normalize(extract())
    second = normalize(extract(BRANCHES[:2]), previous=first.snapshot)
    assert [row[2] for row in shown(second, "deals")] == [None, None, None, 9]
    assert second.changes.counts["branches"]["deleted"] == 2


# ------------------------------------------------------------- what can be no key


@pytest.mark.parametrize(
    ("annotation", "facts"),
    [
        (Series[Decimal], {"precision": 5, "scale": 0}),
        (Series[bool], {}),
        (Series[dt.datetime], {}),
        (Series[dt.datetime], {"zone": "UTC"}),
    ],
)
def test_other_types_are_no_keys(annotation: Any, facts: dict[str, Any]) -> None:
    keys: list[dict[str, Any]] = [{"primary_key": True}, {"natural_key": True}]
    for key in keys:
        body = {
            "__module__": __name__,
            "__annotations__": {"no": annotation},
            "no": column(source="branch.no", **facts, **key),
        }
        table = type("Odd", (Table,), body)
        with pytest.raises(ModelError, match="which can be no key"):
            Model.of(sources=[BranchSheet], tables=[table])


def test_a_reference_is_of_the_type_of_the_key() -> None:
    class Mark(Table):
        no: Series[str] = column(primary_key=True, length=9, source="deal.no")
        day: Series[str] = column(references="days", source="deal.day")

    with pytest.raises(ModelError, match=r"days\.day, which is date; annotate it as Series\[dt\.d"):
        Model.of(sources=[DaySheet, DealSheet], tables=[Day, Mark])


# ------------------------------------------------------------- builders refer by a value


def test_a_builder_refers_to_a_date_by_its_text_or_its_value() -> None:
    class Mark(Table):
        mark_id: Series[int] = column(primary_key=True)
        day: Series[dt.date] = column(natural_key=True, references="days")

    def by_text(day: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"day": day["day"]})

    def by_value(day: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"day": pd.to_datetime(day["day"])})

    for build in (by_text, by_value):
        model = MODEL.add(tables=[Mark], builders={"mark": build})
        result = ae.normalize(extract(), run=RUN, model=model)
        assert result.tables["mark"]["day"].tolist() == result.tables["days"]["day"].tolist()


# ------------------------------------------------------------- keys from a first value


class Era(Table, source="eras"):
    first_day: Series[dt.date] = column(primary_key=True, minimum=dt.date(1, 1, 1))


class Reign(Table, source="reigns"):
    no: Series[int] = column(primary_key=True, minimum=-5)
    era: Series[dt.date] = ref("era", source="era")


class Deed(Table, source="deeds"):
    name: Series[str] = column(natural_key=True, length=9)
    era: Series[dt.date] = ref("era", source="era", nullable=True)
    reign: Series[int] = ref("reign", source="reign", natural_key=True)


def test_a_reference_holds_what_its_key_may() -> None:
    model = Model.of(tables=[Era, Reign, Deed], subject="era")
    firsts = {
        f"{table.name}.{spec.name}": spec.minimum
        for table in model.tables.values()
        for spec in table.own_columns
        if spec.minimum is not None
    }
    era, reign = dt.date(1, 1, 1), -5
    assert firsts == {
        **dict.fromkeys(["era.first_day", "reign.era", "deed.era"], era),
        **dict.fromkeys(["reign.no", "deed.reign"], reign),
    }
    given = ae.Extract(
        eras=pd.DataFrame({"first_day": ["0001-01-01", "1582-10-14"]}),
        reigns=pd.DataFrame({"no": ["-5", "0"], "era": ["0001-01-01", "1582-10-14"]}),
        deeds=pd.DataFrame({"name": ["a", "b"], "era": ["1582-10-14", None], "reign": ["-5", "0"]}),
    )
    result = ae.normalize(given, run=RUN, model=model)
    ae.verify(result, given, run=RUN, model=model)
    assert len(result.rejects) == 0
    assert result.tables["deed"]["era"].isna().tolist() == [False, True]
