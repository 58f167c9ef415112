"""Tables that break their model, and results that were changed: validate, split, verify."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

import aspen_etl as ae
from tests.still.bad_models import extract_of_two
from tests.still.failing import Failing
from tests.still.histories import make_run
from tests.still.models import SEVEN

__all__ = ["TABLES"]

TABLES = Failing("bad_tables")

RUN = make_run(0)


def _tables() -> dict[str, pd.DataFrame]:
    return dict(ae.normalize(extract_of_two(("a1", "x")), run=RUN).tables)


def _put(frame: pd.DataFrame, column: str, value: Any) -> pd.DataFrame:
    cells = frame[column].astype(object)
    cells.iloc[0] = value
    return frame.assign(**{column: cells})


_BROKEN: dict[str, tuple[str, Any]] = {
    "null": ("user_profile", lambda f: _put(f, "first_name", None)),
    "too long": ("user_profile", lambda f: _put(f, "first_name", "x" * 129)),
    "a key twice": ("user", lambda f: _put(f, "user_id", 2)),
    "a natural key twice": ("user", lambda f: _put(f, "user_profile_id", "a2")),
    "nobody": ("role_profile", lambda f: _put(f, "user_id", 99)),
    "no form": ("email", lambda f: _put(f, "value", "none")),
    "no row": ("user_profile", lambda f: f.iloc[1:]),
    "no column": ("user_profile", lambda f: f.drop(columns="first_name")),
    "another column": ("user_profile", lambda f: f.assign(age=1)),
    "text for a number": ("user", lambda f: f.assign(user_id=["x", "y"])),
    "no time": ("user", lambda f: _put(f, "created", None)),
}


def _of_tables(call: Any, name: str, change: Any, _: Path) -> Any:
    tables = _tables()
    return call({**tables, name: change(tables[name])})


def _parted(tables: Mapping[str, pd.DataFrame]) -> Any:
    parted = ae.split(tables, model=ae.BORROWER_MODEL)
    return {"valid": repr(parted.valid), "failures": parted.failures}


for _name, (_table_name, _edit) in _BROKEN.items():
    for _word_of, _call in {
        "validate": lambda tables: repr(ae.validate(tables, model=ae.BORROWER_MODEL)),
        "is_valid": partial(ae.is_valid, model=ae.BORROWER_MODEL),
        "split": _parted,
        "denormalize": lambda tables: repr(ae.denormalize(tables)),
    }.items():
        if (_word_of, _name) != ("denormalize", "no column"):  # an error of pandas
            TABLES.of(f"{_word_of}/{_name}", partial(_of_tables, _call, _table_name, _edit))
TABLES.of(
    "validate/no table", lambda _: repr(ae.validate({"user": _tables()["user"]}, model=SEVEN))
)


def _of_result(change: Mapping[str, Any], _: Path) -> str:
    """Verify a result that was changed afterwards."""
    extract = extract_of_two(("a1", "x"), ("a9", "x"))
    result = ae.normalize(extract, run=RUN)
    parts = {name: getattr(result, name) for name in ("snapshot", "rejects", "changes", "summary")}
    for name, edit in change.items():
        parts[name] = edit(result)
    ae.verify(ae.NormalizeResult(**parts), extract, run=RUN)
    return "proved"


def _other(result: ae.NormalizeResult, name: str, column: str, value: Any) -> ae.Snapshot:
    tables = dict(result.tables)
    tables[name] = _put(tables[name], column, value).astype(tables[name].dtypes.to_dict())
    return ae.Snapshot(ae.Tables(tables), result.snapshot.keys, result.snapshot.time)


_RESULTS: dict[str, Mapping[str, Any]] = {
    "as it is": {},
    "another cell": {"snapshot": lambda r: _other(r, "address", "city", "Rome")},
    "another actor": {"snapshot": lambda r: _other(r, "user", "created_by", "eve")},
    "another key": {"snapshot": lambda r: _other(r, "address", "address_id", 7)},
    "no rejects": {"rejects": lambda r: r.rejects.iloc[:0]},
    "no changes": {"changes": lambda r: ae.diff(r.tables, r.tables)},
    "other counts": {"summary": lambda r: type(r.summary)(r.summary.sources, (), r.summary.tables)},
}
for _name, _parts in _RESULTS.items():
    TABLES.of(f"verify/{_name}", partial(_of_result, _parts))
