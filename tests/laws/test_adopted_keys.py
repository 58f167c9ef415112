"""Keys that an application draws from 2^40 on are adopted, and everything holds over them."""

from __future__ import annotations

import datetime as dt
import secrets
from collections import Counter
from random import Random
from typing import Any, Optional

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.changes import apply_changes, diff
from aspen_etl.normalization import verify
from aspen_etl.normalization.parted import normalize_parted
from aspen_etl.normalization.touched import normalize_touched
from aspen_etl.schema.snapshot import ADOPTED_FROM, Snapshot
from aspen_etl.synchronization import touching, units
from aspen_etl.synchronization.parts import Parts
from aspen_etl.testing import histories
from aspen_etl.testing._history_laws import History
from aspen_etl.testing._plain import rows_of
from aspen_etl.transform.parting import can_part
from tests.laws.parted_models import LOANS
from tests.laws.test_parts import FIRST, PARTED, Shuffled, subjects
from tests.laws.test_short_way import ALL, told, without_the_last_row, write
from tests.laws.test_touched import by_subject, find_touched, ids_of, some_rows
from tests.laws.test_touched import differences as touched_differences
from tests.support.adopted import Application, keys_of
from tests.support.effort import in_turn, is_brief, is_thorough, some
from tests.support.parts import differences, without_schema_check

FEWER = some(6, least=2)
RUNS = 3
#: The one with loans holds the borrower's; the other begins a natural key with no reference.
MODELS = PARTED if is_thorough() else {name: PARTED[name] for name in ("loans", "terms")}
MISSING = st.sampled_from(["delete", "keep"])
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    without_schema_check(monkeypatch)
    monkeypatch.setattr(units, "BLOCK", 150)
    monkeypatch.setattr(touching, "_MOST_TOUCHED", 100)


def grown(model: ae.Model, rows: int = 6) -> st.SearchStrategy[list[ae.Extract]]:
    return histories(model, faults="all", max_rows=rows, max_runs=RUNS, growing=True)


def run_of(day: int, actor: str = "run") -> ae.Run:
    return ae.Run(time=FIRST + dt.timedelta(days=day), actor=f"{actor} {day}")


# ----------------------------------------------------------------------------- runs after runs


def follow(history: list[ae.Extract], model: ae.Model, missing: Any, luck: Random) -> set[bool]:
    """Go through a history, some days of which an application made; tell what was adopted."""
    account, application = History(model, missing), Application(model, luck)
    previous: Optional[Snapshot] = None
    for day, extract in enumerate(history):
        options: dict[str, Any] = {"run": run_of(day), "model": model, "missing": missing}
        taken = None
        if day and luck.random() < 0.7:
            taken = application.take(extract, previous, run_of(day, "application"), missing)
            previous = taken.previous
            for name, state in previous.keys.items():
                account.given[name].update(keys_of(state.given))
        result = ae.normalize(extract, previous=previous, **options)
        verify(result, extract, previous=previous, **options)
        account.follow(extract, result, options["run"])
        before = previous.tables if previous else {}
        assert diff(before, result.tables, model=model).equals(result.changes)
        assert apply_changes(result.changes, before).equals(result.tables)
        previous = result.snapshot
        if taken is not None:
            previous = application.keep(previous, taken.tables)
            for name, frame in previous.tables.items():
                table = model.tables[name]
                rows = [dict(zip(table.columns, row)) for row in rows_of(frame)]
                account.rows[name] = {row[table.primary_key]: row for row in rows}
    assert previous is not None
    again = ae.normalize(extract, previous=previous, **{**options, "run": run_of(day + 1)})
    assert again.changes.is_empty
    assert again.snapshot.equals(previous)
    return {key >= ADOPTED_FROM for each in account.given.values() for key in each.values()}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_an_adopted_key_stays_with_its_natural_key_and_moves_no_number(model: ae.Model) -> None:
    seen: Counter[bool] = Counter()

    @FEWER
    @given(grown(model), MISSING, SEEDS)
    def holds(history: list[ae.Extract], missing: Any, seed: int) -> None:
        seen.update(follow(history, model, missing, Random(seed)))  # noqa: S311 - a draw

    holds()
    assert is_brief() or seen[True], seen


