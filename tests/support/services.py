"""What a test does when something it needs is not on this machine."""

from __future__ import annotations

import os

import pytest

REQUIRE_SERVICES = "ASPEN_ETL_REQUIRE_SERVICES"


def require_service(name: str, available: object, reason: str) -> None:
    """Go on if ``available``; else skip with the reason, or fail where services are required.

    A service is something that a test starts or talks to: an S3 server, a database. CI
    sets ``ASPEN_ETL_REQUIRE_SERVICES=1``, so that a missing one cannot hide as a skip.
    Optional Python packages are not services: ``pytest.importorskip`` is for them.
    """
    if available:
        return
    message = f"{name} is not available: {reason}"
    if os.environ.get(REQUIRE_SERVICES) == "1":
        pytest.fail(f"{message} ({REQUIRE_SERVICES}=1 forbids to skip)", pytrace=False)
    pytest.skip(message)
