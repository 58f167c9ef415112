"""Law 13: change any one cell of a result, drop or double any row: table and column are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.errors import ProofError
from aspen_etl.normalization import verify
from aspen_etl.schema.previous import previous_of
from aspen_etl.testing import extracts, histories
from aspen_etl.testing._mutations import assert_seen, mutations
from aspen_etl.transform.accepting import settle
from aspen_etl.transform.recovery import prove, recover
from tests.laws.models import MODELS, RUN
from tests.laws.typed_models import ENTITIES, TYPES_MODEL
from tests.support.effort import some

# One example is proved at least twice.
FEWER = some(3, least=5)

EACH_MODEL = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@EACH_MODEL
def test_any_change_of_a_result_is_found_and_named(model: ae.Model) -> None:
    @FEWER
    @given(extracts(model, faults="all", min_rows=1, max_rows=3), st.data())
    def changes_are_found(extract: ae.Extract, data: st.DataObject) -> None:
        result = ae.normalize(extract, model=model, run=RUN)
        every = list(mutations(result, model))
        if every:
            assert_seen(data.draw(st.sampled_from(every)), result, extract, model, RUN)

    changes_are_found()


def last_of(history: list[ae.Extract], model: ae.Model) -> tuple[ae.NormalizeResult, Any]:
    """Run a history, and give what its last run gave, and the snapshot before."""
    previous = None
    for extract in history[:-1]:
        previous = ae.normalize(extract, model=model, run=RUN, previous=previous).snapshot
    return ae.normalize(history[-1], model=model, run=RUN, previous=previous), previous


@EACH_MODEL
def test_any_change_of_a_later_result_is_found_and_named(model: ae.Model) -> None:
    @FEWER
    @given(histories(model, faults="all", max_rows=3, max_runs=3), st.data())
    def changes_are_found(history: list[ae.Extract], data: st.DataObject) -> None:
        result, previous = last_of(history, model)
        every = list(mutations(result, model))
        if every:
            mutation = data.draw(st.sampled_from(every))
            assert_seen(mutation, result, history[-1], model, RUN, previous)

    changes_are_found()


def outcome(look: Callable[[], object]) -> bool:
    try:
        return look() is not False
    except ProofError:
        return False


def plain(sheets: Mapping[str, pd.DataFrame], model: ae.Model) -> dict[str, list[str]]:
    """Give the rows of each sheet as they are, whatever their order."""
    keys: dict[str, pd.Series] = {}
    out = {}
    for name in model.lineage.source_order:
        lineage, frame = model.lineage.sources[name], sheets[name].astype(object)
        frame = frame.where(frame.notna(), None)
        for column, parent in lineage.references.items():
            frame[column] = [keys[parent].iloc[at] for at in sheets[name][column]]
        keys[name] = frame[lineage.key[0]]
        out[name] = sorted(map(repr, frame.to_numpy().tolist()))
    return out


@EACH_MODEL
def test_the_proof_in_the_order_of_the_keys_says_what_it_says_in_any_other(model: ae.Model) -> None:
    @FEWER
    @given(histories(model, max_rows=3, max_runs=3), st.data())
    def says_the_same(history: list[ae.Extract], data: st.DataObject) -> None:
        result, previous = last_of(history, model)
        accepted = settle(history[-1], model, previous_of(previous), "delete").accepted
        every = [None, *(m for m in mutations(result, model) if m.table != "rejects")]
        mutation = data.draw(st.sampled_from(every))
        tables = (mutation.apply(result) if mutation else result).tables
        expected = plain(accepted, model)
        held = outcome(lambda: plain(recover(tables, model), model) == expected)
        assert outcome(lambda: prove(accepted, tables, model)) is held
        assert held or mutation

    says_the_same()


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
    for mutation in mutations(result, ae.BORROWER_MODEL):
        assert_seen(mutation, result, small(), ae.BORROWER_MODEL, RUN)


@pytest.mark.slow
@pytest.mark.parametrize("model", [TYPES_MODEL, ENTITIES], ids=["types", "entities"])
def test_each_change_of_typed_cells_and_of_entities_is_found_and_named(model: ae.Model) -> None:
    extract = find(
        extracts(model, faults="conflict", min_rows=1, max_rows=2),
        lambda extract: (
            min(map(len, ae.normalize(extract, model=model, run=RUN).tables.values())) > 0
        ),
        settings=settings(
            max_examples=200,
            database=None,
            derandomize=True,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    result = ae.normalize(extract, model=model, run=RUN)
    for mutation in mutations(result, model):
        assert_seen(mutation, result, extract, model, RUN)


def test_a_result_proves_itself() -> None:
    verify(ae.normalize(small(), run=RUN), small(), run=RUN)
