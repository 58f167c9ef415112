"""The row that a push writes to a side, as a model: what a landing folder is read by."""

from __future__ import annotations

from pandera.typing import Series

from aspen_etl.schema import Model, Source, Table, column

__all__ = ["SIDE_MODEL"]


class SideSheet(Source):
    """The row as it lands."""

    id: Series[str] = column()
    version: Series[str] = column()
    token: Series[str] = column()
    deletes: Series[str] = column(nullable=True)


class Side(Table):
    """The row as it is read."""

    side_id: Series[str] = column(primary_key=True, natural_key=True, length=20, source="side.id")
    version: Series[str] = column(length=20, source="side.version")
    token: Series[str] = column(length=64, source="side.token")
    deletes: Series[str] = column(length=10, nullable=True, source="side.deletes")


SIDE_MODEL = Model.of(sources=[SideSheet], tables=[Side])
