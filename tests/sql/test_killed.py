"""A loader that is killed leaves the old state or the new one, whole."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from tests.support.borrowers import LENIENT, RUN, write_borrowers

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for

CHECKOUT = Path(__file__).resolve().parents[2]

#: Load one version after the other, and say so, until killed.
WORKER = """
import itertools, sys
import sqlalchemy
import aspen_etl
from aspen_etl import sql
store, engine = aspen_etl.SnapshotStore(sys.argv[1]), sqlalchemy.create_engine(sys.argv[2])
print("ready", flush=True)
for turn in itertools.count():
    sql.load(store, engine, version=turn % 2 + 1, compare=turn % 5 == 4)
    print("loaded", flush=True)
"""


def check_kills(database: Any, folder: Path, *, kills: int) -> None:
    store = ae.SnapshotStore(folder / "store")
    names = [f"Ann {chr(65 + i % 26)}{chr(97 + i % 7)}" for i in range(400)]
    for turn in (names, [f"Bob{name[3:]}" for name in names[50:]]):
        source = write_borrowers(folder / "source", turn)
        ae.sync(source, store, run=RUN, thresholds=LENIENT)
    sql.load(store, database.engine, version=1)
    database.engine.dispose()
    wanted = {version: store.read(version).tables for version in (1, 2)}
    seen: list[int] = []
    command = [sys.executable, "-c", WORKER, str(folder / "store"), database.url]
    for _ in range(kills):
        process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if random.random() < 0.5:  # noqa: S311 - no secret; at the first load or at a later one
            process.stdout.readline()
        time.sleep(random.random() * 0.3)  # noqa: S311 - no secret
        process.kill()
        process.wait()
        process.stdout.close()
        held = sql.read(database.engine)
        version = database.scalar("SELECT version FROM aspen_etl_load")
        assert held.equals(wanted[version]), f"version {version} is not whole"
        seen.append(version)
    print(json.dumps({"kills": kills, "versions": seen}))
    assert sql.load(store, database.engine).version == 2
    assert sql.read(database.engine).equals(wanted[2])


def test_a_killed_loader_leaves_a_whole_state(database: Any, tmp_path: Path) -> None:
    check_kills(database, tmp_path, kills=3)


@pytest.mark.exhaustive
def test_fifty_killed_loaders_leave_a_whole_state(database: Any, tmp_path: Path) -> None:
    check_kills(database, tmp_path, kills=50)
