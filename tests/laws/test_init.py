"""A model that is proposed for an extract normalizes it, whatever model the extract is of."""

from __future__ import annotations

import pytest
from hypothesis import given

import aspen_etl as ae
from aspen_etl.errors import ExtractError
from aspen_etl.testing import extracts
from aspen_etl.testing._plan import plan
from tests.inference.test_proposal import model_of
from tests.laws.models import MODELS, RUN
from tests.support.effort import some


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_proposed_model_normalizes_what_it_was_made_of(model: ae.Model) -> None:
    keys = {sheet.name: sheet.key for sheet in plan(model)}

    @some(4, least=6)
    @given(extracts(model, min_rows=1, max_rows=8))
    def normalizes(extract: ae.Extract) -> None:
        try:
            proposal = ae.propose_model(extract, keys=keys)
        except ExtractError:  # a sheet without a cell
            return
        proposed = model_of(proposal.model)
        result = ae.normalize(extract, model=proposed, run=RUN)
        assert {name: s.rejected for name, s in result.summary.sources.items()} == dict.fromkeys(
            extract, 0
        )
        again = ae.normalize(ae.denormalize(result.tables, model=proposed), model=proposed, run=RUN)
        assert again.tables.equals(result.tables)
        assert again.rejects.empty

    normalizes()
