"""Where bytes live: read an extract, write and read tables, by fsspec urls."""

from aspen_etl.io.extract import read_extract
from aspen_etl.io.reading import ReadLimits
from aspen_etl.io.tables import read_tables, write_tables

__all__ = ["ReadLimits", "read_extract", "read_tables", "write_tables"]
