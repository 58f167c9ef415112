"""A store that is kept by short ways holds what one holds whose runs look at everything."""

from __future__ import annotations

import csv
import datetime as dt
import io
import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Any

import fsspec
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.store.commit import Commit, Stored
from aspen_etl.synchronization import touching
from aspen_etl.testing import histories
from tests.laws.parted_models import LOANS, METERS
from tests.laws.test_parts import FEWER, FIRST
from tests.support.effort import is_brief
from tests.support.parts import without_schema_check

ALL = ae.Thresholds(max_rejected_rows=1, max_rejected_cells=1, max_deleted_rows=1, allow_empty=True)
#: After how many short ways one proves them, turn by turn; so that few examples have both.
EVERY = (96, 96) if is_brief() else (0, 96)
MODELS = {"borrower": ae.BORROWER_MODEL, "meters": METERS}
if not is_brief():
    MODELS["loans"] = LOANS


@pytest.fixture(autouse=True)
def _any_share(monkeypatch: pytest.MonkeyPatch) -> None:
    without_schema_check(monkeypatch)
    monkeypatch.setattr(touching, "_MOST_TOUCHED", 100)


def one_line(cell: Any) -> str:
    return cell.replace("\r", " ").replace("\n", " ") if isinstance(cell, str) else ""


def without_the_last_row(extract: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    first, *others = extract
    return {first: extract[first].iloc[:-1], **{name: extract[name] for name in others}}


def write(extract: Mapping[str, pd.DataFrame], folder: str) -> None:
    """Write the sheets as CSV, a record in a line; a cell that holds no text is empty."""
    memory = fsspec.filesystem("memory")
    for name, frame in extract.items():
        text = io.StringIO(newline="")
        columns = [map(one_line, frame[column].astype(object)) for column in frame]
        writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerows([frame.columns, *zip(*columns)])
        memory.pipe(f"{folder}/{name}.csv", text.getvalue().encode())


def content(stored: Stored) -> Any:
    return stored.columns, [(file.rows, file.sha256) for file in stored.files]


def told(commit: Commit) -> dict[str, Any]:
    """Give what a commit says, but for the names of files."""
    rejects = commit.rejects
    return {
        "tables": {name: content(stored) for name, stored in commit.tables.items()},
        "keys": {name: (key.next, content(key.retired)) for name, key in commit.keys.items()},
        "rejects": None if rejects is None else content(rejects),
        "counts": Counter(tuple(sorted(count.items())) for count in commit.reject_counts),
        "changes": commit.changes,
        "rows": commit.source.rows,
        "version": commit.version,
    }


def figures(report: ae.SyncReport) -> tuple[Any, ...]:
    return report.outcome, report.tables, report.sources, Counter(report.rejects)


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_short_ways_leave_what_whole_ones_leave(model: ae.Model, file_format: Any) -> None:
    if file_format == "parquet":
        pytest.importorskip("pyarrow")
    ways: Counter[Any] = Counter()

    @FEWER
    @given(
        st.sampled_from([True, False]).flatmap(
            lambda growing: histories(model, faults="all", max_rows=8, max_runs=4, growing=growing)
        ),
        st.sampled_from([0, 1]),
    )
    def same(history: list[ae.Extract], turn: int) -> None:
        folder = f"memory://short/{secrets.token_hex(8)}"
        whole, short = (
            ae.SnapshotStore(f"{folder}/{name}", model=model, format=file_format)
            for name in ("whole", "short")
        )
        options: dict[str, Any] = {"thresholds": ALL, "model_version": "1"}
        last = without_the_last_row(history[-1])  # so that there is a second run
        for day, extract in enumerate([*history, last]):
            write(extract, f"{folder}/in")
            run = ae.Run(time=FIRST + dt.timedelta(days=day), actor=f"run {day}")
            one = ae.sync(f"{folder}/in", whole, run=run, **options)
            two = ae.sync(
                f"{folder}/in",
                short,
                run=run,
                keep_source=True,
                whole_every=EVERY[(day + turn) % 2],
                **options,
            )
            if two.way is not None:
                ways[two.way.kind, two.way.reason] += 1
            assert figures(two) == figures(one)
            newest = whole.newest(), short.newest()
            assert newest[0] is not None
            assert newest[1] is not None
            assert told(newest[1]) == told(newest[0])

    same()
    assert ways["short", None], ways
    if EVERY[0] == 0:
        assert ways["whole", "it proves the short ways before"], ways
