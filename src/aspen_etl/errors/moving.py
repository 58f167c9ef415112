"""Names that moved: the old place answers for a while, and says where they are now.

A name that a release takes away answers in that release and in the next one, with a warning.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Optional

__all__ = ["GONE_WITH", "moved", "warn_moved"]

#: The release that takes old names no more, by the release that took them away.
GONE_WITH: Mapping[str, str] = MappingProxyType({"0.3": "0.5", "0.4": "0.6"})


def warn_moved(told: str, since: str, /, *, level: int = 1) -> None:
    """Warn whoever uses an old name.

    Args:
        told: What the name is now.
        since: The release that took the old one away.
        level: How far above the caller of this function he is.
    """
    text = f"{told}; the old name goes with release {GONE_WITH[since]}"
    warnings.warn(text, DeprecationWarning, stacklevel=level + 2)


def moved(
    old: str,
    new: str,
    names: Iterable[str],
    /,
    load: Callable[[str], Optional[Any]] = lambda _: None,
) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a module whose names stand elsewhere now.

    Args:
        old: The module that they stood in.
        new: The module that has them, under the same names; it is imported when one is asked for.
        names: The names.
        load: Gives what the module has of its own and loads no sooner, or nothing.

    Returns:
        A function that gives what a name stands for, with a ``DeprecationWarning``.
    """
    known = frozenset(names)

    def find(name: str) -> Any:
        own = load(name)
        if own is not None:
            return own
        if name not in known:
            raise AttributeError(f"module {old!r} has no attribute {name!r}")
        warn_moved(f"{old}.{name} is {new}.{name} now", "0.3")
        return getattr(import_module(new), name)

    return find
