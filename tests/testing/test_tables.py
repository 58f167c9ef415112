"""The strategy of tables: valid by construction, for any model."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

import aspen_etl as ae
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.validation import find_failures
from aspen_etl.testing import tables
from aspen_etl.testing._numbers import canonical_integer
from aspen_etl.testing._types import _day
from tests.laws.models import EXTENDED_MODEL, MODELS
from tests.support.effort import some

WITHOUT_SHRINKING = settings(
    max_examples=1_000,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_generated_tables_are_valid(model: ae.Model) -> None:
    @some(3, least=10)
    @given(tables(model))
    def no_rule_is_broken(made: ae.Tables) -> None:
        assert find_failures(made, model=model).empty
        assert list(made) == list(model.tables)
        for name, frame in made.items():
            assert frame.dtypes.tolist() == [s.dtype for s in model.tables[name].columns.values()]

    no_rule_is_broken()


def test_a_column_may_begin_where_its_range_ends() -> None:
    number = ColumnSpec("number", "integer", minimum=2**63 - 1)
    assert {canonical_integer(each, number) for each in range(3_000)} == {str(2**63 - 1)}
    day = ColumnSpec("day", "date", minimum=dt.date.max)
    assert {_day(each, day) for each in range(100)} == {"9999-12-31"}


@given(tables(EXTENDED_MODEL))
def test_rows_were_updated_by_somebody_or_never_and_not_before_they_were_created(
    made: ae.Tables,
) -> None:
    for frame in made.values():
        assert (frame["updated"].isna() == frame["updated_by"].isna()).all()
        assert not (frame["updated"] < frame["created"]).any()


def test_keys_have_gaps_and_null_references_and_updated_rows_occur() -> None:
    find(
        tables(min_rows=1),
        lambda made: (
            made["user"]["user_id"].max() > len(made["user"])
            and made["role_profile"]["role_profile_type_id"].isna().any()
            and made["user"]["updated"].notna().any()
        ),
        settings=WITHOUT_SHRINKING,
    )


def test_numbers_of_rows_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="min_rows=2 and max_rows=1"):
        tables(min_rows=2, max_rows=1)
