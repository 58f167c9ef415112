"""What differs of a subject whose conflict waits for a decision is explained, and nothing else."""

from __future__ import annotations

from typing import Any

import aspen_etl as ae
from aspen_etl.synchronization.two_way import resolve
from tests.synchronization.test_two_way import Sides, run, sides

__all__ = ["sides"]  # the fixture

CONFLICT = ("differs", "borrower", "full_name", "held", 1)


def told(found: ae.Reconciliation) -> tuple[str, list[tuple[Any, ...]]]:
    rows = [(e.kind, e.sheet, e.column, e.why, e.count) for e in found.differences]
    return found.outcome, rows


def hold(sides: Sides) -> None:
    """Let both sides change one name, and one of them another; the first is held."""
    sides.old.people["a"]["full_name"] = "Ann Roe"
    sides.rename("a", "Anna")
    sides.pull("old")
    sides.pull("new")
    sides.push("old")
    sides.push("new")


def test_a_held_conflict_explains_what_differs_of_its_subject(sides: Sides) -> None:
    hold(sides)
    more: Any = {"run": run()}
    assert told(ae.reconcile(sides.old, sides.store, **more)) == ("in_step", [])
    assert told(ae.reconcile(sides.store, sides.new, **more)) == ("in_step", [CONFLICT])
    assert ae.reconcile(sides.old, sides.new, **more).unexplained == 1
    between = {**more, "explained_by": sides.store}
    assert told(ae.reconcile(sides.old, sides.new, **between)) == ("in_step", [CONFLICT])
    sides.rename("c", "Cyd")  # who is not held is not explained
    open_one = ("differs", "borrower", "full_name", None, 1)
    found = told(ae.reconcile(sides.old, sides.new, **between))
    assert found == ("unexplained", [CONFLICT, open_one])
    before = (sides.store, sides.store.find().version)
    resolve(sides.store, ["a"], take="old", run=run())
    assert told(ae.reconcile(sides.store, sides.new, **more))[1] == [CONFLICT, open_one]
    sides.pull("new")  # does what was decided: from then on nobody waits, a push is due
    assert told(ae.reconcile(sides.store, sides.new, **more))[1] == [open_one]
    assert told(ae.reconcile(before, sides.new, **more))[1] == [CONFLICT, open_one]


def test_tables_as_they_are_are_explained_in_the_same_way(sides: Sides) -> None:
    hold(sides)
    found = ae.reconcile(sides.store, sides.new, run=run(), tables=True)
    assert found.outcome == "in_step"
    assert {each.sheet for each in found.differences} == {"user_profile"}
    assert {each.why for each in found.differences} == {"held"}
    assert found.explained
