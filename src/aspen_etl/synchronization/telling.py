"""Tell what a comparison found, as counts."""

from __future__ import annotations

from typing import Any

from aspen_etl.columns import Mask
from aspen_etl.schema.values import Run
from aspen_etl.synchronization.holding import Comparison
from aspen_etl.synchronization.reconciliation import (
    DifferenceCount,
    Reconciliation,
    SideReport,
)
from aspen_etl.synchronization.sides import AnySide, Look, kind_of
from aspen_etl.transform.siding import Figures

__all__ = ["tell"]

Looked = tuple[AnySide, Look]


def tell(
    sides: tuple[Looked, Looked], compared: Comparison, in_flight: Mask, run: Run, /
) -> Reconciliation:
    """Make the report of one look.

    Args:
        sides: What was given as each side, and what was seen of it.
        compared: What was found.
        in_flight: Which differences came or changed since the look before.
        run: When this is, and who does it.
    """
    found = compared.found.assign(in_flight=in_flight)
    names = ["kind", "sheet", "column", "why", "in_flight"]
    counted: dict[tuple[Any, ...], int] = {}
    for each in zip(*(found[name].tolist() for name in names)):
        counted[each] = counted.get(each, 0) + 1
    open_ones = found[found["why"].isna()]
    return Reconciliation(
        time=run.time.isoformat(),
        actor=run.actor,
        source=_tell_side(sides[0], compared.source),
        target=_tell_side(sides[1], compared.target),
        differences=tuple(
            DifferenceCount(**dict(zip(names, each)), count=count)
            for each, count in counted.items()
        ),
        subjects=int(open_ones["subject"].nunique(dropna=False)),
    )


def _tell_side(side: Looked, figures: Figures) -> SideReport:
    given, look = side
    return SideReport(
        kind=kind_of(given, look),
        rows=figures.rows,
        rejected=figures.rejected,
        digest=figures.buckets.digest,
        version=look.version,
        watermark=look.watermark,
    )
