"""Where bytes live: an extract is read here, tables are written, from and to any fsspec url."""

from aspen_etl.io.extract import read_extract
from aspen_etl.io.limits import ReadLimits
from aspen_etl.io.tables import read_tables, write_tables

__all__ = ["ReadLimits", "read_extract", "read_tables", "write_tables"]
