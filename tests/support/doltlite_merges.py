"""Let doltlite merge: a script, since importing it changes the process (it is a SQLite of its own).

It reads a JSON list of ``[shadow, side, head]``, each a list of rows of ``k``, ``u`` and ``v``, and
writes for each ``[rows, keys in conflict]``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import doltlite  # before sqlite3, which it stands in for

import sqlite3  # isort: skip


def merge(states: list[list[list[str]]], path: Path) -> list[list[list[str]]]:
    """Merge one branch into another, both made from one commit."""
    shadow, side, head = states
    connection = sqlite3.connect(path, isolation_level=None)

    def run(text: str, *values: object) -> list[list[str]]:
        return [list(row) for row in connection.execute(text, values).fetchall()]

    def commit(rows: list[list[str]], name: str) -> None:
        run("delete from t")
        for row in rows:
            run("insert into t values (?, ?, ?)", *row)
        run("select dolt_commit('-A', '-m', ?, '--allow-empty')", name)

    run("create table t (k text primary key, u text, v text)")
    commit(shadow, "shadow")
    run("select dolt_branch('side')")
    commit(head, "head")
    run("select dolt_checkout('side')")
    commit(side, "side")
    run("select dolt_checkout('main')")
    run("begin")
    conflicts = []
    try:
        run("select dolt_merge('side')")
    except sqlite3.OperationalError:
        found = connection.execute("select * from dolt_conflicts_t")
        keys = [at for at, told in enumerate(found.description) if told[0].endswith("_k")]
        conflicts = [[next(row[at] for at in keys if row[at] is not None)] for row in found]
    rows = run("select k, u, v from t")
    connection.close()
    return [rows, conflicts]


if __name__ == "__main__":
    assert doltlite.libdoltlite_path()
    with tempfile.TemporaryDirectory() as folder:
        asked = json.load(sys.stdin)
        told = [merge(states, Path(folder, f"{at}.db")) for at, states in enumerate(asked)]
    json.dump(told, sys.stdout)
