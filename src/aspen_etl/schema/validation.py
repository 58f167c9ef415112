"""Validate tables against a model, by three verbs: raise, ask, split.

pandera looks at the columns that are not surely sound, and at what a table asks of it beside its
declarations; keys and references are looked at here, since they go beyond one column. No message
and no frame of failures holds a cell value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.frames import held_frames
from aspen_etl.errors import ValidationError
from aspen_etl.schema.conforming import conform, is_of_type, outside_range
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Tables
from aspen_etl.schema.sound import are_sound
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.types import TYPES

__all__ = [
    "Split",
    "find_failures",
    "is_valid",
    "split",
    "validate",
    "validate_columns",
]

#: The columns of a frame of failures. ``row`` counts from 0; it is null for a whole column.
FAILURE_COLUMNS = ("table", "row", "column", "rule")


class Split(NamedTuple):
    """Hold the rows that are valid, and what is wrong with the others.

    Attributes:
        valid: The valid rows; a row that refers to an invalid one is invalid too.
        failures: One row for each broken rule of each row: table, row, column, rule.
    """

    valid: Tables
    failures: pd.DataFrame


def validate(tables: Mapping[str, pd.DataFrame], /, *, model: Model) -> Tables:
    """Give back valid tables, each column in its one dtype.

    Raises:
        ValidationError: A table, column, key or reference is wrong; the text names each table,
            column and rule with the number of rows, the attribute ``failures`` each row.
    """
    failures = find_failures(tables, model=model)
    if len(failures):
        raise _error(failures)
    held = held_frames(tables)
    return Tables({name: conform(held[name], spec) for name, spec in model.tables.items()})


def is_valid(tables: Mapping[str, pd.DataFrame], /, *, model: Model) -> bool:
    """Tell whether tables are valid."""
    return not len(find_failures(tables, model=model))


def split(tables: Mapping[str, pd.DataFrame], /, *, model: Model) -> Split:
    """Part tables into valid rows and failures; of rows with one key the first is valid.

    Raises:
        ValidationError: A table or a whole column is missing, unknown or of another type, so
            that no row can be told apart.
    """
    tables, valid = held_frames(tables), dict[str, pd.DataFrame]()
    found = [_frame(_whole_failures(tables, model))]
    if len(found[0]):
        raise _error(found[0])
    for name, spec in model.tables.items():
        failures = _frame(_table_failures(tables[name], spec, valid, model))
        if failures["row"].isna().any():
            raise _error(failures)
        found.append(failures)
        bad = np.zeros(len(tables[name]), dtype=bool)
        bad[failures["row"].to_numpy(dtype=np.int64)] = True
        valid[name] = conform(tables[name][~bad], spec)
    return Split(Tables(valid), pd.concat(found, ignore_index=True))


def find_failures(tables: Mapping[str, pd.DataFrame], /, *, model: Model) -> pd.DataFrame:
    """List every broken rule: table, row (from 0, null for a whole column), column, rule."""
    tables = held_frames(tables)
    whole = _frame(_whole_failures(tables, model))
    if len(whole):
        return whole
    parts = [
        _frame(_table_failures(tables[name], spec, tables, model))
        for name, spec in model.tables.items()
    ]
    return pd.concat(parts, ignore_index=True)


def validate_columns(
    frame: pd.DataFrame, table: TableSpec, /, *, known: Collection[str] = ()
) -> None:
    """Validate the columns of one table, keys and references aside.

    Args:
        frame: The table.
        table: What it is.
        known: The columns whose cells are known to have their length, form and range, since
            these very cells were looked at before; their type and nulls are looked at.

    Raises:
        ValidationError: A column is wrong.
    """
    failures = _frame(_column_failures(frame, table, known))
    if len(failures):
        raise _error(failures)


# ----------------------------------------------------------------------------- finding


Failure = tuple[str, Optional[Any], str, str]


def _whole_failures(tables: Mapping[str, pd.DataFrame], model: Model) -> Iterator[Failure]:
    for name in model.tables:
        if name not in tables:
            yield name, None, "", "missing_table"
    for name in tables:
        if name not in model.tables:
            yield str(name), None, "", "unknown_table"


def _table_failures(
    frame: pd.DataFrame, table: TableSpec, parents: Mapping[str, pd.DataFrame], model: Model
) -> Iterator[Failure]:
    whole = False
    for failure in _column_failures(frame, table):
        whole = whole or failure[1] is None
        yield failure
    if whole:
        return
    yield (
        table.name,
        _where(frame[table.primary_key].duplicated()),
        table.primary_key,
        "primary_key",
    )
    if table.has_surrogate_key:
        yield (
            table.name,
            _where(frame.duplicated(list(table.natural_key))),
            table.natural_key[-1],
            "natural_key",
        )
    for column, target in table.references.items():
        keys = parents[target].get(model.tables[target].primary_key, pd.Series(dtype=object))
        yield table.name, np.flatnonzero(_lost(frame[column], keys)), column, "reference"


def _lost(values: pd.Series, keys: pd.Series) -> Any:
    """Tell which values are no key; isin() of pandas makes Python objects of Arrow text."""
    if not len(keys) or not len(values):
        return values.notna().to_numpy(dtype=bool)
    codes, distinct = pd.factorize(pd.concat([keys, values], ignore_index=True))
    known = np.zeros(len(distinct) + 1, dtype=bool)
    known[-1] = True  # the code of a missing value is -1
    known[codes[: len(keys)]] = True
    return ~known[codes[len(keys) :]]


def _where(mask: pd.Series) -> Any:
    return np.flatnonzero(mask.to_numpy(dtype=bool))


def _column_failures(
    frame: pd.DataFrame, table: TableSpec, known_cells: Collection[str] = ()
) -> Iterator[Failure]:
    known = frame.columns
    for name in table.columns:
        if name not in known:
            yield table.name, None, name, "missing_column"
    # NOTE: a frame without one declared column may have a row of cells for its header.
    has_header = any(name in known for name in table.columns)
    for name in known:
        if name not in table.columns:
            yield table.name, None, str(name) if has_header else "?", "unknown_column"
    if set(known) != set(table.columns) or not known.is_unique:
        return
    held = conform(frame, table)
    odd = list(_type_failures(held, table, known_cells))
    yield from odd
    wrong_types = {column for _, rows, column, _ in odd if rows is None}
    others = [name for name in table.columns if name not in known_cells]
    if not any(_is_any(rows) for _, rows, _, _ in odd) and are_sound(held, table, others):
        return
    from aspen_etl.schema.asking import failure_cases  # it makes pandera load what it checks with

    cases = failure_cases(held, table, known_cells)
    if cases is None:
        return
    for column, check, row in zip(cases["column"], cases["check"], cases["index"]):
        rule = _rule(str(check), table, str(column))
        if column in wrong_types and rule == "out_of_range":
            continue  # what is of another type cannot be compared
        # NOTE: a number of another type is told by column in one version, by row in another.
        wrong = rule == "type" and table.columns[str(column)].type != "text"
        whole = wrong or pd.isna(row)
        yield table.name, None if whole else np.array([int(row)]), str(column), rule


def _is_any(rows: Optional[Any]) -> bool:
    """Tell whether a failure is of a whole column, or of one row at least."""
    return rows is None or len(rows) > 0


def _type_failures(
    frame: pd.DataFrame, table: TableSpec, known: Collection[str]
) -> Iterator[Failure]:
    """Look at what pandera overlooks: the unit of times, the scale of objects, first and last.

    Of a column whose cells are known, type and nulls are all there is to look at.
    """
    for spec in table.columns.values():
        values = frame[spec.name]
        if spec.name in known:
            if not is_of_type(values, spec):
                yield table.name, None, spec.name, "type"
            elif not spec.nullable:
                yield table.name, _where(values.isna()), spec.name, "null"
        elif TYPES[spec.type].rules(spec):
            if not is_of_type(values, spec):
                yield table.name, None, spec.name, "type"
            else:
                outside = np.flatnonzero(outside_range(values, spec))
                yield table.name, outside, spec.name, "out_of_range"


_RULES = {
    "not_nullable": "null",
    "str_length": "length",
    "greater_than_or_equal_to": "out_of_range",
    "dtype": "type",
    "coerce_dtype": "type",
}


def _rule(check: str, table: TableSpec, column: str) -> str:
    name = check.partition("(")[0]
    text_format = table.columns[column].text_format
    if name == "str_matches" and text_format is not None:
        return f"invalid_{text_format.name}"
    return _RULES.get(name, name)


# ----------------------------------------------------------------------------- telling


def _frame(failures: Iterator[Failure]) -> pd.DataFrame:
    parts = []
    for table, rows, column, rule in failures:
        numbers = pd.array([pd.NA] if rows is None else rows, dtype="Int64")
        if len(numbers):
            parts.append(
                pd.DataFrame({"table": table, "row": numbers, "column": column, "rule": rule})
            )
    if not parts:
        return pd.DataFrame(
            {
                name: pd.Series(dtype="Int64" if name == "row" else object)
                for name in FAILURE_COLUMNS
            }
        )
    return pd.concat(parts, ignore_index=True).drop_duplicates(ignore_index=True)


def _error(failures: pd.DataFrame) -> ValidationError:
    counts = Counter(zip(failures["table"], failures["column"], failures["rule"]))
    found = "; ".join(
        f"{table}.{column}: {rule} ({count})" if column else f"{table}: {rule}"
        for (table, column, rule), count in counts.items()
    )
    return ValidationError(f"the tables do not fit the model: {found}", failures=failures)
