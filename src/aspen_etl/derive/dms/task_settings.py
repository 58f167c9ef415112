"""The settings of a task that may lose nothing: LOB columns, definitions, errors.

Sources: the DMS user guide, "Task settings" (target metadata, change processing of definitions,
error handling), "LOB support": an S3 target knows no full LOB mode, and in limited mode what is
longer than ``LobMaxSize`` is cut, with a line in the task's log alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Optional

from aspen_etl.errors.base import named
from aspen_etl.schema.model import Model
from aspen_etl.schema.types import TYPES

__all__ = ["DEFAULT_LOB_SIZE", "dms_task_settings", "lob_size"]

#: What ``LobMaxSize`` is where nothing is said, in KB.
DEFAULT_LOB_SIZE = 32

#: How many bytes a character takes at most in UTF-16, and what a value takes that is no text.
_BYTES, _VALUE = 4, 64

_KINDS = {
    "landing": "a task that lands files",
    "pair": "one of two tasks in opposite directions, between two databases of one shape",
}


def dms_task_settings(
    kind: Literal["landing", "pair"] = "landing",
    /,
    *,
    model: Optional[Model] = None,
    schemas: Sequence[str] = ("dbo", "dbo"),
    definitions: bool = True,
) -> dict[str, Any]:
    """Give the settings of a task, as DMS takes them.

    A row or a table that DMS cannot carry stops the task, which alarms: by default DMS writes a
    line in its log and goes on without the row. TRUNCATE and DROP at the source do not delete
    files. Changes are not applied in batches, which may lose some on S3.

    Args:
        kind: What the task is for.
        model: The model whose sources land: ``LobMaxSize`` holds its longest text.
        schemas: Of a pair: where this task looks for the marks of the other one at its source, and
            where it puts its own at its target.
        definitions: Whether columns that are new at the source come to be at the target: of a
            pair, one task alone may do it.

    Raises:
        NotSupportedError: There is no such kind.

    Examples:
        >>> dms_task_settings("landing")["TargetMetadata"]["LobMaxSize"]
        32
    """
    named(_KINDS, kind, kind="kind", noun="kind of task")
    made = _common(None if model is None else lob_size(model), definitions=definitions)
    if kind == "pair":
        told = dict(zip(("SourceSchema", "TargetSchema"), schemas))
        made["LoopbackPreventionSettings"] = {"EnableLoopbackPrevention": True, **told}
    return made


def _common(needed: Optional[int], *, definitions: bool) -> dict[str, Any]:
    return {
        "TargetMetadata": {
            "SupportLobs": True,
            "FullLobMode": False,
            "LimitedSizeLobMode": True,
            "LobMaxSize": max(needed or 0, DEFAULT_LOB_SIZE),
            "BatchApplyEnabled": False,
        },
        "FullLoadSettings": {
            "TargetTablePrepMode": "DO_NOTHING",
            "StopTaskCachedChangesApplied": False,
            "StopTaskCachedChangesNotApplied": False,
        },
        "ChangeProcessingDdlHandlingPolicy": {
            "HandleSourceTableDropped": False,
            "HandleSourceTableTruncated": False,
            "HandleSourceTableAltered": definitions,
        },
        "ErrorBehavior": {
            "DataErrorPolicy": "STOP_TASK",
            "DataTruncationErrorPolicy": "STOP_TASK",
            "TableErrorPolicy": "STOP_TASK",
        },
        "Logging": {"EnableLogging": True},
    }


def lob_size(model: Model, /) -> Optional[int]:
    """Give the KB of the longest text that a model takes, in UTF-16; none, if one has no limit.

    A cell that is longer than its columns allow is rejected, whole or cut: so nothing that is
    accepted was cut.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> lob_size(BORROWER_MODEL)
        2
    """
    longest = 0
    for lineage in model.lineage.sources.values():
        for destinations in lineage.destinations.values():
            specs = [model.tables[table].columns[name] for table, name in destinations]
            # A type that takes any text has no rule.
            lengths = [_VALUE if TYPES[each.type].rules(each) else each.length for each in specs]
            known = [length for length in lengths if length is not None]
            if len(known) < len(lengths):
                return None
            longest = max(longest, sum(known) + len(known))
    return -(-longest * _BYTES // 1024)
