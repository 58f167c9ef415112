"""One run from a source to a store: read, normalize, hold against the limits, commit, report."""

from aspen_etl.synchronization.report import SyncReport, TableReport
from aspen_etl.synchronization.syncing import plan, sync
from aspen_etl.synchronization.thresholds import Thresholds

__all__ = ["SyncReport", "TableReport", "Thresholds", "plan", "sync"]
