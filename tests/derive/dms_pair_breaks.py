"""For each rule about a pair of tasks, templates that break it alone, and what comes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aspen_etl import BORROWER_MODEL
from aspen_etl.derive.dms import dms_pair_template
from tests.derive.dms_breaks import BY_SEQUENCE

LOOPBACK, DEFINITIONS = "LoopbackPreventionSettings", "ChangeProcessingDdlHandlingPolicy"
FIRST, SECOND = "OldToNew", "NewToOld"
TASKS = (FIRST, SECOND)

Template = dict[str, Any]


def sound_pair() -> Template:
    """Make a pair that breaks no rule."""
    return dms_pair_template(BORROWER_MODEL, BY_SEQUENCE)


def put(template: Template, task: str, part: str, **values: Any) -> Template:
    """Change settings of a task; what is None is left out."""
    held = template["Resources"][task]["Properties"]
    settings = json.loads(held["ReplicationTaskSettings"])
    told = {**settings.get(part, {}), **values}
    settings[part] = {name: value for name, value in told.items() if value is not None}
    held["ReplicationTaskSettings"] = json.dumps(settings)
    return template


def of_type(template: Template, task: str, kind: str) -> Template:
    """Let a task be of another type."""
    template["Resources"][task]["Properties"]["MigrationType"] = kind
    return template


def named(template: Template, *schemas: tuple[Any, Any]) -> Template:
    """Let the marks of each task be in other schemas."""
    for task, (source, target) in zip(TASKS, schemas):
        put(template, task, LOOPBACK, SourceSchema=source, TargetSchema=target)
    return template


def made_by(engine: str) -> Template:
    """Let the template make the new database, too."""
    database = {"Type": "AWS::RDS::DBInstance", "Properties": {"Engine": engine}}
    made = sound_pair()
    return {**made, "Resources": {**made["Resources"], "Database": database}}


PAIR_BREAKS: Mapping[str, tuple[Callable[[], Template], ...]] = {
    "loopback": (
        lambda: put(sound_pair(), FIRST, LOOPBACK, EnableLoopbackPrevention=False),
        lambda: put(sound_pair(), SECOND, LOOPBACK, EnableLoopbackPrevention=None),
        lambda: put(
            put(sound_pair(), SECOND, LOOPBACK, EnableLoopbackPrevention="false"),
            *(FIRST, LOOPBACK),
            EnableLoopbackPrevention=None,
        ),
    ),
    "loopback_schemas": (
        lambda: named(sound_pair(), ("one", "two"), ("one", "two")),
        lambda: named(sound_pair(), ("one", "two"), ("three", "one")),
        lambda: named(sound_pair(), ("one", "two"), (None, None)),
    ),
    "two_full_loads": (
        lambda: of_type(sound_pair(), SECOND, "full-load-and-cdc"),
        lambda: of_type(sound_pair(), SECOND, "full-load"),
    ),
    "definitions_on_both": (
        lambda: put(sound_pair(), SECOND, DEFINITIONS, HandleSourceTableAltered=True),
        lambda: put(sound_pair(), SECOND, DEFINITIONS, HandleSourceTableAltered=None),
    ),
    "edition": (lambda: made_by("sqlserver-ex"), lambda: made_by("sqlserver-web")),
}

#: What comes of it: ``echo`` (they never come to rest), ``wrong`` (a row goes back to an older
#: state, or both sides differ at rest), or ``refused`` (there is no such task).
PAIR_ENDS: Mapping[str, tuple[str, ...]] = {
    "loopback": ("echo", "echo", "echo"),
    "loopback_schemas": ("echo", "wrong", "echo"),
    "two_full_loads": ("wrong", "wrong"),
    "definitions_on_both": ("echo", "echo"),
    "edition": ("refused", "refused"),
}

#: What both databases are like where a rule is broken, by the word of ``DmsRule.fault``.
PAIR_FAULTS: Mapping[str, str] = {
    "changes_echo": "what a task wrote is taken back by the other one",
    "marks_not_found": "a task's marks are where the other one does not look",
    "rows_loaded_back": "rows of an older moment are over those of a younger one",
    "definitions_echo": "a column that was added is added again",
}
