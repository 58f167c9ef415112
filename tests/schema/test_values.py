"""The values that one step hands to the next: equal by value, silent about cells."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aspen_etl.columns.frames import equal_frames
from aspen_etl.columns.text import HANDED_TEXT
from aspen_etl.errors import ExtractError
from aspen_etl.schema import Extract, KeyState, Run, Snapshot, Tables
from tests.support.refusals import refused

PERSON = "Ada Lovelace"


def frame(*cells: object, **options: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": list(cells)}, **options)


# ------------------------------------------------------------------------- frames by name


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (frame("x"), frame("x"), True),
        (frame("x"), frame("x", index=[7]), True),
        (frame("x"), frame("y"), False),
        (frame("x"), frame("x", "x"), False),
        (frame("x"), frame("x").rename(columns={"a": "b"}), False),
        (frame("x", None), frame("x", np.nan), True),
        (frame("x", None), frame("x", ""), False),
        (frame(1), frame(1.0), True),
        (frame(), frame(), True),
        (frame(None), frame(pd.NA), True),
        (frame("\ud800", dtype=object), frame("\ud800", dtype=object), True),
        (frame("\ud800", dtype=object), frame("\udfff", dtype=object), False),
    ],
)
def test_frames_are_equal_by_value_whatever_their_index(
    left: pd.DataFrame, right: pd.DataFrame, *, equal: bool
) -> None:
    assert equal_frames(left, right) is equal
    assert (Tables({"t": left}) == Tables({"t": right})) is equal


def test_tables_of_other_names_are_not_equal() -> None:
    assert Tables({"t": frame("x")}) != Tables({"u": frame("x")})
    assert Tables({"t": frame("x")}) != {"t": frame("x")}


def test_tables_are_a_mapping_that_cannot_be_changed() -> None:
    tables = Tables({"t": frame("x"), "u": frame()})
    assert (list(tables), len(tables), tables["t"].shape) == (["t", "u"], 2, (1, 1))
    with pytest.raises(TypeError):
        tables["t"] = frame()  # type: ignore[index]
    with pytest.raises(TypeError):
        hash(tables)


def test_the_repr_and_the_notebook_view_show_counts_and_no_cell() -> None:
    tables = Tables({"user": pd.DataFrame({"name": [PERSON] * 1_234}), "<b>": frame()})
    assert repr(tables) == "<Tables user: 1,234, <b>: 0>"
    assert tables._repr_html_() == (
        "<table><tr><th>Tables</th><th>rows</th><th>columns</th></tr>"
        "<tr><td>user</td><td>1,234</td><td>1</td></tr>"
        "<tr><td>&lt;b&gt;</td><td>0</td><td>1</td></tr></table>"
    )
    for value in (
        Snapshot(tables, {"user": KeyState(2, tables["user"])}),
        KeyState(2, tables["user"]),
        Extract(user=tables["user"]),
    ):
        assert PERSON not in repr(value)


def test_values_survive_pickle() -> None:
    extract = Extract.from_frames(
        {"a": frame("x", "\ud800", dtype=object)}, notes={"a": {"hidden_rows": 1}}
    )
    back = pickle.loads(pickle.dumps(extract))  # noqa: S301 - our own bytes
    assert back.equals(extract)
    assert back.notes == extract.notes
    tables = Tables({"t": frame("x")})
    assert pickle.loads(pickle.dumps(tables)) == tables  # noqa: S301 - likewise


# ------------------------------------------------------------------------- extracts


def test_an_extract_holds_text_and_nothing_else() -> None:
    extract = Extract(borrower=pd.DataFrame({"zip": [6705, None], "id": [1, 2]}, dtype="Int64"))
    assert extract["borrower"].dtypes.tolist() == [HANDED_TEXT, HANDED_TEXT]
    assert extract["borrower"]["id"].tolist() == ["1", "2"]
    assert extract["borrower"]["zip"].isna().tolist() == [False, True]


def test_records_are_numbered_from_two_whatever_the_index_is() -> None:
    given = frame("x", "y", index=["p", "q"])
    assert Extract(s=given)["s"].index.tolist() == [2, 3]


def test_an_index_with_the_name_row_holds_the_numbers_of_the_sheet() -> None:
    given = frame("x", "y", index=pd.Index([4, 9], name="row"))
    assert Extract(s=given)["s"].index.tolist() == [4, 9]


def test_a_cell_with_half_a_character_is_a_fault_and_missing_in_its_frame() -> None:
    extract = Extract(s=frame("x", "y\ud800", index=pd.Index([4, 9], name="row"), dtype=object))
    assert extract["s"]["a"].isna().tolist() == [False, True]
    assert extract.faults.to_dict("records") == [
        {"source": "s", "row": 9, "column": "a", "value": "y\ud800", "rule": "invalid_text"}
    ]


def test_faults_of_the_reader_come_first() -> None:
    faults = pd.DataFrame(
        [("s", 4, "a", "#N/A", "excel_error")], columns=["source", "row", "column", "value", "rule"]
    )
    extract = Extract.from_frames({"s": frame(None, "\ud800", dtype=object)}, faults=faults)
    assert extract.faults["rule"].tolist() == ["excel_error", "invalid_text"]


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(ExtractError, match="borrower is list; give a pandas DataFrame"):
        Extract(borrower=[PERSON])  # type: ignore[arg-type]


def test_a_column_that_cannot_be_text_is_named_and_no_cell_is_shown() -> None:
    with pytest.raises(ExtractError) as caught:
        Extract(borrower=pd.DataFrame({"id": [2.0**60]}))
    assert str(caught.value) == (
        "borrower.id: 1 numbers of a float column are 2**53 or more, so their digits are no "
        "longer exact; read the column as text or as whole numbers"
    )
    assert caught.value.details == {"source": "borrower", "column": "id", "count": 1}
    assert caught.value.__context__ is None


def test_extracts_differ_by_row_number_and_fault() -> None:
    one = Extract(s=frame("x"))
    assert one == Extract(s=frame("x"))
    assert one != Extract(s=frame("x", index=pd.Index([3], name="row")))
    assert Extract(s=frame(None)) != Extract(s=frame("\ud800", dtype=object))


# ------------------------------------------------------------------------- snapshots and runs


def test_snapshots_differ_by_table_key_and_next_number() -> None:
    tables = Tables({"t": frame("x")})
    given = pd.DataFrame({"t_id": [1], "a": ["x"]})
    one = Snapshot(tables, {"t": KeyState(2, given)})
    assert one.equals(Snapshot(tables, {"t": KeyState(2, given.copy())}))
    assert not one.equals(Snapshot(tables, {"t": KeyState(3, given)}))
    assert not one.equals(Snapshot(tables, {"t": KeyState(2, given.assign(a="y"))}))
    assert not one.equals(Snapshot(tables, {}))
    assert not one.equals(Snapshot(Tables({"t": frame("y")}), {"t": KeyState(2, given)}))


@pytest.mark.parametrize(
    "time",
    [
        dt.datetime(2026, 1, 31, 13, 0, 0, 123_999, dt.timezone(dt.timedelta(hours=1))),
        pd.Timestamp("2026-01-31 12:00:00.123999999", tz="UTC"),
        pd.Timestamp("2026-01-31 07:00:00.123456", tz="America/New_York"),
    ],
)
def test_the_time_of_a_run_is_utc_to_the_millisecond(time: dt.datetime) -> None:
    found = Run(time=time, actor="me").time
    assert found == dt.datetime(2026, 1, 31, 12, 0, 0, 123_000, dt.timezone.utc)
    assert (type(found), found.tzinfo) == (dt.datetime, dt.timezone.utc)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (dt.datetime(2026, 1, 31), "has no zone"),  # noqa: DTZ001 - that is the point
        (dt.date(2026, 1, 31), "the time of a run is date; give a datetime with a zone"),
        (pd.NaT, "the time of a run is NaTType"),
        ("2026-01-31", "the time of a run is str"),
    ],
)
def test_a_time_that_is_no_moment_is_refused(time: Any, text: str) -> None:
    with refused("run", match=text):
        Run(time=time, actor="me")


@pytest.mark.parametrize("actor", ["", "  ", "x" * 129, None, 7, "a\0b", "a\nb", "a\ud800"])
def test_an_actor_that_cannot_stand_in_a_column_is_refused(actor: Any) -> None:
    with refused("run", match="the actor of a run"):
        Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor=actor)
