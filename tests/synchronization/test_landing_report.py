"""When a task was heard of last: by its heartbeat, and without one by a change."""

from __future__ import annotations

import datetime as dt
from typing import Optional

import pytest

from aspen_etl.synchronization.intake import LandingReport
from aspen_etl.synchronization.landing_report import landing_age

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("heard", "watermark", "age"),
    [
        (None, None, None),
        (None, "2026-01-31 11:59:00.000000", 60.0),
        ("2026-01-31T11:58:00+00:00", None, 120.0),
        ("2026-01-31T11:58:00+00:00", "2026-01-31 11:00:00.000000", 120.0),
        ("2026-01-31T12:58:00+01:00", "2026-01-31 11:59:59.000000", 120.0),
    ],
)
def test_the_age_is_that_of_the_heartbeat_or_of_a_change(
    heard: Optional[str], watermark: Optional[str], age: Optional[float]
) -> None:
    report = LandingReport(1, watermark, files=0, rows=0, pending=0, heard=heard)
    assert landing_age(report, NOON) == age
