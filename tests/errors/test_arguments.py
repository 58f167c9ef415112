"""An argument that cannot be used is an error of ours, and the ValueError that it always was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

import aspen_etl as ae
from aspen_etl.sql import load
from aspen_etl.testing import extracts, tables
from tests.support.refusals import refused

RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="tests")


def sync_with_two_models() -> Any:
    store = ae.SnapshotStore("memory://tests/two-models")
    return ae.sync("memory://tests/none", store, run=RUN, model=ae.borrower_model())


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: ae.Run(time=dt.datetime(2026, 1, 31), actor="me"), "run"),  # noqa: DTZ001
        (lambda: ae.ReadLimits(max_rows=0), "limit"),
        (lambda: ae.Thresholds(max_rejected_rows=2), "threshold"),
        (lambda: ae.Thresholds(min_deleted_rows=-1), "threshold"),
        (lambda: load({}, sa.create_engine("sqlite://"), lock_timeout=-1), "timeout"),
        (sync_with_two_models, "model"),
        (lambda: extracts(min_rows=3, max_rows=2), "count"),
        (lambda: tables(min_rows=3, max_rows=2), "count"),
        (lambda: extracts(faults=["typo"]), "name"),
    ],
)
def test_a_wrong_argument_says_which_it_is(call: Callable[[], Any], problem: str) -> None:
    with refused(problem) as caught:
        call()
    assert isinstance(caught.value, ValueError)
