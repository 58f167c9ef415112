"""What is to be written to a flat table, as values of its columns, and what it cannot hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.model import Model
from aspen_etl.sql.flat_moments import Read
from aspen_etl.sql.flat_targets import Target
from aspen_etl.sql.flat_values import flat_values, values_of
from aspen_etl.transform.flat_changes import FlatChanges

__all__ = ["SheetWrite", "UpdateGroup", "cells_of", "plan_write"]


@dataclass(frozen=True)
class UpdateGroup:
    """Rows of which the same columns change.

    Attributes:
        columns: The columns, as the model calls them.
        rows: Which of the updated rows they are.
        values: By column, what they have after.
    """

    columns: tuple[str, ...]
    rows: Positions = field(repr=False)
    values: Mapping[str, Sequence[Any]] = field(repr=False)


@dataclass(frozen=True)
class SheetWrite:
    """What is to be written to one table.

    Attributes:
        target: The table.
        inserted: The new rows, clean.
        deleted: The rows that go, as they are known.
        updated: The rows that change, after.
        was: The same rows before.
        groups: The rows that change, by what changes.
        values: What the new rows have, by column of the model.
        refused: What the table cannot hold, as texts.
    """

    target: Target
    inserted: pd.DataFrame = field(repr=False)
    deleted: pd.DataFrame = field(repr=False)
    updated: pd.DataFrame = field(repr=False)
    was: pd.DataFrame = field(repr=False)
    groups: tuple[UpdateGroup, ...]
    values: Mapping[str, list[Any]] = field(repr=False)
    refused: tuple[str, ...]

    @property
    def guarded(self) -> tuple[str, ...]:
        """What the database calls the columns whose cells guard a write."""
        columns = self.target.table.columns
        changed = [columns[name] for group in self.groups for name in group.columns]
        gone = list(columns.values()) if len(self.deleted) else []
        return tuple(dict.fromkeys([*self.target.identity, *changed, *gone]))


def plan_write(target: Target, changes: FlatChanges, model: Model, /) -> SheetWrite:
    """Turn the changes of one sheet into values.

    Args:
        target: The table.
        changes: The changes.
        model: The model.
    """
    source = target.table.source
    inserted, deleted, updated, was = (
        _conformed(frames[source], list(target.table.columns))
        for frames in (changes.inserted, changes.deleted, changes.updated, changes.was)
    )
    refused: list[str] = []
    values = {}
    for name in _written(target):
        values[name], found = _values(target, name, inserted[name], model)
        refused += found
    groups = []
    for columns, rows in _group(was, updated):
        held = {}
        for name in columns:
            texts = COLUMNS.take(updated[name], rows)
            held[name], found = _values(target, name, texts, model)
            refused += found
        groups.append(UpdateGroup(columns, rows, held))
    told = tuple(dict.fromkeys(refused))
    return SheetWrite(target, inserted, deleted, updated, was, tuple(groups), values, told)


def _conformed(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    held = {name: conform_text(frame[name]).reset_index(drop=True) for name in columns}
    return make_frame(held)


def _written(target: Target) -> list[str]:
    """Name the columns of the model that take a value."""
    return [name for name, held in target.table.columns.items() if held not in target.own]


def _group(was: pd.DataFrame, updated: pd.DataFrame) -> Iterator[tuple[tuple[str, ...], Positions]]:
    """Give the rows that change, by the columns that do."""
    names = list(updated.columns)
    differs = [COLUMNS.differ(was[name], updated[name]) for name in names]
    changed = np.column_stack(differs) if len(updated) else np.zeros((0, len(names)), dtype=bool)
    kinds, which = np.unique(changed, axis=0, return_inverse=True)
    for at, kind in enumerate(kinds):
        columns = tuple(name for name, differs in zip(names, kind.tolist()) if differs)
        if columns:
            yield columns, np.flatnonzero(which.ravel() == at)


def _values(
    target: Target, name: str, texts: pd.Series, model: Model
) -> tuple[list[Any], list[str]]:
    """Give the values of a column, and what it cannot hold."""
    held = target.table.columns[name]
    read = values_of(target.kinds[held], is_typed=target.guards.is_typed)
    if target.table.cells[name].is_text:
        read = _in_words(read, model, f"{target.table.source}.{name}")
    empty = None
    if held in target.required:
        # A cell of white space is a missing one, so an empty text says that it is.
        is_word = isinstance(target.kinds[held], sa.Enum)
        empty = "" if target.table.cells[name].is_text and not is_word else NotImplemented
    found = flat_values(cells_of(texts), read, empty=empty)
    told = [
        f"{target.table.source}.{name}: {count:,} {'is' if count == 1 else 'are'} {why}"
        for why, count in found.misfits.items()
    ]
    return found.cells, told


def _in_words(read: Read, model: Model, cell: str) -> Read:
    """Say true and false by the first words that the model declares for them."""
    spec = model.lineage.cells.get(cell)
    said = () if spec is None else spec.words
    words = {str(value).lower(): word for word, value in reversed(said)}
    return (lambda text: read(words.get(text, text))) if words else read


def cells_of(values: pd.Series, /) -> list[Any]:
    """Give the cells of a column, a missing one as None."""
    cells = values.to_numpy(dtype=object, copy=True)
    cells[values.isna().to_numpy(dtype=bool)] = None
    return cells.tolist()
