"""A rule as a value: what it is called, what it keeps out, and which rows break it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aspen_etl.errors import ModelError
from aspen_etl.schema.column import hint
from aspen_etl.schema.lineage import ROW, Lineage, SourceLineage

__all__ = ["Rule", "check_rules", "merge_rules", "rule_names"]

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True)
class Rule:
    """Say which rows of a sheet break a rule, and what then stays out.

    Attributes:
        name: What the rejects call it: lower-case words joined by an underscore.
        scope: What stays out: the whole ``row``, or what goes with the first column: the one
            ``value``, or the row of a table, by the table's name.
        columns: The columns that it looks at; the first is named in the reject.
        mask: Takes the sheet as ``clean`` gives it, and tells for each row whether it breaks the
            rule; what is neither true nor false does not. It changes nothing.

    Examples:
        >>> def is_box(sheet):
        ...     return sheet.clean["street"].str.startswith("PO Box")
        >>> Rule("po_box", "address", ("street",), is_box).columns
        ('street',)
    """

    name: str
    scope: str
    columns: tuple[str, ...]
    mask: Callable[[Any], Any]

    @property
    def place(self) -> str:
        """The column that the rejects name, and the rule's name: no two rules share both."""
        return f"{next(iter(self.columns), '')}.{self.name}"


def merge_rules(
    before: Mapping[str, Iterable[Rule]], new: Mapping[str, Iterable[Rule]], /
) -> dict[str, tuple[Rule, ...]]:
    """Let each new rule of a sheet take the place of its namesake, or come last."""
    out = {source: tuple(rules) for source, rules in before.items()}
    for source, given in new.items():
        rules = tuple(given)
        places = {rule.place for rule in rules}
        stay = (rule for rule in out.get(source, ()) if rule.place not in places)
        out[source] = (*stay, *rules)
    return out


def rule_names(rules: Mapping[str, Iterable[Rule]], /) -> list[str]:
    """Name each rule by its sheet, its first column and its own name."""
    return [f"{source}.{rule.place}" for source, held in rules.items() for rule in held]


def check_rules(rules: Mapping[str, Iterable[Rule]], lineage: Lineage, /) -> None:
    """Make sure that rules can be held against the sheets of a model.

    Raises:
        ModelError: One cannot; the text says how to mend it.
    """
    for source, held in rules.items():
        if source not in lineage.sources:
            msg = (
                f"a rule is given for {source!r}, which is no source; "
                f"{hint(source, tuple(lineage.sources))}"
            )
            raise ModelError(msg, source=source)
        for rule in held:
            _check(rule, source, lineage.sources[source])
    names = rule_names(rules)
    for name in names:
        if names.count(name) > 1:
            msg = f"the rule {name!r} is given twice; give each rule of a column its own name"
            raise ModelError(msg, name=name)


def _check(rule: Rule, source: str, lineage: SourceLineage) -> None:
    what = f"the rule {rule.name!r} of {source!r}"
    if not isinstance(rule.name, str) or not _NAME.match(rule.name):
        msg = f"{what} cannot be called so; use lower-case letters, digits and underscores"
        raise ModelError(msg, rule=str(rule.name), source=source)
    if isinstance(rule.columns, str) or not rule.columns:
        msg = f"{what} names no columns; give a tuple of those that it looks at"
        raise ModelError(msg, rule=rule.name, source=source)
    for column in rule.columns:
        if column not in lineage.scopes:
            msg = (
                f"{what} looks at {column!r}, which {source!r} does not have; "
                f"{hint(column, tuple(lineage.scopes))}"
            )
            raise ModelError(msg, rule=rule.name, source=source, column=column)
    scopes = dict.fromkeys((ROW, lineage.scopes[rule.columns[0]]))
    if rule.scope not in scopes:
        msg = (
            f"{what} has the scope {rule.scope!r}; what is wrong with {rule.columns[0]!r} keeps "
            f"out: {' or '.join(map(repr, scopes))}"
        )
        raise ModelError(msg, rule=rule.name, source=source, column=rule.columns[0])
