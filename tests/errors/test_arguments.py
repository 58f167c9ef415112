"""An argument that cannot be used is an error of ours, and the ValueError that it always was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.testing import extracts, tables
from tests.support.refusals import refused

RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="tests")


def load_that_waits_for_less_than_nothing() -> Any:
    sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    from aspen_etl.sql import load

    return load({}, sa.create_engine("sqlite://"), lock_timeout=-1)


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
        (load_that_waits_for_less_than_nothing, "timeout"),
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
