"""What a model asks of each source column, as the strategies need it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.text import TextFormat, conform_text
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.lineage import ROW as WHOLE_ROW
from aspen_etl.schema.lineage import VALUE
from aspen_etl.schema.model import Cleaner, Model
from aspen_etl.schema.rule import Rule
from aspen_etl.schema.spec import TableSpec
from aspen_etl.testing._cells import holds_no_text, tidy
from aspen_etl.testing._entities import EntityPlan, find_entities, key_columns
from aspen_etl.testing._types import PLAIN
from aspen_etl.transform.cleaning import Sheet

__all__ = ["ColumnPlan", "SheetPlan", "plan"]

Cell = Optional[str]


@dataclass(frozen=True)
class ColumnPlan:
    """What a cell of a source column must be to be accepted.

    Attributes:
        name: The column.
        required: A row without it is rejected.
        group: The table whose whole row a fault keeps out, where there is one.
        mandatory: The other cells of its group, or of the entity that it tells of, need it.
        told: It tells of an entity, so that many rows may hold the same.
        reference: The sheet that it refers to.
        limit: The most characters of each part.
        parts: How many columns it is split over.
        formats: The forms that it must have.
        typed: The column of a table whose type it has, where that is not text.
        cleaner: What the model does to it beside white space.
        splits_words: It is split at its first space, so both words may be of full length.
        own: The rules of the model's own that look at it alone.
    """

    name: str
    required: bool
    group: Optional[str]
    mandatory: bool
    told: bool
    reference: Optional[str]
    limit: Optional[int]
    parts: int
    formats: tuple[TextFormat, ...]
    typed: Optional[ColumnSpec]
    cleaner: Optional[Cleaner]
    splits_words: bool
    own: tuple[Rule, ...] = ()

    def clean(self, cells: Sequence[Cell]) -> list[Cell]:
        """Clean a column of cells as the contract and the model's cleaner say.

        Text that can be read as a value becomes the canonical text of it.
        """
        clean = [tidy(cell) for cell in cells]
        if self.cleaner is not None:
            after = as_text(self.cleaner(conform_text(pd.Series(clean, dtype=object))))
            clean = [tidy(cell) if isinstance(cell, str) else None for cell in after.array]
        return clean if self.typed is None else [self._canonical(cell) for cell in clean]

    def _canonical(self, cell: Cell) -> Cell:
        if cell is None or self.typed is None:
            return cell
        return PLAIN[self.typed.type].judge(cell, self.typed)[0] or cell

    def fits(self, cell: str) -> bool:
        """Tell whether a clean cell is accepted, for all that this column asks."""
        if holds_no_text(cell):
            return False
        if self.typed is not None and PLAIN[self.typed.type].judge(cell, self.typed)[0] is None:
            return False
        if self.limit is not None and len(cell) > self.limit:
            words = cell.split(" ", 1)
            if (
                not self.splits_words
                or len(words) != self.parts
                or max(map(len, words)) > self.limit
            ):
                return False
        if not all(re.search(form.anchored, cell) for form in self.formats):
            return False
        return not any(_breaks(self.name, cell, rule) for rule in self.own)


@dataclass(frozen=True)
class SheetPlan:
    """What a row of a sheet must be to be accepted, and what it tells of entities."""

    name: str
    columns: tuple[ColumnPlan, ...]
    key: tuple[str, ...]
    entities: tuple[EntityPlan, ...] = ()

    @property
    def told(self) -> frozenset[str]:
        """The columns that tell of entities: what they hold is put to the vote."""
        return frozenset(column for entity in self.entities for column in entity.columns)


@lru_cache(maxsize=64)
def plan(model: Model) -> tuple[SheetPlan, ...]:
    """Work out what each sheet of a model asks, each after those that it refers to."""
    sheets = []
    for name in model.sources:
        rows = [
            model.tables[table]
            for table, found in model.lineage.tables.items()
            if found.source == name and model.tables[table].entity is None
        ]
        entities = find_entities(model, name, rows)
        columns = tuple(
            _column(model, name, column, entities) for column in model.sources[name].columns
        )
        key = key_columns(model, rows[0], name) if rows else model.lineage.sources[name].key
        sheets.append(SheetPlan(name, columns, key, entities))
    return tuple(sheets)


def _column(model: Model, sheet: str, name: str, entities: tuple[EntityPlan, ...]) -> ColumnPlan:
    lineage = model.lineage.sources[sheet]
    fed = _fed(model, f"{sheet}.{name}")
    parts = max(sum(table is other for other, _ in fed) for table, _ in fed)
    targets = [_target(model, column) for _, column in fed]
    limit = min((column.length for column in targets if column.length is not None), default=None)
    scope = lineage.scopes[name]
    told = {column for entity in entities for column in entity.columns}
    formats = [column.text_format for column in targets if column.text_format]
    return ColumnPlan(
        name=name,
        required=name in {*lineage.required, *_required(entities)},
        group=None if scope in {WHOLE_ROW, VALUE} or name in told else scope,
        mandatory=name in _mandatory(entities)
        if name in told
        else any(not column.nullable for _, column in fed),
        told=name in told,
        reference=lineage.references.get(name),
        limit=limit,
        parts=parts,
        formats=tuple(dict.fromkeys(formats)),
        typed=next((held for held in map(_typed(model), targets) if held is not None), None),
        cleaner=model.cleaners.get(f"{sheet}.{name}"),
        splits_words=_splits_words(model, sheet, name, limit, [table for table, _ in fed]),
        own=tuple(rule for rule in model.rules.get(sheet, ()) if rule.columns == (name,)),
    )


def _fed(model: Model, source: str) -> list[tuple[TableSpec, ColumnSpec]]:
    """Give the columns of tables that a source column feeds."""
    return [
        (table, column)
        for table in model.tables.values()
        for column in table.own_columns
        if source in column.source
    ]


def _required(entities: tuple[EntityPlan, ...]) -> set[str]:
    """Give the columns without which a row has not the entity that it must have."""
    return {column for entity in entities if entity.mandatory for column in entity.key}


def _mandatory(entities: tuple[EntityPlan, ...]) -> set[str]:
    """Give the columns without which there is no entity."""
    every = [plan for entity in entities for plan in entity.all()]
    keys = {column for plan in every for column in plan.key}  # a whole key, or nothing at all
    return keys | {each.column for plan in every for each in plan.attributes if each.mandatory}


def _breaks(column: str, cell: str, rule: Rule) -> bool:
    """Tell whether a clean cell breaks a rule that looks at its column alone."""
    frame = pd.DataFrame({column: conform_text(pd.Series([cell], dtype=object))})
    usable = {column: np.ones(1, dtype=bool)}
    alone = Sheet("alone", frame, frame, pd.Series([2]), usable, {}, {}, {}, {}, 0)
    (found,) = pd.Series(rule.mask(alone)).tolist()
    return found is True


def _target(model: Model, column: ColumnSpec) -> ColumnSpec:
    """Give the column that holds the text; of what many rows share, the column that lists it."""
    while column.references is not None:
        parent = model.tables[column.references]
        is_shared = parent.entity is not None or model.lineage.tables[parent.name].is_lookup
        if not is_shared or len(parent.natural_key) > 1:
            return column
        column = parent.columns[parent.natural_key[0]]
    return column


def _typed(model: Model) -> Callable[[ColumnSpec], Optional[ColumnSpec]]:
    """Give what finds the column whose type a cell has, where it is not text."""

    def find(column: ColumnSpec) -> Optional[ColumnSpec]:
        written = column.format
        while column.references is not None:
            parent = model.tables[column.references]
            if len(parent.natural_key) > 1:
                return None
            column = parent.columns[parent.natural_key[0]]
        held = replace(column, format=written or column.format)
        return held if PLAIN[held.type].is_read else None

    return find


def _splits_words(
    model: Model, sheet: str, name: str, limit: Optional[int], tables: list[TableSpec]
) -> bool:
    """Tell whether a builder parts this column at its first space, by letting it."""
    split = next((table for table in tables if tables.count(table) > 1), None)
    if split is None or limit is None:
        return False
    sample = f"{'x' * limit} {'y' * limit}"
    cells = {column: sample if column == name else "x" for column in model.sources[sheet].columns}
    frame = pd.DataFrame(
        {column: conform_text(pd.Series([cell], dtype=object)) for column, cell in cells.items()}
    )
    try:
        built = model.builders[split.name].build(**{sheet: frame})
    except Exception:  # noqa: BLE001 - a builder that needs other columns too is not known to part words
        return False
    found = {
        built[column.name].iloc[0]
        for column in split.own_columns
        if f"{sheet}.{name}" in column.source
    }
    return found == set(sample.split(" "))
