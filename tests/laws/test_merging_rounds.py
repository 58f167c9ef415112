"""Laws of rounds: two sides that people write into, pulled into one head and pushed out of it.

Each edit writes a text that was never there, and knows the one that it replaced; so it shows
whether anything is lost. A push that nobody heard of any more is found by what it wrote.
"""

from __future__ import annotations

import itertools
from random import Random
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.schema.policy import Policy
from aspen_etl.transform.flat_changes import FlatChanges, after_push, changes_to_push
from aspen_etl.transform.parting import Partitioning, can_part
from aspen_etl.transform.three_way import merge
from tests.laws.merge_oracle import Row, State, frames, keys_within, only, state_of
from tests.laws.parted_models import METERS
from tests.support.effort import some

MODELS = {"borrower": ae.BORROWER_MODEL, "meters": METERS}
IDS = ("a", "b", "c", "d", "e", "f")
OTHER = {"old": "new", "new": "old"}


class World:
    """Two sides and the head between them."""

    def __init__(self, how: Partitioning, random: Random) -> None:
        self.how, self.random = how, random
        self.count = itertools.count()
        self.made_from: dict[str, Optional[str]] = {}
        self.deleted: dict[str, dict[Any, Row]] = {name: {} for name in OTHER}
        start: State = {name: {} for name in how.model.sources}
        for subject in IDS[:-1]:
            self.insert("old", start, subject)
        self.head = start
        self.sides = {name: copied(start) for name in OTHER}
        self.shadows = {name: copied(start) for name in OTHER}
        self.pushed: dict[str, Optional[State]] = dict.fromkeys(OTHER)
        self.was_in_head = set(self.made_from)
        self.held: dict[str, set[str]] = {name: set() for name in OTHER}

    # ------------------------------------------------------------------------- people

    def text(self, was: Optional[str]) -> str:
        new = f"v{next(self.count)}"
        self.made_from[new] = was
        return new

    def new_row(self, name: str, sheet: str, key: tuple[str, ...]) -> Row:
        """Make a row; where there was one that somebody deleted, it is made from that."""
        was = self.deleted[name].get((sheet, key), {})
        names = self.how.model.lineage.sources[sheet].key
        columns = self.how.model.sources[sheet].columns
        return {c: self.text(was.get(c)) for c in columns if c not in names}

    def insert(self, name: str, state: State, subject: str) -> None:
        for sheet in self.how.model.sources:
            for key in keys_within(subject, sheet, self.how):
                if sheet == self.how.root or self.random.random() < 0.5:
                    state[sheet][key] = self.new_row(name, sheet, key)

    def delete(self, name: str, sheet: str, key: tuple[str, ...]) -> None:
        self.deleted[name][sheet, key] = self.sides[name][sheet].pop(key)

    def edit(self, name: str) -> None:
        state, subject = self.sides[name], self.random.choice(IDS)
        if (subject,) not in state[self.how.root]:
            self.insert(name, state, subject)
            return
        if self.random.random() < 0.1:
            for sheet, rows in only(state, (subject,), self.how).items():
                for key in rows:
                    self.delete(name, sheet, key)
            return
        sheet = self.random.choice(list(state))
        key = self.random.choice(list(keys_within(subject, sheet, self.how)))
        row = state[sheet].get(key)
        if row:
            column = self.random.choice(list(row))
            row[column] = self.text(row[column])
        elif row is not None:
            self.delete(name, sheet, key)
        else:
            state[sheet][key] = self.new_row(name, sheet, key)

    # ------------------------------------------------------------------------- the library

    def recover(self, name: str) -> None:
        """Take what the side says was written there last for what it has."""
        self.shadows[name] = self.pushed[name] or self.shadows[name]
        self.pushed[name] = None

    def pull(self, name: str) -> bool:
        self.recover(name)
        states = (self.shadows[name], self.sides[name], self.head)
        shadow, side, head = (frames(state, self.how) for state in states)
        found = merge(shadow, side, head, self.how, policy=Policy("hold"), name=name)
        rows = state_of(found.rows, self.how)
        for sheet, key, column in cells_in_both(self.head, rows):
            was, now = self.head[sheet][key][column], rows[sheet][key][column]
            assert self.is_made_from(now, was), "the head lost what it had not passed on"
        self.head, self.shadows[name] = rows, state_of(found.shadow, self.how)
        self.held[name] = set(found.held)
        self.was_in_head |= set(texts(rows))
        return any(any(counts.values()) for counts in found.taken.values())

    def push(self, name: str, *, is_heard: bool = True) -> bool:
        self.recover(name)
        shadow, head = frames(self.shadows[name], self.how), frames(self.head, self.how)
        changes = changes_to_push(shadow, head, self.how, held=self.held[name])
        if changes.is_empty:
            return False
        if not self.is_as_known(name, changes):
            return True  # a pull comes first, so this is no rest
        for part in (changes.was, changes.deleted):
            lost = set(texts(state_of(part, self.how)))
            assert lost <= self.was_in_head, "a push wrote over what was never taken"
        side = after_push(frames(self.sides[name], self.how), changes, self.how)
        self.sides[name] = state_of(side, self.how)
        after = state_of(after_push(shadow, changes, self.how), self.how)
        if is_heard:
            self.shadows[name] = after
        else:
            self.pushed[name] = after
        return True

    def is_as_known(self, name: str, changes: FlatChanges) -> bool:
        """Guard: what is written over is what is known to be there, else nothing is written."""
        side = self.sides[name]
        for part in (changes.was, changes.deleted):
            for sheet, rows in state_of(part, self.how).items():
                if any(side[sheet].get(key) != row for key, row in rows.items()):
                    return False
        new = state_of(changes.inserted, self.how)
        gone = {(key[0],) for key in state_of(changes.deleted, self.how)[self.how.root]}
        left = only(side, {subject for (subject,) in gone}, self.how)
        known = state_of(changes.deleted, self.how)
        more = any(rows.keys() - known[sheet].keys() for sheet, rows in left.items())
        return not more and all(side[sheet].keys().isdisjoint(new[sheet]) for sheet in new)

    def is_made_from(self, now: Optional[str], was: Optional[str]) -> bool:
        while now is not None and now != was:
            now = self.made_from[now]
        return now == was


