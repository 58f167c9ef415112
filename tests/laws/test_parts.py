"""Partition invariance: whatever the parts, a run gives what it gives in one piece."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.errors import NotSupportedError
from aspen_etl.normalization.parted import normalize_parted
from aspen_etl.schema.types import TYPES
from aspen_etl.testing import histories
from aspen_etl.transform.cleaning import clean_column
from aspen_etl.transform.parting import can_part
from tests.laws.models import MODELS
from tests.laws.parted_models import LOANS, METERS, TERMS
from tests.support.effort import is_brief, is_thorough, some
from tests.support.parts import differences, without_schema_check

T = TypeVar("T")
R = TypeVar("R")

FIRST = dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc)
# One example goes through up to three runs, each in one piece and in up to five parts.
FEWER = some(4, least=3)
RUNS, MOST_BOUNDS = (2, 2) if is_brief() else (3, 4)
#: The one with loans holds the borrower's.
PARTED = {"loans": LOANS, "meters": METERS, "terms": TERMS}
if is_thorough():
    PARTED["borrower"] = ae.BORROWER_MODEL


def is_parted(model: ae.Model) -> bool:
    try:
        can_part(model)
    except NotSupportedError:
        return False
    return True


def test_the_models_of_the_other_laws_that_can_be_parted_are_among_these() -> None:
    found = {name for name, model in MODELS.items() if is_parted(model)}
    assert found == PARTED.keys() & MODELS.keys()


@pytest.fixture(autouse=True)
def _no_schema_check(monkeypatch: pytest.MonkeyPatch) -> None:
    without_schema_check(monkeypatch)


class Shuffled:
    """Do items in another order than that in which they are given."""

    def __init__(self, luck: Random) -> None:
        self.luck = luck

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        held = list(enumerate(items))
        self.luck.shuffle(held)
        found = {place: function(item) for place, item in held}
        return [found[place] for place in sorted(found)]


def subjects(history: Sequence[ae.Extract], model: ae.Model) -> list[str]:
    """Give what subjects are known by, in order, those that only others name among them."""
    how = can_part(model)
    found = [
        clean_column(extract, sheet, column, model)
        for extract in history
        for sheet, column in how.columns.items()
    ]
    texts = pd.concat(found, ignore_index=True).dropna().drop_duplicates().reset_index(drop=True)
    values = TYPES[how.key.type].parse(texts, replace(how.key, nullable=False))
    cells = values.to_numpy(dtype=object).tolist()
    return [str(texts[place]) for place in sorted(range(len(cells)), key=cells.__getitem__)]


def assert_parts_change_nothing(
    history: Sequence[ae.Extract], model: ae.Model, missing: Any, luck: Random
) -> None:
    """Go through a history in one piece and in parts, other ones in each run."""
    known, previous = subjects(history, model), None
    for day, extract in enumerate(history):
        options: dict[str, Any] = {
            "run": ae.Run(time=FIRST + dt.timedelta(days=day), actor=f"run {day}"),
            "model": model,
            "previous": previous,
            "missing": missing,
        }
        whole = ae.normalize(extract, **options)
        places = luck.choices(range(len(known)), k=luck.randint(1, MOST_BOUNDS)) if known else []
        bounds = [known[place] for place in sorted(places)]
        parted = normalize_parted(extract, bounds=bounds, workers=Shuffled(luck), **options)
        assert differences(whole, parted) == []
        previous = whole.snapshot


@pytest.mark.parametrize("model", PARTED.values(), ids=PARTED)
def test_parts_change_nothing_through_any_history(model: ae.Model) -> None:
    @FEWER
    @given(
        histories(model, faults="all", max_rows=8, max_runs=RUNS, growing=True),
        st.sampled_from(["delete", "keep"]),
        st.integers(0, 2**32 - 1),
    )
    def same(history: list[ae.Extract], missing: Any, luck: int) -> None:
        assert_parts_change_nothing(history, model, missing, Random(luck))  # noqa: S311 - a draw

    same()
