"""Turn a flat borrower extract into a relational model, provably losing nothing."""

from aspen_etl.errors import AspenETLError
from aspen_etl.io import ReadLimits, read_extract, read_tables, write_tables
from aspen_etl.normalization import NormalizeResult, denormalize, normalize, verify
from aspen_etl.schema import Extract, Model, Run, Snapshot, Tables, column
from aspen_etl.schema.validation import is_valid, split, validate
from aspen_etl.transform import BORROWER_MODEL, borrower_model

__all__ = [
    "BORROWER_MODEL",
    "AspenETLError",
    "Extract",
    "Model",
    "NormalizeResult",
    "ReadLimits",
    "Run",
    "Snapshot",
    "Tables",
    "borrower_model",
    "column",
    "denormalize",
    "is_valid",
    "normalize",
    "read_extract",
    "read_tables",
    "split",
    "validate",
    "verify",
    "write_tables",
]
