"""What comes back is taken again, and what was rejected has no say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest
from hypothesis import given

import aspen_etl as ae
from aspen_etl.testing import extracts
from aspen_etl.testing._plan import plan
from tests.laws.models import MODELS, RUN
from tests.support.effort import some

pytestmark = pytest.mark.smoke

EACH_MODEL = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
FEWER = some(4, least=4)


def same_tables(one: ae.NormalizeResult, two: ae.NormalizeResult) -> bool:
    return one.tables.equals(two.tables)


@EACH_MODEL
def test_what_comes_back_gives_the_same_tables_and_no_reject(model: ae.Model) -> None:
    @FEWER
    @given(extracts(model, faults="all"))
    def comes_back(extract: ae.Extract) -> None:
        result = ae.normalize(extract, model=model, run=RUN)
        back = ae.Extract.from_frames(dict(ae.denormalize(result.tables, model=model)))
        again = ae.normalize(back, model=model, run=RUN)
        assert again.rejects.empty
        assert same_tables(again, result)

    comes_back()


def cells_of(reject: Mapping[Any, Any], model: ae.Model) -> set[str]:
    """Give the columns whose cells a reject keeps out."""
    sheet, scope = reject["source"], reject["scope"]
    if scope == "value":
        return {reject["column"]}
    scopes = model.lineage.sources[sheet].scopes
    found = {name for name, each in scopes.items() if each == scope}
    for planned in plan(model):
        for entity in (each for top in planned.entities for each in top.all()):
            if planned.name == sheet and entity.table == scope:
                found |= set(entity.columns)
    return found


def without_rejected(extract: ae.Extract, rejects: pd.DataFrame, model: ae.Model) -> ae.Extract:
    """Give an extract without its rejected rows and cells."""
    frames = {name: frame.astype(object) for name, frame in extract.items()}
    faults = extract.faults
    for name, frame in frames.items():
        numbers = frame.index if frame.index.name == "row" else range(2, len(frame) + 2)
        frames[name] = frame.set_axis(pd.Index(list(numbers), name="row", dtype="int64"))
    for reject in rejects.to_dict("records"):
        sheet, row = reject["source"], reject["row"]
        if reject["scope"] == "row":
            frames[sheet] = frames[sheet].drop(index=row, errors="ignore")
            gone = faults["row"] == row
        else:
            columns = cells_of(reject, model)
            if row in frames[sheet].index:
                frames[sheet].loc[row, sorted(columns)] = None
            gone = (faults["row"] == row) & faults["column"].isin(columns)
        faults = faults[~((faults["source"] == sheet) & gone)]
    return ae.Extract.from_frames(frames, faults=faults)


@EACH_MODEL
def test_rejected_cells_have_no_say(model: ae.Model) -> None:
    @FEWER
    @given(extracts(model, faults="all"))
    def have_no_say(extract: ae.Extract) -> None:
        result = ae.normalize(extract, model=model, run=RUN)
        rest = without_rejected(extract, result.rejects, model)
        again = ae.normalize(rest, model=model, run=RUN)
        assert again.rejects.empty
        assert same_tables(again, result)

    have_no_say()
