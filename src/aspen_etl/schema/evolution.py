"""What a model may become while its tables stay: more tables and columns, and wider ones."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Optional, Union

import pandas as pd

from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.handing import bare
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.conforming import conform_column
from aspen_etl.schema.fanning import FanOut
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.types.days import FIRST_DAY

__all__ = [
    "complete",
    "complete_table",
    "conform_known",
    "describe_functions",
    "describe_tables",
    "find_conflicts",
    "fingerprint",
]

_PACKAGE = __name__.partition(".")[0]


def complete(
    tables: Mapping[str, pd.DataFrame], model: Model, /
) -> tuple[dict[str, pd.DataFrame], frozenset[str]]:
    """Bring tables of an older model to a newer one: a new column is null, a new table empty.

    Returns:
        The tables, and the names of those that were not there.
    """
    out = {name: complete_table(tables.get(name), table) for name, table in model.tables.items()}
    return out, frozenset(model.tables) - frozenset(tables)


def complete_table(frame: Optional[pd.DataFrame], table: TableSpec, /) -> pd.DataFrame:
    """Bring one table to its columns: one that it lacks is null; none at all is empty."""
    if frame is None:
        columns = {key: pd.Series([], dtype=spec.held_dtype) for key, spec in table.columns.items()}
        return make_frame(columns, pd.RangeIndex(0))
    frame = conform_known(frame, table)
    if list(frame.columns) == list(table.columns):
        return frame
    return pd.DataFrame(
        {
            key: frame[key] if key in frame.columns else _nothing(spec, frame.index)
            for key, spec in table.columns.items()
        }
    )


def conform_known(frame: pd.DataFrame, table: TableSpec, /) -> pd.DataFrame:
    """Bring the columns that a frame has of a table to their one dtype, as of a notebook's frame.

    A column of a wholly other type stays as it is, and so does one of no table's.
    """
    known = {str(name): values for name, values in frame.items() if name in table.columns}
    if all(values.dtype == table.columns[name].held_dtype for name, values in known.items()):
        return frame
    found = {
        name: conform_column(values.reset_index(drop=True), table.columns[name])
        for name, values in known.items()
    }
    return frame.reset_index(drop=True).assign(**found).set_axis(frame.index)


def _nothing(spec: ColumnSpec, index: pd.Index) -> pd.Series:
    return pd.Series([None] * len(index), dtype=object, index=index).astype(spec.held_dtype)


def describe_tables(model: Model, /) -> dict[str, Any]:
    """Describe the tables of a model as plain values: what stored tables depend on.

    How cells are read (formats, words) and which of them wins (entities) is no part of it: what
    is stored is good whichever way it came. ``describe_functions`` tells that.
    """
    return {
        name: {
            "natural_key": list(table.natural_key),
            "columns": {key: _describe(spec) for key, spec in table.columns.items()},
        }
        for name, table in model.tables.items()
    }


def _describe(spec: ColumnSpec) -> dict[str, Any]:
    facts = {
        "type": spec.type,
        "nullable": spec.nullable,
        "length": spec.length,
        "primary_key": spec.primary_key,
        "references": spec.references,
        "text_format": spec.text_format.pattern if spec.text_format else None,
        "precision": spec.precision,
        "scale": spec.scale,
        "minimum": _plain(spec.minimum),
    }
    return {name: fact for name, fact in facts.items() if fact is not None and fact is not False}


def _plain(minimum: Union[int, dt.date, None]) -> Union[int, str, None]:
    return minimum.isoformat() if isinstance(minimum, dt.date) else minimum


def find_conflicts(stored: Mapping[str, Any], model: Model, /) -> list[str]:
    """Name every difference between stored tables and a model that data cannot follow.

    A table or a nullable column that the model has more is none, nor is a column that holds all
    that it held: longer text, more digits at one scale, an earlier first value, or one that may
    be null. The columns of keys stay what they are.

    Args:
        stored: What ``describe_tables`` gave of the model that wrote the tables.
        model: The model that reads or continues them.
    """
    now = describe_tables(model)
    out = [f"the table {name} is gone" for name in stored if name not in now]
    for name, table in now.items():
        then = stored.get(name)
        if then is None:
            continue
        if then["natural_key"] != table["natural_key"]:
            out.append(f"{name} has another natural key")
        columns, before = table["columns"], then["columns"]
        out += [f"{name}.{column} is gone" for column in before if column not in columns]
        for column, facts in columns.items():
            if column not in before:
                if not facts.get("nullable"):
                    out.append(f"{name}.{column} is new and not nullable")
                continue
            is_key = facts.get("primary_key") or column in table["natural_key"]
            out += [
                f"{name}.{column} has another {fact.replace('_', ' ')}"
                for fact in sorted(facts.keys() | before[column].keys())
                if facts.get(fact) != before[column].get(fact)
                and (is_key or not _is_wider(fact, before[column], facts))
            ]
    return out


def _is_wider(fact: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether a column holds all that it held, by one fact of it that changed."""
    look, was, now = _WIDER.get(fact), before.get(fact), after.get(fact)
    # A damaged commit may say anything.
    is_alike = was is None or now is None or type(was) is type(now)
    return look is not None and is_alike and look(was, now)


