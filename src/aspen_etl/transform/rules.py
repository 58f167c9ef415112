"""The rules of a model: what each sheet is held against, as values.

Most rules are written nowhere: which columns are required, limited or of a form follows from the
tables that they feed (``schema.lineage``). A model may bring more (``Model.rules``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.scanning import control_characters
from aspen_etl.columns.text import TextFormat
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.rule import Rule
from aspen_etl.schema.types import INVALID, TYPES
from aspen_etl.transform.calling import call
from aspen_etl.transform.cleaning import Sheet

__all__ = ["Rule", "duplicate_rule", "rules_of"]


def rules_of(model: Model, /) -> dict[str, tuple[Rule, ...]]:
    """Give the rules that the rows of each sheet are held against, by sheet.

    They follow from the declarations; then come those that the model brings. Two kinds are not
    among them: what a reader could not take as text is told by the reader, and which rows are
    duplicates depends on the verdict of all other rules (``duplicate_rule``).

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> rules = rules_of(BORROWER_MODEL)["borrower"]
        >>> [rule.name for rule in rules if rule.columns[0] == "phone_cell"]
        ['invalid_text', 'invalid_phone', 'too_long']
    """
    return {
        name: (*_declared(_Traced(name, model)), *model.rules.get(name, ()))
        for name in model.sources
    }


def duplicate_rule(source: str, model: Model, /) -> tuple[str, str]:
    """Name the rule that a row breaks which comes after an accepted one, and its column."""
    column = model.lineage.sources[source].key[-1]
    return f"duplicate_{model.sources[source].columns[column].label}", column


class _Traced(NamedTuple):
    """One sheet of a model, and where its cells go."""

    source: str
    model: Model

    def label(self, column: str) -> str:
        return self.model.sources[self.source].columns[column].label

    def scope(self, column: str) -> str:
        return self.model.lineage.sources[self.source].scopes[column]

    def targets(self, column: str) -> list[tuple[str, ColumnSpec]]:
        """Give the columns that hold the text in the end, by table: of an entity, its key."""
        fed = self.model.lineage.sources[self.source].destinations[column]
        return [(table, self._target(table, name)) for table, name in fed]

    def _target(self, table: str, name: str) -> ColumnSpec:
        spec, lineage = self.model.tables[table].columns[name], self.model.lineage
        while spec.references and lineage.tables[spec.references].kind == "entity":
            parent = self.model.tables[spec.references]
            spec = parent.columns[parent.natural_key[0]]
        return spec

    def parts(self, table: str, column: str) -> list[ColumnSpec]:
        """Give the columns of a table that hold a part of the cell; more than one: it is split."""
        name = f"{self.source}.{column}"
        return [spec for spec in self.model.tables[table].own_columns if name in spec.source]


def _declared(sheet: _Traced) -> Iterator[Rule]:
    lineage = sheet.model.lineage.sources[sheet.source]
    for column in lineage.scopes:
        yield from _cells(sheet, column)
    for table in dict.fromkeys(lineage.scopes.values()):
        if table in sheet.model.tables:
            yield from _groups(sheet, table)
    for column in lineage.required:
        name = f"missing_{sheet.label(column)}"
        yield Rule(name, sheet.scope(column), (column,), partial(_is_missing, column))
    for column, parent in lineage.references.items():
        look = partial(_is_unknown, column)
        yield Rule(f"unknown_{parent}", sheet.scope(column), (column,), look)


def _cells(sheet: _Traced, column: str) -> Iterator[Rule]:
    """Give the rules that look at the cells of one column."""
    scope, one = sheet.scope(column), (column,)
    if f"{sheet.source}.{column}" in sheet.model.cleaners:
        yield Rule("emptied", scope, one, partial(_was_emptied, column))
    yield Rule("invalid_text", scope, one, partial(_holds_control, column))
    for target in dict.fromkeys(target for _, target in sheet.targets(column)):
        if target.text_format is not None:
            name = f"invalid_{target.text_format.name}"
            yield Rule(name, scope, one, partial(_not_of_form, column, target.text_format))
    yield from _types(sheet, column)
    yield from _lengths(sheet, column)


def _types(sheet: _Traced, column: str) -> Iterator[Rule]:
    """Give the rules of a column's type; what refers to a row is looked up among its keys."""
    spec = next((spec for _, spec in sheet.targets(column) if spec.references is None), None)
    for rule in TYPES[spec.type].rules(spec) if spec is not None else ():
        name = f"{rule}_{sheet.label(column)}" if rule == INVALID else rule
        yield Rule(name, sheet.scope(column), (column,), partial(_is_misfit, column, rule))


