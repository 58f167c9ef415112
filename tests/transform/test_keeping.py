"""Rows of before that stay, where a reference may be null."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import aspen_etl as ae
from aspen_etl.schema import Entity, Model, Series, Table, column, ref
from tests.normalization.wards import CALL_COLUMNS, CALLS, RUN, plain, table


class Nurse(Table, source="nurses"):
    nurse_no: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column(length=10)


class Call(Table, source="calls"):
    call_no: Series[str] = column(natural_key=True, length=10)
    nurse_id: Series[int] = ref("nurse", nullable=True, source="calls.nurse_no")
    word: Series[str] = column(length=10)


MODEL = Model.of(tables=[Nurse, Call])
LATER = replace(RUN, time=RUN.time + dt.timedelta(days=1))


def extract(nurses: dict[str, list[object]], calls: dict[str, list[object]]) -> ae.Extract:
    import pandas as pd

    frames = {"nurses": pd.DataFrame(nurses), "calls": pd.DataFrame(calls)}
    return ae.Extract.from_frames({name: frame.astype(object) for name, frame in frames.items()})


BEFORE = extract(
    {"nurse_no": ["1", "2"], "name": ["a", "b"]},
    {"call_no": ["x", "y", "z"], "nurse_no": [None, "1", "2"], "word": ["u", "v", "w"]},
)


def calls(now: ae.Extract, missing: str = "delete") -> list[list[object]]:
    before = ae.normalize(BEFORE, model=MODEL, run=RUN).snapshot
    result = ae.normalize(now, model=MODEL, run=LATER, previous=before, missing=missing)  # type: ignore[arg-type]
    ae.verify(result, now, model=MODEL, run=LATER, previous=before, missing=missing)  # type: ignore[arg-type]
    return plain(result.tables["call"][["call_no", "nurse_id", "word"]])


def test_a_rejected_row_stays_also_where_it_refers_to_nobody() -> None:
    now = extract(
        {"nurse_no": ["1", "2"], "name": ["a", "b"]},
        {"call_no": ["x", "y"], "nurse_no": [None, "1"], "word": [None, None]},
    )
    assert calls(now) == [["x", None, "u"], ["y", 1, "v"]]


def test_a_row_that_stays_loses_a_reference_to_a_row_that_is_gone() -> None:
    now = extract(
        {"nurse_no": ["2"], "name": ["b"]},
        {"call_no": ["y"], "nurse_no": ["2"], "word": [None]},
    )
    assert calls(now) == [["y", None, "v"]]


def test_a_row_that_refers_to_one_that_stays_stays_with_it() -> None:
    now = extract(
        {"nurse_no": ["1", "2"], "name": [None, "b"]},  # the first one stays as it was
        {"call_no": [], "nurse_no": [], "word": []},
    )
    assert calls(now) == [["y", 1, "v"]]


def test_what_is_absent_and_refers_to_none_stays_where_it_is_asked_for() -> None:
    now = extract({"nurse_no": ["2"], "name": ["b"]}, {"call_no": [], "nurse_no": [], "word": []})
    assert calls(now) == []
    assert calls(now, "keep") == [["x", None, "u"], ["y", 1, "v"]]


def teams(nurses: list[list[object]], *given: list[object]) -> ae.Extract:
    import pandas as pd

    rows = [[*row, *[None] * (len(CALL_COLUMNS) - len(row))] for row in given]
    return ae.Extract.from_frames(
        {
            "nurses": pd.DataFrame(nurses, columns=["nurse_no", "name"], dtype=object),
            "calls": pd.DataFrame(rows, columns=list(CALL_COLUMNS), dtype=object),
        }
    )


def test_a_row_belongs_to_nobody_by_what_its_entity_refers_to() -> None:
    """The absent call stays, also once its team has a head; so the same again changes nothing."""
    one = ae.normalize(teams([["1", "a"]], ["x", "T"], ["y", "T"]), model=CALLS, run=RUN)
    given = teams([["1", "a"]], ["y", "T", "1"])
    before = one.snapshot
    for _ in range(3):
        now = ae.normalize(given, model=CALLS, run=LATER, previous=before, missing="keep")
        assert table(now, "call") == [[1, "x", 1], [2, "y", 1]]
        assert table(now, "team") == [[1, "T", 1, None, None, None]]
        assert now.summary.sources["calls"].stayed == 1
        before = now.snapshot


class Team(Entity, source="shifts.team_*"):
    code: Series[str] = column(natural_key=True, length=10)
    head_id: Series[int] = ref("nurse", nullable=True, source="shifts.team_head")


class Shift(Table, source="shifts"):
    shift_no: Series[str] = column(natural_key=True, length=10)
    team_id: Series[int] = ref("team")


def test_nor_is_it_kept_with_what_its_entity_refers_to() -> None:
    model = Model.of(tables=[Nurse, Team, Shift], subject="nurse")

    def given(name: object, *shifts: list[object]) -> ae.Extract:
        import pandas as pd

        nurses = pd.DataFrame([["1", name]], columns=["nurse_no", "name"], dtype=object)
        columns = ["shift_no", "team_code", "team_head"]
        frame = pd.DataFrame(shifts, columns=columns, dtype=object)
        return ae.Extract.from_frames({"nurses": nurses, "shifts": frame})

    one = ae.normalize(given("a", ["x", "T", "1"]), model=model, run=RUN)
    now = ae.normalize(given(None), model=model, run=LATER, previous=one.snapshot)
    assert now.summary.sources["nurses"].kept == 1
    assert not len(now.tables["shift"])
