"""The columns of what a store keeps of two sides, and of rejects that were accepted: cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from aspen_etl.schema.column_spec import ColumnSpec

__all__ = ["ACCEPTED", "CONFLICTS", "PRESENT", "PUSHED", "shadow_columns"]

#: The mark of a shadow's row: whether the shadow has it; a row that only the head has is there with
#: its key alone, and without the mark.
PRESENT = "present"

#: The decision of a conflict that waits for nobody: a push writes its subject to the side anew.
PUSHED = "push"

_TEXTS = ("kind", "sheet", "subject", "key", "column", "was", "side", "head", "decision")

#: The columns of conflicts: what kind it is; of which sheet, subject, row and column; the cell as
#: it was, as the side has it and as the head has it; and what was decided.
CONFLICTS: Mapping[str, ColumnSpec] = MappingProxyType(
    {name: ColumnSpec(name, "text", nullable=True) for name in _TEXTS}
)

#: The columns by which a signed list names the rejects that it accepts.
ACCEPTED: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        name: ColumnSpec(name, "text", nullable=True)
        for name in ("source", "subject", "column", "rule")
    }
)


def shadow_columns(names: Iterable[str], /) -> dict[str, ColumnSpec]:
    """Say what the columns of a shadow's frame are: text, and last the mark.

    Args:
        names: The columns of the sheet.
    """
    texts = {name: ColumnSpec(name, "text", nullable=True) for name in names if name != PRESENT}
    return {**texts, PRESENT: ColumnSpec(PRESENT, "boolean")}
