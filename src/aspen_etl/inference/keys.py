"""Keys: the columns that tell the rows of a sheet apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import Optional

from aspen_etl.errors import ExtractError
from aspen_etl.errors.base import listing
from aspen_etl.inference.chance import CHANCE, same_by_chance
from aspen_etl.inference.columns import Sheet
from aspen_etl.inference.names import is_key_name, singular
from aspen_etl.schema.column_spec import ColumnType

__all__ = ["Key", "find_key", "given_key", "no_key"]

#: How many near keys a message shows.
_SHOWN = 3
#: Under this share of rows whose key an earlier one has, these are faults, and become rejects.
_FEW = 0.05
#: What a column that numbers something within a row's group is called, such as a line.
_PART = re.compile(r"line|item|pos|seq|type|role")
#: What may tell rows apart, and what may do so by chance, in a short sheet.
_ABLE: frozenset[ColumnType] = frozenset({"text", "date"})
_LATE: frozenset[ColumnType] = frozenset({"datetime", "timestamp", "integer"})
_NAMES = re.compile(r"(?:^|_)(?:name|title|address|comment|note|description|remark|text)s?\Z")

#: How many combinations of columns are looked at, those with the fewest values first, and how many
#: rows before all of them: most combinations repeat themselves at once.
_TRIES = 2_000
_GLANCE = 2_000
#: How many columns are combined, by how many at a time: the first of the sheet, where keys stand.
_WIDEST = {2: 200, 3: 50}

_GUESS = "the key is a guess: it tells these rows apart, and is called otherwise"
_NO_ROWS = "there was no row to go by: its key and its types are guesses"


@dataclass(frozen=True)
class Key:
    """What the rows of a sheet are known by.

    Attributes:
        columns: Its columns.
        repeated: How many rows have the key of an earlier one.
        note: What a reader should look at, or ''.
    """

    columns: tuple[str, ...]
    repeated: int = 0
    note: str = ""

    @property
    def single(self) -> Optional[str]:
        """The column, if it is one."""
        return self.columns[0] if len(self.columns) == 1 else None


def find_key(sheet: Sheet, /) -> Optional[Key]:
    """Find the key of a sheet: columns with a cell in each row.

    In this order: a unique column that is called like a key; such a one with another that numbers
    something in it, as a line; one that is called like the sheet's own key, with few rows that
    repeat it; two that are called like keys; another unique column of texts or dates; two or three
    columns that are unique where chance would not have made them so; any other unique column; one
    with few rows that repeat it. Without rows, names alone count.
    """
    if not sheet.rows:
        first = min(sheet.columns, key=lambda name: (not is_key_name(name), *_rank(sheet, name)))
        return Key((first,), note=_NO_ROWS)
    named = sorted(filter(is_key_name, sheet.full), key=lambda name: _rank(sheet, name))
    parts = [name for name in sheet.full if is_key_name(name) or _PART.search(name)]
    numbered: list[tuple[str, str]] = []
    paired: list[tuple[str, str]] = []
    for pair in combinations(parts, 2):
        (numbered if any(map(_PART.search, pair)) else paired).append(pair)
    early, late = _others(sheet)
    steps: tuple[Callable[[], Iterable[Sequence[str]]], ...] = (
        lambda: ((name,) for name in named if sheet[name].is_unique),
        lambda: (pair for pair in numbered if _is_unique(sheet, pair)),
        lambda: ((name,) for name in named if _is_own(sheet, name) and _is_near(sheet, name)),
        lambda: (pair for pair in paired if _is_unique(sheet, pair)),
        lambda: ((name,) for name in early if sheet[name].is_unique),
        lambda: _combined(sheet, [*named, *early, *late]),
        lambda: ((name,) for name in late if sheet[name].is_unique),
        lambda: ((name,) for name in [*named, *early] if _is_near(sheet, name)),
    )
    found = next((tuple(key) for step in steps for key in step()), None)
    if found is None:
        return None
    is_told = set(found) <= set(parts) if len(found) > 1 else found[0] in named
    return Key(found, sheet.repeated(found), "" if is_told else _GUESS)


def given_key(sheet: Sheet, columns: Sequence[str], /) -> Key:
    """Take the key that the caller names.

    Raises:
        ExtractError: The sheet has no such column.
    """
    for name in columns:
        if name not in sheet.columns:
            known = listing(tuple(sheet.columns))
            msg = f"sheet {sheet.name}: no column {name!r} to be its key; it has {known}"
            raise ExtractError(msg, sheet=sheet.name, column=name)
    return Key(tuple(columns), sheet.repeated(columns))


def no_key(sheet: Sheet, /) -> ExtractError:
    """Say which columns are nearest to a key, and what to do."""
    able = [name for name in sheet.full if sheet[name].kind.type in _ABLE | _LATE]
    able = sorted(able, key=lambda name: sheet[name].repeated)[:_SHOWN]
    sets = [(name,) for name in able] + list(combinations(able, 2))
    near = sorted((sheet.repeated(names), names) for names in sets)[:_SHOWN]
    told = [
        f"{listing(names)} " + (f"(repeated by {count:,})" if count else "(unique by chance)")
        for count, names in near
    ]
    nearest = (
        f"; nearest are {'; '.join(told)}"
        if told
        else ", and each column misses cells, or holds amounts or flags"
    )
    return ExtractError(
        f"sheet {sheet.name}: no column, pair or triple tells its {sheet.rows:,} rows apart"
        f"{nearest}; give it a column that numbers its rows, or name a key, whose repetitions "
        f"become rejects: keys={{{sheet.name!r}: ...}} (--key {sheet.name}=COLUMN,COLUMN)",
        sheet=sheet.name,
        rows=sheet.rows,
        nearest=tuple(names for _, names in near),
    )


# ----------------------------------------------------------------------------- columns


def _rank(sheet: Sheet, name: str) -> tuple[bool, int]:
    return not _is_own(sheet, name), list(sheet.columns).index(name)


def _is_own(sheet: Sheet, name: str) -> bool:
    return name == "id" or name.startswith(singular(sheet.name))


def _is_near(sheet: Sheet, name: str) -> bool:
    return sheet[name].repeated < _FEW * sheet.rows


def _is_unique(sheet: Sheet, names: Sequence[str]) -> bool:
    if prod(len(sheet[name].cells) for name in names) < sheet.rows:
        return False
    return not sheet.repeated(names, _GLANCE) and not sheet.repeated(names)


def _others(sheet: Sheet) -> tuple[list[str], list[str]]:
    """Give the columns that are called like no key and may be one, and those that by chance are."""
    held = {name: sheet[name].kind for name in sheet.full if not is_key_name(name)}
    # A number that became text for want of a format is a number.
    held = {name: kind for name, kind in held.items() if not kind.note}
    early = [name for name, kind in held.items() if kind.type in _ABLE]
    prose = [name for name in early if _NAMES.search(name)]
    late = [name for name, kind in held.items() if kind.type in _LATE]
    return [name for name in early if name not in prose], [*late, *prose]


def _combined(sheet: Sheet, names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Give pairs, then triples, that are unique where chance would repeat them."""
    able = [name for name in sheet.full if name in names]
    able = [name for name in able if 1 < len(sheet[name].cells) < sheet.rows]
    alike = {name: same_by_chance(sheet[name].counts) for name in able}
    sizes = {name: len(sheet[name].cells) for name in able}
    for count, widest in _WIDEST.items():
        # There are as many combinations as rows, and chance alone would repeat some.
        sets = [
            (size, names)
            for names in combinations(able[:widest], count)
            if (size := prod(sizes[name] for name in names)) >= sheet.rows
            and float(sheet.rows) ** 2 / 2 * prod(alike[name] for name in names) > CHANCE
        ]
        sets.sort(key=lambda each: each[0])
        yield from (each for _, each in sets[:_TRIES] if _is_unique(sheet, each))
