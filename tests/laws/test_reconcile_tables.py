"""Laws of comparing tables as they are: each change of any cell, key or row is told where it is."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.testing import extracts
from aspen_etl.transform.parting import Partitioning, can_part
from aspen_etl.transform.table_rows import TableRows, compare_left, find_left
from tests.laws.models import RUN
from tests.laws.parted_models import LOANS, METERS, TERMS
from tests.laws.test_reconcile import owner_of, places
from tests.support.effort import some

MODELS = {"borrower": ae.BORROWER_MODEL, "loans": LOANS, "meters": METERS, "terms": TERMS}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)

Frames = dict[str, pd.DataFrame]


def compared(one: Any, two: Any, how: Partitioning) -> pd.DataFrame:
    left = find_left(TableRows.of(one, how), TableRows.of(two, how), how)
    return compare_left([left[0]], [left[1]], how)


def made(extract: ae.Extract, model: ae.Model) -> Frames:
    return dict(ae.normalize(extract, run=RUN, model=model).tables)


def other(cell: Any, spec: ColumnSpec) -> Any:
    """Give another value of a cell's type, that nobody has."""
    if spec.type == "text":
        return "zz another"
    if spec.type in {"integer", "decimal"}:
        return 7_000_001 if pd.isna(cell) else cell + 1_000_000
    if spec.type == "boolean":
        return True if pd.isna(cell) else not cell
    zone = "UTC" if spec.type == "timestamp" else None
    return pd.Timestamp("2001-02-03", tz=zone) if pd.isna(cell) else cell + pd.Timedelta(days=1)


def with_cell(frame: pd.DataFrame, column: str, at: int, cell: Any) -> pd.DataFrame:
    cells = frame[column].astype(object).tolist()
    cells[at] = cell
    return frame.assign(**{column: pd.Series(cells, dtype=object).astype(frame[column].dtype)})


def whose(tables: Frames, name: str, at: int, how: Partitioning) -> Any:
    if name in how.lookups:
        return None
    return owner_of(tables, name, at, how).replace(" 00:00:00", "")  # a key that is a date


def draw_row(tables: Frames, data: st.DataObject) -> tuple[str, int]:
    names = [name for name in tables if len(tables[name])]
    assume(names)
    name = data.draw(st.sampled_from(names))
    return name, data.draw(st.integers(0, len(tables[name]) - 1))


@every_model
def test_equal_tables_do_not_differ_whatever_the_order_of_rows(model: ae.Model) -> None:
    how = can_part(model)

    @some(2, least=2)
    @given(extracts(model, min_rows=2), st.randoms(use_true_random=False))
    def check(extract: ae.Extract, random: Random) -> None:
        tables, moved = made(extract, model), {}
        for name, frame in tables.items():
            order = list(range(len(frame)))
            random.shuffle(order)
            moved[name] = frame.iloc[order].reset_index(drop=True)
        one, two = TableRows.of(tables, how), TableRows.of(moved, how)
        assert one.buckets.digest == two.buckets.digest
        assert compared(tables, moved, how).empty

    check()


@every_model
def test_a_change_of_any_cell_is_found_at_its_subject_table_and_column(model: ae.Model) -> None:
    """Keys, references and audit columns are cells as any other."""
    how = can_part(model)

    @some(1, least=8)
    @given(extracts(model, min_rows=1), st.data())
    def check(extract: ae.Extract, data: st.DataObject) -> None:
        tables = made(extract, model)
        name, at = draw_row(tables, data)
        table = model.tables[name]
        column = data.draw(st.sampled_from(list(table.columns)))
        frame, spec = tables[name], table.columns[column]
        key = str(frame[table.primary_key].iloc[at])
        changed = {
            **tables,
            name: with_cell(frame, column, at, other(frame[column].iloc[at], spec)),
        }
        subject = whose(tables, name, at, how)
        for one, two, kinds in (
            (tables, changed, ["missing", "extra"]),
            (changed, tables, ["extra", "missing"]),
        ):
            found = places(compared(one, two, how))
            if column == table.primary_key and table.natural_key == (column,):
                # Who has another natural key is another row.
                assert sorted(each[4] for each in found) == ["extra", "missing"]
                assert [each[:3] for each in found if each[4] == kinds[0]] == [(name, subject, key)]
            else:
                ((sheet, mine, own, where, kind),) = found
                assert (sheet, where, kind) == (name, column, "differs")
                assert own == key or column == table.primary_key
                if name in how.lookups:
                    assert mine is None
                else:
                    assert mine == subject or column == how.owners[name].column

    check()


@every_model
def test_a_row_is_missing_extra_or_there_twice(model: ae.Model) -> None:
    how = can_part(model)

    @some(1, least=4)
    @given(extracts(model, min_rows=1), st.data())
    def check(extract: ae.Extract, data: st.DataObject) -> None:
        tables = made(extract, model)
        name, at = draw_row(tables, data)
        frame, table = tables[name], model.tables[name]
        wanted = (name, whose(tables, name, at, how), str(frame[table.primary_key].iloc[at]))
        rest = np.delete(np.arange(len(frame)), at)
        less = {**tables, name: frame.iloc[rest].reset_index(drop=True)}
        twice = {**tables, name: frame.iloc[[*range(len(frame)), at]].reset_index(drop=True)}
        assert places(compared(tables, less, how)) == [(*wanted, None, "missing")]
        found = places(compared(less, tables, how))
        assert found == [(*wanted, None, "extra")]
        for one, two in ((tables, twice), (twice, tables)):
            found = places(compared(one, two, how))
            assert found == [(*wanted, table.primary_key, "duplicate")]

    check()
