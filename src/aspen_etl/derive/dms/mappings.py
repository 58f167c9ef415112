"""The table mappings of a task that lands a model's sources: what is taken, what is added.

Sources: the DMS user guide, "Selection rules" (``explicit`` names one table, without wildcards),
"Transformation rules" (``add-column``, ``add-before-image-columns``), "Expressions"
(``$AR_H_CHANGE_SEQ``: 16 digits of time, 19 of a counter; a shorter or other type cuts it).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aspen_etl.derive.dms.patterns import as_pattern
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.schema.model import Model

__all__ = ["SEQUENCE", "SEQUENCE_DIGITS", "SEQUENCE_LENGTH", "dms_mappings", "select_tables"]

#: The expression of the sequence, how many digits it has, and the length that is given to it.
SEQUENCE, SEQUENCE_DIGITS, SEQUENCE_LENGTH = "$AR_H_CHANGE_SEQ", 35, 50


def dms_mappings(model: Model, landing: Landing, /) -> dict[str, Any]:
    """Give the table mappings of a task, as DMS takes them.

    Each source's table is selected by name. Each gets the sequence, where changes are ordered by
    it, and the key as it was before a change: without that, a key that is updated leaves the old
    one behind.

    Args:
        model: The model whose sources land.
        landing: Where, from which tables, and in what order.

    Returns:
        The document: ``{"rules": [...]}``.

    Raises:
        ArgumentError: The landing does not feed the model's sources.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> from aspen_etl.schema.landing import LandedTable, Landing
        >>> tables = {
        ...     "borrower": LandedTable("dbo.borrower"),
        ...     "role_profile": LandedTable("dbo.role_profile", key=("rp_id",)),
        ... }
        >>> landing = Landing("s3://raw/dms", tables)
        >>> len(dms_mappings(BORROWER_MODEL, landing)["rules"])
        6
    """
    landing.check(model)
    tables = [landing.tables[source] for source in model.sources]
    tables += [LandedTable(name) for name in (landing.heartbeat, landing.side) if name is not None]
    rules = [*map(_selection, tables)]
    for table in tables:
        rules += _added(table, landing)
    return {"rules": _numbered(rules)}


def select_tables(model: Model, landing: Landing, /) -> list[dict[str, Any]]:
    """Give the rules that select the table of each source, and change nothing of it."""
    return _numbered([_selection(landing.tables[source]) for source in model.sources])


def _numbered(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    numbers = map(str, range(1, len(rules) + 1))
    return [{"rule-id": each, "rule-name": each, **rule} for each, rule in zip(numbers, rules)]


def _selection(table: LandedTable) -> dict[str, Any]:
    return {
        "rule-type": "selection",
        "rule-action": "explicit",
        "object-locator": {"schema-name": table.schema, "table-name": table.table},
        "filters": [],
    }


def _added(table: LandedTable, landing: Landing) -> Iterator[dict[str, Any]]:
    common = {
        "rule-type": "transformation",
        "rule-target": "column",
        "object-locator": {
            "schema-name": as_pattern(table.schema),
            "table-name": as_pattern(table.table),
        },
    }
    if landing.order == "sequence":
        yield {
            **common,
            "rule-action": "add-column",
            "value": landing.sequence,
            "expression": SEQUENCE,
            "data-type": {"type": "string", "length": SEQUENCE_LENGTH},
        }
    yield {
        **common,
        "rule-action": "add-before-image-columns",
        "before-image-def": {
            "column-prefix": landing.before,
            "column-suffix": "",
            "column-filter": "pk-only",
        },
    }
