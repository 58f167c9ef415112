"""Two sides of a two-way store in files of SQLite, in which users and an application write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

import aspen_etl as ae
from aspen_etl.sql import FlatDatabase, TableDatabase
from tests.support.sides import COLUMNS, MODEL, DiedError

__all__ = ["FlatFile", "TableFile"]


class FlatFile(FlatDatabase):
    """The old side."""

    def __init__(self, path: Path) -> None:
        super().__init__(sa.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool))
        self.written, self.dies = 0, ""
        cells = ", ".join(f"{name} varchar(80)" for name in COLUMNS[1:])
        with self.engine.begin() as connection:
            connection.exec_driver_sql(
                f"CREATE TABLE borrower (id varchar(80) PRIMARY KEY, {cells})"
            )
            connection.exec_driver_sql(
                "CREATE TABLE role_profile (borrower_id varchar(80), role_profile varchar(80))"
            )

    def put(self, extract: ae.Extract) -> None:
        """Let its users make it so."""
        with self.engine.begin() as connection:
            for name, frame in extract.items():
                fill(connection, name, frame)

    def write(self, *given: Any, **told: Any) -> Any:
        """Write, and die if that was asked for."""
        if self.dies == "before":
            raise DiedError
        found = super().write(*given, **told)
        self.written += 1
        if self.dies:
            raise DiedError
        return found


class TableFile(TableDatabase):
    """The new side."""

    def __init__(self, path: Path) -> None:
        super().__init__(sa.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool))
        object.__setattr__(self, "seen", {"written": 0, "dies": ""})
        self.create()

    @property
    def written(self) -> int:
        """How often it was written to."""
        return int(self.__dict__["seen"]["written"])

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__["seen"][name] = value

    def put(self, tables: dict[str, pd.DataFrame]) -> None:
        """Let an application make it so."""
        with self.engine.begin() as connection:
            for name in MODEL.tables:
                fill(connection, name, tables[name])

    def write(self, *given: Any, **told: Any) -> Any:
        """Write, and die if that was asked for."""
        if self.__dict__["seen"]["dies"] == "before":
            raise DiedError
        found = super().write(*given, **told)
        self.__dict__["seen"]["written"] += 1
        if self.__dict__["seen"]["dies"]:
            raise DiedError
        return found


def fill(connection: sa.Connection, name: str, frame: pd.DataFrame) -> None:
    """Let a table hold the rows of a frame and no others."""
    connection.exec_driver_sql(f'DELETE FROM "{name}"')  # noqa: S608 - ours
    held = frame.astype(object).where(frame.notna(), None)
    columns = ", ".join(f'"{column}"' for column in held.columns)
    marks = ", ".join("?" for _ in held.columns)
    rows = [tuple(map(plain, row)) for row in held.itertuples(index=False)]
    if rows:
        connection.exec_driver_sql(f'INSERT INTO "{name}" ({columns}) VALUES ({marks})', rows)  # noqa: S608 - ours


def plain(value: Any) -> Any:
    """Give a cell as SQLite holds it."""
    if isinstance(value, pd.Timestamp):
        return value.tz_localize(None).isoformat(sep=" ", timespec="microseconds")
    return value.item() if hasattr(value, "item") else value
