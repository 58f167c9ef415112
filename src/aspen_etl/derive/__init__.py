"""What follows from a model: schemas for other systems, as text and values, without I/O."""

from aspen_etl.derive.athena import athena_create, athena_ddl, athena_drop, glue_tables
from aspen_etl.derive.datapackage import data_package
from aspen_etl.derive.documents import dbml, markdown, mermaid
from aspen_etl.derive.formats import arrow_schema, arrow_text
from aspen_etl.derive.sql import sql_ddl, sql_metadata

__all__ = [
    "arrow_schema",
    "arrow_text",
    "athena_create",
    "athena_ddl",
    "athena_drop",
    "data_package",
    "dbml",
    "glue_tables",
    "markdown",
    "mermaid",
    "sql_ddl",
    "sql_metadata",
]
