"""Changes as files: a line a cell, before and after, and nobody's file is replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import TargetExistsError
from aspen_etl.io.flat_files import write_flat_changes
from aspen_etl.schema import Model, Series, Table
from aspen_etl.transform.flat_changes import FlatChanges

NAMES = ("inserted", "deleted", "updated", "was")


class Thing(Table, source="thing"):
    """A key that has the name of a column of the file, and two cells."""

    value: Series[str] = ae.column(natural_key=True, length=9)
    size: Series[str] = ae.column(nullable=True)
    note: Series[str] = ae.column(nullable=True)


MODEL = Model.of(tables=[Thing])


def changes(**rows: list[tuple[Any, ...]]) -> FlatChanges:
    columns = list(MODEL.sources["thing"].columns)
    frames: dict[str, Any] = {
        name: {"thing": pd.DataFrame(rows.get(name, []), columns=columns, dtype=object)}
        for name in NAMES
    }
    return FlatChanges(**frames)


def test_a_line_is_a_cell_that_changes_or_is_there(tmp_path: Path) -> None:
    found = changes(
        inserted=[("c", "1", 'say, "x"'), ("d", None, None)],
        deleted=[("a", None, "old")],
        was=[("b", "1", None), ("e", "2", "x")],
        updated=[("b", None, "new"), ("e", "3", "x")],
    )
    (url,) = write_flat_changes(found, tmp_path / "out", model=MODEL)
    assert url.endswith("out/thing.csv")
    assert (tmp_path / "out" / "thing.csv").read_text("utf-8").splitlines() == [
        "op,key_value,column,was,value",
        "delete,a,note,old,",
        "update,b,size,1,",
        "update,b,note,,new",
        "update,e,size,2,3",
        "insert,c,size,,1",
        'insert,c,note,,"say, ""x"""',
        "insert,d,,,",
    ]


def test_a_row_that_is_all_key_is_a_line(tmp_path: Path) -> None:
    frames: dict[str, Any] = {
        kind: {
            name: pd.DataFrame(columns=list(spec.columns), dtype=object)
            for name, spec in ae.BORROWER_MODEL.sources.items()
        }
        for kind in NAMES
    }
    frames["deleted"]["role_profile"].loc[0] = ["b1", "borrower"]
    write_flat_changes(FlatChanges(**frames), tmp_path, model=ae.BORROWER_MODEL)
    lines = (tmp_path / "role_profile.csv").read_text("utf-8").splitlines()
    assert lines == ["op,borrower_id,role_profile,column,was,value", "delete,b1,borrower,,,"]
    assert (tmp_path / "borrower.csv").read_text("utf-8") == "op,id,column,was,value\n"


def test_no_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "thing.csv").write_text("mine")
    with pytest.raises(TargetExistsError, match="holds files of changes already"):
        write_flat_changes(changes(), tmp_path, model=MODEL)
    assert (tmp_path / "thing.csv").read_text() == "mine"
