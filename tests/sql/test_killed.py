"""A loader that is killed leaves the old state or the new one, whole.

Other tests say so of each statement; here the process really ends, and a server or a file has to
find that out.
"""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from tests.support.borrowers import LENIENT, RUN, write_borrowers
from tests.support.effort import few

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for

CHECKOUT = Path(__file__).resolve().parents[2]

#: Load the second version; stop before a statement of it until killed.
STOPPED = """
import itertools, sys
import sqlalchemy
import aspen_etl
from aspen_etl import sql
store, engine = aspen_etl.SnapshotStore(sys.argv[1]), sqlalchemy.create_engine(sys.argv[2])
numbers = itertools.count(1)
@sqlalchemy.event.listens_for(engine, "before_cursor_execute")
def stop(*_):
    if next(numbers) == int(sys.argv[3]):
        print("stopped", flush=True)
        sys.stdin.read()
sql.load(store, engine, version=2)
"""

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


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ae.SnapshotStore:
    """Give a store of two versions, in which every borrower changes or goes."""
    folder = tmp_path_factory.mktemp("killed")
    made = ae.SnapshotStore(folder / "store")
    names = [f"Ann {chr(65 + i % 26)}{chr(97 + i % 7)}" for i in range(400)]
    for turn in (names, [f"Bob{name[3:]}" for name in names[50:]]):
        source = write_borrowers(folder / "source", turn)
        ae.sync(source, made, run=RUN, thresholds=LENIENT)
    return made


def count_statements(store: ae.SnapshotStore, database: Any) -> int:
    """Load the second version and the first again; give what the former took until its commit."""
    engine = database.another()
    statements, committed = itertools.count(), list[int]()
    sa.event.listen(engine, "before_cursor_execute", lambda *_: next(statements) and None)
    sa.event.listen(engine, "commit", lambda _: committed.append(next(statements)))
    for version in (2, 1):
        sql.load(store, engine, version=version)
    return committed[0]


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Run a script."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=CHECKOUT, stdin=pipe, stdout=pipe, text=True)


def say(process: subprocess.Popen[str]) -> str:
    """Wait for what a process says next."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_loader_that_is_killed_in_the_middle_leaves_the_old_state(
    database: Any, store: ae.SnapshotStore
) -> None:
    sql.load(store, database.engine, version=1)
    old = store.read(1).tables
    last = count_statements(store, database)
    assert last > 20  # it is a load of many statements
    for number in few([last // 2, last, last * 3 // 4], 1):
        process = start(STOPPED, store.url, database.url, number)
        assert say(process) == "stopped"
        kill(process)
        assert sql.read(database.engine).equals(old), f"killed at {number} of {last}: not whole"
        assert database.scalar("SELECT version FROM aspen_etl_load") == 1
    assert sql.load(store, database.engine).outcome == "changed"
    assert sql.read(database.engine).equals(store.read(2).tables)


@pytest.mark.exhaustive
def test_fifty_killed_loaders_leave_a_whole_state(database: Any, store: ae.SnapshotStore) -> None:
    sql.load(store, database.engine, version=1)
    started = time.monotonic()
    for version in (2, 1):
        sql.load(store, database.engine, version=version)
    seconds = (time.monotonic() - started) / 2
    database.engine.dispose()
    wanted = {version: store.read(version).tables for version in (1, 2)}
    seen: Counter[int] = Counter()
    for _ in range(50):
        process = start(WORKER, store.url, database.url)
        assert say(process) == "ready"
        for _ in range(random.randrange(3)):  # noqa: S311 - no secret; at the first load or later
            assert say(process) == "loaded"
        time.sleep(random.random() * seconds)  # noqa: S311 - no secret
        kill(process)
        version = database.scalar("SELECT version FROM aspen_etl_load")
        held = sql.read(database.engine)
        assert held.equals(wanted[version]), f"version {version} is not whole"
        seen[version] += 1
    print(dict(seen))
    assert sql.load(store, database.engine).version == 2
    assert sql.read(database.engine).equals(wanted[2])
