"""Call what a model brings, and let none of its errors show a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Optional, TypeVar

from aspen_etl.columns.handing import as_given
from aspen_etl.errors import AspenETLError, ModelFunctionError
from aspen_etl.errors.base import instead

__all__ = ["call"]

T = TypeVar("T")


def call(
    what: str,
    function: Callable[..., T],
    problem: Literal["cleaner", "builder", "rule"],
    /,
    **frames: Any,
) -> T:
    """Call a user's function on frames, whose text it gets as its own pandas holds it.

    Args:
        what: What the function is, for the message.
        function: The function.
        problem: What the error calls it.
        **frames: What it takes.

    Raises:
        ModelFunctionError: It raised; the text names the kind of its error, and not its text, which
            may hold a cell. ``__context__`` does not hold it either.
        AspenETLError: It raised one of ours, which goes through.
    """

    def translate(error: Exception) -> Optional[AspenETLError]:
        known = isinstance(error, AspenETLError)
        return None if known else ModelFunctionError.raised(what, problem, error)

    given = {name: as_given(function, frame) for name, frame in frames.items()}
    return instead(lambda: function(**given), Exception, translate)