def _lengths(sheet: _Traced, column: str) -> Iterator[Rule]:
    """Give the rule of a column's length; where a builder splits it, the parts are measured."""
    targets = sheet.targets(column)
    fed = {table: sheet.parts(table, column) for table, _ in targets}
    split = {table: parts for table, parts in fed.items() if len(parts) > 1}
    whole = [spec.length for table, spec in targets if table not in split and spec.length]
    looks: list[Callable[[Sheet], Mask]] = []
    if whole:
        looks.append(partial(_is_longer, column, min(whole)))
    for table, parts in split.items():
        lengths = {spec.name: spec.length for spec in parts if spec.length}
        if lengths:
            build = sheet.model.builders[table].build
            looks.append(partial(_has_long_parts, column, table, build, lengths))
    if looks:
        # A builder is given whole rows, so the rule looks at all columns.
        others = [c for c in sheet.model.sources[sheet.source].columns if c != column and split]
        yield Rule("too_long", sheet.scope(column), (column, *others), partial(_any_of, looks))


def _groups(sheet: _Traced, table: str) -> Iterator[Rule]:
    """Give the rules of columns that make one row of a table: which cells the others need."""
    lineage = sheet.model.lineage.sources[sheet.source]
    group = tuple(column for column, scope in lineage.scopes.items() if scope == table)
    for column in group:
        fed = lineage.destinations[column]
        if any(not sheet.model.tables[t].columns[name].nullable for t, name in fed):
            columns = (column, *(other for other in group if other != column))
            yield Rule(f"incomplete_{table}", table, columns, partial(_is_incomplete, columns))


# ----------------------------------------------------------------------------- masks


def _was_emptied(column: str, sheet: Sheet) -> Mask:
    return sheet.emptied.get(column, np.zeros(len(sheet.rows), dtype=bool))


def _holds_control(column: str, sheet: Sheet) -> Mask:
    return control_characters(sheet.clean[column], sheet.suspects[column])


def _not_of_form(column: str, text_format: TextFormat, sheet: Sheet) -> Mask:
    return ~COLUMNS.matches(sheet.clean[column], text_format.pattern)


def _is_misfit(column: str, rule: str, sheet: Sheet) -> Mask:
    return sheet.misfits.get((column, rule), np.zeros(len(sheet.rows), dtype=bool))


def _is_longer(column: str, length: int, sheet: Sheet) -> Mask:
    return COLUMNS.longer(sheet.clean[column], length)


def _has_long_parts(
    column: str,
    table: str,
    build: Callable[..., pd.DataFrame],
    lengths: Mapping[str, int],
    sheet: Sheet,
) -> Mask:
    """Tell where a part of a column that a builder splits is longer than its destination."""
    out = np.zeros(len(sheet.rows), dtype=bool)
    rows = np.flatnonzero(COLUMNS.longer(sheet.clean[column], min(lengths.values())))
    if not len(rows):
        return out
    some = sheet.clean.iloc[rows].reset_index(drop=True)
    built = call(f"the builder of {table!r}", build, "builder", **{sheet.name: some})
    for name, length in lengths.items():
        out[rows] |= COLUMNS.longer(as_text(built[name]), length)
    return out


def _any_of(looks: list[Callable[[Sheet], Mask]], sheet: Sheet) -> Mask:
    found: Mask = np.logical_or.reduce([look(sheet) for look in looks])
    return found


def _is_incomplete(columns: tuple[str, ...], sheet: Sheet) -> Mask:
    first, *others = (sheet.present(column) for column in columns)
    found: Mask = np.logical_or.reduce(others) & ~first
    return found


def _is_missing(column: str, sheet: Sheet) -> Mask:
    return ~sheet.present(column)


def _is_unknown(column: str, sheet: Sheet) -> Mask:
    return (sheet.links[column] < 0) & sheet.usable[column]
