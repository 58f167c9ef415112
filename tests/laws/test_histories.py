"""The laws of runs after runs, over generated histories, for two models."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.testing import FAULT_KINDS, assert_history_laws, histories
from tests.laws.models import MODELS, RUN
from tests.support.effort import is_deep, some
from tests.support.parts import without_schema_check

# One example goes through up to six runs, each proved and proved again.
FEWER = some(5, least=3)
# A key can be given, retired and asked for again.
RUNS = 4 if is_deep() else 3


@pytest.fixture(autouse=True)
def _one_schema_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """The laws look at the schema of each table by themselves."""
    without_schema_check(monkeypatch)


@pytest.mark.parametrize("faults", [(), "all"], ids=["valid", "faulty"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_laws_hold_through_any_history(model: ae.Model, faults: Any) -> None:
    @FEWER
    @given(histories(model, faults=faults, max_runs=RUNS), st.sampled_from(["delete", "keep"]))
    def laws_hold(history: list[ae.Extract], missing: Any) -> None:
        assert_history_laws(history, model=model, missing=missing)

    laws_hold()


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_order_of_rows_changes_no_later_result(model: ae.Model) -> None:
    kinds = sorted(FAULT_KINDS.keys() - {"duplicate"})  # of these the first accepted one is kept

    @FEWER
    @given(histories(model, faults=kinds, max_runs=RUNS), st.sampled_from(["delete", "keep"]))
    def same(history: list[ae.Extract], missing: Any) -> None:
        previous = None
        for extract in history:
            options: Any = {"model": model, "run": RUN, "previous": previous, "missing": missing}
            result = ae.normalize(extract, **options)
            turned = {name: frame.iloc[::-1] for name, frame in extract.items()}
            other = ae.normalize(ae.Extract.from_frames(turned, faults=extract.faults), **options)
            assert other.snapshot.equals(result.snapshot)
            assert other.changes.equals(result.changes)
            previous = result.snapshot

    same()
