"""What a store holds after four runs, byte by byte, and what its methods give."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aspen_etl as ae
from tests.still.generator import make_history
from tests.still.histories import make_run
from tests.still.models import MODELS
from tests.still.rendering import Masks, show_frame, show_frames, show_keys, show_value

__all__ = ["LENIENT", "STORES", "show_store"]

LENIENT = ae.Thresholds(
    max_rejected_rows=1, max_rejected_cells=1, max_deleted_rows=1, allow_empty=True
)

#: By name: the model and the seed.
STORES = {f"store/{model}": (model, seed) for model, seed in zip(MODELS, (101, 104, 107))}

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)


def show_store(name: str, folder: Path) -> dict[str, str]:
    """Sync a history into a store, go back, clean up and erase; show all there is, by part."""
    model, seed = STORES[name]
    masks = Masks(folder)
    store = ae.SnapshotStore(str(folder / "store"), model=MODELS[model])
    shown = {}
    for number, extract in enumerate(make_history(model, seed, rows=8)):
        report = ae.sync(extract, store, run=make_run(number), thresholds=LENIENT)
        shown[f"report {number + 1}"] = show_value({**report.to_dict(), "seconds": None})
    _learn_names(folder, masks)
    shown.update(_files(folder, masks))
    for version in (1, 3):
        snapshot = store.read(version)
        text = f"{show_frames(snapshot.tables)}\n{show_keys(snapshot.keys)}"
        shown[f"read {version}"] = f"{text}\n{show_frame(store.read_rejects(version))}"
    for step, call in _steps(store, model):
        shown[step] = show_value(_told(call()))
        _learn_names(folder, masks)
    shown["files at the end"] = "\n".join(_names(folder, masks))
    return {part: masks(text) for part, text in shown.items()}


def _steps(store: ae.SnapshotStore, model: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    first = next(iter(MODELS[model].sources))
    yield "history", store.history
    yield "status", lambda: store.status(now=NOW)
    yield "verify", store.verify
    yield "restore", lambda: store.restore(2, run=make_run(10))
    yield "status on hold", lambda: store.status(now=NOW)
    yield "resume", lambda: store.resume(run=make_run(11))
    yield "purge", lambda: store.purge(_someone(store, first), run=make_run(12))
    yield "vacuum", lambda: store.vacuum(run=make_run(13), keep_for=dt.timedelta(0))
    yield "verify at the end", store.verify


def _someone(store: ae.SnapshotStore, sheet: str) -> str:
    """Give the key of the first row of the first sheet."""
    rows = ae.denormalize(store.read().tables, model=store.model)[sheet]
    return str(rows.iloc[0, 0])


def _told(value: Any) -> Any:
    """Give what a method gave as plain values."""
    if isinstance(value, (list, tuple)):
        return [_told(each) for each in value]
    values = dict(value.to_dict())
    for name in ("library", "parent_sha256", "sha256"):
        values.pop(name, None)
    return values


def _files(folder: Path, masks: Masks) -> Iterator[tuple[str, str]]:
    """Give each file of a store: of a commit, each of its fields."""
    for path in _paths(folder):
        name = masks(path.relative_to(folder).as_posix())
        text = path.read_bytes().decode("utf-8")  # line ends as they are
        if "/_aspen/commits/" not in name:
            known = '"fingerprint"' if path.name == "last_run.json" else '"sha256"'
            yield name, text.partition(known)[0] if path.suffix == ".json" else text
            continue
        values = json.loads(text)
        yield f"{name}: layout", "\n".join(line.partition(": ")[0] for line in text.splitlines())
        for field, value in values.items():
            if field not in ("library", "parent_sha256", "sha256"):
                yield f"{name}: {field}", show_value(value)


def _paths(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "store").rglob("*") if path.is_file())


def _names(folder: Path, masks: Masks) -> list[str]:
    return sorted(masks(path.relative_to(folder).as_posix()) for path in _paths(folder))


def _learn_names(folder: Path, masks: Masks) -> None:
    """Mask the random names of attempts and of the store."""
    state = folder / "store" / "_aspen"
    for path in sorted((state / "commits").iterdir()):
        masks.add(json.loads(path.read_text("utf-8"))["token"], "TOKEN")
    masks.add(json.loads((state / "store.json").read_text("utf-8"))["token"], "STORE")
