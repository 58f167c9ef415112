"""Files of a store's state that were changed in ways that nobody meant, and what reading gives.

It runs in the processes of ``confined``: ``look`` takes a mutant, puts it in a small store in
memory, and reads the store as everybody does.
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fsspec.implementations.memory import MemoryFileSystem

import aspen_etl as ae
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.store.sealing import sealed
from aspen_etl.store.shadows import SideState
from tests.support.borrowers import LENIENT, RUN, files_below, put_files
from tests.support.commits import as_text, make_format_1
from tests.support.two_way import account, conflicts, shadow
from tests.transform.sheets import ADA, BO, extract

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)

#: What stands in the place of another value.
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 2**63, 10**30, float("nan"), float("inf"), "", "x", "é", "\ud800",
    "../../x", "/dev/zero", "s3://bucket/x", "user\\x", "user/\0", "9" * 5_000,
    [], [[]], {}, {"x": 1},
)  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A file of a store, and what it holds now."""

    name: str
    data: bytes

    @property
    def sealed(self) -> bool:
        """Whether its checksum is right."""
        try:
            values = json.loads(self.data)
            return bool(self.data == sealed(values))
        except (ValueError, RecursionError, AttributeError):
            return False


@dataclass(frozen=True)
class Original:
    """A store of two versions and a pin: its files, and the tables that it holds."""

    files: dict[str, bytes]
    tables: dict[str, str]

    def with_(self, mutant: Mutant) -> ae.SnapshotStore:
        """Open the store with a mutant in it."""
        MemoryFileSystem.store.clear()
        store = ae.SnapshotStore("memory://mutations/store")
        put_files(store, {**self.files, mutant.name: mutant.data})
        return store


@functools.cache
def original(store_format: int) -> Original:
    """Make such a store, of a format."""
    store = ae.SnapshotStore(f"memory://mutations/{store_format}")
    people = [({**ADA, "city": city}, {**BO, "email": "none"}) for city in ("Rome", "Bari")]
    given: list[Any] = [extract(*each) for each in people]
    for source in given if store_format == 1 else [_landed()]:
        ae.sync(source, store, run=RUN, thresholds=LENIENT)
    if store_format != 1:
        held = conflicts({"subject": "a", "was": "Rome", "side": "Bari", "head": "Pisa"})
        account(store, RUN, old=SideState(1, "0" * 16, {"borrower": shadow(ADA)}, held))
    store.pin("loader", 1)
    if store_format == 1:
        make_format_1(store)
    return Original(files_below(store), _tables(store))


def _landed() -> Landing:
    """Let two borrowers lie in a landing folder."""
    memory, url = MemoryFileSystem(), "memory://mutations-landed"
    header = ",".join(["Op,dms_time,dms_seq", *ae.BORROWER_MODEL.sources["borrower"].columns])
    rows = [f"I,2026-01-01 00:00:00.000000,,{key},Ada Lee,,,,,,,none" for key in ("a", "b")]
    memory.pipe_file(
        f"{url}/dbo/borrower/LOAD00000001.csv", "\n".join([header, *rows, ""]).encode()
    )
    tables = {
        "borrower": LandedTable("dbo.borrower"),
        "role_profile": LandedTable("dbo.role_profile", ("borrower_id", "role_profile")),
    }
    return Landing(url, tables, loaded="declared")


def _tables(store: ae.SnapshotStore) -> dict[str, str]:
    return {name: frame.to_csv() for name, frame in store.read().tables.items()}


def look(original: Original, mutant: Mutant) -> str:
    """Read a store with a mutant in it: that it holds what it held, or raise what it raises."""
    store = original.with_(mutant)
    status = store.status(now=NOW)
    json.dumps([status.to_dict(), dict(store.last_run())])
    if mutant.name.startswith("_aspen/commits"):
        return "same" if _tables(store) == original.tables else "other"
    store.place.log.identity()
    store.vacuum(run=RUN)
    return "same" if store.find().version == 2 else "other"


def verify(original: Original, mutant: Mutant) -> list[str]:
    """Verify a store with a mutant in it, and give where something is wrong."""
    return [problem.where for problem in original.with_(mutant).verify().problems]


# ----------------------------------------------------------------------------- mutants


def mutants(name: str, data: bytes, count: int, seed: int) -> Iterator[Mutant]:
    """Change a file in many ways, each time once."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    made = 0
    while made < count:
        changed = chance.choice((_bytes, _bytes, _values, _values, _sealed))(chance, data)
        if changed != data:
            made += 1
            yield Mutant(name, changed)


def _bytes(chance: random.Random, data: bytes) -> bytes:
    at, length = chance.randrange(len(data)), chance.choice((1, 1, 2, 17, 400))
    here, rest = data[:at], data[at:]
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: here + bytes([rest[0] ^ (1 << chance.randrange(8))]) + rest[1:],
        lambda: here + rest[length:],
        lambda: here + rest[:length] + rest,
        lambda: here,
        lambda: here + bytes(chance.randrange(256) for _ in range(length)) + rest,
        lambda: here + b"[" * 50_000 + rest,
        lambda: here + b" " * chance.choice((1, 100_000)) + rest,
        lambda: here + b"9" * chance.choice((1, 30, 5_000)) + rest,
    )
    return chance.choice(changes)()


def _values(chance: random.Random, data: bytes) -> bytes:
    return json.dumps(_edited(chance, data), indent=1).encode("ascii") + b"\n"


def _sealed(chance: random.Random, data: bytes) -> bytes:
    """Change a value, and write the file as the library would have."""
    edited = _edited(chance, data)
    return as_text(edited)


def _edited(chance: random.Random, data: bytes) -> Any:
    values = json.loads(data)
    holder, key = chance.choice(list(_places(values)))
    what = chance.randrange(4)
    if what == 0:
        del holder[key]
    elif what == 1 and isinstance(holder, dict):
        holder[chance.choice(("x", "../x", "", "files", "path"))] = holder.pop(key)
    elif what == 2:
        other, name = chance.choice(list(_places(values)))
        holder[key] = copy.deepcopy(other[name])
    else:
        holder[key] = chance.choice(ODD)
    return values


def _places(values: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(values) if isinstance(values, dict) else range(len(values))
    for key in keys:
        yield values, key
        if isinstance(values[key], (dict, list)):
            yield from _places(values[key])
