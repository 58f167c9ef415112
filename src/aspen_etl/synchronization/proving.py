"""Whether a run over what changed gives what a run over everything gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional, Union

from aspen_etl.columns.frames import equal_frames
from aspen_etl.normalization import NormalizeResult
from aspen_etl.normalization.touched import TouchedResult
from aspen_etl.transform.keys import Retired

__all__ = ["Comparable", "find_difference"]

#: What can be compared: it holds what changed, and not only how much.
Comparable = Union[NormalizeResult, TouchedResult]


def find_difference(one: Comparable, two: Comparable, /) -> Optional[str]:
    """Name what two results differ in; nothing where they are the same.

    Both are changes from one state before, so where these are equal, and the keys, the tables are.
    """
    for name, found in one.changes.items():
        if not found.equals(two.changes[name]):
            return f"changes of {name!r}"
    ours, theirs = _retired(one), _retired(two)
    for name, keys in ours.items():
        if keys.next != theirs[name].next or not equal_frames(keys.keys, theirs[name].keys):
            return f"keys of {name!r}"
    if not equal_frames(one.rejects, two.rejects):
        return "rejects"
    same = (
        one.summary.sources == two.summary.sources
        and one.summary.tables == two.summary.tables
        and set(one.summary.rejects) == set(two.summary.rejects)
    )
    return None if same else "counts"


def _retired(result: Comparable) -> Mapping[str, Retired]:
    if isinstance(result, TouchedResult):
        return result.keys
    return {
        name: Retired.of(state, result.tables[name], result.changes[name].table)
        for name, state in result.snapshot.keys.items()
    }
