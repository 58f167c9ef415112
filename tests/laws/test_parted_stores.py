"""A store that is kept in parts holds what one holds whose runs are in one piece."""

from __future__ import annotations

import datetime as dt
import secrets
from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.columns.frames import equal_frames
from aspen_etl.synchronization import touching, units
from aspen_etl.synchronization.parts import Parts
from aspen_etl.testing import histories
from tests.laws.parted_models import LOANS, METERS
from tests.laws.test_parts import FEWER, FIRST, Shuffled
from tests.laws.test_short_way import ALL, figures, write
from tests.support.effort import in_turn, is_brief, is_thorough
from tests.support.parts import without_schema_check

MODELS = {"loans": LOANS, "meters": METERS}
if is_thorough():
    MODELS["borrower"] = ae.BORROWER_MODEL
CASES = in_turn(MODELS, ["parquet", "csv"])


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    without_schema_check(monkeypatch)
    monkeypatch.setattr(units, "BLOCK", 150)
    monkeypatch.setattr(touching, "_MOST_TOUCHED", 100)  # a run in one piece may be a short one


def differences(one: ae.SnapshotStore, two: ae.SnapshotStore) -> list[str]:
    """Name what two stores differ in."""
    ours, theirs = one.read(), two.read()
    found = [n for n, frame in ours.tables.items() if not equal_frames(frame, theirs.tables[n])]
    for name, state in ours.keys.items():
        same = equal_frames(state.given, theirs.keys[name].given)
        found += [] if same and state.next == theirs.keys[name].next else [f"keys of {name}"]
    if not equal_frames(one.read_rejects(), two.read_rejects()):
        found.append("rejects")
    newest = one.find(), two.find()
    for what in ("changes", "version", "model"):
        found += [] if getattr(newest[0], what) == getattr(newest[1], what) else [what]
    counts = [Counter(tuple(sorted(count.items())) for count in n.reject_counts) for n in newest]
    return found if counts[0] == counts[1] else [*found, "counts"]


@pytest.mark.parametrize(("name", "file_format"), CASES)
def test_parts_leave_what_one_piece_leaves(name: str, file_format: Any) -> None:
    model = MODELS[name]
    if file_format == "parquet":
        pytest.importorskip("pyarrow")
    seen: Counter[int] = Counter()

    @FEWER
    @given(
        histories(model, faults="all", max_rows=8, max_runs=3, growing=True),
        st.sampled_from(["delete", "keep"]),
        st.sampled_from(["files", "memory"]),
        st.integers(0, 2**32 - 1),
    )
    def same(history: list[ae.Extract], missing: Any, way: str, seed: int) -> None:
        folder, luck = f"memory://parted/{secrets.token_hex(8)}", Random(seed)  # noqa: S311
        whole, parted = (
            ae.SnapshotStore(f"{folder}/{name}", model=model, format=file_format)
            for name in ("whole", "parted")
        )
        for day, extract in enumerate(history):
            source: Any = extract
            if way == "files":
                write(extract, f"{folder}/in")
                source = f"{folder}/in"
            options: dict[str, Any] = {
                "run": ae.Run(time=FIRST + dt.timedelta(days=day), actor=f"run {day}"),
                "thresholds": ALL,
                "missing": missing,
                "model_version": "1",
            }
            one = ae.sync(source, whole, **options)
            parts = luck.choice([Parts(1), Parts(1), Parts(2), Parts(3), None])
            options.update(keep_source=luck.random() < 0.5, workers=Shuffled(luck))
            two = ae.sync(source, parted, parts=parts, **options)
            assert figures(two) == figures(one)
            assert differences(whole, parted) == []
            seen[parted.find().parts] += 1
        assert parted.verify().problems == ()
        assert not parted.place.root.child("_aspen/exchange").filesystem.find(
            parted.place.root.child("_aspen/exchange").path
        )

    same()
    assert is_brief() or max(seen) > 1, seen
