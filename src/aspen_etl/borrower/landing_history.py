"""A history of borrowers in a database, made from a seed, and how its files come: late, twice."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.simulation.landed_database import LandedDatabase, LandedHistory, Row
from aspen_etl.simulation.landed_files import Layout, SimulatedFile, write_landing

__all__ = ["deliver", "landing_of", "make_history"]

_MINUTE = dt.timedelta(minutes=1)

_FIRST = ("Ada", "Bo", "Cy", "Di", "Eli", "Fay", "Gus", "Hal", "Ida", "Jo", "Kim", "Lee")
_LAST = ("Abbott", "Berg", "Costa", "Diaz", "Ek", "Fox", "Gray", "Hall", "Ito", "Jensen")
_ROLES = ("primary", "co-signer", "guarantor")
_BORROWERS, _MINUTES = 12, 24

#: From which minutes on changes come with the second run, and with the third.
_LATER = (8, 18)


def landing_of(url: str, /) -> Landing:
    """Say what lands of the history, and where."""
    tables = {
        "borrower": LandedTable("dbo.borrower"),
        "role_profile": LandedTable("dbo.role_profile", ("role_profile_id",)),
    }
    return Landing(url, tables)


def make_history(landing: Landing, seed: int, /) -> LandedHistory:
    """Let a database of borrowers change for some minutes, while a full load reads it.

    Args:
        landing: What ``landing_of`` gives.
        seed: What its borrowers and their changes are made of.
    """
    database, draw = LandedDatabase(landing, BORROWER_MODEL), random.Random(seed)  # noqa: S311
    maker = _Maker(database, draw)
    for _ in range(_BORROWERS):
        maker.add()
    database.commit(_MINUTE)
    began = database.moment
    loads: dict[str, list[Row]] = {source: [] for source in landing.tables}
    for minute in range(_MINUTES):
        if not minute:  # one table is read before the first changes, the other one after them
            loads["borrower"] = list(database.rows()["borrower"].values())
        if minute == 1:
            loads["role_profile"] = list(database.rows()["role_profile"].values())
        maker.change(minute)
        database.commit(_MINUTE)
    columns = {source: database.columns_now(source) for source in landing.tables}
    log = database.since(began)
    truths = [(len(log), database.rows())]
    database.close()
    return LandedHistory(loads, log, truths, columns, began, None)


def deliver(history: LandedHistory, landing: Landing, /) -> list[list[SimulatedFile]]:
    """Give the files of the history as they come to each run: one is late, one comes twice."""
    files = write_landing(history, landing, Layout(split=(1,), whole_times=True, load_split=100))
    loads = [file for file in files if file.is_load]
    changes = sorted((file for file in files if not file.is_load), key=lambda file: file.modified)
    late = next(file for file in changes if _has_updates_alone(file))
    doubled = next(file for file in changes if file is not late)
    folder = doubled.path.rpartition("/")[0]
    at = changes[-1].modified + _MINUTE
    again = replace(doubled, path=f"{folder}/{at:%Y%m%d-%H%M%S}000.csv", modified=at)
    runs: list[list[SimulatedFile]] = [loads, [], [again]]
    for file in changes:
        minute = (file.modified - history.began) // _MINUTE
        runs[len(_LATER) if file is late else sum(minute >= later for later in _LATER)].append(file)
    return runs


def _has_updates_alone(file: SimulatedFile) -> bool:
    rows = file.data.decode().splitlines()[1:]
    return all(row.startswith("U,") for row in rows)


class _Maker:
    """Make borrowers and their roles, and change them."""

    def __init__(self, database: LandedDatabase, draw: random.Random) -> None:
        self.database, self.draw = database, draw
        self.count = 0

    def add(self) -> None:
        """Add a borrower with a role or two."""
        self.count += 1
        key = f"b-{self.count:04}"
        name = f"{self.draw.choice(_FIRST)} {self.draw.choice(_LAST)}"
        self.database.write("borrower", {"id": key, "full_name": name, **self._home(key)})
        for place, role in enumerate(self._some(_ROLES, self.draw.randint(1, 2))):
            row = {"role_profile_id": f"{key}-{place}", "borrower_id": key, "role_profile": role}
            self.database.write("role_profile", row)

    def change(self, minute: int) -> None:
        """Do what is done in a minute: mostly a borrower moves, some come, go, or get a new id."""
        keys = sorted(key for (key,) in self.database.rows()["borrower"])
        key = self.draw.choice(keys)
        work = ("move", "add", "move", "leave", "move", "rekey")[minute % 6]
        if work == "move":
            self.database.change("borrower", (key,), self._home(key))
        elif work == "add":
            self.add()
        elif work == "leave":
            self._leave(key)
        else:
            self._rekey(key)

    def _home(self, key: str) -> dict[str, str]:
        number = self.draw.randint(1, 999)
        return {
            "street": f"{number} Elm St",
            "city": self.draw.choice(("Austin", "Dallas", "Houston")),
            "state": "TX",
            "zip_code": f"{73301 + number}",
            "phone_cell": f"512-555-{number:04}",
            "email": f"{key}.{number}@example.com",
        }

    def _leave(self, key: str) -> None:
        for role in self._roles(key):
            self.database.delete("role_profile", role)
        self.database.delete("borrower", (key,))

    def _rekey(self, key: str) -> None:
        self.count += 1
        other = f"b-{self.count:04}"
        self.database.change("borrower", (key,), {"id": other})
        for role in self._roles(key):
            self.database.change("role_profile", role, {"borrower_id": other})

    def _roles(self, key: str) -> list[tuple[str, ...]]:
        rows = self.database.rows()["role_profile"]
        return sorted(role for role, row in rows.items() if row["borrower_id"] == key)

    def _some(self, values: Sequence[str], count: int) -> list[str]:
        return self.draw.sample(values, count)
