"""Two tasks in opposite directions: what lints clean comes to rest with both sides alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl import BORROWER_MODEL
from aspen_etl.derive.dms import (
    DMS_RULES,
    DmsTask,
    dms_pair_template,
    dms_task_settings,
    lint_dms,
    read_documents,
)
from aspen_etl.errors import ArgumentError, NotSupportedError
from aspen_etl.schema.landing import LandedTable, Landing
from tests.derive.dms_breaks import BY_SEQUENCE, sound
from tests.derive.dms_pair_breaks import (
    DEFINITIONS,
    FIRST,
    LOOPBACK,
    PAIR_BREAKS,
    PAIR_ENDS,
    SECOND,
    TASKS,
    Template,
    named,
    of_type,
    put,
    sound_pair,
)
from tests.support.effort import some

#: After so many rounds without an edit a pair that still moves will not come to rest.
ROUNDS = 12
NO_CHANGES = {"sqlserver-ex", "sqlserver-web"}


class Change(NamedTuple):
    """A transaction: rows that were written, columns that were added, and whose marks it bears."""

    rows: dict[str, int]
    columns: tuple[str, ...] = ()
    marks: frozenset[Any] = frozenset()


@dataclass
class Database:
    """One of both databases."""

    rows: dict[str, int] = field(default_factory=dict)
    log: list[Change] = field(default_factory=list)
    went_back: bool = False

    def commit(self, change: Change) -> None:
        self.went_back |= any(self.rows.get(key, 0) > value for key, value in change.rows.items())
        self.rows |= change.rows
        self.log.append(change)


class Task:
    """A task as the user guide says that one is, by its documents alone."""

    def __init__(self, task: DmsTask, source: Database, target: Database) -> None:
        settings: Any = task.settings
        loopback = settings.get(LOOPBACK, {})
        self.is_on = str(loopback.get("EnableLoopbackPrevention")).lower() == "true"
        self.schemas = loopback.get("SourceSchema"), loopback.get("TargetSchema")
        self.alters = settings[DEFINITIONS].get("HandleSourceTableAltered", True)
        self.loads, self.follows = "full" in str(task.migration), "cdc" in str(task.migration)
        self.source, self.target, self.at = source, target, 0

    def begin(self) -> dict[str, int]:
        """Read what a full load brings; what is committed from now on is a change."""
        self.at = len(self.source.log)
        return dict(self.source.rows) if self.loads else {}

    def write(self, change: Change) -> None:
        marks = frozenset(self.schemas[1:]) if self.is_on else frozenset()
        if change.rows:
            self.target.commit(Change(change.rows, marks=marks))
        if change.columns and self.alters:  # definitions bear no marks
            self.target.commit(Change({}, change.columns))

    def run(self) -> bool:
        """Bring what was committed; tell whether there was something."""
        new = self.source.log[self.at :] if self.follows else []
        self.at = len(self.source.log)
        taken = [each for each in new if not (self.is_on and self.schemas[0] in each.marks)]
        for change in taken:
            self.write(change)
        return bool(taken)


class Pair:
    """Both databases and both tasks."""

    def __init__(self, tasks: Sequence[DmsTask]) -> None:
        self.old, self.new = Database({"o": 1, "n": 1}), Database()
        self.wanted = dict(self.old.rows)
        one, two = tasks
        self.tasks = Task(one, self.old, self.new), Task(two, self.new, self.old)

    def begin(self, edit: Optional[str]) -> None:
        """Load, while somebody may edit the old side; then no row is written on both sides."""
        first, second = self.tasks
        first.write(Change(first.begin()))
        loaded = second.begin()
        if edit is not None:
            self.edit(0, edit)
        if loaded:
            second.write(Change(loaded))

    def edit(self, side: int, key: str, column: str = "") -> None:
        value = self.wanted.get(key, 0) + 1
        self.wanted[key] = value
        self.side(side).commit(Change({key: value}, (column,) * bool(column)))

    def side(self, number: int) -> Database:
        return (self.old, self.new)[number]

    def rest(self) -> str:
        """Let both run until nothing moves, and say the end."""
        for _ in range(ROUNDS):
            moved = [task.run() for task in self.tasks]
            if not any(moved):
                alike = self.old.rows == self.new.rows == self.wanted
                back = self.old.went_back or self.new.went_back
                return "right" if alike and not back else "wrong"
        return "echo"


def end_of(template: Template) -> str:
    """Let a pair run: edits on both sides, some while the other side's changes are on their way."""
    documents = read_documents([("template", template)])
    if NO_CHANGES & set(documents.engines.values()):
        return "refused"
    pair = Pair(documents.tasks)
    pair.begin("o")
    for side, key in ((0, "o"), (1, "n"), (0, "o"), (0, "o")):
        pair.edit(side, key)
        pair.tasks[side].run()
    pair.edit(0, "o")
    pair.tasks[1].run()
    pair.edit(0, "o", "more")
    return pair.rest()


def rules_of(template: Template) -> list[str]:
    found = lint_dms({"template": template}, model=BORROWER_MODEL)
    for each in found:
        assert each.why == DMS_RULES[each.rule].why
        assert each.found != each.wanted
    return sorted({each.rule for each in found})


# ----------------------------------------------------------------------------- the laws


