"""The rules for what mappings do to names, columns and types, which a landing must mirror."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Optional

from aspen_etl.derive.dms.finding import Finding, find
from aspen_etl.derive.dms.patterns import matches
from aspen_etl.derive.dms.shapes import part
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.schema.model import Model

__all__ = ["judge_renames"]

#: The actions that change a name; letter case may be what the landing says anyway.
_CASES: Mapping[str, Callable[[str], str]] = {
    "convert-lowercase": str.lower,
    "convert-uppercase": str.upper,
}
_AFFIXES = {
    f"{verb}-{where}" for verb in ("add", "remove", "replace") for where in ("prefix", "suffix")
}


def judge_renames(
    where: str,
    rules: list[Mapping[str, Any]],
    table: LandedTable,
    known: tuple[Optional[Landing], Optional[Model]],
) -> Iterator[Finding]:
    """Yield what is renamed, taken out, added or changed, and not said by the landing."""
    landing, model = known
    if landing is None:
        return
    names = _names(landing, table, model)
    added = {landing.sequence, *table.ignore}
    for rule in rules:
        own = f"{where}: rule {rule.get('rule-id', '?')}"
        action, value, column = (
            str(rule.get("rule-action")),
            str(rule.get("value", "")),
            _column(rule),
        )
        if action == "remove-column":
            taken = sorted(name for name in names - set(table.ignore) if matches(column, name))
            if taken:
                yield find("removed_column", own, ", ".join(taken), "kept")
        elif action == "add-column":
            if value not in added:
                yield find("added_column", own, value, "named in ignore, or not added")
        elif action == "change-data-type":
            yield find("changed_type", own, column or "a column", "the type of the database")
        elif not _is_mirrored(rule, names, action):
            found = f"{rule.get('rule-target')}: {action} {value}".strip()
            yield find("renamed", own, found, "the names of the landing")


def _column(rule: Mapping[str, Any]) -> str:
    return str(part(rule.get("object-locator")).get("column-name", ""))


def _names(landing: Landing, table: LandedTable, model: Optional[Model]) -> set[str]:
    """Give the names of landed columns that are known of a table."""
    names = {*table.key, *table.columns, *table.ignore, *(table.headers or ())}
    if model is not None:
        spec = model.sources[landing.source_of(table.name)].columns
        renamed = set(table.columns.values())
        names |= {str(each.label or name) for name, each in spec.items() if name not in renamed}
    return names


def _is_mirrored(rule: Mapping[str, Any], names: set[str], action: str) -> bool:
    """Tell whether names are changed to what the landing says, or not at all."""
    is_of_column = rule.get("rule-target") == "column"
    if action == "rename":
        return is_of_column and str(rule.get("value")) in names and _column(rule) not in names
    if action in _CASES:
        return is_of_column and all(_CASES[action](name) == name for name in names)
    return action not in _AFFIXES
