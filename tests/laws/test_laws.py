"""The laws, over generated extracts with every kind of fault, for two models."""

from __future__ import annotations

import pytest
from hypothesis import given

import aspen_etl as ae
from aspen_etl.testing import assert_laws, extracts
from tests.laws.models import MODELS, RUN
from tests.support.effort import some

pytestmark = pytest.mark.smoke

EACH_MODEL = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)

# One example goes through `normalize` and the proof three times each.
FEWER = some(4, least=4)


@EACH_MODEL
def test_the_laws_hold_whatever_is_wrong_with_an_extract(model: ae.Model) -> None:
    @FEWER
    @given(extracts(model, faults="all"))
    def laws_hold(extract: ae.Extract) -> None:
        assert_laws(extract, model=model)

    laws_hold()


@EACH_MODEL
def test_nothing_of_a_valid_extract_is_rejected(model: ae.Model) -> None:
    @FEWER
    @given(extracts(model))
    def nothing_is_rejected(extract: ae.Extract) -> None:
        result = ae.normalize(extract, model=model, run=RUN)
        assert result.rejects.empty
        assert {name: s.accepted for name, s in result.summary.sources.items()} == {
            name: len(frame) for name, frame in extract.items()
        }

    nothing_is_rejected()
