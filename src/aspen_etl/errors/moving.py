"""Names that are others now: the old one answers for a while, and says what it is.

A name that a release takes away answers in that release and in the next one, with a warning.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["GONE_WITH", "warn_moved"]

#: The release that takes old names no more, by the release that took them away.
GONE_WITH: Mapping[str, str] = MappingProxyType({"0.4": "0.6"})


def warn_moved(told: str, since: str, /, *, level: int = 1) -> None:
    """Warn whoever uses an old name.

    Args:
        told: What the name is now.
        since: The release that took the old one away.
        level: How far above the caller of this function he is.
    """
    text = f"{told}; the old name goes with release {GONE_WITH[since]}"
    warnings.warn(text, DeprecationWarning, stacklevel=level + 2)
