"""The laws of runs after runs, over generated histories, for two models."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl import normalization
from aspen_etl.testing import assert_history_laws, histories
from tests.laws.models import MODELS, RUN
from tests.support.effort import is_brief, some

# One example goes through up to eight runs, each proved and proved again.
FEWER = some(5, least=5)
RUNS = 3 if is_brief() else 4


@pytest.mark.parametrize("faults", [(), "all"], ids=["valid", "faulty"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_laws_hold_through_any_history(model: ae.Model, faults: Any) -> None:
    @FEWER
    @given(histories(model, faults=faults, max_runs=RUNS), st.sampled_from(["delete", "keep"]))
    def laws_hold(history: list[ae.Extract], missing: Any) -> None:
        assert_history_laws(history, model=model, missing=missing)

    laws_hold()


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_order_in_which_rows_are_worked_on_changes_no_result(
    model: ae.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    @FEWER
    @given(histories(model, faults="all", max_runs=RUNS), st.sampled_from(["delete", "keep"]))
    def same(history: list[ae.Extract], missing: Any) -> None:
        previous = None
        for extract in history:
            options: Any = {"model": model, "run": RUN, "previous": previous, "missing": missing}
            result = ae.normalize(extract, **options)
            with monkeypatch.context() as natural:
                natural.setattr(normalization, "find_leaders", lambda *_: {})
                other = ae.normalize(extract, **options)
            assert other.equals(result)
            assert other.changes.equals(result.changes)
            previous = result.snapshot

    same()
