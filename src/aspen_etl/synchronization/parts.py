"""Into how many parts a run divides subjects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

from aspen_etl.errors import ArgumentError

__all__ = ["LEAST_MEMORY", "Parts"]

#: What a process has before it holds a part, in bytes, and how much a byte of the source takes,
#: as measured for CSV (docs/explanation/performance.md).
_BASE = 200 << 20
_FACTOR = 8.0

#: The least that ``max_memory`` may be.
LEAST_MEMORY = 256 << 20


@dataclass(frozen=True)
class Parts:
    """Say how large the parts are in which a run normalizes.

    Args:
        subjects: How many subjects a part has, about.
        max_memory: The bytes that a process may take, about; parts are smaller where these ask
            for it. It is an estimate by the bytes of the source, not a limit that is enforced.

    Raises:
        ArgumentError: A part would be of nobody, or less memory than a process needs.

    Examples:
        >>> Parts(subjects=1000).subjects_of(rows=10_000, size=1 << 20)
        1000
        >>> Parts(max_memory=512 << 20).subjects_of(rows=1_000_000, size=200 << 20)
        166666
    """

    subjects: int = 250_000
    max_memory: Optional[int] = None

    def __post_init__(self) -> None:
        """Look at the numbers."""
        if self.subjects < 1:
            msg = "Parts(subjects=) must be 1 or more"
            raise ArgumentError(msg, problem="parts", argument="subjects")
        if self.max_memory is not None and self.max_memory < LEAST_MEMORY:
            msg = f"Parts(max_memory=) must be {LEAST_MEMORY:,} bytes or more"
            raise ArgumentError(msg, problem="parts", argument="max_memory")

    @property
    def bytes_at_once(self) -> int:
        """How many bytes of what was spilled two sides are compared of at a time."""
        most = LEAST_MEMORY if self.max_memory is None else self.max_memory
        return max(int((most - _BASE) / _FACTOR), 1)

    def subjects_of(self, *, rows: int, size: int) -> int:
        """Give how many subjects a part of a source has.

        Args:
            rows: About how many subjects the source has.
            size: The bytes of the source, unpacked.
        """
        if self.max_memory is None:
            return self.subjects
        wanted = max(math.ceil(size * _FACTOR / (self.max_memory - _BASE)), 1)
        return max(min(self.subjects, rows // wanted), 1)
