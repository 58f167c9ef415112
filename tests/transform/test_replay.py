"""Changes fold into a state, whatever order they come in; what speaks of a loss is found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.text import TEXT
from aspen_etl.errors import LandingChangedError, LandingOrderError
from aspen_etl.transform.changing import (
    DELETE,
    INSERT,
    LOAD,
    LOAD_STAMP,
    UPDATE,
    SourceChanges,
    row_stamps,
)
from aspen_etl.transform.losses import Finding, raise_findings
from aspen_etl.transform.replay import Folded, fold
from aspen_etl.transform.source_state import SourceState

KINDS = {"L": LOAD, "I": INSERT, "U": UPDATE, "D": DELETE}
EMPTY = SourceState.empty(["id", "note"], ["id"])

#: Operation, key, note, place in the order, key before.
Told = tuple[str, str, Optional[str], int, Optional[str]]


def text(values: Sequence[Optional[str]]) -> pd.Series:
    return pd.Series(list(values), dtype=object).astype(TEXT)


def changes(*rows: Any, name: str = "f", times: Optional[Sequence[str]] = None) -> SourceChanges:
    told: list[Told] = [(*row, *(None,) * (5 - len(row))) for row in rows]
    stamps = [LOAD_STAMP if op == "L" else f"{place:035}" for op, _, _, place, _ in told]
    return SourceChanges(
        make_frame({"id": text([row[1] for row in told]), "note": text([row[2] for row in told])}),
        np.array([KINDS[row[0]] for row in told], dtype=np.int8),
        text(stamps),
        np.zeros(len(told), dtype=np.int64),
        np.arange(len(told), dtype=np.int64),
        (name,),
        make_frame({"id": text([row[4] for row in told])}),
        None if times is None else text(times),
    )


def by_time(*rows: Any, name: str) -> SourceChanges:
    """Give changes whose place in the order is a second."""
    out = changes(*rows, name=name)
    moments = text([f"2026-01-01 00:00:{row[3]:02}.000000" for row in rows])
    stamps = row_stamps(name, out.rows, moments)
    return SourceChanges(
        out.cells, out.kinds, stamps, out.files, out.rows, out.names, out.before, moments
    )


def living(state: SourceState) -> dict[str, str]:
    frame = state.to_frame()
    return dict(zip(frame["id"], frame["note"]))


def problems(folded: Folded) -> list[tuple[str, int]]:
    return [(finding.problem, finding.count) for finding in folded.findings]


# ------------------------------------------------------------------------------ the fold


@given(
    st.lists(
        st.tuples(
            st.sampled_from("IUUD"), st.sampled_from("abc"), st.sampled_from("abc"), st.booleans()
        ),
        max_size=12,
    ),
    st.data(),
)
def test_order_split_and_repetition_change_nothing(
    drawn: list[tuple[str, str, str, bool]], data: st.DataObject
) -> None:
    rows: list[Any] = [("L", "a", "load", 0), ("L", "b", "load", 0)]
    for place, (op, key, other, moves) in enumerate(drawn, 1):
        before = other if op == "U" and moves else key
        rows.append((op, key, f"v{place}", place, before if op == "U" else None))
    registers: dict[str, tuple[tuple[int, int], Optional[str]]] = {}
    for op, key, note, place, before in [(*row, *(None,) * (5 - len(row))) for row in rows]:
        writes = [(before, (place, 0), None)] if before not in {None, key} else []
        writes.append((key, (place, int(op != "D")), None if op == "D" else note))
        for each, stamp, cell in writes:
            if stamp >= registers.get(each, ((-1, 0), None))[0]:
                registers[each] = (stamp, cell)
    order = data.draw(st.permutations(rows + data.draw(st.lists(st.sampled_from(rows)))))
    size = data.draw(st.integers(1, 5))
    state = EMPTY
    for start in range(0, len(order), size):
        before_fold = state
        state = fold(state, changes(*order[start : start + size])).state
        assert before_fold.rows.tolist() == state.rows.tolist()[: len(before_fold)]
    assert living(state) == {key: cell for key, (_, cell) in registers.items() if cell is not None}
    assert list(living(state)) == sorted(living(state))
    assert state.equals(fold(EMPTY, changes(*rows)).state, numbers=False)
    assert len(state) == len(registers)


def test_a_key_that_is_gone_is_not_brought_back_by_what_is_older() -> None:
    state = fold(EMPTY, changes(("L", "a", "x", 0), ("D", "a", None, 5))).state
    late = fold(state, changes(("U", "a", "old", 3, "a")))
    assert living(late.state) == {}
    assert problems(late) == []
    again = fold(late.state, changes(("I", "a", "new", 7))).state
    assert living(again) == {"a": "new"}
    assert again.rows.tolist() == state.rows.tolist()


def test_a_state_is_a_value() -> None:
    first = fold(EMPTY, changes(("I", "a", "x", 1))).state
    fold(first, changes(("D", "a", None, 2)))
    assert living(first) == {"a": "x"}
    assert fold(first, changes()).state is first


def test_a_state_can_be_stored_as_a_frame() -> None:
    state = fold(EMPTY, changes(("I", "b", "x", 1), ("D", "a", None, 2))).state
    frame = state.to_stored()
    assert list(frame) == ["id", "note", "_row", "_stamp", "_alive"]
    assert SourceState.from_stored(frame, ["id"]).equals(state)


def test_rows_keep_their_numbers_and_come_in_the_order_of_keys() -> None:
    first = fold(EMPTY, changes(("L", "m", "1", 0), ("L", "c", "2", 0))).state
    second = fold(first, changes(("I", "a", "3", 1))).state
    frame = second.to_frame()
    assert frame["id"].tolist() == ["a", "c", "m"]
    assert frame.index.tolist() == [4, 2, 3]
    assert frame.index.name == "row"


# ------------------------------------------------------------------------------ what is found


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([("I", "a", "1", 1), ("D", "a", None, 2), ("U", "a", "3", 3, "a")], "gap"),
        ([("D", "a", None, 1), ("D", "a", None, 2)], "gap"),
        ([("I", "a", "1", 1), ("I", "a", "2", 2)], "gap"),
        ([("I", "a", "1", 1), ("I", "b", "2", 2), ("U", "a", "3", 3, "b")], "gap"),
        ([("I", "a", "1", 1), ("U", "a", "2", 1, "a")], "tie"),
        ([("I", "a", "1", 1), ("D", "a", None, 1)], "tie"),
        ([("L", "a", "1", 0), ("L", "a", "2", 0)], "tie"),
        ([("I", "b", "1", 2), ("I", "a", "1", 1)], "falling"),
        ([("I", "a", "1", 1), ("I", "A", "1", 2)], "alike_keys"),
        ([("I", "a", "1", 1), ("I", " a", "1", 2)], "alike_keys"),
    ],
)
def test_what_speaks_of_a_loss_is_found_and_named(rows: list[Any], problem: str) -> None:
    folded = fold(EMPTY, changes(*rows))
    assert [found for found, _ in problems(folded)] == [problem]
    with pytest.raises(LandingOrderError) as caught:
        raise_findings("borrower", folded.findings)
    assert caught.value.details["problem"] == problem
    assert caught.value.details["source"] == "borrower"
    raise_findings("borrower", folded.findings, pass_over=[problem])


@pytest.mark.parametrize(
    "rows",
    [
        [("L", "a", "1", 0), ("I", "a", "2", 1)],  # the row was read after its insertion
        [("L", "a", "1", 0), ("D", "b", None, 1)],  # ... or after its deletion
        [("L", "a", "1", 0), ("L", "a", "2", 0), ("U", "a", "3", 4, "a")],  # read twice, then told
        [("I", "a", "1", 1), ("I", "a", "1", 1)],
        [("I", "a", "1", 1), ("U", "b", "1", 2, "a"), ("I", "a", "2", 3)],
        [("I", "a", "1", 1), ("D", "a", None, 2), ("I", "A", "2", 3)],
    ],
)
def test_what_a_sound_feed_has_is_no_finding(rows: list[Any]) -> None:
    assert problems(fold(EMPTY, changes(*rows))) == []


def test_a_gap_is_seen_across_folds() -> None:
    state = fold(EMPTY, changes(("I", "a", "1", 1), ("D", "a", None, 2))).state
    assert problems(fold(state, changes(("U", "a", "2", 3, "a")))) == [("gap", 1)]
    alike = fold(EMPTY, changes(("I", "a", "1", 1))).state
    assert problems(fold(alike, changes(("I", "A", "1", 2)))) == [("alike_keys", 2)]


def test_times_that_fall_are_counted_and_no_error() -> None:
    times = ["2026-01-01 00:00:02.000000", "2026-01-01 00:00:01.000000"]
    folded = fold(EMPTY, changes(("I", "a", "1", 1), ("I", "b", "1", 2), times=times))
    assert folded.findings == (Finding("time_falls", 1, ("f",)),)
    raise_findings("borrower", folded.findings)


def test_one_time_in_two_files_is_ambiguous_unless_both_end_alike() -> None:
    one = by_time(("I", "a", "1", 1), ("U", "a", "2", 1, "a"), name="f1")
    same = by_time(("U", "a", "2", 1, "a"), name="f2")
    other = by_time(("U", "a", "3", 1, "a"), name="f2")
    assert problems(fold(EMPTY, SourceChanges.join([one, same]), by_time=True)) == []
    for joined in (SourceChanges.join([one, other]), SourceChanges.join([other, one])):
        assert ("ambiguous", 1) in problems(fold(EMPTY, joined, by_time=True))
    state = fold(EMPTY, one, by_time=True).state
    assert problems(fold(state, other, by_time=True)) == [("ambiguous", 1)]
    later = by_time(("U", "a", "4", 2, "a"), name="f3")
    assert problems(fold(EMPTY, SourceChanges.join([one, other, later]), by_time=True)) == []


# ------------------------------------------------------------------------------ keys that are one


def test_keys_that_are_declared_to_be_one_are_one() -> None:
    state = SourceState.empty(["id", "note"], ["id"], "case")
    folded = fold(state, changes(("L", "ab-1", "1", 0), ("U", "AB-1", "2", 1, "AB-1")))
    assert living(folded.state) == {"AB-1": "2"}
    assert problems(folded) == []
    spaced = fold(state, changes(("I", "a", "1", 1), ("I", "a ", "2", 2)))
    assert problems(spaced) == [("alike_keys", 2)]


def test_a_state_takes_what_is_declared_anew() -> None:
    state = fold(EMPTY, changes(("I", "a", "1", 1), ("D", "A", None, 2))).state
    assert living(state) == {"a": "1"}
    folded = state.as_declared(["id", "note", "more"], ["id"], "case")
    assert len(folded) == 1
    assert not folded.alive.any()
    assert folded.cells["more"].isna().all()
    with pytest.raises(LandingChangedError, match="declared anew"):
        state.as_declared(["id", "note"], ["note"])
