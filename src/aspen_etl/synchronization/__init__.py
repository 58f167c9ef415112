"""One run from a source to a store: read, normalize, hold against the limits, commit, report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aspen_etl.synchronization.parts import Parts
from aspen_etl.synchronization.thresholds import Thresholds

if TYPE_CHECKING:
    from aspen_etl.synchronization.reconciliation import Reconciliation
    from aspen_etl.synchronization.reconciling import reconcile
    from aspen_etl.synchronization.report import SyncReport, TableReport
    from aspen_etl.synchronization.syncing import plan, sync

__all__ = [
    "Parts",
    "Reconciliation",
    "SyncReport",
    "TableReport",
    "Thresholds",
    "plan",
    "reconcile",
    "sync",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Load what runs need when one is asked for: settings alone need no store."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from aspen_etl.synchronization import reconciliation, reconciling, report, syncing

        homes = (report, syncing, reconciliation, reconciling)
        home = next(module for module in homes if name in module.__all__)
        found = globals()[name] = getattr(home, name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
