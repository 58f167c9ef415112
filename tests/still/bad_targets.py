"""Folders of tables and databases that cannot be written or read."""

# ruff: noqa: ARG005 - the calls of a table take the same, whether they need it or not

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

import aspen_etl as ae
from tests.still.bad_models import extract_of_two
from tests.still.bad_stores import filled_store, in_short
from tests.still.cases import needs
from tests.still.failing import Failing
from tests.still.histories import make_run
from tests.still.models import EXTENDED, SEVEN

__all__ = ["TARGETS"]

TARGETS = Failing("bad_targets")

# ----------------------------------------------------------------------------- folders of tables


def _tables(folder: Path, edit: Callable[[Path], Any]) -> Any:
    target = folder / "tables"
    result = ae.normalize(extract_of_two(("a1", "x"), ("a9", "x")), run=make_run(0))
    ae.write_tables(result.tables, str(target), rejects=result.rejects)
    given = edit(target)
    return given if given is not None else repr(ae.read_tables(str(target)))


def _again(target: Path, **options: Any) -> str:
    result = ae.normalize(extract_of_two(), run=make_run(0))
    ae.write_tables(result.tables, str(target), **options)
    return f"written: {', '.join(sorted(path.name for path in target.iterdir()))}"


def _write(name: str, data: bytes) -> Callable[[Path], None]:
    def edit(target: Path) -> None:
        (target / name).write_bytes(data)

    return edit


_FOLDERS: dict[str, Callable[[Path], Any]] = {
    "as it is": lambda target: None,
    "written again": _again,
    "written over": partial(_again, overwrite=True),
    "format": partial(_again, format="orc"),
    "a foreign file": lambda t: (
        _write("user.csv", b"id,full_name\n1,Ada\n")(t) or _again(t, overwrite=True)
    ),
    "nothing there": lambda t: repr(ae.read_tables(str(t / "none"))),
    "another model": lambda t: repr(ae.read_tables(str(t), model=SEVEN)),
    "a table less": lambda t: (t / "user.csv").unlink(),
    "an empty table": _write("user.csv", b""),
    "no such column": _write("user.csv", b"id,x\n1,2\n"),
    "ragged": _write("user.csv", b"user_id,user_profile_id,created,created_by\n1,2\n"),
    "no UTF-8": _write("email_type.csv", b"\xff\xfe"),
    "wrong tables": lambda t: ae.write_tables({"user": pd.DataFrame()}, str(t / "x")),
}
for _name, _folder in _FOLDERS.items():
    TARGETS.of(f"tables/{_name}", partial(lambda edit, folder: _tables(folder, edit), _folder))

# ----------------------------------------------------------------------------- databases


def _loaded(call: Callable[[Any, Any, Path], Any], folder: Path) -> Any:
    import sqlalchemy as sa

    from aspen_etl import sql

    engine = sa.create_engine(f"sqlite:///{folder}/database.sqlite")
    try:
        return in_short(call(sql, engine, folder))
    finally:
        engine.dispose()


def _report(report: Any) -> Mapping[str, Any]:
    return {"outcome": report.outcome, "version": report.version, "tables": report.tables}


_LOADS: dict[str, Callable[[Any, Any, Path], Any]] = {
    "tables": lambda sql, e, f: _report(sql.load(filled_store(f).read().tables, e)),
    "twice": lambda sql, e, f: [
        _report(sql.load(store, e, version=version))
        for store in [filled_store(f)]
        for version in (1, 2, None, 1)
    ],
    "read back": lambda sql, e, f: (
        sql.load(filled_store(f), e) and repr(sql.read(e)).replace(str(f), "")
    ),
    "a version of tables": lambda sql, e, f: sql.load({}, e, version=1),
    "a model beside a store": lambda sql, e, f: sql.load(filled_store(f), e, model=SEVEN),
    "no such version": lambda sql, e, f: sql.load(filled_store(f), e, version=9),
    "no store": lambda sql, e, f: sql.load(ae.SnapshotStore(str(f / "none")), e),
    "wrong tables": lambda sql, e, f: sql.load({"user": pd.DataFrame()}, e),
    "another model": lambda sql, e, f: (sql.create(e), sql.create(e, model=EXTENDED)),
    "a model that cannot go on": lambda sql, e, f: (
        sql.create(e, model=EXTENDED),
        sql.create(e),
    ),
    "no such schema": lambda sql, e, f: sql.create(e, schema="nowhere"),
    "nothing to read": lambda sql, e, f: sql.read(e),
    "a time of less than nothing": lambda sql, e, f: sql.load(filled_store(f), e, lock_timeout=-1),
    "a database that is none": lambda sql, e, f: (
        (f / "database.sqlite").write_bytes(b"Ada Lee" * 100) and sql.create(e)
    ),
}
for _name, _load in _LOADS.items():
    TARGETS.of(f"database/{_name}", partial(_loaded, _load), needs("sqlalchemy"))
