"""The laws: what holds for every extract of every model, checked in plain Python."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator

import pandas as pd

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.columns.text import escape
from aspen_etl.normalization import NormalizeResult, denormalize, normalize
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.validation import validate
from aspen_etl.schema.values import Extract, Run
from aspen_etl.testing._cells import is_clean
from aspen_etl.testing._mutations import assert_changes_are_seen
from aspen_etl.testing._plain import PlainRow, PlainSheet, plain_sheets, rows_of
from aspen_etl.testing._privacy import assert_nothing_is_told
from aspen_etl.testing._types import PLAIN

__all__ = ["accepted_rows", "assert_laws", "assert_tables_are_sound", "hold", "key_of"]

_RUN = Run(time=dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc), actor="laws")


def assert_laws(extract: Extract, /, *, model: Model = BORROWER_MODEL, run: Run = _RUN) -> None:
    """Assert the laws of ``normalize`` for one extract of a model.

    1. The order of the rows does not matter, where no key stands twice with different cells.
    2. What goes in is unchanged afterwards.
    3. Keys are unique, references resolve, every table fits its schema, nullable text is not ''.
    4. ``denormalize`` gives back the cleaned extract less the rejected cells.
    5. Rows read are rows accepted and rows rejected; rejects tell each cell as it was read.
    12. No ``repr``, summary, log, warning or error holds a cell.
    13. A cell changed, a row dropped or doubled is found, and the error names table and column.

    Whether a cell is cleaned and judged rightly by a cleaner of the model's own, no law can say.

    Args:
        extract: Any extract of the model, valid or not.
        model: The model.
        run: When this is, and who does it.

    Raises:
        AssertionError: A law is broken; the text says which, and holds no cell.
    """
    before = _copy(extract)
    result = normalize(extract, model=model, run=run)
    held = _copy_tables(result.tables)
    sheets = list(plain_sheets(extract, model))
    _assert_order_does_not_matter(
        extract, sheets, result, lambda other: normalize(other, model=model, run=run)
    )
    assert_tables_are_sound(result.tables, model)
    _assert_nothing_is_lost(sheets, result, model)
    _assert_rows_add_up(sheets, result, model)
    _assert_rejects_are_as_read(sheets, result)
    assert_nothing_is_told(extract, model, run)
    assert_changes_are_seen(result, extract, model, run)
    hold(_same(extract, before), "2: the extract is another afterwards")
    hold(
        all(_same_frame(result.tables[name], held[name]) for name in held),
        "2: the tables are others afterwards",
    )


def hold(condition: object, law: str) -> None:
    """Raise where a law does not hold."""
    if not condition:
        raise AssertionError(f"law {law}")


# ----------------------------------------------------------------------------- 1 and 2


def _assert_order_does_not_matter(
    extract: Extract,
    sheets: list[PlainSheet],
    result: NormalizeResult,
    again: Callable[[Extract], NormalizeResult],
) -> None:
    if any(sheet.is_ambiguous() for sheet in sheets):
        return
    frames = {name: frame.iloc[_shuffled(len(frame))] for name, frame in extract.items()}
    other = again(Extract.from_frames(frames, faults=extract.faults, notes=extract.notes))
    for name, frame in result.tables.items():
        hold(
            _same_frame(frame, other.tables[name]),
            f"1: another order of rows gives another table {name!r}",
        )
    hold(result.snapshot.equals(other.snapshot), "1: another order of rows gives other keys")


def _shuffled(length: int) -> list[int]:
    """Give an order that leaves no two neighbours together."""
    return [*range(length - 1, -1, -2), *range(length - 2, -1, -2)]


def _copy(extract: Extract) -> Extract:
    frames = {name: frame.copy(deep=True) for name, frame in extract.items()}
    return Extract.from_frames(frames, faults=extract.faults.copy(deep=True), notes=extract.notes)


def _copy_tables(tables: Tables) -> Tables:
    return Tables({name: frame.copy(deep=True) for name, frame in tables.items()})


def _same(one: Extract, two: Extract) -> bool:
    return one.equals(two) and all(_same_frame(one[name], two[name]) for name in one)


def _same_frame(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    return (
        one.index.equals(two.index)
        and one.dtypes.equals(two.dtypes)
        and rows_of(one) == rows_of(two)
    )


# ----------------------------------------------------------------------------- 3


def assert_tables_are_sound(tables: Tables, model: Model) -> None:
    """Assert that keys, references and cells are as the model declares them (law 3)."""
    validate(tables, model=model)
    for table in model.tables.values():
        frame = tables[table.name]
        hold(
            list(frame.columns) == list(table.columns),
            f"3: {table.name!r} has other columns than declared",
        )
        hold(
            _are_unique(frame, (table.primary_key,)),
            f"3: a key of {table.name!r} stands there twice",
        )
        hold(
            _are_unique(frame, table.natural_key),
            f"3: a natural key of {table.name!r} stands there twice",
        )
        for column, target in table.references.items():
            known = {key for (key,) in rows_of(tables[target][[model.tables[target].primary_key]])}
            used = {key for (key,) in rows_of(frame[[column]])} - {None}
            hold(used <= known, f"3: {table.name}.{column} refers to what {target!r} does not hold")
        for column in _unsound_columns(frame, table):
            raise AssertionError(f"law 3: {table.name}.{column} holds what it must not")


def _are_unique(frame: pd.DataFrame, columns: tuple[str, ...]) -> bool:
    keys = rows_of(frame[list(columns)])
    return len(set(keys)) == len(keys)


def _unsound_columns(frame: pd.DataFrame, table: TableSpec) -> Iterator[str]:
    for spec in table.columns.values():
        formats = () if spec.text_format is None else (spec.text_format,)
        for (cell,) in rows_of(frame[[spec.name]]):
            if cell is None:
                sound = spec.nullable
            elif PLAIN[spec.type].is_read and not spec.references and not spec.audit:
                text = PLAIN[spec.type].text(cell, spec)
                sound = PLAIN[spec.type].judge(text, spec) == (text, None)
            elif spec.references or spec.audit:
                sound = cell != ""
            else:
                sound = is_clean(str(cell), spec.length, formats) or (
                    cell == "" and not spec.nullable
                )
            if not sound:
                yield spec.name


# ----------------------------------------------------------------------------- 4 and 5


def _assert_nothing_is_lost(
    sheets: list[PlainSheet], result: NormalizeResult, model: Model
) -> None:
    found = denormalize(result.tables, model=model)
    for sheet in sheets:
        expected = sorted(
            accepted_rows(sheet, result, model), key=lambda cells: key_of(sheet, cells)
        )
        cells = [dict(zip(found[sheet.name].columns, row)) for row in rows_of(found[sheet.name])]
        hold(
            len(cells) == len(expected),
            f"4: {sheet.name!r} comes back with {len(cells)} rows, not {len(expected)}",
        )
        for column in sheet.plan.columns:
            pairs = [(one[column.name], two[column.name]) for one, two in zip(expected, cells)]
            # What is missing of an entity, or lost the vote, is filled.
            differ = sum(a != b for a, b in pairs if not (column.told and a is None))
            hold(not differ, f"4: {differ} cells of {sheet.name}.{column.name} come back otherwise")


def accepted_rows(
    sheet: PlainSheet, result: NormalizeResult, model: Model
) -> Iterator[dict[str, object]]:
    """Give the clean rows of a sheet, less what the rejects name."""
    scopes = model.lineage.sources[sheet.name].scopes
    groups = {scope: {n for n in scopes if scopes[n] == scope} for scope in scopes.values()}
    for entity in (each for top in sheet.plan.entities for each in top.all()):
        groups[entity.table] = set(entity.columns)
    out: dict[int, set[str]] = {}
    whole = set()
    for source, row, column, scope in rows_of(result.rejects[["source", "row", "column", "scope"]]):
        if source == sheet.name and scope == "row":
            whole.add(row)
        elif source == sheet.name:
            named = {str(column)} if scope == "value" else groups[str(scope)]
            out.setdefault(row, set()).update(named)
    for line in sheet.rows:
        if not line.is_blank and line.number not in whole:
            lost = out.get(line.number, set())
            yield {name: None if name in lost else cell for name, cell in line.clean.items()}


def key_of(sheet: PlainSheet, cells: dict[str, object]) -> tuple[str, ...]:
    """Give the key of a row."""
    return tuple(str(cells[name]) for name in sheet.plan.key)


def _assert_rows_add_up(sheets: list[PlainSheet], result: NormalizeResult, model: Model) -> None:
    back = denormalize(result.tables, model=model)
    rejected = {
        row[:2] for row in rows_of(result.rejects[["source", "row", "scope"]]) if row[2] == "row"
    }
    for sheet in sheets:
        summary = result.summary.sources[sheet.name]
        blank = sum(row.is_blank for row in sheet.rows)
        hold(summary.blank == blank, f"5: {sheet.name!r} counts another number of blank rows")
        hold(
            summary.rows == len(sheet.rows) - blank,
            f"5: {sheet.name!r} counts another number of rows",
        )
        hold(
            summary.accepted == len(back[sheet.name]),
            f"5: {sheet.name!r} counts other accepted rows",
        )
        listed = sum(source == sheet.name for source, _ in rejected)
        hold(
            summary.rejected == listed,
            f"5: {sheet.name!r} counts other rejected rows than are listed",
        )
        hold(
            summary.rows == summary.accepted + summary.rejected,
            f"5: the rows of {sheet.name!r} do not add up",
        )


def _assert_rejects_are_as_read(sheets: list[PlainSheet], result: NormalizeResult) -> None:
    read: dict[tuple[object, object], PlainRow] = {
        (s.name, row.number): row for s in sheets for row in s.rows
    }
    seen = set()
    for source, row, column, value, rule, record in rows_of(
        result.rejects[["source", "row", "column", "value", "rule", "record"]]
    ):
        where = f"the reject of {source}.{column} by {rule}"
        hold((source, row, column, rule) not in seen, f"5: {where} stands there twice")
        seen.add((source, row, column, rule))
        raw = read[source, row].raw
        cell = raw[str(column)]
        hold(
            value == (escape(cell) if cell else None),
            f"5: {where} holds another value than was read",
        )
        hold(str(record).isascii(), f"5: {where} holds a record that is not ASCII")
        hold(json.loads(str(record)) == raw, f"5: {where} holds another record than was read")
