"""Where bytes live: read an extract, write and read tables and stores, by fsspec urls."""

from aspen_etl.io.extract import read_extract
from aspen_etl.io.limits import ReadLimits
from aspen_etl.io.store import SnapshotStore
from aspen_etl.io.tables import read_tables, write_tables

__all__ = ["ReadLimits", "SnapshotStore", "read_extract", "read_tables", "write_tables"]
