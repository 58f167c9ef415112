"""What a search of histories found: files that are alike, where their names are the order.

Of two files that hold the same, one is a copy of the other, or a change back: where that cannot be
told, it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from aspen_etl.errors import LandingOrderError
from aspen_etl.schema.landing import Landing
from aspen_etl.simulation.landed_database import LandedDatabase, LandedHistory
from aspen_etl.simulation.landed_files import Layout, SimulatedFile, write_landing
from tests.laws.test_landing import LANDING, MODEL, Folder, declared, held, renamed, wanted


def landed(*cities: str) -> tuple[Landing, LandedHistory, list[SimulatedFile]]:
    """Change a row at one time, and land each change in a transaction file."""
    database = LandedDatabase(LANDING, MODEL)
    row = {"BorrowerNo": "a", "full_name": "Ada Lee"}
    database.write("borrower", {**row, "city": "Lynn"})
    database.commit()
    for city in cities:
        database.write("borrower", {**row, "city": city})
    history = database.told()
    database.close()
    landing = replace(declared(LANDING, history), order="transactions")
    return landing, history, write_landing(history, landing, Layout(split=(1,)))


def replayed(landing: Landing, runs: Sequence[Sequence[SimulatedFile]]) -> object:
    with Folder(landing) as folder:
        state = None
        for files in runs:
            folder.put(files)
            read = folder.read(state)
            state = read.state
        return held(read.extract)


def test_a_change_back_within_one_commit_time_is_refused() -> None:
    landing, _, files = landed("Turin", "Rome", "Turin")
    assert files[1].data == files[3].data
    for runs in ([files], [files[:3], files[3:]]):
        with pytest.raises(LandingOrderError, match="a copy, or it changes back") as caught:
            replayed(landing, runs)
        assert caught.value.details["problem"] == "ambiguous"


def test_copies_of_a_full_load_come_in_any_order() -> None:
    landing, history, files = landed("Turin")
    later, sooner = renamed(files[0], 2), renamed(files[0], 1)
    assert replayed(landing, [files, [later], [sooner]]) == wanted(history.truth)


def test_copies_of_a_file_come_in_any_order() -> None:
    landing, history, files = landed("Turin")
    later, sooner = renamed(files[1], 2), renamed(files[1], 1)
    assert replayed(landing, [files, [later], [sooner]]) == wanted(history.truth)
