"""What stores, runs, databases and folders of tables refuse."""

# ruff: noqa: ARG005 - the calls of a table take the same, whether they need it or not

from __future__ import annotations

import datetime as dt
import functools
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

import aspen_etl as ae
from tests.still.bad_models import extract_of_two
from tests.still.failing import Failing
from tests.still.histories import make_run
from tests.still.models import EXTENDED, SEVEN
from tests.still.stores import LENIENT, NOW

__all__ = ["KEEPING", "filled_store", "in_short"]

KEEPING = Failing("bad_stores")


def filled_store(folder: Path, name: str = "store") -> ae.SnapshotStore:
    """Make a store of two versions with a reject; it is made once, and copied."""
    for path, data in _filled().items():
        place = folder / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return ae.SnapshotStore(str(folder / name))


@functools.cache
def _filled() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        for number, city in enumerate(("Rome", "Bari")):
            extract = extract_of_two(("a1", "x"), ("a9", "x"), city=city)
            ae.sync(extract, folder, run=make_run(number), thresholds=LENIENT)
        paths = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def in_short(value: Any) -> Any:
    """Give what a method gave in a few words."""
    if isinstance(value, tuple):  # of several steps, the last one
        return in_short(value[-1])
    if isinstance(value, ae.Snapshot):
        return repr(value.tables)
    if hasattr(value, "kind"):
        return f"{value.kind} {value.version}"
    if hasattr(value, "to_dict"):
        return {**value.to_dict(), "seconds": None}
    return value


def _of_store(call: Callable[[ae.SnapshotStore], Any], folder: Path) -> Any:
    return in_short(call(filled_store(folder)))


# ----------------------------------------------------------------------------- asked wrongly


def _sync(store: Any, extract: Any = None, **options: Any) -> Any:
    given = extract_of_two(("a1", "x")) if extract is None else extract
    return ae.sync(given, store, run=make_run(5), **{"thresholds": LENIENT, **options})


def _commit(store: ae.SnapshotStore, parent: int) -> Any:
    before = store.read(parent) if parent else None
    result = ae.normalize(extract_of_two(city="Oslo"), run=make_run(6), previous=before)
    return store.commit(result.snapshot, run=make_run(6), parent=parent, changes=result.changes)


def _emptied(store: ae.SnapshotStore, **options: Any) -> Any:
    columns = {name: list(spec.columns) for name, spec in store.model.sources.items()}
    frames = {name: pd.DataFrame(columns=each) for name, each in columns.items()}
    return _sync(store, ae.Extract(**frames), **options)


def _rejects_of_another(store: ae.SnapshotStore) -> Any:
    place = f"{store.url}-rejects"
    for turn in (1, 2):
        other = ae.SnapshotStore(f"{store.url}-{turn}", rejects_url=place)
        _sync(other, extract_of_two(email="x"))
    return "both"


