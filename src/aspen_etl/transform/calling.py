"""Call what a model brings, and let none of its errors show a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from aspen_etl.errors import AspenETLError

__all__ = ["call"]

T = TypeVar("T")


def call(what: str, function: Callable[..., T], error: type[AspenETLError], /, **frames: Any) -> T:
    """Call a user's function on frames.

    Args:
        what: What the function is, for the message.
        function: The function.
        error: What to raise where it raises.
        **frames: What it takes.

    Raises:
        AspenETLError: It raised; the text names the kind of its error, and not its text, which
            may hold a cell. ``__context__`` does not hold it either.
    """
    try:
        return function(**frames)
    except AspenETLError:
        raise
    except Exception as found:  # noqa: BLE001 - whatever a user's function raises
        kind = type(found).__name__
    raise error(f"{what} raised {kind}; run it alone to see why", function=what, kind=kind)
