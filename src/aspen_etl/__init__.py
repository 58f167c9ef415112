"""Turn a flat borrower extract into a relational model, provably losing nothing."""

from aspen_etl.errors import AspenETLError
from aspen_etl.normalization import NormalizeResult, denormalize, normalize
from aspen_etl.schema import Extract, Model, Run, Snapshot, Tables, column
from aspen_etl.transform import BORROWER_MODEL, borrower_model

__all__ = [
    "BORROWER_MODEL",
    "AspenETLError",
    "Extract",
    "Model",
    "NormalizeResult",
    "Run",
    "Snapshot",
    "Tables",
    "borrower_model",
    "column",
    "denormalize",
    "normalize",
]
