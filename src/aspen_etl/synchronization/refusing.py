"""What a run that broke a limit leaves behind, and the error that says where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Optional

from aspen_etl.errors import AspenETLError, OutdatedSourceError, ThresholdError
from aspen_etl.io.commit import Commit
from aspen_etl.io.refused import RefusedRun, keep_refused
from aspen_etl.io.store import SnapshotStore
from aspen_etl.normalization import NormalizeResult
from aspen_etl.schema.frames import Run

__all__ = ["refuse"]


def refuse(
    store: SnapshotStore,
    run: Run,
    newest: Optional[Commit],
    result: NormalizeResult,
    refusals: Sequence[str],
    outdated: Sequence[str],
) -> ThresholdError:
    """Keep the figures and the rejects of a run that broke a limit, and give its error.

    Where they cannot be kept, the error says so: the run is refused all the same.
    """
    kind = ThresholdError if refusals else OutdatedSourceError
    broken = (*refusals, *outdated)
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
        store.claim_rejects(first=True)
        place = keep_refused(store.root, store.rejects_root, refused, result.rejects).place
    except (AspenETLError, MemoryError) as error:
        failure = type(error).__name__
    return kind.of(broken, rejects=counts, place=place, failure=failure)
