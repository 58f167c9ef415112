"""What a model asks of each source column, as the strategies need it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
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
from aspen_etl.transform.cleaning import Sheet

__all__ = ["ColumnPlan", "SheetPlan", "plan"]

Cell = Optional[str]

_INTEGER = re.compile(r"(?:0|-?[1-9][0-9]{0,18})\Z")


@dataclass(frozen=True)
class ColumnPlan:
    """What a cell of a source column must be to be accepted.

    Attributes:
        name: The column.
        required: A row without it is rejected.
        group: The table whose whole row a fault keeps out, where there is one.
        mandatory: The other cells of its group need it.
        reference: The sheet that it refers to.
        limit: The most characters of each part.
        parts: How many columns it is split over.
        formats: The forms that it must have.
        whole: It must be a whole number of 64 bits.
        cleaner: What the model does to it beside white space.
        splits_words: It is split at its first space, so both words may be of full length.
        own: The rules of the model's own that look at it alone.
    """

    name: str
    required: bool
    group: Optional[str]
    mandatory: bool
    reference: Optional[str]
    limit: Optional[int]
    parts: int
    formats: tuple[TextFormat, ...]
    whole: bool
    cleaner: Optional[Cleaner]
    splits_words: bool
    own: tuple[Rule, ...] = ()

    def clean(self, cells: Sequence[Cell]) -> list[Cell]:
        """Clean a column of cells as the contract and the model's cleaner say."""
        clean = [tidy(cell) for cell in cells]
        if self.cleaner is None:
            return clean
        after = self.cleaner(conform_text(pd.Series(clean, dtype=object)))
        return [tidy(cell) if isinstance(cell, str) else None for cell in as_text(after).array]

    def fits(self, cell: str) -> bool:
        """Tell whether a clean cell is accepted, for all that this column asks."""
        if holds_no_text(cell):
            return False
        if self.whole and not (_INTEGER.match(cell) and -(2**63) <= int(cell) < 2**63):
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
    """What a row of a sheet must be to be accepted."""

    name: str
    columns: tuple[ColumnPlan, ...]
    key: tuple[str, ...]


@lru_cache(maxsize=64)
def plan(model: Model) -> tuple[SheetPlan, ...]:
    """Work out what each sheet of a model asks, each after those that it refers to."""
    sheets = []
    for name, source in model.sources.items():
        columns = tuple(_column(model, name, column) for column in source.columns)
        sheets.append(SheetPlan(name, columns, model.lineage.sources[name].key))
    return tuple(sheets)


def _column(model: Model, sheet: str, name: str) -> ColumnPlan:
    lineage = model.lineage.sources[sheet]
    fed = [
        (model.tables[table], model.tables[table].columns[column])
        for table, column in lineage.destinations[name]
    ]
    parts = max(sum(table is other for other, _ in fed) for table, _ in fed)
    limits = [
        length for _, column in fed for length in [_length(model, column)] if length is not None
    ]
    limit = min(limits, default=None)
    scope = lineage.scopes[name]
    return ColumnPlan(
        name=name,
        required=name in lineage.required,
        group=None if scope in {WHOLE_ROW, VALUE} else scope,
        mandatory=any(not column.nullable for _, column in fed),
        reference=lineage.references.get(name),
        limit=limit,
        parts=parts,
        formats=tuple(dict.fromkeys(column.text_format for _, column in fed if column.text_format)),
        whole=any(column.type == "integer" and not column.references for _, column in fed),
        cleaner=model.cleaners.get(f"{sheet}.{name}"),
        splits_words=_splits_words(model, sheet, name, limit, [table for table, _ in fed]),
        own=tuple(rule for rule in model.rules.get(sheet, ()) if rule.columns == (name,)),
    )


def _breaks(column: str, cell: str, rule: Rule) -> bool:
    """Tell whether a clean cell breaks a rule that looks at its column alone."""
    frame = pd.DataFrame({column: conform_text(pd.Series([cell], dtype=object))})
    usable = {column: np.ones(1, dtype=bool)}
    alone = Sheet("alone", frame, frame, pd.Series([2]), usable, {}, {}, {}, {}, 0)
    (found,) = pd.Series(rule.mask(alone)).tolist()
    return found is True


def _length(model: Model, column: ColumnSpec) -> Optional[int]:
    """Give the limit of a column; text that a lookup table lists has the limit of the list."""
    if column.references is None or model.lineage.tables[column.references].kind != "lookup":
        return column.length
    parent = model.tables[column.references]
    return parent.columns[parent.natural_key[0]].length


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
