"""Turn a flat borrower extract into a relational model, provably losing nothing."""

from aspen_etl.changes import Changes, apply_changes, diff
from aspen_etl.errors import AspenETLError
from aspen_etl.io import ReadLimits, SnapshotStore, read_extract, read_tables, write_tables
from aspen_etl.normalization import NormalizeResult, denormalize, normalize, verify
from aspen_etl.schema import Extract, Model, Run, Snapshot, Tables, column
from aspen_etl.schema.validation import is_valid, split, validate
from aspen_etl.synchronization import SyncReport, Thresholds, plan, sync
from aspen_etl.transform import BORROWER_MODEL, borrower_model

__all__ = [
    "BORROWER_MODEL",
    "AspenETLError",
    "Changes",
    "Extract",
    "Model",
    "NormalizeResult",
    "ReadLimits",
    "Run",
    "Snapshot",
    "SnapshotStore",
    "SyncReport",
    "Tables",
    "Thresholds",
    "apply_changes",
    "borrower_model",
    "column",
    "denormalize",
    "diff",
    "is_valid",
    "normalize",
    "plan",
    "read_extract",
    "read_tables",
    "split",
    "sync",
    "validate",
    "verify",
    "write_tables",
]
