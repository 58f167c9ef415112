"""Fan-outs: columns of one meaning, as ``phone_home`` and ``phone_cell``, as rows of a table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Optional

from aspen_etl.inference.columns import Sheet, joined_cells
from aspen_etl.inference.kind import Kind
from aspen_etl.inference.types import infer_kind
from aspen_etl.schema.column_spec import ColumnType

__all__ = ["FanOut", "find_fan_outs"]

#: What somebody has several of, each in a column of its own.
_CONTACTS = frozenset({"email", "fax", "mail", "mobile", "phone", "tel", "telephone"})
#: What numbers columns: two alone may be the two halves of one thing.
_NUMBERS = re.compile(
    r"[0-9]+|q[1-4]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    r"|january|february|march|april|june|july|august|september|october|november|december"
    r"|mon|tue|wed|thu|fri|sat|sun"
)
_LEAST, _LEAST_NUMBERED = 2, 3
#: Types of which a column may have one and its like another.
_ALIKE: frozenset[ColumnType] = frozenset({"integer", "decimal"})
#: What columns hold that each say whether one thing is so: they are several, not one.
_FLAGS = frozenset({"0", "1"})
#: What has a shorter name than this has no name: ``x1`` to ``x9``.
_SHORTEST = 3
#: What is called like this has no name: ``column_3`` is the third, unless all such are years.
_NAMELESS, _YEAR = "column", re.compile("1[89][0-9]{2}|20[0-9]{2}")
_DIGITS = re.compile(r"(?P<stem>.*[a-z])(?P<word>[0-9]+)\Z")


@dataclass(frozen=True)
class FanOut:
    """Columns of a sheet that hold the same, each for another word.

    Attributes:
        sheet: The sheet.
        pattern: Their names, with ``*`` for the word.
        stem: What they hold.
        words: The words, in the order of the columns.
        kind: The type of all their cells.
    """

    sheet: str
    pattern: str
    stem: str
    words: tuple[str, ...]
    kind: Kind

    @property
    def is_nameless(self) -> bool:
        """Whether they are called by their years alone."""
        return self.stem == _NAMELESS

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(self.pattern.replace("*", word) for word in self.words)


def find_fan_outs(sheet: Sheet, taken: Collection[str], /) -> list[FanOut]:
    """Find columns of one meaning by what their names begin or end with.

    Args:
        sheet: The sheet.
        taken: Its columns that have a meaning of their own: keys, references, those of entities.

    Returns:
        Groups of contacts (``phone_home``, ``cell_phone``), or of at least three that numbers,
        months or days tell apart (``score_1``), all of one type; no column in two.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for name in sheet.columns:
        if name not in taken:
            for pattern, stem, word in _readings(name):
                groups.setdefault((pattern, stem), []).append(word)
    used: set[str] = set()
    found = []
    for (pattern, stem), words in sorted(groups.items(), key=lambda held: -len(held[1])):
        one = _fan_out(sheet, pattern, stem, words)
        if one is not None and used.isdisjoint(one.columns):
            used.update(one.columns)
            found.append(one)
    return found


def _readings(name: str) -> Iterator[tuple[str, str, str]]:
    """Give pattern, stem and word of each way to read a name."""
    first, line, rest = name.partition("_")
    if line and first in _CONTACTS:
        yield f"{first}_*", first, rest
    before, line, last = name.rpartition("_")
    if line and last in _CONTACTS:
        yield f"*_{last}", last, before
    elif line and _NUMBERS.fullmatch(last):
        yield f"{before}_*", before, last
    digits = _DIGITS.fullmatch(name)
    if digits:
        yield f"{digits['stem']}*", digits["stem"], digits["word"]


def _fan_out(sheet: Sheet, pattern: str, stem: str, words: list[str]) -> Optional[FanOut]:
    least = _LEAST if stem in _CONTACTS else _LEAST_NUMBERED
    if len(words) < least or len(stem) < _SHORTEST:
        return None
    if stem == _NAMELESS and not all(map(_YEAR.fullmatch, words)):
        return None
    columns = [sheet[pattern.replace("*", word)] for word in words]
    held = [column for column in columns if column.present]
    if not held:
        return None
    cells = joined_cells(held)
    if set(cells) <= _FLAGS:
        return None
    kind = infer_kind(stem, cells)
    kinds = {column.kind.type for column in held} | {kind.type}
    is_one = len(kinds) == 1 or kinds <= _ALIKE
    return FanOut(sheet.name, pattern, stem, tuple(words), kind) if is_one else None
