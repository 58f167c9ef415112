"""What comes of the histories: tables, keys, rejects, changes, summaries, and the sheets again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Optional

import aspen_etl as ae
from tests.still.generator import make_history
from tests.still.models import MODELS
from tests.still.rendering import show_changes, show_frame, show_frames, show_keys, show_value

__all__ = ["HISTORIES", "make_run", "show_history"]

#: How many histories of each model; every other one keeps what is missing.
_COUNTS = {"borrower": 16, "extended": 14, "seven": 10}

#: By name: the model, what becomes of missing rows, and the seed.
HISTORIES = {
    f"history/{model}/{missing}/{seed:02}": (model, missing, seed)
    for model, count in _COUNTS.items()
    for seed in range(count)
    for missing in [("delete", "keep")[seed % 2]]
}


def make_run(number: int) -> ae.Run:
    """Give the run of a number, a day and some after the one before."""
    time = dt.datetime(2026, 1, 30, 23, 59, 58, 765_999, tzinfo=dt.timezone.utc)
    return ae.Run(time=time + number * dt.timedelta(days=1, seconds=1.5), actor=f"still {number}")


def show_history(name: str) -> dict[str, str]:
    """Normalize a history run by run, and show all that comes of it, by part."""
    model, missing, seed = HISTORIES[name]
    shown: dict[str, list[str]] = {}
    previous: Optional[ae.Snapshot] = None
    for number, extract in enumerate(make_history(model, seed)):
        result = _normalize(extract, number, model, missing, previous)
        previous = result.snapshot
        for part, text in _parts(result, MODELS[model]):
            shown.setdefault(part, []).append(f"--- run {number + 1}\n{text}")
    return {part: "\n".join(texts) for part, texts in shown.items()}


def _normalize(
    extract: ae.Extract, number: int, model: str, missing: Any, previous: Optional[ae.Snapshot]
) -> ae.NormalizeResult:
    run = make_run(number)
    return ae.normalize(extract, run=run, model=MODELS[model], previous=previous, missing=missing)


def _parts(result: ae.NormalizeResult, model: ae.Model) -> Iterator[tuple[str, str]]:
    time = result.snapshot.time
    yield "tables", f"{time and time.isoformat()}\n{show_frames(result.tables)}"
    yield "keys", show_keys(result.snapshot.keys)
    yield "rejects", show_frame(result.rejects)
    yield "changes", show_changes(result.changes)
    yield "summary", show_value(result.summary.to_dict())
    yield "sheets", show_frames(ae.denormalize(result.tables, model=model))
