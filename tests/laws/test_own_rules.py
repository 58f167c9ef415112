"""The laws, with the rules that a user brings."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.testing import assert_history_laws, assert_laws, extracts, histories
from tests.support.effort import some
from tests.support.own_rules import MODEL


@some(5, least=3)
@given(extracts(MODEL, faults="all"))
def test_the_laws_hold(extract: ae.Extract) -> None:
    assert_laws(extract, model=MODEL)


@some(5, least=3)
@given(histories(MODEL, faults="all", max_runs=3), st.sampled_from(["delete", "keep"]))
def test_the_laws_hold_after_each_other(history: list[ae.Extract], missing: Any) -> None:
    assert_history_laws(history, model=MODEL, missing=missing)
