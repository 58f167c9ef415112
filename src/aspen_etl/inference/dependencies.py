"""Entities: columns that another one determines, as a clinic's code determines its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from aspen_etl.inference.chance import CHANCE, same_by_chance
from aspen_etl.inference.columns import Column, Sheet
from aspen_etl.inference.keys import Key
from aspen_etl.inference.names import is_key_name

__all__ = ["Group", "determines", "find_groups"]

#: In so many rows the one column says what the other is; typing errors are what the vote is for.
_MOST = 0.995
#: A column with a larger share of distinct cells repeats too seldom to determine anything.
_REPEATS = 0.7


@dataclass(frozen=True)
class Group:
    """A column of a sheet, and those that it determines.

    Attributes:
        head: The column that determines.
        columns: The others, in the order of the sheet.
    """

    head: str
    columns: tuple[str, ...]


def find_groups(sheet: Sheet, key: Key, references: Collection[str], /) -> list[Group]:
    """Find the entities of a sheet; that with the fewest rows takes a column.

    Args:
        sheet: The sheet.
        key: Its key, whose columns nothing determines.
        references: Its columns that refer to other sheets, which are no entities of their own.

    Returns:
        Groups, no column in two; the head of one may be a column of another.
    """
    heads = [
        name
        for name, column in sheet.columns.items()
        if is_key_name(name)
        and key.columns != (name,)
        and column.present
        and len(column.cells) < _REPEATS * column.present
    ]
    heads.sort(key=lambda name: len(sheet[name].cells))
    able = [name for name in sheet.columns if name not in key.columns]
    said = {
        head: [name for name in able if name != head and determines(sheet[head], sheet[name])]
        for head in heads
    }
    return _parted(heads, said, references)


def _parted(
    heads: list[str], said: Mapping[str, list[str]], references: Collection[str]
) -> list[Group]:
    """Give each column to one head, and none to a head that says no more than it."""
    owner: dict[str, str] = {}
    groups: list[tuple[str, list[str]]] = []
    for head in heads:
        twin = owner.get(head)
        if head in references or (twin is not None and twin in said[head]):
            continue
        mine = [name for name in said[head] if name not in owner]
        mine = [name for name in mine if not _is_above(name, head, groups, said)]
        if mine:
            groups.append((head, mine))
            owner.update(dict.fromkeys(mine, head))
    return [Group(head, tuple(columns)) for head, columns in groups]


def _is_above(
    name: str, head: str, groups: list[tuple[str, list[str]]], said: Mapping[str, list[str]]
) -> bool:
    """Tell whether a column is a head already, and determines this one."""
    return any(name == each for each, _ in groups) and head in said.get(name, ())


def determines(one: Column, other: Column, /) -> bool:
    """Tell whether a column says what another is, beyond what chance would make of them.

    It must repeat, say the same in 99.5 % of the rows, and have a cell wherever the other has one.
    """
    both = (one.codes >= 0) & (other.codes >= 0)
    rows = int(both.sum())
    if rows < _MOST * other.present or not rows:
        return False
    mine, theirs = one.codes[both], other.codes[both]
    heads = np.bincount(mine, minlength=len(one.cells))
    distinct = int((heads > 0).sum())
    counts = np.bincount(theirs, minlength=len(other.cells))
    alike = same_by_chance(counts)
    if distinct > _REPEATS * rows or (rows - distinct) * -np.log(alike) <= CHANCE:
        return False
    pairs, often = np.unique(mine * len(other.cells) + theirs, return_counts=True)
    best = np.zeros(len(heads), dtype=np.int64)
    np.maximum.at(best, pairs // len(other.cells), often)
    return bool(best.sum() >= _MOST * rows)
