"""Names that moved: the old place answers for a while, and says where they are now."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

__all__ = ["moved"]


def moved(old: str, new: str, names: Iterable[str], /) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a module whose names stand elsewhere now.

    Args:
        old: The module that they stood in.
        new: The module that has them, under the same names; it is imported when one is asked for.
        names: The names.

    Returns:
        A function that gives what a name stands for, with a ``DeprecationWarning``.
    """
    known = frozenset(names)

    def find(name: str) -> Any:
        if name not in known:
            raise AttributeError(f"module {old!r} has no attribute {name!r}")
        warnings.warn(
            f"{old}.{name} is {new}.{name} now; the old name goes with release 0.4",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(import_module(new), name)

    return find
