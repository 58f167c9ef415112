"""How much of what is costly is tried: a part of the examples, some of the cases."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TypeVar

from hypothesis import settings

_Case = TypeVar("_Case")
_Other = TypeVar("_Other")

#: The examples of a profile that only looks whether anything differs with other versions.
BRIEF = 5

#: ... and of one that only looks whether anything differs on another Python.
SCANT = 2

#: From how many examples on a profile takes each case there is: by hand, since it takes an hour.
THOROUGH = 60

#: ... and from how many on it looks for what is rare.
DEEP = 1_000


def some(divisor: int, least: int) -> settings:
    """Give one example for every ``divisor`` of the profile's, and at least ``least``.

    The brief profile goes below that.
    """
    count = settings().max_examples
    return settings(max_examples=max(2 if is_brief() else least, count // divisor))


def is_brief() -> bool:
    """Tell whether this run only looks whether anything differs with other versions."""
    return settings().max_examples <= BRIEF


def is_thorough() -> bool:
    """Tell whether this run takes each case there is."""
    return settings().max_examples >= THOROUGH


def is_deep() -> bool:
    """Tell whether this run looks for what is rare."""
    return settings().max_examples >= DEEP


def few(cases: list[_Case], count: int) -> list[_Case]:
    """Give the cases, or in a brief run as many of them, spread over all; the last is one."""
    if not is_brief() or len(cases) <= count:
        return cases
    return [cases[(turn + 1) * len(cases) // count - 1] for turn in range(count)]


def in_turn(cases: Iterable[_Case], others: Sequence[_Other]) -> list[tuple[_Case, _Other]]:
    """Give each case with one of the others in turn, or in a thorough run with each of them."""
    if is_thorough():
        return list(itertools.product(cases, others))
    return list(zip(cases, itertools.cycle(others)))
