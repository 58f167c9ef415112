"""What fails in a run that looks at what changed alone, or behind its commit, and harms nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import NotSupportedError, WriteError
from aspen_etl.io.writing import put
from aspen_etl.store.refused import purge_refused
from aspen_etl.synchronization.clock import Clock
from tests.synchronization.conftest import COUNT, FIRST_ROW
from tests.synchronization.test_short_way import go, kept_files, reason
from tests.synchronization.test_sync import many, run, write

FIGURES = "_aspen/kept/source.json"


def change(source: Path, row: int) -> None:
    given = many(COUNT)
    given["borrower"].loc[FIRST_ROW + row, "city"] = "Rome"
    write(source, given)


def with_first(values: pd.Series) -> pd.Series:
    """Fail where there is no row at all."""
    return values.where(values.notna(), values.iloc[0])


def of_many(values: pd.Series) -> pd.Series:
    """Fail where there are few rows."""
    if len(values) < COUNT:
        raise ValueError(len(values))
    return values


@pytest.mark.parametrize(
    ("column", "cleaner"),
    [("role_profile.role_profile", with_first), ("borrower.city", of_many)],
)
def test_a_function_that_fails_on_few_rows_is_given_all(
    tmp_path: Path, column: str, cleaner: Any
) -> None:
    model = ae.BORROWER_MODEL.replace(cleaners={column: cleaner})
    given = many(COUNT)
    roles = pd.DataFrame({"borrower_id": ["b001"], "role_profile": ["Borrower"]})
    source = write(tmp_path / "in", ae.Extract(borrower=given["borrower"], role_profile=roles))
    store = ae.SnapshotStore(tmp_path / "store", model=model)
    options: dict[str, Any] = {"model_version": "1", "keep_source": True}
    go(source, store, 1, **options)
    given["borrower"].loc[FIRST_ROW + 2, "city"] = "Rome"
    write(source, ae.Extract(borrower=given["borrower"], role_profile=roles))
    found = go(source, store, 2, **options)
    told = "the model cannot be applied to the rows alone whose subjects changed"
    assert (found.outcome, reason(found)) == ("committed", told)


@pytest.mark.parametrize(
    ("name", "value"), [("rows", -5), ("rows", 10**30), ("blank", -3), ("notes", {"b007": 1})]
)
def test_figures_that_are_not_as_they_were_written_are_none(
    source: Path, store: ae.SnapshotStore, tmp_path: Path, name: str, value: Any
) -> None:
    go(source, store, 1)
    place = tmp_path / "store" / FIGURES
    words = json.loads(place.read_text())
    words["sheets"]["borrower"][name] = value
    place.write_text(json.dumps(words, indent=1) + "\n")
    change(source, 1)
    found = go(source, store, 2)
    assert reason(found) == "nothing is kept of the source"
    assert (found.sources["borrower"].rows, found.sources["borrower"].notes) == (COUNT, {})
    change(source, 2)
    assert reason(go(source, store, 3)) is None


def test_once_it_committed_nothing_ends_a_run(
    source: Path, store: ae.SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    check = Clock.check
    go(source, store, 1)
    change(source, 1)

    def is_over(clock: Clock, step: str) -> None:
        newest = store.newest()
        if newest is not None and newest.version > 1:
            clock.timeout = 0.0
        check(clock, step)

    monkeypatch.setattr(Clock, "check", is_over)
    found = go(source, store, 2, timeout=600, on_step=steps.append)
    assert (found.outcome, found.version, steps[-1]) == ("committed", 2, "writing")
    assert "keeping" in found.seconds


def test_a_proof_of_another_commit_is_none(source: Path, store: ae.SnapshotStore) -> None:
    go(source, store, 1)
    assert store.status(now=run(9).time).proved == run(1).time.isoformat()
    change(source, 1)
    go(source, store, 2, keep_source=False)  # it looks at everything
    status = store.status(now=run(9).time)
    assert (status.proved, status.proof_age, status.short_runs) == (None, None, None)


# ----------------------------------------------------------------------------- and purge


def test_a_purge_takes_away_all_that_is_kept(
    source: Path, store: ae.SnapshotStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(source, store, 1)
    for home in ("store", "rejects"):  # as of a model whose sheets have other names
        (tmp_path / home / "_aspen/kept/loan.csv").write_text("b007")

    def meanwhile(*given: Any) -> Any:
        (tmp_path / "rejects/_aspen/kept/borrower.csv").write_text("b007")
        return purge_refused(*given)

    monkeypatch.setattr("aspen_etl.store.purging.purge_refused", meanwhile)
    assert store.purge("b007", run=run(2)).kept == 8
    assert kept_files(tmp_path / "rejects") == kept_files(tmp_path / "store") == []


def test_what_is_kept_elsewhere_is_not_lost_sight_of(
    source: Path, store: ae.SnapshotStore, tmp_path: Path
) -> None:
    go(source, store, 1)
    change(source, 1)
    bare = ae.SnapshotStore(store.url)
    found = go(source, bare, 2, keep_source=True)
    assert found.way is not None
    assert (found.outcome, found.way.proved) == ("committed", None)
    assert kept_files(tmp_path / "store") == ["source.json"]
    with pytest.raises(NotSupportedError, match="keeps of its source is elsewhere"):
        bare.purge("b007", run=run(3))


def test_what_is_kept_elsewhere_in_part_is_known(
    source: Path, store: ae.SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:

    def failing(place: Any, data: bytes) -> None:
        if place.url.endswith("borrower.lines.csv"):
            raise WriteError(place.url)
        put(place, data)

    monkeypatch.setattr("aspen_etl.store.kept.put", failing)
    go(source, store, 1)
    with pytest.raises(NotSupportedError, match="keeps of its source is elsewhere"):
        ae.SnapshotStore(store.url).purge("b007", run=run(2))
    monkeypatch.undo()
    change(source, 1)
    assert reason(go(source, store, 3)) == "nothing is kept of the source"
