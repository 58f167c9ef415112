"""Types and entities, compared with the contract written once more in plain Python."""

from __future__ import annotations

import pytest
from hypothesis import given

import aspen_etl as ae
from aspen_etl.testing import FAULT_KINDS, extracts
from aspen_etl.testing._plain import rows_of
from aspen_etl.testing._types import PLAIN
from tests.laws import entity_oracle
from tests.laws.models import MODELS, RUN
from tests.support.effort import some

pytestmark = pytest.mark.smoke

#: Those whose tables follow from their declarations alone.
DECLARED = {name: model for name, model in MODELS.items() if not (model.builders or model.cleaners)}
#: What the oracle of the first model knows already.
KINDS = sorted(FAULT_KINDS.keys() - {"control", "surrogate", "repeated_header"})


def assert_as_the_contract_says(extract: ae.Extract, model: ae.Model) -> None:
    result = ae.normalize(extract, model=model, run=RUN)
    expected = entity_oracle.normalize(extract, model)
    told = result.rejects[["source", "row", "column", "rule", "scope"]]
    assert set(rows_of(told)) == expected.rejects
    back = ae.denormalize(result.tables, model=model)
    for name, frame in back.items():
        found = [dict(zip(frame.columns, row)) for row in rows_of(frame)]
        assert sorted(map(ascii, found)) == sorted(map(ascii, expected.sheets[name])), name
        assert sum(result.summary.sources[name].filled.values()) == expected.filled[name]
    for table, made in expected.entities.items():
        assert len(result.tables[table]) == len(made), table
        references = model.tables[table].references
        wanted = [
            {name: cells[0] for name, cells in sorted(facts.items()) if name not in references}
            for facts in made.values()
        ]
        assert held(result.tables, table, model) == sorted(map(ascii, wanted))


def held(tables: ae.Tables, table: str, model: ae.Model) -> list[str]:
    """Give the attributes of entities as canonical text, references left out."""
    specs = {
        spec.name: spec
        for spec in model.tables[table].own_columns
        if spec.source and not spec.references and spec.name not in model.tables[table].natural_key
    }
    rows = [dict(zip(specs, row)) for row in rows_of(tables[table][list(specs)])]
    if not specs:
        rows = [{}] * len(tables[table])
    return sorted(
        ascii(
            {
                name: PLAIN[specs[name].type].text(cell, specs[name])
                for name, cell in sorted(row.items())
                if cell is not None
            }
        )
        for row in rows
    )


@pytest.mark.parametrize("model", DECLARED.values(), ids=DECLARED)
def test_everything_is_as_the_contract_says(model: ae.Model) -> None:
    @some(1, least=10)
    @given(extracts(model, faults=KINDS, max_rows=6))
    def is_so(extract: ae.Extract) -> None:
        assert_as_the_contract_says(extract, model)

    is_so()