_ASKED: dict[str, Callable[[ae.SnapshotStore], Any]] = {
    "a version that is not there": lambda s: s.find(99),
    "version 0": lambda s: s.read(0),
    "rejects of no version": lambda s: s.read_rejects(7),
    "restore of no version": lambda s: s.restore(9, run=make_run(5)),
    "verify of no version": lambda s: s.verify(9),
    "pin of no version": lambda s: s.pin("loader", 9),
    "pin of a bad name": lambda s: s.pin("a/../b", 1),
    "pin without a name": lambda s: s.pin("", 1),
    "unpin of nobody": lambda s: s.unpin("nobody"),
    "difference to no version": lambda s: s.diff(1, 9),
    "purge of nobody": lambda s: s.purge("nobody", run=make_run(5)),
    "purge without an id": lambda s: s.purge("", run=make_run(5)),
    "vacuum of less than nothing": lambda s: s.vacuum(
        run=make_run(5), keep_for=dt.timedelta(days=-1)
    ),
    "another model": lambda s: ae.SnapshotStore(s.url, model=SEVEN).read(),
    "a sync of another model": lambda s: _sync(s.url, model=SEVEN),
    "a larger model": lambda s: ae.SnapshotStore(s.url, model=EXTENDED).read(),
    "a model beside a store": lambda s: _sync(s, model=SEVEN),
    "missing x": lambda s: _sync(s, missing="x"),
    "no attempt": lambda s: _sync(s, max_attempts=0),
    "no time": lambda s: _sync(s, timeout=0),
    "a time of less than nothing": lambda s: _sync(s, timeout=-1),
    "a source that is not there": lambda s: _sync(s, "nowhere/at-all.xlsx"),
    "commit on an old version": lambda s: _commit(s, 1),
    "commit on no version": lambda s: _commit(s, 0),
    "too many rejects": lambda s: _sync(
        s, extract_of_two(("a9", "x"), email="none"), thresholds=ae.Thresholds()
    ),
    "too few rows": lambda s: _sync(
        s,
        ae.Extract(
            borrower=extract_of_two()["borrower"].iloc[:1],
            role_profile=extract_of_two()["role_profile"],
        ),
        thresholds=ae.Thresholds(min_deleted_rows=1),
    ),
    "nothing": lambda s: _emptied(s, thresholds=ae.Thresholds(max_deleted_rows=1)),
    "plan of nothing": lambda s: (
        ae.plan(
            ae.Extract(**{name: frame.iloc[:0] for name, frame in extract_of_two().items()}),
            s,
            run=make_run(5),
        ).refusals
    ),
    "sync on hold": lambda s: (s.restore(1, run=make_run(4)), _sync(s)),
    "plan on hold": lambda s: (
        s.restore(1, run=make_run(4)),
        ae.plan(extract_of_two(), s, run=make_run(5)).refusals,
    ),
    "a version that vacuum let go": lambda s: (
        s.vacuum(run=make_run(5), keep_for=dt.timedelta(0)),
        s.read(1),
    ),
    "rejects in the store": lambda s: _sync(
        ae.SnapshotStore(s.url, rejects_url=f"{s.url}/inside"), extract_of_two(email="x")
    ),
    "rejects of another store": _rejects_of_another,
}
for _name, _call in _ASKED.items():
    KEEPING.of(f"store/{_name}", partial(_of_store, _call))


_OPENED: dict[str, Callable[[str], Any]] = {
    "no store": lambda url: ae.SnapshotStore(url).read(),
    "status of no store": lambda url: ae.SnapshotStore(url).status(now=NOW),
    "verify of no store": lambda url: ae.SnapshotStore(url).verify(),
    "vacuum of no store": lambda url: ae.SnapshotStore(url).vacuum(run=make_run(1)),
    "purge of no store": lambda url: ae.SnapshotStore(url).purge("a", run=make_run(1)),
    "restore of no store": lambda url: ae.SnapshotStore(url).restore(1, run=make_run(1)),
    "format": lambda url: ae.SnapshotStore(url, format="orc"),  # type: ignore[arg-type]
    "protocol": lambda url: ae.SnapshotStore("nonsense://user:secret@x/y"),
    "a storage that may overwrite": lambda url: _sync(
        ae.SnapshotStore("zip://inside::memory://x.zip")
    ),
    "inside the state of a store": lambda url: _sync(f"{url}/_aspen"),
    "share": lambda url: ae.Thresholds(max_deleted_rows=2),
    "share of rows": lambda url: ae.Thresholds(max_rejected_rows=-0.5),
    "count": lambda url: ae.Thresholds(min_deleted_rows=-1),
}
for _name, _open in _OPENED.items():
    KEEPING.of(
        f"open/{_name}",
        lambda folder, call=_open: in_short(call(str(folder / "none"))),  # type: ignore[misc]
    )


@KEEPING("store/an older source")
def _older(folder: Path) -> Any:
    source, store = folder / "source", ae.SnapshotStore(str(folder / "store"))
    source.mkdir()
    for name, frame in extract_of_two().items():
        frame.to_csv(source / f"{name}.csv", index=False, lineterminator="\n")
    for age in (0, 3_600):
        for path in source.iterdir():
            os.utime(path, (1_700_000_000 - age,) * 2)
        if age:
            text = (source / "borrower.csv").read_text("utf-8")
            (source / "borrower.csv").write_text(text.replace("Turin", "Bari"), encoding="utf-8")
            os.utime(source / "borrower.csv", (1_700_000_000 - age,) * 2)
        ae.sync(str(source), store, run=make_run(age), thresholds=ae.Thresholds())
    return "both"
