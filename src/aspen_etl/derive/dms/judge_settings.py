"""The rules for the settings of a task: LOB columns, definitions, errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

from aspen_etl.derive.dms.finding import OFF, ON, Finding, Held, find
from aspen_etl.derive.dms.task_settings import DEFAULT_LOB_SIZE, lob_size
from aspen_etl.schema.model import Model

__all__ = ["has_before_image", "judge_settings"]

_TARGET = {"SupportLobs": True, "LimitedSizeLobMode": True, "LobMaxSize": DEFAULT_LOB_SIZE}
_CHANGES = {"HandleSourceTableDropped": True, "HandleSourceTableTruncated": True}
_ERRORS = {
    "DataErrorPolicy": "LOG_ERROR",
    "DataTruncationErrorPolicy": "LOG_ERROR",
    "TableErrorPolicy": "SUSPEND_TABLE",
}
_SKIPS, _STOPS = {"IGNORE_RECORD", "LOG_ERROR"}, "STOP_TASK"


def has_before_image(settings: Optional[Mapping[str, Any]]) -> bool:
    """Tell whether the settings ask for a before image."""
    held = Held("", (settings or {}).get("BeforeImageSettings"))
    return held.flag("EnableBeforeImage") is True


def judge_settings(
    where: str, settings: Mapping[str, Any], model: Optional[Model]
) -> Iterator[Finding]:
    """Yield what is wrong with the settings of a task."""
    place = f"{where}: settings"
    target = Held(f"{place}.TargetMetadata", settings.get("TargetMetadata"), _TARGET)
    if target.flag("BatchApplyEnabled") is True:
        yield find("batch_apply", target.at("BatchApplyEnabled"), ON, OFF)
    yield from _judge_lobs(target, model)
    name = "ChangeProcessingDdlHandlingPolicy"
    changes = Held(f"{place}.{name}", settings.get(name), _CHANGES)
    for setting in _CHANGES:
        if changes.flag(setting) is True:
            yield find("files_deleted", changes.at(setting), ON, OFF)
    errors = Held(f"{place}.ErrorBehavior", settings.get("ErrorBehavior"), _ERRORS)
    for setting in _ERRORS:
        policy = errors.text(setting)
        if policy in _SKIPS:
            yield find("skipped_rows", errors.at(setting), policy, _STOPS)
        elif policy != _STOPS:
            yield find("suspended_table", errors.at(setting), policy, _STOPS)


def _judge_lobs(target: Held, model: Optional[Model]) -> Iterator[Finding]:
    wanted = {"SupportLobs": True, "FullLobMode": False, "LimitedSizeLobMode": True}
    wrong = [name for name, value in wanted.items() if target.flag(name) != value]
    for name in wrong:
        yield find("lobs", target.at(name), target.flag(name), wanted[name])
    if wrong:
        return
    found = target.get("LobMaxSize")
    needed = (None if model is None else lob_size(model)) or DEFAULT_LOB_SIZE
    if not str(found).isdecimal() or int(found) < needed:
        yield find("lob_size", target.at("LobMaxSize"), found, f"{needed} or more (KB)")
