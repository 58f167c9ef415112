"""What a run that breaks a limit leaves behind, and the error that says where."""

from __future__ import annotations

from dataclasses import asdict
from typing import Optional

import pandas as pd

from aspen_etl.errors import (
    AspenETLError,
    OutdatedSourceError,
    RejectsPlaceError,
    ThresholdError,
)
from aspen_etl.io.content import SourceFile
from aspen_etl.schema.values import Run
from aspen_etl.store.commit import Commit
from aspen_etl.store.committing import claim_rejects
from aspen_etl.store.refused import RefusedRun, keep_refused
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.report import Result
from aspen_etl.synchronization.thresholds import Thresholds, find_outdated, find_refusals

__all__ = ["refuse_broken"]


def refuse_broken(
    limits: Thresholds,
    store: SnapshotStore,
    run: Run,
    newest: Optional[Commit],
    result: Result,
    files: tuple[SourceFile, ...],
) -> None:
    """Refuse a run that breaks a limit; its figures and its rejects are kept.

    Where they cannot be kept, the error says so: the run is refused all the same.

    Raises:
        ThresholdError: A limit is broken; OutdatedSourceError where only the source is too old.
    """
    refusals = find_refusals(result, limits, newest)
    broken = refusals + find_outdated(limits, newest, files)
    if not broken:
        return
    kind = ThresholdError if refusals else OutdatedSourceError
    counts = tuple(asdict(count) for count in result.summary.rejects)
    refused = RefusedRun(
        time=run.time.isoformat(),
        actor=run.actor,
        version=newest.version if newest else 0,
        error=kind.__name__,
        refusals=broken,
        sources={
            name: {"rows": each.rows, "accepted": each.accepted, "rejected": each.rejected}
            for name, each in result.summary.sources.items()
        },
        rejects=counts,
    )
    place, failure = None, ""
    try:
        place = _keep(store, refused, result.rejects)
    except (AspenETLError, MemoryError) as error:
        failure = type(error).__name__
    raise kind.of(broken, rejects=counts, place=place, failure=failure)


def _keep(store: SnapshotStore, refused: RefusedRun, rejects: pd.DataFrame) -> str:
    """Keep what a refused run leaves, where no other store could overwrite it; give the file."""
    standing = claim_rejects(store.place, first=True)
    if standing == "shared" and store.place.rejects_root is not None:
        raise RejectsPlaceError.of("shared", store.url, store.place.rejects_root.url)
    return keep_refused(store.place.root, store.place.rejects_root, refused, rejects).place
