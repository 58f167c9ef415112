"""Law 13: change any one cell of a result, drop or double any row: table and column are named."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.normalization import verify
from aspen_etl.testing import extracts
from aspen_etl.testing._mutations import assert_seen, mutations
from tests.laws.models import MODELS, RUN

EACH_MODEL = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@EACH_MODEL
def test_any_change_of_a_result_is_found_and_named(model: ae.Model) -> None:
    @settings(max_examples=max(10, settings().max_examples * 2 // 5))
    @given(extracts(model, faults="all", min_rows=1, max_rows=3), st.data())
    def changes_are_found(extract: ae.Extract, data: st.DataObject) -> None:
        result = ae.normalize(extract, model=model, run=RUN)
        every = list(mutations(result))
        if every:
            assert_seen(data.draw(st.sampled_from(every)), result, extract, model, RUN)

    changes_are_found()


def small() -> ae.Extract:
    """Two borrowers, one of them with two roles, and a reject."""
    columns = list(ae.BORROWER_MODEL.sources["borrower"].columns)
    rows = [
        ("a", "Ada Degli Antoni", "1 Main St", "Turin", "MA", "2138", "5550100", "5550101", "a@b"),
        ("b", "Bo", None, "Turin", "MA", "02139", None, "5550102", "no address"),
    ]
    roles = [("a", "borrower"), ("a", "co-borrower")]
    return ae.Extract(
        borrower=pd.DataFrame(rows, columns=columns),
        role_profile=pd.DataFrame(roles, columns=["borrower_id", "role_profile"]),
    )


@pytest.mark.slow
def test_each_change_of_a_small_result_is_found_and_named() -> None:
    result = ae.normalize(small(), run=RUN)
    for mutation in mutations(result):
        assert_seen(mutation, result, small(), ae.BORROWER_MODEL, RUN)


def test_a_result_proves_itself() -> None:
    verify(ae.normalize(small(), run=RUN), small(), run=RUN)
