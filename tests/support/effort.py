"""How many examples a costly property gets: a part of what the others get."""

from __future__ import annotations

from hypothesis import settings

#: The examples of a profile that only looks whether anything differs with other versions.
BRIEF = 8

#: ... and of one that only looks whether anything differs on another Python.
SCANT = 2


def some(divisor: int, least: int) -> settings:
    """Give one example for every ``divisor`` of the profile's, and at least ``least``.

    The brief profile goes below that.
    """
    count = settings().max_examples
    return settings(max_examples=max(2 if count <= BRIEF else least, count // divisor))
