"""A landing as plain values: what ``landing.json`` and ``landing.toml`` say.

A landing makes itself by these, so they are handed its classes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from aspen_etl.errors import NotSupportedError
from aspen_etl.errors.base import instead
from aspen_etl.schema.landing_checks import fault

__all__ = ["landing_of", "read_json", "read_toml", "values_of"]

T = TypeVar("T")

_SPANS = ("lag", "late_window")


def read_json(text: str) -> dict[str, Any]:
    """Read JSON, whose text stands in no message.

    Raises:
        ArgumentError: It is no JSON, or no object.
    """
    found = instead(
        lambda: json.loads(text),
        (ValueError, RecursionError),
        lambda _: fault("the file is no JSON; see docs/how-to/migrate-from-sql-server.md"),
    )
    if not isinstance(found, dict):
        raise fault('the file is no object; begin it with {"url": ...}')
    return found


def read_toml(text: str) -> dict[str, Any]:
    """Read TOML, where this Python can.

    Raises:
        ArgumentError: It is no TOML.
        NotSupportedError: This Python is older than 3.11.
    """
    try:
        import tomllib
    except ImportError:
        tomllib = None  # type: ignore[assignment]
    if tomllib is None:
        told = "this Python reads no TOML, which needs 3.11; write the landing as JSON"
        raise NotSupportedError(told)
    reader = tomllib
    return instead(lambda: reader.loads(text), ValueError, lambda _: fault("the file is no TOML"))


# ----------------------------------------------------------------------------- in


def landing_of(values: Mapping[str, Any], landing: type[T], table: type) -> T:
    """Make a landing of plain values.

    Raises:
        ArgumentError: A name is not known, is missing, or its value cannot be.
    """
    given = _known(landing, "the landing", values)
    tables = given["tables"]
    if not isinstance(tables, Mapping):
        raise fault("tables is no object; give the table of each source")
    given["tables"] = {source: _table(table, source, held) for source, held in tables.items()}
    for name in set(_SPANS) & set(given):
        given[name] = _span(name, given[name])
    return landing(**given)


def _span(name: str, seconds: Any) -> dt.timedelta:
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        raise fault(f"{name} is no number of seconds")
    return instead(
        lambda: dt.timedelta(seconds=seconds),
        (OverflowError, ValueError),
        lambda _: fault(f"{name} is longer than there is time"),
    )


def _table(kind: type, source: str, values: Any) -> Any:
    where = f"the table of {source}"
    if not isinstance(values, Mapping):
        raise fault(f'{where} is no object; give {{"name": "dbo.loan"}}')
    given = _known(kind, where, values)
    for name in set(given) & {"key", "ignore", "headers"}:
        given[name] = _tuple(where, name, given[name])
    since = given.get("columns_since", {})
    if not isinstance(since, Mapping):
        raise fault(f"{where}: columns_since is no object; give headers by moment")
    given["columns_since"] = {
        _moment(where, moment): _tuple(where, "columns_since", names)
        for moment, names in since.items()
    }
    return kind(**given)


def _known(kind: type, where: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values, all of which are fields of a class."""
    names = [each.name for each in fields(kind)]
    strange = [name for name in values if name not in names]
    if strange:
        raise fault(f"{where} has {strange[0]!r}, which is not known", str(strange[0]), names)
    needed = [each.name for each in fields(kind) if _has_no_default(each)]
    missing = [name for name in needed if name not in values]
    if missing:
        raise fault(f"{where} lacks {missing[0]!r}")
    return dict(values)


def _has_no_default(each: Any) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _tuple(where: str, name: str, values: Any) -> Any:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise fault(f"{where}: {name} is no list of names")
    return tuple(values)


def _moment(where: str, text: Any) -> dt.datetime:
    told = f"{where}: columns_since goes by moments with a zone, as in 2026-11-20T12:00:00+00:00"
    return instead(
        lambda: dt.datetime.fromisoformat(text), (ValueError, TypeError), lambda _: fault(told)
    )


# ----------------------------------------------------------------------------- out


def values_of(landing: Any) -> dict[str, Any]:
    """Give a landing as plain values, without what is as it is where nothing is said."""
    out = _said(landing)
    out["tables"] = {source: _table_values(table) for source, table in landing.tables.items()}
    for name in set(_SPANS) & set(out):
        seconds = out[name].total_seconds()
        out[name] = int(seconds) if seconds == int(seconds) else seconds
    if isinstance(landing.loaded, Mapping):
        out["loaded"] = dict(landing.loaded)
    return out


def _table_values(table: Any) -> dict[str, Any]:
    out = _said(table)
    for name in set(out) & {"key", "ignore", "headers"}:
        out[name] = list(out[name])
    if "columns" in out:
        out["columns"] = dict(table.columns)
    if "columns_since" in out:
        since = table.columns_since
        out["columns_since"] = {each.isoformat(): list(names) for each, names in since.items()}
    return out


def _said(value: Any) -> dict[str, Any]:
    """Give the fields of a value that differ from their defaults."""
    out = {}
    for each in fields(value):
        held = getattr(value, each.name)
        made = each.default_factory() if each.default_factory is not MISSING else each.default
        if _has_no_default(each) or held != made:
            out[each.name] = held
    return out
