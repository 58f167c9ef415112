"""What a run tells of a landing folder: of what it took, or of what it saw and left."""

from __future__ import annotations

import datetime as dt
from typing import Optional

from aspen_etl.synchronization.intake import Intake, LandingReport

__all__ = ["age_of", "landing_age", "report_intake"]


def report_intake(intake: Optional[Intake], /) -> Optional[LandingReport]:
    """Tell what was taken of a landing folder; none where the source is no such folder."""
    if intake is None:
        return None
    if not intake.was_read:
        return _seen(intake)
    return LandingReport.of(intake.found)


def landing_age(landing: LandingReport, now: dt.datetime, /) -> Optional[float]:
    """Give how many seconds ago the task was heard of last: by its heartbeat, or by a change.

    Returns:
        The age of the newest file of the heartbeat; where there is none, of the youngest change
        that was taken, which is old also where the database is quiet; where nothing was, none.
    """
    return age_of(landing.heard or landing.watermark, now)


def age_of(moment: Optional[str], now: dt.datetime, /) -> Optional[float]:
    """Give how many seconds ago a moment was; one without a zone is in UTC.

    Examples:
        >>> noon = dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc)
        >>> age_of("2026-01-31 11:00:00.000000", noon)
        3600.0
    """
    if moment is None:
        return None
    found = dt.datetime.fromisoformat(moment)
    known = found if found.tzinfo is not None else found.replace(tzinfo=dt.timezone.utc)
    return (now - known).total_seconds()


def _seen(intake: Intake) -> LandingReport:
    """Tell of a folder that was listed and not read, since nothing in it can be taken."""
    record = None if intake.newest is None else intake.newest.landing
    heard = intake.folder.heard
    return LandingReport(
        intake.reader.landing.epoch,
        None if record is None else record.watermark,
        files=0,
        rows=0,
        pending=len(intake.reader.part(intake.folder, intake.ledger)[1]),
        unknown=intake.folder.unknown,
        heard=None if heard is None else heard.isoformat(),
    )
