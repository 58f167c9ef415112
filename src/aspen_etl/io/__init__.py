"""Where bytes live: read an extract, write and read tables, by fsspec urls."""

from typing import TYPE_CHECKING

from aspen_etl.errors.moving import moved
from aspen_etl.io.extract import read_extract
from aspen_etl.io.reading import ReadLimits
from aspen_etl.io.tables import read_tables, write_tables

__all__ = ["ReadLimits", "read_extract", "read_tables", "write_tables"]

#: What stood here.
_MOVED = ("SnapshotStore",)

if not TYPE_CHECKING:
    __getattr__ = moved(__name__, "aspen_etl.store", _MOVED)
