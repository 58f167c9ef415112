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
from aspen_etl.store.commit import Commit
from aspen_etl.store.stored import Stored
from aspen_etl.synchronization import touching
from aspen_etl.testing import histories
from tests.laws.parted_models import LOANS, METERS
from tests.laws.test_parts import FEWER, FIRST
from tests.support.effort import is_brief
from tests.support.parts import without_schema_check

ALL = ae.Thresholds(max_rejected_rows=1, max_rejected_cells=1, max_deleted_rows=1, allow_empty=True)
#: After how many short ways one proves them, turn by turn; so that few examples have both.
EVERY = (96, 96) if is_brief() else (0, 96)
MISSING = ["delete", "keep"]
MODELS = {"borrower": ae.BORROWER_MODEL, "meters": METERS}
if not is_brief():
    MODELS["loans"] = LOANS


@pytest.fixture(autouse=True)
def _any_share(monkeypatch: pytest.MonkeyPatch) -> None:
    without_schema_check(monkeypatch)
    monkeypatch.setattr(touching, "_MOST_TOUCHED", 100)


def one_line(cell: Any) -> str:
    return cell.replace("\r", " ").replace("\n", " ") if isinstance(cell, str) else ""


def without_the_last_row(extract: ae.Extract) -> ae.Extract:
    first, *others = extract
    frames = {first: extract[first].iloc[:-1], **{name: extract[name] for name in others}}
    mine = extract.faults["source"] != first
    held = mine | extract.faults["row"].isin(frames[first].index)
    return ae.Extract.from_frames(frames, faults=extract.faults[held], notes=extract.notes)


def write(extract: Mapping[str, pd.DataFrame], folder: str) -> None:
    """Write the sheets as CSV, a record in a line; a cell that holds no text is empty."""
    memory = fsspec.filesystem("memory")
    for name, frame in extract.items():
        text = io.StringIO(newline="")
        columns = [map(one_line, frame[column].astype(object)) for column in frame]
        writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerows([frame.columns, *zip(*columns)])
        memory.pipe(f"{folder}/{name}.csv", text.getvalue().encode())


def write_cells(extract: Mapping[str, pd.DataFrame], folder: str) -> None:
    """Write the sheets as Parquet, text as it is; a cell that holds no text is missing."""
    memory = fsspec.filesystem("memory")
    for name, frame in extract.items():
        data = io.BytesIO()
        texts = [frame[c].map(lambda v: v if isinstance(v, str) else None) for c in frame]
        pd.concat(texts, axis=1).astype("string").to_parquet(data, index=False)
        memory.pipe(f"{folder}/{name}.parquet", data.getvalue())


def give(extract: ae.Extract, folder: str, kind: str) -> tuple[Any, dict[str, Any]]:
    """Write an extract as a source of some kind, and tell how it is read."""
    if kind == "memory":
        return extract, {}
    if kind == "parquet":
        write_cells(extract, folder)
    elif kind == "lines":
        write(extract, folder)
    else:  # CSV of which something must not be kept
        write({name: frame.assign(more="secret") for name, frame in extract.items()}, folder)
    return folder, {"read_options": {"ignore_columns": ["more"]}} if kind == "ignored" else {}


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


def check_ways(model: ae.Model, file_format: Any, kinds: list[str]) -> None:
    """Go through histories by both ways, each history as a source of one of these kinds."""
    ways: Counter[Any] = Counter()

    @FEWER
    @given(
        st.sampled_from([True, False]).flatmap(
            lambda growing: histories(model, faults="all", max_rows=8, max_runs=4, growing=growing)
        ),
        st.sampled_from([0, 1]),
        st.sampled_from(kinds),
        st.sampled_from(MISSING),
    )
    def same(history: list[ae.Extract], turn: int, kind: str, missing: str) -> None:
        folder = f"memory://short/{secrets.token_hex(8)}"
        whole, short = (
            ae.SnapshotStore(f"{folder}/{name}", model=model, format=file_format)
            for name in ("whole", "short")
        )
        options: dict[str, Any] = {"thresholds": ALL, "model_version": "1", "missing": missing}
        last = without_the_last_row(history[-1])  # so that there is a second run
        for day, extract in enumerate([*history, last]):
            source, told_of_it = give(extract, f"{folder}/in", kind)
            options.update(told_of_it, run=ae.Run(FIRST + dt.timedelta(days=day), f"run {day}"))
            one = ae.sync(source, whole, **options)
            every = EVERY[(day + turn) % 2]
            two = ae.sync(source, short, keep_source=True, whole_every=every, **options)
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


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_short_ways_leave_what_whole_ones_leave(model: ae.Model, file_format: Any) -> None:
    if file_format == "parquet":
        pytest.importorskip("pyarrow")
    check_ways(model, file_format, ["lines"])


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_by_cells_too(model: ae.Model, file_format: Any) -> None:
    pytest.importorskip("pyarrow")
    check_ways(model, file_format, ["parquet", "memory", "ignored"])
