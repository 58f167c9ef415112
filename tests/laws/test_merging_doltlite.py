"""A foreign judge of three-way merge: doltlite merges branches of the same rows, cell by cell.

It is slow: two hundred merges take some twenty seconds.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aspen_etl.schema import Model, Series, Table, column
from aspen_etl.schema.policy import Policy
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.three_way import merge
from tests.laws.merge_oracle import State, a_state, edited, frames, only, state_of

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[1] / "support" / "doltlite_merges.py"
MERGES = 200
KEYS = ("a", "b", "c", "d", "é c")


class Thing(Table, source="things"):
    """Known by a text, with two cells."""

    k: Series[str] = column(natural_key=True, length=8)
    u: Series[str] = column(nullable=True, length=8)
    v: Series[str] = column(nullable=True, length=8)


HOW = can_part(Model.of(tables=[Thing]))


def rows_of(state: State) -> list[list[Any]]:
    return [[*key, row["u"], row["v"]] for key, row in state["things"].items()]


def test_merges_are_those_of_doltlite() -> None:
    if importlib.util.find_spec("doltlite") is None:
        pytest.skip("doltlite is not installed")
    random = Random(7)  # noqa: S311 - a test
    cases = []
    for _ in range(MERGES):
        shadow = only(a_state(HOW, random), KEYS, HOW)
        cases.append([shadow, *(only(edited(shadow, HOW, random), KEYS, HOW) for _ in range(2))])
    asked = json.dumps([[rows_of(state) for state in case] for case in cases])
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], input=asked, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    conflicts = 0
    for states, (theirs, keys) in zip(cases, json.loads(done.stdout)):
        was, side, head = (frames(state, HOW) for state in states)
        found = merge(was, side, head, HOW, policy=Policy("hold"), name="old")
        held = {key for (key,) in keys}
        assert set(found.held) == held
        conflicts += len(held)
        ours = {tuple(row) for row in rows_of(state_of(found.rows, HOW))}
        assert {row for row in ours if row[0] not in held} == {
            tuple(row) for row in theirs if row[0] not in held
        }
    assert conflicts > MERGES // 8
