"""Stores that are damaged in every way, and what reading and verifying make of them."""

# ruff: noqa: ARG005 - what changes bytes takes those that are there

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import aspen_etl as ae
from tests.still.bad_stores import filled_store
from tests.still.failing import Failing

__all__ = ["DAMAGED"]

DAMAGED = Failing("bad_commits")

_COMMIT = "_aspen/commits/0000000000000000000{}.json"
_Edit = Callable[[dict[str, Any]], Any]


def _damaged(name: str, edit: Callable[[bytes], bytes], folder: Path) -> Any:
    """Damage a file, and tell what reading and verifying make of it."""
    store = filled_store(folder)
    (path,) = (folder / "store").glob(name)
    data = edit(path.read_bytes())
    path.write_bytes(data)
    return _looked(store)


def _looked(store: ae.SnapshotStore) -> Any:
    url = store.url
    found = ae.SnapshotStore(url).verify()
    problems = [f"{each.where}: {each.what} ({each.count})" for each in found.problems]
    try:
        read = repr(ae.SnapshotStore(url).read().tables)
    except ae.AspenETLError as error:
        read = f"{type(error).__name__}: {error} {json.dumps(error.details, default=str)}"
    return {"read": read, "problems": problems}


def _changed(edit: _Edit, data: bytes, *, seal: bool = True) -> bytes:
    """Change what a commit says, and seal it as the library would, or leave the old checksum."""
    values = json.loads(data)
    digest = values.pop("sha256")
    edit(values)
    text = json.dumps(values, indent=1).encode("ascii") + b"\n"
    digest = hashlib.sha256(text).hexdigest() if seal else digest
    return text.removesuffix(b"\n}\n") + f',\n "sha256": "{digest}"\n}}\n'.encode("ascii")


def _set(*path: Any) -> _Edit:
    """Make what puts the last word of a path in its place."""

    def edit(values: Any) -> None:
        *way, last, value = path
        for each in way:
            values = values[each]
        values[last] = value

    return edit


def _drop(name: str) -> _Edit:
    return lambda values: values.pop(name)


_FILE = ("tables", "user", "files", 0)
_EDITS: dict[str, _Edit] = {
    "no version": _drop("version"),
    "no tables": _drop("tables"),
    "no store": _drop("store"),
    "no parent's digest": _drop("parent_sha256"),
    "no token": _drop("token"),
    "another version": _set("version", 3),
    "another parent": _set("parent", 0),
    "another parent's digest": _set("parent_sha256", "0" * 64),
    "another store": _set("store", "0" * 16),
    "an unknown field": _set("Ada", "Lee"),
    "an unknown field of a file": _set(*_FILE, "Ada", "Lee"),
    "a newer format": _set("format", 3),
    "a format of text": _set("format", "2"),
    "a version of text": _set("version", "2"),
    "a negative version": _set("version", -2),
    "a great number": _set(*_FILE, "rows", 2**63),
    "a float": _set(*_FILE, "rows", 2.0),
    "true for a number": _set(*_FILE, "rows", True),  # noqa: FBT003 - what stands in the file
    "an unknown kind": _set("kind", "merge"),
    "an unknown format of a table": _set("tables", "user", "format", "orc"),
    "a token of other letters": _set("token", "x" * 16),
    "a digest too short": _set(*_FILE, "sha256", "ab"),
    "a time without a zone": _set("time", "2026-01-31T00:00:00"),
    "a time that is none": _set("time", "yesterday"),
    "a time beyond all": _set("time", "9999-12-31T23:59:59-14:00"),
    "an actor of number": _set("actor", 7),
    "a path upwards": _set(*_FILE, "path", "../../etc/passwd"),
    "an absolute path": _set(*_FILE, "path", "/etc/passwd"),
    "a path of another table": _set(*_FILE, "path", "address/x/part-00000.csv"),
    "other rows": _set(*_FILE, "rows", 7),
    "other bytes": _set(*_FILE, "bytes", 7),
    "another digest": _set(*_FILE, "sha256", "0" * 64),
    "no file": _set("tables", "user", "files", []),
    "a table less": lambda values: values["tables"].pop("user"),
    "a table more": lambda values: values["tables"].update(pets=values["tables"]["user"]),
    "keys of no table": lambda values: values["keys"].update(pets=values["keys"]["user"]),
    "a next number too low": _set("keys", "user", "next", 1),
    "oldest after newest": _set("oldest_readable", 9),
    "a hold of the future": _set("hold", 9),
    "changes of text": _set("changes", "user", "inserted", "many"),
    "counts of no list": _set("reject_counts", {}),
    "columns in another order": lambda values: values["tables"]["user"]["columns"].reverse(),
    "a model of nothing": _set("model", {}),
    "rewrites upwards": _set(
        "rewrites", "../x", {"path": "../y", "bytes": 1, "rows": 1, "sha256": "0" * 64}
    ),
}
for _name, _edit in _EDITS.items():
    DAMAGED.of(f"commit/{_name}", partial(_damaged, _COMMIT.format(2), partial(_changed, _edit)))
_BYTES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut short": lambda data: data[:200],
    "no JSON": lambda data: b"Ada Lee",
    "a list": lambda data: b"[]\n",
    "nested deep": lambda data: b"[" * 100_000,
    "not ASCII": lambda data: data.replace(b"still 1", "J\u00f6rg".encode()),
    "white space more": lambda data: data.replace(b"\n", b"\n ", 1),
    "not sealed anew": partial(_changed, _set("actor", "eve"), seal=False),
    "no seal": lambda data: json.dumps({**json.loads(data), "sha256": None}).encode(),
    "a field twice": lambda data: data.replace(b' "parent": 1,', b' "parent": 1,\n "parent": 1,'),
}
for _name, _bytes in _BYTES.items():
    DAMAGED.of(f"commit/{_name}", partial(_damaged, _COMMIT.format(2), _bytes))
DAMAGED.of(
    "commit/an older one changed",
    partial(_damaged, _COMMIT.format(1), partial(_changed, _set("actor", "eve"))),
)
_DATA: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "table changed": ("address/*2-*/*.csv", lambda data: data.replace(b"Bari", b"Rome")),
    "table cut short": ("user/*/*.csv", lambda data: data[:40]),
    "rejects changed": ("_aspen/rejects/*/*.csv", lambda data: data.replace(b"a9", b"a8")),
    "identity changed": ("_aspen/store.json", lambda data: b"{}"),
    "newest changed": ("_aspen/newest.json", lambda data: b"{}"),
    "last run changed": ("_aspen/last_run.json", lambda data: b"Ada"),
}
for _name, (_glob, _bytes) in _DATA.items():
    DAMAGED.of(f"file/{_name}", partial(_damaged, _glob, _bytes))


def _lost(glob: str, folder: Path) -> Any:
    store = filled_store(folder)
    for path in (folder / "store").glob(glob):
        path.unlink()
    return _looked(store)


for _name, _glob in {
    "the newest commit": _COMMIT.format(2),
    "the first commit": _COMMIT.format(1),
    "all commits": "_aspen/commits/*",
    "a table": "address/*2-*/*",
    "rejects": "_aspen/rejects/*/*",
    "identity": "_aspen/store.json",
    "newest": "_aspen/newest.json",
}.items():
    DAMAGED.of(f"lost/{_name}", partial(_lost, _glob))
