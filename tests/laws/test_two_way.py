"""Two sides and a store: no edit is lost, nothing is written back, and all come to rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple, Optional
from uuid import uuid4

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.errors import ConflictError
from aspen_etl.schema.policy import Policy
from aspen_etl.schema.snapshot import KeyState, Snapshot
from aspen_etl.store import SnapshotStore
from aspen_etl.synchronization.two_way import pull, push, read_conflicts
from aspen_etl.transform.keys import key_columns
from aspen_etl.transform.parting import can_part
from tests.laws.merge_oracle import Oracle, Row, State
from tests.support.adopted import Application
from tests.support.effort import is_deep, some
from tests.support.sides import MODEL, DiedError, FlatSide, TableSide
from tests.support.worlds import (
    CELLS,
    ROLES,
    SUBJECTS,
    WORDS,
    Values,
    World,
    extract_of,
    values_of,
)

HOW = can_part(MODEL)
HOLD = Policy("hold")
FIRST = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
LENIENT = ae.Thresholds(max_deleted_rows=1.0, allow_empty=True)
OTHERS = [name for name in MODEL.sources["borrower"].columns if name not in ("id", *CELLS)]
BEGIN: Values = {("a", "row"): True, ("a", "full_name"): WORDS[0]}


# ----------------------------------------------------------------------------- rows alone


class Rows:
    """Two flat sides as dictionaries, and the merge as the oracle says it: many histories fit.

    ``test_merging`` holds the merge of the library to that oracle.
    """

    def __init__(self, *, notes_plans: bool = True) -> None:
        begin = self._state(BEGIN)
        self.sides: dict[str, State] = dict.fromkeys(("old", "new", "head"), begin)
        self.shadows: dict[str, State] = dict.fromkeys(("old", "new"), begin)
        self.waiting: dict[str, set[str]] = {"old": set(), "new": set()}
        self.plans: dict[str, Optional[State]] = {"old": None, "new": None}
        self.notes_plans = notes_plans

    def _state(self, values: Values) -> State:
        people: dict[tuple[str, ...], Row] = {}
        roles: dict[tuple[str, ...], Row] = {}
        for subject, unit in values:
            if unit == "row":
                cells = {name: values.get((subject, name)) for name in CELLS}
                people[(subject,)] = {**dict.fromkeys(OTHERS), **cells}
            elif unit in ROLES:
                roles[subject, unit] = {}
        return {"borrower": people, "role_profile": roles}

    def values(self, name: str, /) -> Values:
        state, out = self.sides[name], dict[tuple[str, str], Any]()
        for (subject,), row in state["borrower"].items():
            out[subject, "row"] = True
            out.update({(subject, each): row[each] for each in CELLS if row[each] is not None})
        out.update(dict.fromkeys(state["role_profile"], True))  # type: ignore[arg-type]
        return out

    def put(self, name: str, values: Values, /) -> None:
        self.sides[name] = self._state(values)

    def held(self, name: str, /) -> set[str]:
        return self.waiting[name]

    def _recover(self, name: str) -> None:
        """Take what a push had planned, where the side says that it was written."""
        plan, self.plans[name] = self.plans[name], None
        if plan is not None and self.notes_plans:
            self.shadows[name] = plan

    def pull(self, name: str, /) -> bool:
        self._recover(name)
        head = self.sides["head"]
        merged = Oracle(HOW, HOLD, name).merge(self.shadows[name], self.sides[name], head, [])
        self.sides["head"], self.shadows[name] = merged.rows, merged.shadow
        self.waiting[name] = set(merged.held)
        return bool(merged.rows != head)

    def push(self, name: str, /, *, dies: str) -> bool:
        self._recover(name)
        waiting = self.waiting["old"] | self.waiting["new"]
        side, shadow, head = self.sides[name], self.shadows[name], self.sides["head"]
        after = {
            sheet: {
                key: (shadow if key[0] in waiting else head)[sheet][key]
                for key in {**shadow[sheet], **head[sheet]}
                if key in (shadow if key[0] in waiting else head)[sheet]
            }
            for sheet in head
        }
        touched = {key[0] for sheet in head for key in _others(shadow[sheet], after[sheet])}
        moved = {key[0] for sheet in head for key in _others(shadow[sheet], side[sheet])}
        if not touched or touched & moved:
            return False  # nothing to write, or a pull comes first
        if dies == "before":
            return False
        self.sides[name] = {
            sheet: {
                **{key: row for key, row in side[sheet].items() if key[0] not in touched},
                **{key: row for key, row in rows.items() if key[0] in touched},
            }
            for sheet, rows in after.items()
        }
        if dies:
            self.plans[name] = after
        else:
            self.shadows[name] = after
        return True


def _others(one: Mapping[Any, Any], two: Mapping[Any, Any]) -> set[Any]:
    return {key for key in {**one, **two} if one.get(key) != two.get(key)}


# ----------------------------------------------------------------------------- the whole of it


class Sides(NamedTuple):
    """Two sides: each is read, asked, and written to; ``put`` is what its users do."""

    old: Any
    new: Any


class Whole:
    """A store in memory, a flat side, and one with the tables, in which an application writes."""

    def __init__(self, seed: int, *, remembers: bool, sides: Optional[Sides] = None) -> None:
        self.store = SnapshotStore(f"memory://{uuid4().hex}")
        self.sides = sides or Sides(FlatSide(), TableSide())
        self.application = Application(MODEL, Random(seed))  # noqa: S311 - a draw
        self.remembers = remembers
        self.given: dict[str, Any] = {}
        self.minutes = 0
        self.put("old", BEGIN)
        ae.sync(self.sides.old.read(), self.store, run=self.run)
        self.store.begin_two_way(run=self.run)
        push(self.store, self.sides.new, run=self.run)

    @property
    def run(self) -> ae.Run:
        self.minutes += 1
        return ae.Run(time=FIRST + dt.timedelta(minutes=self.minutes), actor=f"run {self.minutes}")

    def values(self, name: str, /) -> Values:
        if name == "old":
            return values_of(self.sides.old.read())
        tables = self.sides.new.read() if name == "new" else self.store.read().tables
        return values_of(ae.denormalize(tables, model=MODEL))

    def put(self, name: str, values: Values, /) -> None:
        extract = extract_of(values)
        if name == "old":
            self.sides.old.put(extract)
            return
        held = self.sides.new.read()
        tables = self.application.write(extract, Snapshot(held, self._keys(held)), self.run)
        self.sides.new.put(
            {
                key: frame.sort_values(MODEL.tables[key].primary_key, ignore_index=True)
                for key, frame in tables.items()
            }
        )

    def _keys(self, tables: ae.Tables) -> dict[str, KeyState]:
        """Give the keys that the application knows of: maybe not those of rows that are gone."""
        out = {}
        for table in MODEL.tables.values():
            if table.has_surrogate_key:
                held = tables[table.name][list(key_columns(table))]
                if self.remembers:
                    before = self.given.get(table.name, held)
                    held = pd.concat([before, held], ignore_index=True)
                    held = held.drop_duplicates(table.primary_key, ignore_index=True)
                    self.given[table.name] = held
                out[table.name] = KeyState(10_000 + 100 * self.minutes, held)
        return out

    def pull(self, name: str, /) -> bool:
        side = getattr(self.sides, name)
        report = pull(side, self.store, run=self.run, policy=HOLD, thresholds=LENIENT)
        return report.outcome == "committed"

    def push(self, name: str, /, *, dies: str) -> bool:
        side = getattr(self.sides, name)
        written, side.dies = side.written, dies
        try:
            push(self.store, side, run=self.run, deletes="allow")
        except DiedError:
            pass
        except ConflictError as error:
            assert error.details["problem"] == "side"  # noqa: PT017 - else it goes on
        side.dies = ""
        return bool(side.written > written)

    def held(self, name: str, /) -> set[str]:
        found = read_conflicts(self.store)
        return set(found["subject"][found["of"] == name])


# ----------------------------------------------------------------------------- laws

NAMES = st.sampled_from(["old", "new"])
EDITS = st.tuples(
    st.just("edit"),
    NAMES,
    st.sampled_from(SUBJECTS),
    st.sampled_from(["full_name", "full_name", "phone_cell", "row", *ROLES]),
    st.integers(0, 2),
)
STEPS = st.one_of(
    EDITS,
    EDITS,
    st.tuples(st.just("pull"), NAMES),
    st.tuples(st.just("push"), NAMES, st.sampled_from(["", "before", "after"])),
)


def live(world: World, steps: list[tuple[Any, ...]]) -> None:
    """Take steps, and come to rest."""
    for kind, *rest in steps:
        if kind == "edit":
            world.edit(*rest)
        elif kind == "pull":
            world.pull(*rest)
        else:
            world.push(rest[0], dies=rest[1])
    world.rest()


#: As many as the issue of two-way sync asks for: of the deep profile, and of CI.
HISTORIES = settings(max_examples=20_000) if is_deep() else some(1, 300)


@HISTORIES
@given(st.lists(STEPS, max_size=20))
def test_rows_of_two_sides_are_merged_without_a_lost_edit(steps: list[tuple[Any, ...]]) -> None:
    live(World(Rows()), steps)


REVERSED: list[tuple[Any, ...]] = [
    ("edit", "old", "a", "full_name", 1),
    ("pull", "old"),
    ("push", "new", "after"),
    ("edit", "new", "a", "full_name", 0),
]


def test_a_way_back_after_a_push_that_died_is_lost_where_the_plan_is_not_looked_at() -> None:
    live(World(Rows()), REVERSED)
    with pytest.raises(AssertionError, match="nobody took"):
        live(World(Rows(notes_plans=False)), REVERSED)


def test_a_way_back_after_a_push_that_died_is_taken_from_a_store() -> None:
    between = Whole(0, remembers=True)
    live(World(between), REVERSED)
    assert between.values("old")["a", "full_name"] == WORDS[0]


@some(5, 5)
@given(st.lists(STEPS, max_size=8), st.integers(0, 99), st.sampled_from(["remembers", "forgets"]))
def test_two_sides_and_a_store_come_to_rest_without_a_lost_edit(
    steps: list[tuple[Any, ...]], seed: int, application: str
) -> None:
    live(World(Whole(seed, remembers=application == "remembers")), steps)


@some(8, 3)
@given(st.lists(STEPS, max_size=8), st.integers(0, 99))
def test_two_databases_and_a_store_come_to_rest_without_a_lost_edit(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]], seed: int
) -> None:
    pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    from tests.support.sides_in_sqlite import FlatFile, TableFile

    folder = tmp_path_factory.mktemp("sides")
    sides = Sides(FlatFile(folder / "old.db"), TableFile(folder / "new.db"))
    live(World(Whole(seed, remembers=True, sides=sides)), steps)
