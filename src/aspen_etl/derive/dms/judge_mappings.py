"""The rules for table mappings: which tables are taken, and what becomes of their columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from aspen_etl.derive.dms.finding import Finding, find
from aspen_etl.derive.dms.judge_renames import judge_renames
from aspen_etl.derive.dms.mappings import SEQUENCE, SEQUENCE_DIGITS, SEQUENCE_LENGTH
from aspen_etl.derive.dms.patterns import as_pattern, matches
from aspen_etl.derive.dms.shapes import need_list, part
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.schema.model import Model

__all__ = ["Wanted", "judge_mappings", "selected_tables"]

_FILTERS = ("pk-only", "non-lob", "all")
_ADD, _BEFORE, _KEY = "add-column", "add-before-image-columns", "define-primary-key"
_WANTED_SEQUENCE = f"{SEQUENCE} as string({SEQUENCE_LENGTH})"


@dataclass(frozen=True)
class Wanted:
    """Say what the mappings should land.

    Attributes:
        landing: What is known of it, if anything.
        model: The model, if it is known.
        in_order: Whether transaction files say the order, so that no sequence is needed.
        has_setting: Whether the task's settings ask for a before image, too.
    """

    landing: Optional[Landing]
    model: Optional[Model]
    in_order: bool
    has_setting: bool

    @property
    def needs_sequence(self) -> bool:
        """Whether changes are ordered by a column of a rule."""
        if self.landing is not None:
            return self.landing.order == "sequence"
        return not self.in_order


def judge_mappings(where: str, mappings: Mapping[str, Any], wanted: Wanted) -> Iterator[Finding]:
    """Yield what is wrong with the mappings of a task."""
    rules = need_list(mappings.get("rules"), f"{where}: rules")
    selections = [rule for rule in rules if rule.get("rule-type") == "selection"]
    changes = [rule for rule in rules if rule.get("rule-type") == "transformation"]
    place = f"{where}: mappings"
    yield from _judge_filters(place, selections)
    tables = _tables(selections, wanted.landing)
    if wanted.landing is not None:
        yield from _judge_selected(place, selections, wanted.landing)
    for table in tables:
        of_table = [rule for rule in changes if _is_about(rule, table)]
        own = f"{place}: {table.name}"
        yield from _judge_sequence(own, of_table, wanted)
        yield from _judge_before(own, of_table, wanted)
        if wanted.landing is not None:
            yield from _judge_key(own, of_table, table)
        yield from judge_renames(own, of_table, table, (wanted.landing, wanted.model))


def _tables(selections: list[Mapping[str, Any]], landing: Optional[Landing]) -> list[LandedTable]:
    """Give the tables of the landing, or those that are selected by name."""
    return _by_name(selections) if landing is None else list(landing.tables.values())


def selected_tables(mappings: Mapping[str, Any], /) -> list[LandedTable]:
    """Give the tables that mappings select by name, with the keys that they define."""
    rules = need_list(mappings.get("rules"), "rules")
    out = []
    for table in _by_name([rule for rule in rules if rule.get("rule-type") == "selection"]):
        about = (rule for rule in _of(rules, _KEY) if _is_about(rule, table))
        keys = [part(rule.get("primary-key-def")).get("columns") for rule in about]
        out += [LandedTable(table.name, key=tuple(keys[-1])) if keys and keys[-1] else table]
    return out


def _by_name(selections: list[Mapping[str, Any]]) -> list[LandedTable]:
    out: dict[str, LandedTable] = {}
    for rule in selections:
        schema, table = _locator(rule)
        name = f"{schema}.{table}".replace("[_]", "_")
        if rule.get("rule-action") != "exclude" and schema and table and "%" not in name:
            out[name] = LandedTable(name)
    return list(out.values())


def _locator(rule: Mapping[str, Any]) -> tuple[str, str]:
    held = part(rule.get("object-locator"))
    return str(held.get("schema-name", "")), str(held.get("table-name", ""))


def _is_about(rule: Mapping[str, Any], table: LandedTable) -> bool:
    schema, name = _locator(rule)
    is_of_schema = rule.get("rule-target") == "schema" and not name
    return matches(schema, table.schema) and (is_of_schema or matches(name, table.table))


def _named(rule: Mapping[str, Any]) -> str:
    return f"rule {rule.get('rule-id', '?')}"


# ----------------------------------------------------------------------------- selection


def _judge_filters(where: str, selections: list[Mapping[str, Any]]) -> Iterator[Finding]:
    for rule in selections:
        if rule.get("filters"):
            yield find("filter", f"{where}: {_named(rule)}", "a filter", "no filter")


def _judge_selected(
    where: str, selections: list[Mapping[str, Any]], landing: Landing
) -> Iterator[Finding]:
    known = list(landing.tables.values())
    known += [LandedTable(name) for name in (landing.heartbeat, landing.side) if name is not None]
    for table in known:
        if not any(_takes(rule, table) for rule in selections):
            yield find("table_left_out", f"{where}: {table.name}", "not selected", "selected")
        elif any(_leaves_out(rule, table) for rule in selections):
            yield find("table_left_out", f"{where}: {table.name}", "excluded", "selected")
    for rule in selections:
        if rule.get("rule-action") != "exclude" and not any(_is_only(rule, each) for each in known):
            found = ".".join(_locator(rule))
            yield find("other_table", f"{where}: {_named(rule)}", found, "tables of the landing")


def _takes(rule: Mapping[str, Any], table: LandedTable) -> bool:
    action = rule.get("rule-action")
    if action == "explicit":
        return _locator(rule) == (table.schema, table.table)
    return bool(action == "include" and _is_about(rule, table))


def _leaves_out(rule: Mapping[str, Any], table: LandedTable) -> bool:
    return bool(rule.get("rule-action") == "exclude" and _is_about(rule, table))


def _is_only(rule: Mapping[str, Any], table: LandedTable) -> bool:
    """Tell whether a rule selects this table, and by its name."""
    names = (table.schema, table.table)
    return _locator(rule) in {names, (names[0], as_pattern(names[1])), _patterns(names)}


def _patterns(names: tuple[str, str]) -> tuple[str, str]:
    return as_pattern(names[0]), as_pattern(names[1])


# ----------------------------------------------------------------------------- what is added


def _of(rules: Iterable[Mapping[str, Any]], action: str) -> list[Mapping[str, Any]]:
    return [rule for rule in rules if rule.get("rule-action") == action]


def _judge_sequence(
    where: str, rules: list[Mapping[str, Any]], wanted: Wanted
) -> Iterator[Finding]:
    if not wanted.needs_sequence:
        return
    name = None if wanted.landing is None else wanted.landing.sequence
    is_meant = [
        rule
        for rule in _of(rules, _ADD)
        if str(rule.get("expression", "")).strip() == SEQUENCE and name in (None, rule.get("value"))
    ]
    if not is_meant:
        yield find("sequence", where, None, f"{name or 'a column'}: {_WANTED_SEQUENCE}")
    for rule in is_meant:
        told = rule.get("data-type")
        kind = part(told) or {"type": told}
        length = kind.get("length", 0)
        if kind.get("type") != "string" or not _is_long(length):
            found = f"{kind.get('type')}({length})"
            yield find("sequence_type", f"{where}: {_named(rule)}", found, _WANTED_SEQUENCE)


def _is_long(length: Any) -> bool:
    return str(length).isdecimal() and int(length) >= SEQUENCE_DIGITS


def _judge_before(where: str, rules: list[Mapping[str, Any]], wanted: Wanted) -> Iterator[Finding]:
    prefix = "BI_" if wanted.landing is None else wanted.landing.before
    found = _of(rules, _BEFORE)
    if not found:
        what = "the task's settings alone, which S3 does not take" if wanted.has_setting else None
        yield find("before_image", where, what, f"the key, with the prefix {prefix}")
    elif wanted.has_setting:
        yield find("before_image_twice", where, "a rule, and BeforeImageSettings", "the rule alone")
    for rule in found:
        told = part(rule.get("before-image-def"))
        own = f"{where}: {_named(rule)}"
        if told.get("column-filter") not in _FILTERS:
            yield find("before_image", own, told.get("column-filter"), "column-filter pk-only")
        affixes = (told.get("column-prefix") or "", told.get("column-suffix") or "")
        is_other = wanted.landing is not None and affixes[0] != prefix
        if is_other or affixes[1] or not affixes[0]:
            shown = f"prefix {affixes[0]!r}, suffix {affixes[1]!r}"
            yield find("before_image_name", own, shown, f"prefix {prefix!r}, no suffix")


def _judge_key(where: str, rules: list[Mapping[str, Any]], table: LandedTable) -> Iterator[Finding]:
    for rule in _of(rules, _KEY):
        columns = part(rule.get("primary-key-def")).get("columns")
        found = [str(column) for column in columns] if isinstance(columns, list) else []
        if sorted(found) != sorted(table.key):
            own = f"{where}: {_named(rule)}"
            yield find("other_key", own, ", ".join(found), ", ".join(table.key))
