"""Turn a flat extract into a relational model, provably losing nothing.

A name is imported when it is asked for, and not before: pandas alone takes a good part of a second,
in which the command line must already be able to say that it was interrupted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aspen_etl.borrower import BORROWER_MODEL, borrower_model
    from aspen_etl.changes import Changes, apply_changes, diff
    from aspen_etl.databases import read_database
    from aspen_etl.errors import AspenETLError
    from aspen_etl.inference import Proposal, propose_model
    from aspen_etl.io import ReadLimits, read_extract, read_tables, write_tables
    from aspen_etl.normalization import NormalizeResult, denormalize, normalize, verify
    from aspen_etl.schema import Extract, Model, Run, Snapshot, Tables, column
    from aspen_etl.schema.policy import Policy
    from aspen_etl.schema.validation import is_valid, split, validate
    from aspen_etl.store import SnapshotStore
    from aspen_etl.synchronization import (
        Parts,
        Reconciliation,
        SyncReport,
        Thresholds,
        plan,
        reconcile,
        sync,
    )
    from aspen_etl.synchronization.two_way import pull, push

    __version__: str

__all__ = [
    "BORROWER_MODEL",
    "AspenETLError",
    "Changes",
    "Extract",
    "Model",
    "NormalizeResult",
    "Parts",
    "Policy",
    "Proposal",
    "ReadLimits",
    "Reconciliation",
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
    "propose_model",
    "pull",
    "push",
    "read_database",
    "read_extract",
    "read_tables",
    "reconcile",
    "split",
    "sync",
    "validate",
    "verify",
    "write_tables",
]

#: The modules that the names come from, and their names.
_HOMES = {
    "borrower": ("BORROWER_MODEL", "borrower_model"),
    "changes": ("Changes", "apply_changes", "diff"),
    "databases": ("read_database",),
    "errors": ("AspenETLError",),
    "inference": ("Proposal", "propose_model"),
    "io": ("ReadLimits", "read_extract", "read_tables", "write_tables"),
    "normalization": ("NormalizeResult", "denormalize", "normalize", "verify"),
    "schema": ("Extract", "Model", "Run", "Snapshot", "Tables", "column"),
    "schema.policy": ("Policy",),
    "schema.validation": ("is_valid", "split", "validate"),
    "store": ("SnapshotStore",),
    "synchronization": (
        *("Parts", "Reconciliation", "SyncReport", "Thresholds"),
        *("plan", "reconcile", "sync"),
    ),
    "synchronization.two_way": ("pull", "push"),
}

#: The modules that can be used as ``aspen_etl.<name>`` without an import of their own.
_ROOMS = {"derive", "transform", *(home for home in _HOMES if "." not in home)}


def __getattr__(name: str) -> Any:
    """Import a public name, a module, or ask for the version, the first time that it is used."""
    from importlib import import_module, metadata

    if name == "__version__":
        try:
            found: Any = metadata.version("aspen-etl")
        except metadata.PackageNotFoundError:  # run from its sources
            found = "unknown"
    elif name in _ROOMS:
        found = import_module(f"{__name__}.{name}")
    else:
        homes = [home for home, names in _HOMES.items() if name in names]
        if not homes:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{homes[0]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS, "__version__"})
