"""Load a snapshot, or what changed between two commits, into a relational database; read one.

Needs the extra ``sql`` and a driver of the database: psycopg or psycopg2 for PostgreSQL,
PyMySQL or mysqlclient for MariaDB and MySQL; Python brings SQLite's.
"""

from __future__ import annotations

import importlib.util

from aspen_etl.errors import MissingDependencyError

if importlib.util.find_spec("sqlalchemy") is None:
    raise MissingDependencyError.for_extra("sqlalchemy", "sql", "aspen_etl.sql")

from aspen_etl.sql.creating import create
from aspen_etl.sql.flat import FlatDatabase
from aspen_etl.sql.flat_tables import FlatNames
from aspen_etl.sql.loading import load
from aspen_etl.sql.proposing import propose_model
from aspen_etl.sql.reading import read
from aspen_etl.sql.reports import LoadOutcome, LoadReport
from aspen_etl.sql.table_database import TableDatabase

__all__ = [
    "FlatDatabase",
    "FlatNames",
    "LoadOutcome",
    "LoadReport",
    "TableDatabase",
    "create",
    "load",
    "propose_model",
    "read",
]
