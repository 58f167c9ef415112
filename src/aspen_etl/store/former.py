"""Inner parts that a store had: they answer for a while, and say what they are now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aspen_etl.errors.moving import warn_moved
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.committing import (
    append,
    begin,
    check_places,
    claim_rejects,
    next_commit,
    retrying,
)
from aspen_etl.store.reading import find_older, load_old, lost, read_stored

__all__ = ["find_former"]

#: What they are now, by name; each takes a place first.
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "append": append,
    "attempt": Attempt,
    "begin": begin,
    "check_places": check_places,
    "claim_rejects": claim_rejects,
    "find_older": find_older,
    "frame": read_stored,
    "load_old": load_old,
    "lost": lost,
    "next_commit": next_commit,
    "retrying": retrying,
}

#: What its place has.
_OF_PLACE = (
    *("root", "rejects_root", "log", "format", "attempt_limit"),
    *("check_model", "format_after", "root_of"),
)


def find_former(store: Any, name: str, /) -> Any:
    """Give what ``SnapshotStore`` had under a name, with a ``DeprecationWarning``.

    Args:
        store: The store.
        name: The name.

    Raises:
        AttributeError: It never had that.
    """
    if name in _OF_PLACE:
        found, new = getattr(store.place, name), f"store.place.{name}"
    elif name in _FUNCTIONS:
        function = _FUNCTIONS[name]
        found = partial(function, store.place)
        new = f"{function.__module__}.{function.__name__}(store.place, ...)"
    else:
        raise AttributeError(f"'SnapshotStore' object has no attribute {name!r}")
    warn_moved(f"SnapshotStore.{name} is {new} now", "0.3", level=2)
    return found
