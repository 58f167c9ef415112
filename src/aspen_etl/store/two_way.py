"""Whether a store is kept in step with two sides: it begins, and it ends, by a commit."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from aspen_etl.errors import NotSupportedError, StoreOnHoldError, TwoWayError
from aspen_etl.schema.model import Model
from aspen_etl.schema.side_frames import PRESENT
from aspen_etl.schema.values import Run
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.commit import Commit
from aspen_etl.store.committing import append, commit_sides, next_commit, retrying
from aspen_etl.store.place import Place
from aspen_etl.store.shadows import Sides, SideState
from aspen_etl.transform.parting import can_part

__all__ = ["begin", "end"]


def begin(place: Place, run: Run, /) -> Commit:
    """Let the store be kept in step with two sides; the newest commit where it is already."""
    return retrying(place, partial(_begin, place, run))


def _begin(place: Place, run: Run, newest: Commit) -> Commit:
    if newest.sides is not None:
        return newest
    if newest.hold is not None:
        raise StoreOnHoldError.at(place.url, newest.hold)
    _check(place.model)
    # It was not written to: there is no token.
    sides = Sides({"old": SideState(newest.version)})
    return commit_sides(place, newest, sides, run=run, kind="two_way")


def _check(model: Model) -> None:
    """Make sure that the rows of two sides can be told apart and kept."""
    can_part(model)
    for name, sheet in model.sources.items():
        if PRESENT in sheet.columns:
            msg = (
                f"the sheet {name!r} has a column {PRESENT!r}, which is what a two-way store calls "
                "a mark of its own; give the column another name in the model"
            )
            raise NotSupportedError(msg, source=name, column=PRESENT)


def end(place: Place, run: Run, /, *, discard: bool) -> Commit:
    """Let the store be fed by runs again; the newest commit where it is not two-way."""
    return retrying(place, partial(_end, place, run, discard))


def _end(place: Place, run: Run, discard: bool, newest: Commit) -> Commit:  # noqa: FBT001
    if newest.sides is None:
        return newest
    waiting = {name: side.waiting for name, side in newest.sides.items() if side.waiting}
    if waiting and not discard:
        raise TwoWayError.waiting(place.url, waiting)
    attempt = Attempt(place, newest.version + 1, base=newest)
    commit = next_commit(place, newest, "one_way", run, attempt)
    return append(place, replace(commit, sides=None), attempt)
