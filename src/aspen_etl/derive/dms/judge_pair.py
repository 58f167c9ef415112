"""The rules for two tasks in opposite directions, each of which writes to the other's database.

Sources: the DMS user guide, "Performing bidirectional replication": loopback prevention in the
settings of both tasks, with opposite schemas; one full load at most; no prevention for definitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Optional

from aspen_etl.derive.dms.documents import DmsTask
from aspen_etl.derive.dms.finding import OFF, ON, Finding, Held, find

__all__ = ["judge_pair", "paired_tasks"]

_LOOPBACK, _DEFINITIONS = "LoopbackPreventionSettings", "ChangeProcessingDdlHandlingPolicy"
_ENABLE = "EnableLoopbackPrevention"

#: The settings by which a change of a definition is carried, and what DMS takes by default.
_HANDLED = {
    "HandleSourceTableDropped": True,
    "HandleSourceTableTruncated": True,
    "HandleSourceTableAltered": True,
}
_LOADS = {"full-load", "full-load-and-cdc"}

#: What an endpoint is known by, as far as it tells.
_PLACE = ("ServerName", "DatabaseName", "SecretsManagerSecretId")


def paired_tasks(tasks: Sequence[DmsTask], /) -> tuple[DmsTask, ...]:
    """Give the tasks of a pair: those that write to a database, if there are two, or it is said."""
    found = [task for task in tasks if task.fills_database]
    told = [task for task in found if _loopback(task).flag(_ENABLE) is True]
    return tuple(found if len(found) > 1 else told)


def judge_pair(tasks: Sequence[DmsTask], /) -> Iterator[Finding]:
    """Yield what is wrong with tasks in opposite directions."""
    for one, other in combinations(tasks, 2):
        if _may_be_one(one.source, other.target) and _may_be_one(one.target, other.source):
            yield from _judge(one, other)


def _judge(one: DmsTask, other: DmsTask) -> Iterator[Finding]:
    both = f"{one.name} and {other.name}"
    if one.migration in _LOADS and other.migration in _LOADS:
        yield find("two_full_loads", f"{both}: MigrationType", one.migration, "cdc, of one of them")
    if one.settings is None or other.settings is None:
        return
    loopbacks = [_loopback(task) for task in (one, other)]
    off = [each for each in loopbacks if each.flag(_ENABLE) is not True]
    for each in off:
        yield find("loopback", each.at(_ENABLE), OFF, ON)
    if not off:
        yield from _judge_schemas(both, *loopbacks)
    if all(map(_carries_definitions, (one, other))):
        wanted = "false in one of them, for each kind"
        yield find("definitions_on_both", f"{both}: settings.{_DEFINITIONS}", ON, wanted)


def _judge_schemas(where: str, one: Held, other: Held) -> Iterator[Finding]:
    names = ("SourceSchema", "TargetSchema")
    there, back = ([each.text(name) for name in names] for each in (one, other))
    if not all((*there, *back)) or there != back[::-1]:
        told = " and ".join(f"{' to '.join(map(str, each))}" for each in (there, back))
        wanted = "two schemas, and the same the other way round"
        yield find("loopback_schemas", f"{where}: settings.{_LOOPBACK}", told, wanted)


def _loopback(task: DmsTask) -> Held:
    return Held(f"{task.name}: settings.{_LOOPBACK}", (task.settings or {}).get(_LOOPBACK))


def _carries_definitions(task: DmsTask) -> bool:
    held = Held("", (task.settings or {}).get(_DEFINITIONS), _HANDLED)
    return any(held.flag(name) is True for name in _HANDLED)


def _may_be_one(one: Optional[Mapping[str, Any]], other: Optional[Mapping[str, Any]]) -> bool:
    """Tell whether two endpoints are of one database, or it is not known that they are not."""
    places = [_place(each) for each in (one, other) if each is not None]
    return len(places) < 2 or not all(places) or places[0] == places[1]  # noqa: PLR2004 - both


def _place(endpoint: Mapping[str, Any]) -> dict[str, str]:
    settings = (value for name, value in endpoint.items() if name.endswith("Settings"))
    held = [endpoint, *(each for each in settings if isinstance(each, Mapping))]
    return {name: str(each[name]) for each in held for name in _PLACE if each.get(name)}
