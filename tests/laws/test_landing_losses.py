"""What a feed that lacks a row comes to: right all the same, seen, or wrong where nothing tells.

Counts of many are in docs/explanation/landing.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.errors import LandingOrderError
from aspen_etl.simulation.landed_files import Layout, SimulatedFile, write_landing
from aspen_etl.synchronization.landing import LandingRead
from aspen_etl.testing._landings import LandedHistory, LoggedChange, landed_histories
from tests.laws.test_landing import LANDING, MODEL, TABLES, Folder, held, wanted
from tests.support.effort import some


def keys_of(change: LoggedChange) -> set[tuple[str, tuple[Optional[str], ...]]]:
    """Give the keys that a change writes: that of its row, and that which it left behind."""
    own = tuple(change.row[name] for name in TABLES[change.source].key)
    return {(change.source, key) for key in (own, change.before) if key is not None}


def read(files: list[SimulatedFile]) -> Optional[LandingRead]:
    """Read a folder; nothing, where a change that is missing is seen."""
    with Folder(LANDING) as folder:
        folder.put(files)
        try:
            return folder.read()
        except LandingOrderError as error:
            if error.details["problem"] != "gap":
                raise
            return None


@some(2, 6)
@given(landed_histories(LANDING, MODEL, max_steps=12), st.data())
def test_a_row_that_is_missing_is_harmless_or_seen_unless_it_is_a_key_s_last(
    history: LandedHistory, data: st.DataObject
) -> None:
    if not history.log:
        return
    at = data.draw(st.integers(0, len(history.log) - 1))
    lost, later = history.log[at], history.log[at + 1 :]
    rest = replace(history, log=[*history.log[:at], *later])
    found = read(write_landing(rest, LANDING, Layout(split=(3,))))
    if found is None or held(found.extract) == wanted(history.truth):
        return
    assert keys_of(lost) - {key for change in later for key in keys_of(change)}
