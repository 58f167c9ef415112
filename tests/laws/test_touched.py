"""A run over the subjects that changed gives what a run over everybody gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.columns.frames import equal_frames
from aspen_etl.normalization import Summary
from aspen_etl.normalization.touched import TouchedResult, normalize_touched
from aspen_etl.testing import histories
from aspen_etl.transform.cleaning import clean_column
from aspen_etl.transform.parting import Partitioning, can_part
from tests.laws.test_parts import FEWER, FIRST, PARTED, RUNS
from tests.support.parts import without_schema_check


@pytest.fixture(autouse=True)
def _no_schema_check(monkeypatch: pytest.MonkeyPatch) -> None:
    without_schema_check(monkeypatch)


def ids_of(extract: ae.Extract, sheet: str, how: Partitioning) -> list[Any]:
    found = clean_column(extract, sheet, how.columns[sheet], how.model).astype(object)
    return found.where(found.notna(), None).tolist()


def by_subject(extract: ae.Extract, how: Partitioning) -> dict[Any, list[Any]]:
    """Give what an extract holds of each subject, in order; of no subject under None."""
    held: dict[Any, list[Any]] = {None: []}
    for sheet in how.columns:
        faults = extract.faults[extract.faults["source"] == sheet]
        for number, who, cells in zip(
            extract[sheet].index,
            ids_of(extract, sheet, how),
            extract[sheet].astype(object).itertuples(index=False, name=None),
        ):
            broken = faults[faults["row"] == number][["column", "value", "rule"]]
            row = (sheet, *("" if pd.isna(cell) else cell for cell in cells))
            held.setdefault(who, []).append((*row, *map(str, broken.to_numpy().tolist())))
    return held


def find_touched(
    old: ae.Extract, new: ae.Extract, rejects: pd.DataFrame, how: Partitioning
) -> set[str]:
    """Tell who must be touched, in the plainest way that there is."""
    before, after = by_subject(old, how), by_subject(new, how)
    out = {who for who in before.keys() | after.keys() if before.get(who) != after.get(who)}
    for sheet in how.columns:
        rows = rejects.loc[rejects["source"] == sheet, "row"]
        ids = dict(zip(old[sheet].index, ids_of(old, sheet, how)))
        out |= {ids[row] for row in rows}
    return out - {None}


def some_rows(extract: ae.Extract, touched: set[str], how: Partitioning) -> ae.Extract:
    frames, numbers = {}, {}
    for sheet in how.columns:
        held = [who is None or who in touched for who in ids_of(extract, sheet, how)]
        frames[sheet] = extract[sheet].iloc[np.flatnonzero(held)]
        numbers[sheet] = set(frames[sheet].index)
    mine = [row in numbers[name] for name, row in extract.faults[["source", "row"]].to_numpy()]
    return ae.Extract.from_frames(
        frames, faults=extract.faults[np.array(mine, dtype=bool)], notes=extract.notes
    )


def differences(
    whole: ae.NormalizeResult, short: TouchedResult, before: ae.Snapshot, run: ae.Run
) -> list[str]:
    after = short.apply(before, run)
    keys = whole.snapshot.keys
    told = {
        **{f"table {n}": equal_frames(frame, after.tables[n]) for n, frame in whole.tables.items()},
        **{f"keys of {name}": state.equals(after.keys[name]) for name, state in keys.items()},
        "names of keys": list(keys) == list(after.keys),
        "time": after.time == whole.snapshot.time,
        "changes": whole.changes.equals(short.changes),
        "rejects": ae.Tables({"": whole.rejects}).equals(ae.Tables({"": short.rejects})),
        "counts of rejects": set(whole.summary.rejects) == set(short.summary.rejects),
        "rows of tables": whole.summary.tables == short.summary.tables,
        "what stayed out, or stays": _staying(whole.summary) == _staying(short.summary),
    }
    return [what for what, is_same in told.items() if not is_same]


def _staying(summary: Summary) -> list[Any]:
    return [
        (each.rejected, each.rejected_cells, each.kept, each.stayed)
        for each in summary.sources.values()
    ]


Choose = Callable[[set[str]], set[str]]


def go_through(
    history: Sequence[ae.Extract], model: ae.Model, missing: Any, choose: Choose
) -> list[str]:
    """Go through a history by the whole way, and by the short one beside it."""
    how = can_part(model)
    old: Optional[ae.Extract] = None
    before: Optional[ae.NormalizeResult] = None
    known: set[Any] = set()
    for day, new in enumerate(history):
        known |= by_subject(new, how).keys()
        options: dict[str, Any] = {
            "run": ae.Run(time=FIRST + dt.timedelta(days=day), actor=f"run {day}"),
            "model": model,
            "previous": None if before is None else before.snapshot,
            "missing": missing,
        }
        whole = ae.normalize(new, **options)
        if old is not None and before is not None:
            touched = find_touched(old, new, before.rejects, how)
            if missing == "keep":
                touched |= known - set(ids_of(new, how.root, how)) - {None}
            touched = choose(touched)
            short = normalize_touched(some_rows(new, touched, how), touched, **options)
            found = differences(whole, short, before.snapshot, options["run"])
            if found:
                return found
        old, before = new, whole
    return []


@pytest.mark.parametrize("model", PARTED.values(), ids=PARTED)
def test_the_short_way_gives_what_the_whole_one_gives(model: ae.Model) -> None:
    @FEWER
    @given(
        st.sampled_from([True, False]).flatmap(
            lambda growing: histories(
                model, faults="all", max_rows=8, max_runs=RUNS, growing=growing
            )
        ),
        st.sampled_from(["delete", "keep"]),
        st.integers(0, 2**32 - 1),
    )
    def same(history: list[ae.Extract], missing: Any, seed: int) -> None:
        luck, how = Random(seed), can_part(model)  # noqa: S311 - a draw
        everybody = sorted({who for one in history for who in by_subject(one, how) if who})

        def with_more(touched: set[str]) -> set[str]:
            return touched | set(luck.sample(everybody, k=min(1, len(everybody))))

        assert go_through(history, model, missing, with_more) == []

    same()
