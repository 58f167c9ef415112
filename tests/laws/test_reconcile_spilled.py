"""A law of bounded memory: sides that are spilled and compared by bucket differ as in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.io.filesystem import locate
from aspen_etl.io.reading import Reading
from aspen_etl.synchronization import spilling
from aspen_etl.synchronization.holding import Comparison, compare_looks
from aspen_etl.synchronization.parts import Parts
from aspen_etl.synchronization.sides import Looking
from aspen_etl.synchronization.spilling import Spill
from aspen_etl.testing import extracts
from aspen_etl.transform.parting import can_part
from tests.laws.models import RUN
from tests.laws.parted_models import LOANS, METERS, TERMS
from tests.support.effort import some

MODELS = {"borrower": ae.BORROWER_MODEL, "loans": LOANS, "meters": METERS, "terms": TERMS}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def plain(found: pd.DataFrame) -> list[tuple[Any, ...]]:
    held = found.astype(object).where(found.notna(), None)
    return list(held.itertuples(index=False, name=None))


def same(one: Comparison, two: Comparison) -> None:
    assert plain(one.found) == plain(two.found)
    for mine, other in ((one.source, two.source), (one.target, two.target)):
        assert (mine.rows, mine.rejected) == (other.rows, other.rejected)
        assert mine.buckets.sums == other.buckets.sums


def check_both(one: Any, two: Any, looking: Looking, folder: Path) -> None:
    """Compare in memory, and with each group of buckets alone."""
    whole = compare_looks(looking.look(one), looking.look(two), looking, Parts())
    folder.mkdir(exist_ok=True)
    told = replace(looking, spill=Spill(looking.how, looking.reading, locate(str(folder))))
    alone: Any = SimpleNamespace(bytes_at_once=1)
    same(whole, compare_looks(told.look(one), told.look(two), told, alone))


def mixed(one: ae.Tables, two: ae.Tables, data: st.DataObject) -> ae.Tables:
    """Give tables in which some rows are those of others, so that they may not hold together."""
    frames = {}
    for name, frame in one.items():
        rows, more = (
            [at for at in range(len(each)) if data.draw(st.integers(0, 9)) > least]
            for each, least in ((frame, 0), (two[name], 7))
        )
        parts = [frame.iloc[rows], two[name].iloc[more]]
        held = [part for part in parts if len(part)] or parts[:1]
        frames[name] = pd.concat(held, ignore_index=True)
    return ae.Tables(frames)


@every_model
def test_the_way_through_the_disk_finds_the_same(
    model: ae.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spilling, "GROUPS", 3)  # each costs a run of its own
    monkeypatch.setattr(spilling, "_ROWS", 2)
    looking = Looking(can_part(model), RUN, Reading.of(None))

    @some(4, least=2)
    @given(extracts(model, faults="all", min_rows=2), extracts(model, min_rows=1), st.data())
    def check(extract: ae.Extract, other: ae.Extract, data: st.DataObject) -> None:
        tables, others = (ae.normalize(e, run=RUN, model=model).tables for e in (extract, other))
        changed = mixed(tables, others, data)
        check_both(extract, changed, looking, tmp_path / "spilled")
        check_both(extract, other, looking, tmp_path / "spilled")
        as_tables = replace(looking, as_tables=True)
        check_both(tables, changed, as_tables, tmp_path / "spilled")

    check()
