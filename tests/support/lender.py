"""A lender's flat tables in a database, and changes to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

import aspen_etl as ae
from aspen_etl.columns.frames import equal_frames
from aspen_etl.schema import Model
from aspen_etl.transform.flat_changes import FlatChanges, changes_to_push
from aspen_etl.transform.keyed_sheets import conform_sheets
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.siding import side_of_extract

#: What the lender has: ids and cells as people typed them.
BORROWERS = [
    (" b1 ", "Ann  Lee", "1 Elm St", "Austin", "TX", "78701", "512-555-0100", None, " A@x.org"),
    ("b2", "Bob Ray", "2 Elm St", "Austin", "TX", "78702", None, "512-555-0102", "b@x.org"),
    ("b3", "Cid Fox", None, None, None, None, None, None, "c@x.org"),
    ("b4", "Dee Day", None, None, None, None, "n/a", None, "d@x.org"),
]
ROLES = [(" b1 ", "Borrower"), ("b2", "borrower"), ("b2", "Broker"), ("b3", "Borrower")]

Rows = dict[str, pd.DataFrame]


def make_lender(database: Any, *, kind: str = "varchar(80)", keyed: bool = True) -> None:
    """Make the tables and fill them; the roles have a key of their own, which the model lacks."""
    columns = list(ae.BORROWER_MODEL.sources["borrower"].columns)
    number = {
        "sqlite": "INTEGER PRIMARY KEY",
        "postgresql": "integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "mariadb": "integer AUTO_INCREMENT PRIMARY KEY",
    }[database.name.partition("-")[0]]
    key = ("PRIMARY KEY", f"row_no {number}, ") if keyed else ("", "")
    cells = ", ".join(f"{name} {kind} {key[0] * (name == 'id')}" for name in columns)
    marks = ", ".join(f":{name}" for name in columns)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE borrower ({cells}, our_note varchar(9))")
        connection.exec_driver_sql(
            f"CREATE TABLE role_profile ({key[1]}borrower_id {kind}, role_profile {kind})"
        )
    for row in BORROWERS:
        text = f"INSERT INTO borrower ({', '.join(columns)}, our_note) VALUES ({marks}, 'ours')"  # noqa: S608 - ours
        database.execute(text, **dict(zip(columns, row)))
    for one, two in ROLES:
        text = "INSERT INTO role_profile (borrower_id, role_profile) VALUES (:one, :two)"
        database.execute(text, one=one, two=two)


def rows_of(side: Any) -> Rows:
    """Give what a side has, clean."""
    model: Model = side.model
    return dict(side_of_extract(side.read(), can_part(model)).rows)


def changed(side: Any, edit: Callable[[Rows], None]) -> tuple[FlatChanges, Rows]:
    """Give the changes that lead from what a side has to what an edit makes of it, and that."""
    before = rows_of(side)
    after = {name: frame.astype(object).copy() for name, frame in before.items()}
    edit(after)
    how = can_part(side.model)
    return changes_to_push(before, after, how), conform_sheets(after, how)


def check_rows(side: Any, wanted: Rows) -> None:
    """Make sure that a side has, clean, what is wanted."""
    found = conform_sheets(rows_of(side), can_part(side.model))
    assert {name: equal_frames(frame, wanted[name]) for name, frame in found.items()} == (
        dict.fromkeys(found, True)
    )


def set_cell(rows: Rows, row: str, column: str, text: Any) -> None:
    """Change a cell of a borrower."""
    frame = rows["borrower"]
    frame.loc[frame["id"] == row, column] = text


def add_row(rows: Rows, sheet: str, **cells: Any) -> None:
    """Add a row to a sheet."""
    frame = rows[sheet]
    row = {name: cells.get(name) for name in frame.columns}
    rows[sheet] = pd.concat([frame, pd.DataFrame([row], dtype=object)], ignore_index=True)


def drop_rows(rows: Rows, sheet: str, column: str, text: str) -> None:
    """Take rows out of a sheet."""
    frame = rows[sheet]
    rows[sheet] = frame[frame[column] != text].reset_index(drop=True)
