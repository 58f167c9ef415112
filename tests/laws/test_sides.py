"""Laws of reading a side: what is rejected now is unknown, and neither changes nor deletes."""

from __future__ import annotations

from typing import Any, Optional

import pandas as pd
import pytest
from hypothesis import assume as suppose
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.schema.policy import Policy
from aspen_etl.testing import extracts
from aspen_etl.transform.flat_changes import changes_to_push
from aspen_etl.transform.parting import Partitioning, can_part
from aspen_etl.transform.side_rows import assume, leave_unknown, read_side, read_tables_side
from aspen_etl.transform.three_way import merge
from tests.laws.merge_oracle import state_of
from tests.laws.models import RUN
from tests.laws.parted_models import LOANS, METERS, TERMS
from tests.support.effort import some

MODELS = {"borrower": ae.BORROWER_MODEL, "loans": LOANS, "meters": METERS, "terms": TERMS}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)

#: No text of any type: it holds a control character.
GARBLED = "a\x07b"


def with_cell(extract: ae.Extract, place: tuple[str, str, int], cell: Optional[str]) -> ae.Extract:
    sheet, column, at = place
    frame = extract[sheet].astype(object)
    frame.iloc[at, list(frame.columns).index(column)] = cell
    return ae.Extract(**{**extract, sheet: frame})


def a_place(extract: ae.Extract, how: Partitioning, data: st.DataObject) -> tuple[str, str, int]:
    """Draw a cell that does not say whose row it is."""
    places: list[tuple[str, str, int]] = [
        (name, str(column), at)
        for name in how.model.sources
        for column in extract[name].columns
        for at in range(len(extract[name]))
        if column != how.columns[name]
    ]
    suppose(places)
    found: tuple[str, str, int] = data.draw(st.sampled_from(places))
    return found


@every_model
def test_a_cell_that_is_garbled_changes_nothing(model: ae.Model) -> None:
    how = can_part(model)

    @some(1, least=4)
    @given(extracts(model, min_rows=1), st.data())
    def check(extract: ae.Extract, data: st.DataObject) -> None:
        shadow = read_side(extract, how).rows
        place = a_place(extract, how, data)
        found = read_side(with_cell(extract, place, GARBLED), how)
        side = assume(found, shadow, how)
        assert state_of(side, how) == state_of(shadow, how)
        assert not found.nameless

    check()


@every_model
def test_whose_row_cannot_be_read_may_be_any(model: ae.Model) -> None:
    how = can_part(model)

    @some(2, least=2)
    @given(extracts(model, min_rows=1), st.data())
    def check(extract: ae.Extract, data: st.DataObject) -> None:
        shadow = read_side(extract, how).rows
        at = data.draw(st.integers(0, len(extract[how.root]) - 1))
        place = (how.root, how.columns[how.root], at)
        found = read_side(with_cell(extract, place, GARBLED), how)
        assert found.nameless == 1
        gone = state_of(shadow, how)[how.root].keys() - state_of(found.rows, how)[how.root].keys()
        assert len(gone) == 1
        assert state_of(assume(found, shadow, how, deletes=False), how) == state_of(shadow, how)

    check()


@every_model
def test_nothing_unknown_is_written_over(model: ae.Model) -> None:
    how = can_part(model)

    @some(1, least=4)
    @given(extracts(model, faults="all"), extracts(model), extracts(model))
    def check(now: ae.Extract, before: ae.Extract, others: ae.Extract) -> None:
        found, shadow = read_side(now, how), read_side(before, how).rows
        side = assume(found, shadow, how)
        for sheet, frame in side.items():
            assert set(frame[how.columns[sheet]]) <= set(side[how.root][how.columns[how.root]])
        state_of(side, how)  # no key stands twice
        merged = merge(
            shadow, side, read_side(others, how).rows, how, policy=Policy("old"), name="old"
        )
        spared = leave_unknown(found, merged.shadow, merged.rows, how)
        for sheet, frame in spared.items():
            assert set(frame[how.columns[sheet]]) <= set(spared[how.root][how.columns[how.root]])
        changes = changes_to_push(merged.shadow, spared, how)
        unknown = {name: set(keys_of(keys, name, how)) for name, keys in found.keys.items()}
        for part in (changes.inserted, changes.updated, changes.deleted):
            for name, frame in part.items():
                assert unknown[name].isdisjoint(keys_of(frame, name, how))
        for name, masks in found.cells.items():
            for column, mask in masks.items():
                garbled = set(keys_of(found.rows[name][mask], name, how))
                assert garbled.isdisjoint(keys_of(changes.deleted[name], name, how))
                for key, one, two in zip(
                    keys_of(changes.updated[name], name, how),
                    changes.updated[name][column],
                    changes.was[name][column],
                ):
                    assert key not in garbled or one == two or (pd.isna(one) and pd.isna(two))

    check()


def keys_of(frame: pd.DataFrame, name: str, how: Partitioning) -> list[Any]:
    columns = [frame[column].tolist() for column in how.model.lineage.sources[name].key]
    return list(zip(*columns))


@every_model
def test_tables_are_read_as_the_rows_that_they_were_made_of(model: ae.Model) -> None:
    how = can_part(model)

    @some(2, least=2)
    @given(extracts(model, faults="all"))
    def check(extract: ae.Extract) -> None:
        tables = ae.normalize(extract, run=RUN, model=model).tables
        found = read_tables_side(tables, how)
        assert found.broken.empty
        rows = read_side(extract, how).rows
        assert state_of(assume(found, {}, how), how) == state_of(rows, how)

    check()