def copied(state: State) -> State:
    return {sheet: {key: dict(row) for key, row in rows.items()} for sheet, rows in state.items()}


def texts(state: State) -> list[str]:
    rows = itertools.chain.from_iterable(rows.values() for rows in state.values())
    return [cell for row in rows for cell in row.values() if cell is not None]


def cells_in_both(one: State, two: State) -> list[tuple[str, Any, str]]:
    return [
        (sheet, key, column)
        for sheet, rows in one.items()
        for key, row in rows.items()
        if key in two[sheet]
        for column in row
    ]


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_rounds_lose_nothing_and_come_to_rest(model: ae.Model) -> None:
    how = can_part(model)

    @some(4, least=2)
    @given(st.integers(0, 2**32))
    def check(seed: int) -> None:
        random = Random(seed)  # noqa: S311 - a test
        world = World(how, random)
        for _ in range(12):
            name = random.choice(list(OTHER))
            for _ in range(random.choice([0, 1, 1, 3])):
                world.edit(name)
            if random.random() < 0.6:
                world.pull(name)
            else:
                world.push(name, is_heard=random.random() < 0.7)
        for _ in range(4):
            moved = [world.pull("old"), world.push("new"), world.pull("new"), world.push("old")]
            if not any(moved):
                break
        else:
            raise AssertionError("they do not come to rest")
        others = set(IDS) - world.held["old"] - world.held["new"]
        head = only(world.head, others, how)
        assert all(only(side, others, how) == head for side in world.sides.values())

    check()