def test_a_pair_that_the_library_makes_breaks_no_rule_and_comes_to_rest() -> None:
    assert rules_of(sound_pair()) == []
    assert end_of(sound_pair()) == "right"
    assert read_documents([("template", sound_pair())]).missing == ()


ALL = [(rule, place) for rule, makes in PAIR_BREAKS.items() for place in range(len(makes))]


@pytest.mark.parametrize(("rule", "place"), ALL)
def test_each_rule_is_broken_alone_and_something_comes_of_it(rule: str, place: int) -> None:
    assert rules_of(PAIR_BREAKS[rule][place]()) == [rule]
    assert end_of(PAIR_BREAKS[rule][place]()) == PAIR_ENDS[rule][place]


SCHEMAS = st.sampled_from(["one", "two", None])
FLAGS = st.sampled_from([True, False, None])


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """Draw pairs whose settings say this and that."""
    names = draw(st.sampled_from([("one", "two"), ("dbo", "dbo")]))
    opposite = draw(st.sampled_from([True, True, False]))
    back = names[::-1] if opposite else (draw(SCHEMAS), draw(SCHEMAS))
    template = named(sound_pair(), names, back)
    for task in TASKS:
        if draw(st.integers(0, 3)) == 0:
            put(template, task, LOOPBACK, EnableLoopbackPrevention=draw(FLAGS))
        if draw(st.booleans()):
            put(template, task, DEFINITIONS, HandleSourceTableAltered=draw(FLAGS))
    kinds = st.sampled_from(["cdc", "cdc", "full-load-and-cdc"])
    return of_type(template, SECOND, draw(kinds))


EDITS = st.lists(st.tuples(st.sampled_from(["edit", "run"]), st.integers(0, 1)), max_size=12)


@some(1, 20)
@given(templates(), EDITS)
def test_whatever_a_pair_says_what_lints_clean_comes_to_rest(
    template: Template, steps: list[tuple[str, int]]
) -> None:
    if rules_of(template):
        return
    pair = Pair(read_documents([("template", template)]).tasks)
    pair.begin("o")
    for what, side in steps:
        if what == "edit":
            pair.edit(side, "on"[side], "more" if side == 0 else "")
        else:
            pair.tasks[side].run()
    assert pair.rest() == "right"


# ----------------------------------------------------------------------------- documents


def test_tasks_as_describe_calls_give_them_are_a_pair() -> None:
    def task(name: str, source: str, target: str) -> dict[str, Any]:
        settings = dms_task_settings("pair", model=BORROWER_MODEL)
        return {
            "ReplicationTaskIdentifier": name,
            "MigrationType": "full-load-and-cdc",
            "SourceEndpointArn": f"{source}-source",
            "TargetEndpointArn": f"{target}-target",
            "ReplicationTaskSettings": json.dumps(settings),
        }

    ends = [
        {
            "EndpointArn": f"{side}-{kind}",
            "EndpointType": kind.upper(),
            "EngineName": "sqlserver",
            "MicrosoftSQLServerSettings": {"DatabaseName": side, "TrimSpaceInChar": False},
        }
        for side in ("a", "b", "c")
        for kind in ("source", "target")
    ]
    tasks = [task("there", "a", "b"), task("back", "b", "a"), task("on", "b", "c")]
    found = lint_dms({"t": {"ReplicationTasks": tasks}, "e": {"Endpoints": ends}})
    assert {(each.rule, each.where.partition(":")[0]) for each in found} == {
        ("two_full_loads", "there and back"),
        ("definitions_on_both", "there and back"),
    }


def test_a_task_that_lands_files_is_judged_as_ever_beside_a_pair() -> None:
    template = sound_pair()
    case = sound()
    target = {**case.documents["target"], "EndpointType": "target"}
    target["S3Settings"] = {**target["S3Settings"], "IncludeOpForFullLoad": False}
    lands = {"Type": "AWS::DMS::Endpoint", "Properties": target}
    task = {
        "Type": "AWS::DMS::ReplicationTask",
        "Properties": {
            "MigrationType": "full-load-and-cdc",
            "SourceEndpointArn": {"Ref": "OldSource"},
            "TargetEndpointArn": {"Ref": "Files"},
        },
    }
    template["Resources"] |= {"Files": lands, "Land": task}
    assert rules_of(template) == ["op_in_full_load"]


def test_one_task_that_fills_a_database_lands_nothing() -> None:
    template = sound_pair()
    del template["Resources"][SECOND]
    put(template, FIRST, LOOPBACK, EnableLoopbackPrevention=False)
    assert "time_column" in rules_of(template)


def test_tables_of_several_schemas_have_no_one_place_for_marks() -> None:
    tables = {**BY_SEQUENCE.tables, "borrower": LandedTable("other.borrower")}
    with pytest.raises(ArgumentError, match="schema of its tables"):
        dms_pair_template(BORROWER_MODEL, Landing("s3://acme-raw/dms", tables))


def test_there_are_two_kinds_of_tasks() -> None:
    kind: Any = "pears"
    with pytest.raises(NotSupportedError, match="pair"):
        dms_task_settings(kind)
    settings = dms_task_settings("pair", schemas=("one", "two"), definitions=False)
    assert settings[LOOPBACK] == {
        "EnableLoopbackPrevention": True,
        "SourceSchema": "one",
        "TargetSchema": "two",
    }
    assert not any(settings[DEFINITIONS].values())
    assert LOOPBACK not in dms_task_settings()
