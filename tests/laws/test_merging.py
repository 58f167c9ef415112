"""Laws of three-way merge, of shadows, and of what is pushed, against an oracle of dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.schema.policy import KINDS, Policy
from aspen_etl.transform.flat_changes import after_push, changes_to_push
from aspen_etl.transform.parting import Partitioning, can_part
from aspen_etl.transform.shadowing import difference, patched
from aspen_etl.transform.three_way import Merged, merge
from tests.laws.merge_oracle import (
    IDS,
    Oracle,
    State,
    a_state,
    edited,
    frames,
    only,
    state_of,
    tuples,
)
from tests.laws.parted_models import LOANS, METERS, TERMS
from tests.support.effort import some

MODELS = {"borrower": ae.BORROWER_MODEL, "loans": LOANS, "meters": METERS, "terms": TERMS}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)

Law = Callable[[Partitioning, Random], None]

DECISIONS = ("refuse", "hold", "old", "new", "newest")


def holds(model: ae.Model, law: Law, divisor: int = 4) -> None:
    """Let a law be tried on what chance draws: some twenty subjects in each example."""
    how = can_part(model)

    @some(divisor, least=2)
    @given(st.integers(0, 2**32))
    def check(seed: int) -> None:
        law(how, Random(seed))  # noqa: S311 - a test

    check()


def three(how: Partitioning, random: Random) -> tuple[State, State, State]:
    shadow = a_state(how, random)
    return shadow, edited(shadow, how, random), edited(shadow, how, random)


def a_policy(how: Partitioning, random: Random) -> Policy:
    """Draw a policy; most are of sides, since one that holds hides the rest."""
    words = ("hold", "refuse", "newest", *["old", "new"] * 4)
    kinds = {kind: random.choice(words) for kind in KINDS if random.random() < 0.4}
    places = [f"{name}.{c}" for name, spec in how.model.sources.items() for c in spec.columns]
    units = {
        place: random.choice(words)
        for place in [*places, *how.model.sources]
        if random.random() < 0.15
    }
    return Policy(random.choice(words), units=units, kinds=kinds)  # type: ignore[arg-type]


def merged(states: tuple[State, State, State], how: Partitioning, **given: Any) -> Merged:
    given = {"policy": Policy("hold"), "name": "old", **given}
    shadow, side, head = (frames(state, how) for state in states)
    return merge(shadow, side, head, how, **given)


# ----------------------------------------------------------------------------- the oracle


@every_model
def test_a_merge_is_what_the_oracle_says(model: ae.Model) -> None:
    def law(how: Partitioning, random: Random) -> None:
        states, policy, name = (
            three(how, random),
            a_policy(how, random),
            random.choice(["old", "new"]),
        )
        kinds = ("invalid", "key_mismatch", "inexpressible")
        also = [
            (
                random.choice(kinds),
                random.choice(list(how.model.sources)),
                random.choice([*IDS, "z"]),
            )
            for _ in range(random.choice([0, 0, 4, 8]))
        ]
        frame = pd.DataFrame(also, columns=["kind", "sheet", "subject"], dtype=object)
        found = merged(states, how, policy=policy, name=name, also=frame)
        wanted = Oracle(how, policy, name).merge(*states, also)
        as_text = [sorted(map(repr, each)) for each in (tuples(found.conflicts), wanted.conflicts)]
        assert as_text[0] == as_text[1]
        assert set(found.held) == wanted.held
        assert state_of(found.rows, how) == wanted.rows
        assert state_of(found.shadow, how) == wanted.shadow
        head = states[2]
        for sheet, rows in wanted.rows.items():
            assert found.taken[sheet] == {
                "inserted": len(rows.keys() - head[sheet].keys()),
                "updated": sum(rows[key] != head[sheet][key] for key in rows if key in head[sheet]),
                "deleted": len(head[sheet].keys() - rows.keys()),
            }

    holds(model, law, divisor=1)


# ----------------------------------------------------------------------------- laws of a merge


@every_model
def test_what_one_alone_changed_is_what_it_has(model: ae.Model) -> None:
    def law(how: Partitioning, random: Random) -> None:
        shadow, side, head = three(how, random)
        taken = merged((shadow, side, shadow), how, policy=Policy())
        assert state_of(taken.rows, how) == state_of(taken.shadow, how) == side
        left = merged((shadow, shadow, head), how, policy=Policy())
        assert state_of(left.rows, how) == head
        assert state_of(left.shadow, how) == shadow
        echo = merged((shadow, side, side), how, policy=Policy())
        assert state_of(echo.rows, how) == state_of(echo.shadow, how) == side
        for found in (taken, left, echo):
            assert found.conflicts.empty
            assert not found.held

    holds(model, law)


@every_model
def test_kinds_are_the_same_from_either_side(model: ae.Model) -> None:
    turned = {
        "deleted_and_changed": "changed_and_deleted",
        "changed_and_deleted": "deleted_and_changed",
    }

    def law(how: Partitioning, random: Random) -> None:
        shadow, side, head = three(how, random)
        one = tuples(merged((shadow, side, head), how).conflicts)
        two = tuples(merged((shadow, head, side), how).conflicts)
        back = [
            (turned.get(kind, kind), *place, was, theirs, ours, decision)
            for kind, *place, was, ours, theirs, decision in two
        ]
        assert sorted(map(repr, one)) == sorted(map(repr, back))

    holds(model, law)


@every_model
def test_who_is_held_moves_nowhere_and_all_others_are_accounted_for(model: ae.Model) -> None:
    def law(how: Partitioning, random: Random) -> None:
        states, policy = three(how, random), a_policy(how, random)
        found = merged(states, how, policy=policy)
        shadow, side, head = states
        rows, kept = state_of(found.rows, how), state_of(found.shadow, how)
        assert only(rows, found.held, how) == only(head, found.held, how)
        assert only(kept, found.held, how) == only(shadow, found.held, how)
        others = set(IDS) - set(found.held)
        assert only(kept, others, how) == only(side, others, how)
        told = found.conflicts
        undecided = told["decision"].isin(["hold", "refuse"])
        assert set(found.held) == set(told["subject"][undecided])
        assert found.is_refused == bool((told["decision"] == "refuse").any())
        # No row is left without its subject's own.
        for sheet, frame in found.rows.items():
            assert set(frame[how.columns[sheet]]) <= set(
                found.rows[how.root][how.columns[how.root]]
            )

    holds(model, law)


@every_model
def test_what_is_taken_twice_is_quiet(model: ae.Model) -> None:
    def law(how: Partitioning, random: Random) -> None:
        states, policy = three(how, random), a_policy(how, random)
        first = merged(states, how, policy=policy)
        side = frames(states[1], how)
        second = merge(first.shadow, side, first.rows, how, policy=policy, name="old")
        assert not any(any(counts.values()) for counts in second.taken.values())
        assert state_of(second.rows, how) == state_of(first.rows, how)
        assert state_of(second.shadow, how) == state_of(first.shadow, how)
        assert second.held == first.held
        waits = first.conflicts["subject"].isin(first.held)
        assert tuples(second.conflicts) == tuples(first.conflicts[waits])

    holds(model, law)


# ----------------------------------------------------------------------------- shadows and pushes


@every_model
def test_a_shadow_comes_back_of_what_it_differs_by(model: ae.Model) -> None:
    def law(how: Partitioning, random: Random) -> None:
        shadow, head, _ = three(how, random)
        diff = difference(frames(head, how), frames(shadow, how), how)
        assert state_of(patched(frames(head, how), diff, how), how) == shadow
        count = sum(
            rows.get(key) != shadow[sheet].get(key)
            for sheet, rows in head.items()
            for key in {*rows, *shadow[sheet]}
        )
        assert sum(map(len, diff.values())) == count

    holds(model, law)


@every_model
def test_what_is_pushed_is_there_and_nothing_else_is_left(model: ae.Model) -> None:
    def law(how: Partitioning, random: Random) -> None:
        shadow, head, _ = three(how, random)
        held = [subject for subject in IDS if random.random() < 0.3]
        deletes = random.random() < 0.5
        changes = changes_to_push(
            frames(shadow, how), frames(head, how), how, held=held, deletes=deletes
        )
        after = state_of(after_push(frames(shadow, how), changes, how), how)
        again = changes_to_push(
            frames(after, how), frames(head, how), how, held=held, deletes=deletes
        )
        assert again.is_empty
        assert again.held_deletes == changes.held_deletes
        wanted = only(head, set(IDS) - set(held), how)
        for sheet, rows in only(shadow, set(IDS) if not deletes else held, how).items():
            gone = {key: row for key, row in rows.items() if key not in head[sheet]}
            wanted[sheet].update(gone)
        for sheet, rows in only(shadow, held, how).items():
            wanted[sheet].update(rows)
        for sheet, rows in only(head, held, how).items():
            for key in rows.keys() - shadow[sheet].keys():
                wanted[sheet].pop(key, None)
        assert after == wanted
        for sheet in how.model.sources:
            assert len(changes.updated[sheet]) == len(changes.was[sheet])
            before = state_of({sheet: changes.was[sheet]}, how)[sheet]
            assert all(shadow[sheet][key] == row for key, row in before.items())

    holds(model, law)