# ----------------------------------------------------------------------------- parts, and a few


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_parts_and_the_short_way_give_what_a_whole_run_gives(model: ae.Model) -> None:
    how = can_part(model)

    @FEWER
    @given(grown(model), MISSING, SEEDS)
    def same(history: list[ae.Extract], missing: Any, seed: int) -> None:
        luck = Random(seed)  # noqa: S311 - a draw
        application, known = Application(model, luck), subjects(history, model)
        old: Optional[ae.Extract] = None
        before: Optional[ae.NormalizeResult] = None
        ids: set[Any] = set()
        for day, new in enumerate(history):
            ids |= by_subject(new, how).keys()
            previous = None if before is None else before.snapshot
            if previous is not None and luck.random() < 0.7:
                # It may know more than we, and less: then what it made has new rows of ours.
                written = some_of(history[luck.randrange(day, len(history))], luck)
                previous = application.take(written, previous, run_of(day), "keep").previous
            options: dict[str, Any] = {"run": run_of(day), "model": model, "missing": missing}
            options["previous"] = previous
            whole = ae.normalize(new, **options)
            bounds = [known[place] for place in sorted(luck.choices(range(len(known)), k=2))]
            parted = normalize_parted(new, bounds=bounds, workers=Shuffled(luck), **options)
            assert differences(whole, parted) == []
            if old is not None and before is not None and previous is not None:
                touched = find_touched(old, new, before.rejects, how)
                if missing == "keep":
                    touched |= ids - set(ids_of(new, how.root, how)) - {None}
                short = normalize_touched(some_rows(new, touched, how), touched, **options)
                assert touched_differences(whole, short, previous, options["run"]) == []
            old, before = new, whole

    same()


def some_of(extract: ae.Extract, luck: Random) -> ae.Extract:
    """Take some rows of each sheet."""
    frames = {
        name: frame[[luck.random() < 0.6 for _ in range(len(frame))]]
        for name, frame in extract.items()
    }
    places = zip(extract.faults["source"], extract.faults["row"])
    held = [row in frames[name].index for name, row in places]
    faults = extract.faults[np.array(held, dtype=bool)]
    return ae.Extract.from_frames(frames, faults=faults, notes=extract.notes)


# ----------------------------------------------------------------------------- stores


def commit_taken(
    store: ae.SnapshotStore, extract: ae.Extract, application: Application, run: ae.Run
) -> None:
    """Commit what an application wrote, under its keys and audit columns."""
    before = store.read()
    taken = application.take(extract, before, run)
    result = ae.normalize(extract, previous=taken.previous, run=run, model=store.model)
    kept = application.keep(result.snapshot, taken.tables)
    changes = diff(before.tables, kept.tables, model=store.model)
    newest = store.find()
    store.commit(kept, run=run, parent=newest.version, changes=changes, rejects=result.rejects)


@pytest.mark.parametrize(("kind", "file_format"), in_turn(["short", "parts"], ["csv", "parquet"]))
def test_stores_hold_the_same_by_every_way(kind: str, file_format: Any) -> None:
    if file_format == "parquet":
        pytest.importorskip("pyarrow")
    ways: Counter[Any] = Counter()

    @FEWER
    @given(grown(LOANS, 4), SEEDS)
    def same(history: list[ae.Extract], seed: int) -> None:
        folder, luck = f"memory://adopted/{secrets.token_hex(8)}", Random(seed)  # noqa: S311
        one, two = (
            ae.SnapshotStore(f"{folder}/{name}", model=LOANS, format=file_format) for name in "ab"
        )
        last = history[-1]  # whose last row goes, and comes back below adopted keys
        for day, extract in enumerate([*history, without_the_last_row(last), last]):
            options: dict[str, Any] = {"run": run_of(day), "thresholds": ALL, "model_version": "1"}
            if day == 1:
                drawn = luck.random()
                for store in (one, two):
                    application = Application(LOANS, Random(drawn))  # noqa: S311
                    commit_taken(store, extract, application, run_of(day))
            else:
                write(extract, f"{folder}/in")
                ae.sync(f"{folder}/in", one, **options)
                parts = None if kind == "short" else Parts(luck.randint(1, 3))
                other = ae.sync(f"{folder}/in", two, parts=parts, keep_source=True, **options)
                ways[other.way.kind if other.way else None, day] += 1
            if kind == "short":
                assert told(two.find()) == told(one.find())
            else:
                assert two.read().equals(one.read())
        assert one.verify().problems == two.verify().problems == ()

    same()
    assert kind == "parts" or ("short", 3) in ways, ways
