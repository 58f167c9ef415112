"""Snapshot stores: folders in which every version of all tables is one commit."""

from aspen_etl.store.snapshot_store import SnapshotStore

__all__ = ["SnapshotStore"]
