"""Keys: the columns that tell the rows of a sheet apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import Optional

import numpy as np

from aspen_etl.errors import ExtractError
from aspen_etl.errors.base import listing
from aspen_etl.inference.chance import CHANCE, same_by_chance
from aspen_etl.inference.columns import Sheet
from aspen_etl.inference.names import is_key_name, singular

__all__ = ["Key", "find_key", "given_key", "no_key"]

#: Under this share of rows whose key an earlier one has, these are faults, and become rejects.
_FEW = 0.05
#: What a column that numbers something within a row's group is called, such as a line.
_PART = re.compile(r"line|item|pos|seq|type|role")
#: What nobody knows a row by, though it may be unique in a short sheet.
_NO_KEYS = frozenset({"decimal", "boolean"})
_LATE = frozenset({"datetime", "timestamp", "integer"})
_NAMES_LATE = re.compile(r"(?:^|_)(?:amount|price|name|comment|note|description|total|sum)\Z")

#: How many combinations of columns are looked at, those with the fewest values first, and how many
#: rows before all of them: most combinations repeat themselves at once.
_TRIES = 200
_GLANCE = 2_000


@dataclass(frozen=True)
class Key:
    """What the rows of a sheet are known by.

    Attributes:
        columns: Its columns.
        repeated: How many rows have the key of an earlier one.
    """

    columns: tuple[str, ...]
    repeated: int = 0

    @property
    def single(self) -> Optional[str]:
        """The column, if it is one."""
        return self.columns[0] if len(self.columns) == 1 else None


def find_key(sheet: Sheet, /) -> Optional[Key]:
    """Find the key of a sheet: columns with a cell in each row.

    In this order: a unique column that is called like a key; two such columns; one that is called
    like the sheet's own key, with few rows that repeat it; any other unique column; two or three
    columns that are unique where chance would not have made them so; a column with few rows that
    repeat it.
    """
    named = sorted(filter(is_key_name, sheet.full), key=lambda name: _rank(sheet, name))
    parts = [name for name in sheet.full if is_key_name(name) or _PART.search(name)]
    others = _others(sheet)
    steps: tuple[Callable[[], Iterable[Sequence[str]]], ...] = (
        lambda: ((name,) for name in named if sheet[name].is_unique),
        lambda: (pair for pair in combinations(parts, 2) if _is_unique(sheet, pair)),
        lambda: ((name,) for name in named if _is_own(sheet, name) and _is_near(sheet, name)),
        lambda: ((name,) for name in others if sheet[name].is_unique),
        lambda: _combined(sheet, others),
        lambda: ((name,) for name in [*named, *others] if _is_near(sheet, name)),
    )
    found = next((tuple(key) for step in steps for key in step()), None)
    return None if found is None else Key(found, sheet.repeated(found))


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
    named = [name for name in sheet.full if is_key_name(name)]
    near = sorted(named or sheet.full, key=lambda name: sheet[name].repeated)[:3]
    sets = [(name,) for name in near] + list(combinations(near, 2))
    told = [f"{listing(names)} ({sheet.repeated(names):,} rows repeat it)" for names in sets]
    nearest = f"; nearest are {'; '.join(told)}" if told else "; no column has a cell in each row"
    return ExtractError(
        f"sheet {sheet.name}: nothing tells its {sheet.rows:,} rows apart{nearest}; give it a "
        "column that numbers its rows, or name the key, whose repetitions become rejects: "
        f"--key {sheet.name}=COLUMN[,COLUMN]",
        sheet=sheet.name,
        rows=sheet.rows,
        nearest=tuple(near),
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


def _others(sheet: Sheet) -> list[str]:
    """Give the columns that are called like no key and may be one, the likelier first."""
    kinds = {name: sheet[name].kind.type for name in sheet.full if not is_key_name(name)}
    able = [name for name, kind in kinds.items() if kind not in _NO_KEYS]

    def rank(name: str) -> tuple[bool, bool]:
        return _NAMES_LATE.search(name) is not None, kinds[name] in _LATE

    return sorted(able, key=rank)


def _combined(sheet: Sheet, others: Sequence[str]) -> Iterator[Sequence[str]]:
    """Give pairs, then triples, that are unique where chance would repeat them."""
    able = [name for name in sheet.full if name in others or is_key_name(name)]
    able = [name for name in able if 1 < len(sheet[name].cells) < sheet.rows]
    for size in (2, 3):
        sets = [each for each in combinations(able, size) if _repeats_by_chance(sheet, each)]
        sets.sort(key=lambda each: prod(len(sheet[name].cells) for name in each))
        yield from (each for each in sets[:_TRIES] if _is_unique(sheet, each))


def _repeats_by_chance(sheet: Sheet, names: Sequence[str]) -> bool:
    alike = prod(same_by_chance(sheet[name].counts) for name in names)
    return bool(np.square(sheet.rows, dtype=float) / 2 * alike > CHANCE)
