"""Entities: what cannot be made, what becomes of them run after run, what a model may not say."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ModelError, ProofError
from aspen_etl.schema import Entity, Model, Series, Table, column, ref
from tests.normalization.wards import (
    CITIES,
    RUN,
    STRICT,
    City,
    Clinic,
    Referral,
    Visit,
    Ward,
    rejects,
    table,
    visits,
)

BAD = "2021-02-29"

# ------------------------------------------------------------------------------- keys and feeds


def test_keys_are_given_in_the_order_of_values() -> None:
    given = visits(
        *(["1", "b"], ["2", "B"], ["3", "a", None, None, None, "H", "10"]),
        *(["4", "a", None, None, None, "H", "9"], ["5", "a", None, None, None, "G", "11"]),
    )
    result = ae.normalize(given, model=CITIES, run=RUN)
    assert [row[:2] for row in table(result, "clinic")] == [[1, "B"], [2, "a"], [3, "b"]]
    assert table(result, "ward") == [[1, "G", 11, None], [2, "H", 9, None], [3, "H", 10, None]]
    assert [row[3] for row in table(result, "visit")] == [None, None, 3, 2, 1]


def test_two_sheets_feed_one_entity_and_fill_each_other() -> None:
    given = visits(
        *(["1", "C", None, "Rome"], ["2", "D"]),
        referrals=(["r", "1", "C", "One"], ["s", "1", "E", "Two"], ["t", "2", None, None]),
    )
    result = ae.normalize(given, model=CITIES, run=RUN)
    assert table(result, "clinic") == [
        [1, "C", "One", 1],
        [2, "D", None, None],
        [3, "E", "Two", None],
    ]
    assert [row[3] for row in table(result, "referral")] == [1, 3, None]
    assert result.summary.sources["visits"].filled == {"clinic_name": 1}
    assert result.summary.sources["referrals"].filled == {}


def test_the_latest_row_wins_then_the_majority() -> None:
    def visit(number: str, name: Optional[str], day: Optional[str]) -> list[Optional[str]]:
        return [number, "C", name, None, None, None, None, None, day]

    given = visits(
        visit("1", "Old", "2020-01-01"),
        visit("2", "Old", "2020-01-01"),
        visit("3", "New", "2021-01-01"),
        visit("4", "Never", None),
    )
    result = ae.normalize(given, model=STRICT, run=RUN)
    assert table(result, "clinic")[0][2] == "New"
    assert [row[0] for row in rejects(result)] == [2, 3, 5]


def test_of_an_open_vote_nobody_wins() -> None:
    given = visits(
        ["1", "C", None, None, None, "H", "1", "2"], ["2", "C", None, None, None, "H", "1", "3"]
    )
    result = ae.normalize(given, model=CITIES, run=RUN)
    assert table(result, "ward") == [[1, "H", 1, None]]
    assert [row[1:] for row in rejects(result)] == [
        ["ward_floor", "2", "conflicting_ward_floor", "value"],
        ["ward_floor", "3", "conflicting_ward_floor", "value"],
    ]


def test_conflicts_count_for_the_threshold_of_cells() -> None:
    given = visits(["1", "C", "One"], ["2", "C", "Onne"], ["3", "C", "One"])
    summary = ae.normalize(given, model=CITIES, run=RUN).summary
    assert summary.sources["visits"].rejected_cells == {"clinic_name": 1}
    assert [(count.rule, count.count) for count in summary.rejects] == [
        ("conflicting_clinic_name", 1)
    ]


def test_a_second_column_may_name_an_entity_and_tells_no_more_of_it() -> None:
    class Sent(Table, source="visits"):
        visit_no: Series[str] = column(natural_key=True, length=10)
        clinic_id: Series[int] = ref("clinic")
        sender_id: Series[int] = ref("clinic", nullable=True, source="sender")

    class Single(Clinic, source="visits.clinic_*"):
        class Config:
            name = "clinic"

        city_id: Series[int] = ref("city", nullable=True, source="visits.city_name")

    model = Model.of(tables=[City, Single, Sent])
    cells = {
        "visit_no": ["1", "2", "3"],
        "clinic_code": ["C", "D", "C"],
        "clinic_name": ["One", None, "One"],
        "city_name": ["Rome", None, None],
        "city_region": None,
        "sender": ["E", "C", None],
    }
    given = ae.Extract.from_frames({"visits": pd.DataFrame(cells, dtype=object)})
    result = ae.normalize(given, model=model, run=RUN)
    ae.verify(result, given, model=model, run=RUN)
    assert table(result, "clinic") == [
        [1, "C", "One", 1],
        [2, "D", None, None],
        [3, "E", None, None],
    ]
    assert table(result, "sent") == [[1, "1", 1, 3], [2, "2", 2, 1], [3, "3", 1, None]]
    back = ae.denormalize(result.tables, model=model)
    assert ae.normalize(back, model=model, run=RUN).snapshot.equals(result.snapshot)


# ------------------------------------------------------------------------------- not made


def test_an_entity_that_lacks_what_must_not_be_null_keeps_its_rows_out() -> None:
    given = visits(["1", "C"], ["2", "D", "Two"], referrals=(["r", "1", None, None],))
    result = ae.normalize(given, model=STRICT, run=RUN)
    assert table(result, "clinic") == [[1, "D", "Two", None]]
    found = result.rejects[["source", "row", "column", "rule", "scope"]].to_numpy().tolist()
    assert found == [
        ["visits", 2, "clinic_name", "missing_clinic_name", "row"],
        ["referrals", 2, "visit_no", "unknown_visits", "row"],
    ]


def test_or_they_lose_a_reference_that_may_be_null() -> None:
    given = visits(["1", "D", "Two"], referrals=(["r", "1", "C", None],))
    result = ae.normalize(given, model=STRICT, run=RUN)
    assert table(result, "referral") == [[1, "r", 1, None]]
    assert rejects(result) == [[2, "clinic_code", "C", "missing_clinic_name", "clinic"]]


def test_what_nobody_wins_may_keep_an_entity_from_being_made() -> None:
    floors = {"1": "2", "2": "3", "3": None}
    given = visits(
        *([number, "C", "One", None, None, "H", "1", floor] for number, floor in floors.items())
    )
    result = ae.normalize(given, model=STRICT, run=RUN)
    assert not len(result.tables["ward"])
    assert [row[:4] for row in rejects(result)] == [
        [2, "ward_house", "H", "missing_ward_floor"],
        [2, "ward_no", "1", "missing_ward_floor"],
        [2, "ward_floor", "2", "conflicting_ward_floor"],
        [3, "ward_house", "H", "missing_ward_floor"],
        [3, "ward_no", "1", "missing_ward_floor"],
        [3, "ward_floor", "3", "conflicting_ward_floor"],
        [4, "ward_house", "H", "missing_ward_floor"],
        [4, "ward_no", "1", "missing_ward_floor"],
    ]


def test_what_is_lost_with_one_entity_may_be_what_another_lacks() -> None:
    """Rome has no region, so it is not made; the row that said Oslo then has the only say."""
    given = visits(
        *(["1", "C", "One", "Rome"], ["2", "C", "One", "Rome"]),
        ["3", "C", "One", "Oslo", "Viken"],
    )
    result = ae.normalize(given, model=STRICT, run=RUN)
    assert table(result, "city") == [[1, "Oslo", "Viken"]]
    assert table(result, "clinic") == [[1, "C", "One", 1]]
    assert [row[:4] for row in rejects(result)] == [
        [2, "city_name", "Rome", "missing_city_region"],
        [3, "city_name", "Rome", "missing_city_region"],
    ]


# ------------------------------------------------------------------------------- runs after runs


def later(days: int) -> ae.Run:
    return replace(RUN, time=RUN.time + dt.timedelta(days=days))


def test_an_entity_that_no_row_refers_to_goes_and_its_key_is_remembered() -> None:
    one = ae.normalize(visits(["1", "C"], ["2", "D"]), model=CITIES, run=RUN)
    two = ae.normalize(
        visits(["2", "D"], ["3", "E"]), model=CITIES, run=later(1), previous=one.snapshot
    )
    assert [row[:2] for row in table(two, "clinic")] == [[2, "D"], [3, "E"]]
    assert two.changes.counts["clinic"] == {"inserted": 1, "updated": 0, "deleted": 1}
    three = ae.normalize(visits(["1", "C"]), model=CITIES, run=later(2), previous=two.snapshot)
    assert [row[:2] for row in table(three, "clinic")] == [[1, "C"]]
    assert two.snapshot.keys["clinic"].next == three.snapshot.keys["clinic"].next == 4


def test_an_attribute_that_changes_is_an_update_of_one_row() -> None:
    one = ae.normalize(visits(["1", "C", "One"], ["2", "C"]), model=CITIES, run=RUN)
    given = visits(["1", "C", "Uno"], ["2", "C"])
    two = ae.normalize(given, model=CITIES, run=later(1), previous=one.snapshot)
    assert two.changes.counts["clinic"] == {"inserted": 0, "updated": 1, "deleted": 0}
    assert two.changes.counts["visit"] == {"inserted": 0, "updated": 0, "deleted": 0}


def test_a_kept_row_keeps_its_entity_alive_with_what_it_holds() -> None:
    first = visits(["1", "C", "One", "Rome", "Lazio"])
    one = ae.normalize(first, model=CITIES, run=RUN)
    given = visits(["1", None, None, None, None])
    two = ae.normalize(given, model=CITIES, run=later(1), previous=one.snapshot)
    assert two.summary.sources["visits"].kept == 1
    assert two.changes.is_empty
    ae.verify(two, given, model=CITIES, run=later(1), previous=one.snapshot)


def test_a_kept_row_has_no_say_but_where_no_accepted_row_says_anything() -> None:
    first = visits(["1", "C", "One", "Rome", "Lazio"])
    one = ae.normalize(first, model=CITIES, run=RUN)
    given = visits(["1", None], ["2", "C", "Uno"])
    two = ae.normalize(given, model=CITIES, run=later(1), previous=one.snapshot)
    assert table(two, "clinic") == [[1, "C", "Uno", 1]]  # its name is new, its city is not
    assert two.summary.sources["visits"].filled == {"city_name": 1, "city_region": 1}
    back = ae.denormalize(two.tables, model=CITIES)["visits"]
    assert back["clinic_name"].tolist() == ["Uno", "Uno"]
    ae.verify(two, given, model=CITIES, run=later(1), previous=one.snapshot)


def test_a_kept_row_follows_its_entity_to_another() -> None:
    """It leaves the old city, which then nobody refers to; it tells nothing of the new one."""
    first = visits(["1", "C", "One", "Rome", "Lazio"])
    one = ae.normalize(first, model=CITIES, run=RUN)
    given = visits(["1", None], ["2", "C", None, "Oslo"])
    two = ae.normalize(given, model=CITIES, run=later(1), previous=one.snapshot)
    assert table(two, "city") == [[2, "Oslo", None]]
    assert not (two.rejects["rule"] == "conflicting_city_name").any()
    ae.verify(two, given, model=CITIES, run=later(1), previous=one.snapshot)


def test_rows_that_are_absent_and_stay_keep_their_entities() -> None:
    one = ae.normalize(visits(["1", "C", "One"]), model=CITIES, run=RUN)
    given = visits(["2", "D"])
    two = ae.normalize(given, model=CITIES, run=later(1), previous=one.snapshot, missing="keep")
    assert [row[:3] for row in table(two, "clinic")] == [[1, "C", "One"], [2, "D", None]]
    assert two.summary.sources["visits"].stayed == 1


def test_a_row_that_an_unmade_entity_keeps_out_stays_as_it_was() -> None:
    one = ae.normalize(visits(["1", "C", "One"]), model=STRICT, run=RUN)
    given = visits(["1", "D"])
    two = ae.normalize(given, model=STRICT, run=later(1), previous=one.snapshot)
    assert table(two, "visit") == [[1, "1", 1, None, None]]
    assert two.summary.sources["visits"].kept == 1
    assert two.changes.is_empty


# ------------------------------------------------------------------------------- the proof


def test_an_entity_that_nothing_refers_to_is_found() -> None:
    given = visits(["1", "C", "One"])
    result = ae.normalize(given, model=CITIES, run=RUN)
    frame = result.tables["clinic"]
    more = frame.assign(clinic_id=2, code=pd.Series(["D"], dtype=frame["code"].dtype))
    tables = {**result.tables, "clinic": pd.concat([frame, more], ignore_index=True)}
    broken = replace(result, snapshot=replace(result.snapshot, tables=ae.Tables(tables)))
    with pytest.raises(ProofError) as caught:
        ae.verify(broken, given, model=CITIES, run=RUN)
    assert caught.value.details["table"] == "clinic"


# ------------------------------------------------------------------------------- models


def refused(*tables: Any, **more: Any) -> str:
    with pytest.raises(ModelError) as caught:
        Model.of(tables=tables, **more)
    return str(caught.value)


def test_a_cell_tells_of_one_thing_alone() -> None:
    class Room(Table, source="visits"):
        visit_no: Series[str] = column(natural_key=True, length=10)
        clinic_id: Series[int] = ref("clinic")
        called: Series[str] = column(nullable=True, source="clinic_name")

    class Place(Entity, source="visits.clinic_*"):
        code: Series[str] = column(natural_key=True, length=10)
        name: Series[str] = column(nullable=True)

        class Config:
            name = "clinic"

    assert refused(Place, Room) == (
        "the source column visits.clinic_name goes to clinic.name and to room.called; a cell tells "
        "of one 'clinic' or of something else: take one source= away"
    )


def test_an_entity_is_reached_in_one_way() -> None:
    class Direct(Table, source="visits"):
        visit_no: Series[str] = column(natural_key=True, length=10)
        clinic_id: Series[int] = ref("clinic")
        city_id: Series[int] = ref("city", nullable=True, source="city_name")

        class Config:
            name = "visit"

    class Single(Clinic, source="visits.clinic_*"):
        class Config:
            name = "clinic"

    text = refused(City, Single, Direct)
    assert text.startswith("visits.city_name names the 'city' of ")
    assert text.endswith("one cell can tell of one of them alone: take one reference away")


def test_columns_that_become_rows_belong_to_a_row_and_not_to_an_entity() -> None:
    class Phone(Table, source="visits.phone_*"):
        clinic_id: Series[int] = ref("clinic", natural_key=True)
        type: Series[str] = column(natural_key=True, length=4, from_name=("home", "cell"))
        number: Series[str] = column(length=20)

    assert refused(City, Clinic, Ward, Visit, Referral, Phone) == (
        "table 'phone' takes columns from the source 'visits', and no reference of it leads to a "
        "table with one row for each row of 'visits' (many rows may share one 'clinic'); give it "
        "such a reference, as in ref('visit')"
    )


def test_an_entity_that_no_row_refers_to_is_refused() -> None:
    class Alone(Table, source="visits"):
        visit_no: Series[str] = column(natural_key=True, length=10)

    assert refused(Ward, Alone) == (
        "table 'ward' takes columns from the source 'visits', and no reference leads from the rows "
        "of 'visits' to it; give the table of these rows one, as in ref('ward')"
    )


def test_an_entity_has_no_builder() -> None:
    text = refused(City, Clinic, Ward, Visit, Referral, builders={"ward": lambda visits: visits})
    assert text.startswith("table 'ward' is an entity, whose rows follow from the sheets")


def test_a_key_of_an_entity_is_whole() -> None:
    class House(Entity, source="visits.ward_*"):
        house: Series[str] = column(natural_key=True, length=10)

    class Floor(Entity, source="visits.ward_*"):
        house_id: Series[int] = ref("house", natural_key=True, nullable=True)
        no: Series[int] = column(natural_key=True)

    class Stay(Table, source="visits"):
        visit_no: Series[str] = column(natural_key=True, length=10)
        floor_id: Series[int] = ref("floor")

    text = refused(House, Floor, Stay)
    assert text.startswith("table 'floor': 'house_id' is part of what an entity is known by")


def test_the_newest_is_told_by_a_column_of_the_rows() -> None:
    class Told(Clinic, source="visits.clinic_*", newest="visits.ward_floor"):
        class Config:
            name = "clinic"

    text = refused(City, Told, Ward, Visit)
    assert text == (
        "clinic: newest='visits.ward_floor' is put to the vote itself, or no column of a row; name "
        "a source column that goes to a table with one row for each row of 'visits'"
    )


def test_an_entity_may_be_known_by_another_and_a_row_by_both() -> None:
    class House(Entity, source="stays.house_*"):
        code: Series[str] = column(natural_key=True, length=10)
        street: Series[str] = column(nullable=True)

    class Floor(Entity, source="stays.floor_*"):
        house_id: Series[int] = ref("house", natural_key=True, source="stays.house_code")
        no: Series[int] = column(natural_key=True)
        beds: Series[int] = column()

    class Stay(Table, source="stays"):
        day: Series[dt.date] = column(natural_key=True)
        floor_id: Series[int] = ref("floor", natural_key=True)

    model = Model.of(tables=[House, Floor, Stay])
    assert model.lineage.sources["stays"].key == ("day", "house_code", "floor_no")
    assert model.lineage.sources["stays"].required == ("day", "house_code", "floor_no")
    columns = ["day", "house_code", "house_street", "floor_no", "floor_beds"]
    rows = [
        ["2021-01-02", "B", "Elm", "10", "5"],
        ["2021-01-01", "B", None, "9", "4"],
        ["2021-01-02", "A", None, "9", None],
        ["2021-01-02", "B", None, "10", "6"],
    ]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    given = ae.Extract.from_frames({"stays": frame[[*model.sources["stays"].columns]]})
    result = ae.normalize(given, model=model, run=RUN)
    ae.verify(result, given, model=model, run=RUN)
    assert table(result, "house") == [[1, "B", "Elm"]]
    assert table(result, "floor") == [[1, 1, 9, 4], [2, 1, 10, 5]]
    assert [[row, c, rule] for row, c, _, rule, _ in rejects(result)] == [
        [4, "floor_beds", "missing_floor_beds"],
        [5, "floor_no", "duplicate_floor_no"],
    ]
    back = ae.denormalize(result.tables, model=model)
    assert ae.normalize(back, model=model, run=RUN).snapshot.equals(result.snapshot)
