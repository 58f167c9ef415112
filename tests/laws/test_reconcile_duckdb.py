"""A foreign judge of comparing two sides: DuckDB's EXCEPT over the flat tables of the same pair."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.testing import extracts
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.reconciling import compare_sides
from aspen_etl.transform.siding import side_of_extract, side_of_tables
from tests.laws.models import RUN
from tests.laws.parted_models import LOANS, METERS
from tests.support.effort import some

duckdb = pytest.importorskip("duckdb")


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Give cells as Python holds them, for a reader that knows no type of ours."""
    return frame.astype(object).where(frame.notna(), None).reset_index(drop=True)


def only_in(one: pd.DataFrame, two: pd.DataFrame, key: list[str]) -> set[tuple[Any, ...]]:
    """Give the keys of the rows that one has and the other has not, by DuckDB."""
    with duckdb.connect() as connection:
        for name, frame in (("one", one), ("two", two)):
            columns = ", ".join(f'"{column}" varchar' for column in frame.columns)
            connection.execute(f"create table {name} ({columns})")
            if len(frame):
                marks = ", ".join("?" * frame.shape[1])
                rows = plain(frame).to_numpy().tolist()
                connection.executemany(f"insert into {name} values ({marks})", rows)  # noqa: S608
        names = ", ".join(f'"{column}"' for column in key)
        query = f"select {names} from (from one except all from two)"  # noqa: S608 - names of ours
        return set(connection.execute(query).fetchall())


def mixed(one: ae.Extract, two: ae.Extract, model: ae.Model, data: st.DataObject) -> ae.Extract:
    """Give an extract that has some rows of one, and some cells of the other."""
    frames = {}
    for name in model.sources:
        rows, others = (plain(each[name]).to_dict("records") for each in (one, two))
        rows = [row for row in rows if data.draw(st.integers(0, 5))]
        key = model.lineage.sources[name].key
        columns = list(model.sources[name].columns)
        free = [column for column in columns if column not in key]
        for row, other in zip(rows, others):
            is_other = data.draw(st.booleans())
            if free and is_other:
                column = data.draw(st.sampled_from(free))
                row[column] = other[column]
        frames[name] = pd.DataFrame(rows, columns=columns, dtype=object)
    return ae.Extract.from_frames(frames)


@pytest.mark.parametrize(
    "model", [ae.BORROWER_MODEL, LOANS, METERS], ids=["borrower", "loans", "meters"]
)
def test_rows_that_duckdb_finds_on_one_side_alone_are_the_rows_that_are_told(
    model: ae.Model,
) -> None:
    how = can_part(model)

    @some(2, least=2)
    @given(extracts(model, min_rows=1), extracts(model, min_rows=1), st.data())
    def check(extract: ae.Extract, other: ae.Extract, data: st.DataObject) -> None:
        changed = mixed(extract, other, model, data)
        tables = ae.normalize(changed, run=RUN, model=model).tables
        found = compare_sides(side_of_extract(extract, how), side_of_tables(tables, how), how)
        found = found[found["why"].isna()]
        old = ae.denormalize(ae.normalize(extract, run=RUN, model=model).tables, model=model)
        new = ae.denormalize(tables, model=model)
        for name in model.sources:
            key = [how.columns[name]]
            key += [each for each in model.lineage.sources[name].key if each not in key]
            assert len(key) <= 2  # so that what is told of a key is its other cell
            mine = found[found["sheet"] == name]
            for kinds, judged in (
                (("missing", "differs"), only_in(old[name], new[name], key)),
                (("extra", "differs"), only_in(new[name], old[name], key)),
            ):
                told = mine[mine["kind"].isin(kinds)]
                names = ["subject", "key"][: len(key)]
                assert set(zip(*(told[each].tolist() for each in names))) == judged

    check()
