"""A finding, and how the documents are asked: a value, its default, or not known before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Optional

from aspen_etl.derive.dms.rules import DMS_RULES, Severity

__all__ = ["OFF", "ON", "UNKNOWN", "Finding", "Held", "find"]

#: Stands for what is known only when a template is deployed.
UNKNOWN = object()

#: What a flag is, for findings.
ON, OFF = "true", "false"

_FLAGS = {"true": True, "y": True, "yes": True, "1": True, "false": False, "n": False, "no": False}


@dataclass(frozen=True)
class Finding:
    """Say which rule a document breaks, and where.

    Attributes:
        rule: The name of the rule.
        where: The task, the document and the setting.
        found: What stands there.
        wanted: What should.
        severity: ``error`` or ``warning``.
        why: What would come of it.
    """

    rule: str
    where: str
    found: str
    wanted: str
    severity: Severity
    why: str

    def to_dict(self) -> dict[str, str]:
        """Give it as plain values."""
        return asdict(self)


def find(rule: str, where: str, found: Any, wanted: Any) -> Finding:
    """Make a finding of a rule."""
    facts = DMS_RULES[rule]
    return Finding(rule, where, _text(found), _text(wanted), facts.severity, facts.why)


def _text(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value)


class Held:
    """Give the settings of a document by name, with their defaults, whatever form they have.

    Args:
        where: The task and the document, for findings.
        values: The settings.
        defaults: What DMS takes where nothing is said.
        attributes: The same as text: ``name=value;name=value``, in any letter case, which takes
            the place of a setting.
    """

    def __init__(
        self,
        where: str,
        values: Any,
        defaults: Optional[Mapping[str, Any]] = None,
        attributes: Any = "",
    ) -> None:
        self.where = where
        self._values = dict(values) if isinstance(values, Mapping) else {}
        self._defaults = defaults or {}
        pairs = (each.partition("=") for each in str(attributes or "").split(";"))
        self._attributes = {name.strip().casefold(): value.strip() for name, _, value in pairs}

    def at(self, name: str) -> str:
        """Name the place of a setting."""
        return f"{self.where}.{name}"

    def get(self, name: str) -> Any:
        """Give a setting; ``UNKNOWN`` where a template says it when it is deployed."""
        found = self._attributes.get(name.casefold(), self._values.get(name))
        if isinstance(found, Mapping):
            return UNKNOWN
        return self._defaults.get(name) if found is None else found

    def flag(self, name: str) -> Any:
        """Give a setting that is on or off."""
        found = self.get(name)
        if isinstance(found, str):
            return _FLAGS.get(found.strip().lower(), found)
        return bool(found) if found is None else found

    def text(self, name: str) -> Any:
        """Give a setting that is text."""
        found = self.get(name)
        return found if found is UNKNOWN or isinstance(found, str) else str(found or "")