def _is_earlier(before: Any, after: Any) -> bool:
    """Compare first values: of dates, as text, where none is told all begin at one day."""
    if isinstance(before, str) or isinstance(after, str):
        return str(after or FIRST_DAY.isoformat()) <= str(before or FIRST_DAY.isoformat())
    return after is None or (before is not None and after <= before)


#: What makes a column wider, by the fact that changes, from its value before and after.
_WIDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "length": lambda before, after: after is None or (before is not None and after >= before),
    "precision": lambda before, after: bool(before and after and after >= before),
    "nullable": lambda _, after: bool(after),
    "minimum": _is_earlier,
}


def describe_functions(model: Model, /) -> Optional[dict[str, Any]]:
    """Describe how a model reads its sources, or give none where that cannot be.

    It is what tables and rejects depend on beside what ``describe_tables`` tells. A function of
    this package is known by its name and the version of the package. What another function does,
    no name tells.
    """
    functions: dict[str, Any] = {
        **{f"clean {name}": cleaner for name, cleaner in model.cleaners.items()},
        **{f"build {name}": builder.build for name, builder in model.builders.items()},
        **{f"invert {name}": builder.invert for name, builder in model.builders.items()},
        **{
            f"judge {source}: {rule.name} {rule.scope} {' '.join(rule.columns)}": rule.mask
            for source, rules in model.rules.items()
            for rule in rules
        },
    }
    named = {name: _function_name(function) for name, function in functions.items()}
    if None in named.values():
        return None
    sources = {name: list(source.columns) for name, source in model.sources.items()}
    feeds = {
        f"{table.name}.{spec.name}": [list(spec.source), spec.label]
        for table in model.tables.values()
        for spec in table.own_columns
    }
    read = {
        f"{table.name}.{spec.name}": [spec.format, spec.words, spec.from_name]
        for table in model.tables.values()
        for spec in table.own_columns
        if spec.format or spec.words or spec.from_name
    }
    sheets = {
        name: [source.implied, [[spec.label, spec.nullable] for spec in source.columns.values()]]
        for name, source in model.sources.items()
    }
    entities = {
        table.name: [table.entity.conflict, table.entity.newest]
        for table in model.tables.values()
        if table.entity is not None
    }
    described = {"sources": sources, "feeds": feeds, "functions": named, "read": read}
    return {**described, "sheets": sheets, "entities": entities, "subject": model.subject}


def _function_name(function: Any) -> Optional[str]:
    if function is None:
        return "-"
    if isinstance(function, partial):
        parts = [function.func, *function.args, *function.keywords.values()]
        names = [_function_name(part) for part in parts]
        return None if None in names else f"partial({', '.join(map(str, names))})"
    if isinstance(getattr(function, "__self__", None), FanOut):
        return repr(function.__self__)
    function = bare(function)
    module = str(getattr(function, "__module__", ""))
    if module.partition(".")[0] != _PACKAGE or getattr(function, "__closure__", None):
        return None
    name = str(getattr(function, "__qualname__", "<lambda>"))
    return None if "<" in name else f"{module}.{name}"


def fingerprint(*values: Any) -> str:
    """Give a short name to plain values: equal values have equal names."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
