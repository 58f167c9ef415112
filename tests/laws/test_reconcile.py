"""Laws of comparing two sides: equal ones never differ, and each change is found where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.columns.text import conform_text
from aspen_etl.testing import extracts
from aspen_etl.transform.digesting import BUCKETS
from aspen_etl.transform.noting import join_notes
from aspen_etl.transform.parting import Partitioning, can_part
from aspen_etl.transform.reconciling import compare_sides
from aspen_etl.transform.siding import Side, side_of_extract, side_of_tables
from tests.laws.models import RUN
from tests.laws.parted_models import LOANS, METERS, TERMS
from tests.support.effort import some

MODELS = {"borrower": ae.BORROWER_MODEL, "loans": LOANS, "meters": METERS, "terms": TERMS}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)

Frames = dict[str, pd.DataFrame]
#: Where a difference is: sheet, subject, key, column, kind.
Place = tuple[Any, ...]


def places(found: pd.DataFrame) -> list[Place]:
    columns = [found[name].tolist() for name in ("sheet", "subject", "key", "column", "kind")]
    return list(zip(*columns))


def side(rows: Mapping[str, pd.DataFrame], how: Partitioning) -> Side:
    return Side.of(dict(rows), join_notes([]), how, is_source=False)


def shuffled(rows: Mapping[str, pd.DataFrame], random: Random) -> Frames:
    out = {}
    for name, frame in rows.items():
        order = list(range(len(frame)))
        random.shuffle(order)
        out[name] = frame.iloc[order].reset_index(drop=True)
    return out


# ----------------------------------------------------------------------------- equal sides


@every_model
def test_an_extract_and_its_tables_are_in_step_and_rejects_explain_the_rest(
    model: ae.Model,
) -> None:
    how = can_part(model)

    @some(1, least=4)
    @given(extracts(model, faults="all"))
    def check(extract: ae.Extract) -> None:
        result = ae.normalize(extract, run=RUN, model=model)
        one, two = side_of_extract(extract, how), side_of_tables(result.tables, how)
        assert one.buckets.digest == two.buckets.digest
        found = compare_sides(one, two, how)
        assert found["why"].notna().all()
        # ... and each reject explains at least one of them, by its rule or by one of the same row.
        rejected = result.rejects.groupby(["source", "row"]).ngroups
        assert (len(found) > 0) == (rejected > 0)
        assert set(found["why"]) <= set(result.rejects["rule"])
        back = compare_sides(two, one, how)
        assert len(back) == len(found)
        assert set(back["kind"]) <= {"extra", "duplicate", "differs"}
        assert back["why"].notna().all()

    check()


@every_model
def test_two_sources_that_reject_the_same_are_in_step(model: ae.Model) -> None:
    how = can_part(model)

    @some(2, least=2)
    @given(extracts(model, faults="all"))
    def check(extract: ae.Extract) -> None:
        one, two = side_of_extract(extract, how), side_of_extract(extract, how)
        assert compare_sides(one, two, how).empty

    check()


@every_model
def test_the_order_of_rows_does_not_matter(model: ae.Model) -> None:
    how = can_part(model)

    @some(2, least=2)
    @given(extracts(model, min_rows=2), st.randoms(use_true_random=False))
    def check(extract: ae.Extract, random: Random) -> None:
        rows = side_of_extract(extract, how).rows
        one, two = side(rows, how), side(shuffled(rows, random), how)
        assert one.buckets.digest == two.buckets.digest
        assert compare_sides(one, two, how).empty

    check()


# ----------------------------------------------------------------------------- one change


def identity(frame: pd.DataFrame, sheet: str, at: int, how: Partitioning) -> tuple[Any, Any]:
    """Give whose a row is and which of theirs, said anew for this test."""
    import json

    key = how.model.lineage.sources[sheet].key
    rest = [frame[name].iloc[at] for name in key if name != how.columns[sheet]]
    told = None if not rest else rest[0] if len(rest) == 1 else json.dumps(rest, ensure_ascii=False)
    return frame[how.columns[sheet]].iloc[at], told


def with_cell(frame: pd.DataFrame, column: str, at: int, cell: Optional[str]) -> pd.DataFrame:
    cells = [value if isinstance(value, str) else None for value in frame[column]]
    cells[at] = cell
    return frame.assign(**{column: conform_text(pd.Series(cells, dtype=object))})


def without(rows: Mapping[str, pd.DataFrame], subject: str, how: Partitioning) -> Frames:
    return {
        name: frame[(frame[how.columns[name]] != subject).to_numpy(dtype=bool)].reset_index(
            drop=True
        )
        for name, frame in rows.items()
    }


@every_model
def test_a_change_of_one_cell_is_found_at_its_row_and_column(model: ae.Model) -> None:
    how = can_part(model)

    @some(1, least=4)
    @given(extracts(model, min_rows=1), st.data())
    def check(extract: ae.Extract, data: st.DataObject) -> None:
        rows = side_of_extract(extract, how).rows
        sheets = [
            name
            for name, frame in rows.items()
            if len(frame) and len(frame.columns) > len(model.lineage.sources[name].key)
        ]
        assume(sheets)
        sheet = data.draw(st.sampled_from(sheets))
        frame = rows[sheet]
        key = model.lineage.sources[sheet].key
        column = data.draw(
            st.sampled_from([str(name) for name in frame.columns if name not in key])
        )
        at = data.draw(st.integers(0, len(frame) - 1))
        was = frame[column].iloc[at]
        cell = data.draw(st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
        assume(cell != (was if isinstance(was, str) else None))
        other = {**rows, sheet: with_cell(frame, column, at, cell)}
        wanted = [(sheet, *identity(frame, sheet, at, how), column, "differs")]
        found = compare_sides(side(rows, how), side(other, how), how)
        assert places(found) == wanted
        assert found["target"].tolist() == [cell]
        assert places(compare_sides(side(other, how), side(rows, how), how)) == wanted

    check()


@every_model
def test_a_row_that_one_side_lacks_is_missing_or_extra(model: ae.Model) -> None:
    how = can_part(model)

    @some(1, least=4)
    @given(extracts(model, min_rows=1), st.data())
    def check(extract: ae.Extract, data: st.DataObject) -> None:
        rows = side_of_extract(extract, how).rows
        sheet = data.draw(st.sampled_from([name for name in rows if len(rows[name])]))
        at = data.draw(st.integers(0, len(rows[sheet]) - 1))
        subject, key = identity(rows[sheet], sheet, at, how)
        if sheet == how.root:
            less = without(rows, subject, how)
        else:
            left = rows[sheet].drop(index=at).reset_index(drop=True)
            less = {**rows, sheet: left}
        for one, two, kind in ((rows, less, "missing"), (less, rows, "extra")):
            found = places(compare_sides(side(one, how), side(two, how), how))
            gone = sum(len(rows[name]) - len(less[name]) for name in rows)
            assert len(found) == gone
            assert {(each[1], each[3], each[4]) for each in found} == {(subject, None, kind)}
            assert (sheet, subject, key, None, kind) in found

    check()


@every_model
def test_a_row_that_stands_twice_in_a_source_is_a_duplicate_that_its_reject_explains(
    model: ae.Model,
) -> None:
    how = can_part(model)

    @some(2, least=2)
    @given(extracts(model, min_rows=1), st.data())
    def check(extract: ae.Extract, data: st.DataObject) -> None:
        tables = ae.normalize(extract, run=RUN, model=model).tables
        rows = side_of_extract(extract, how).rows
        sheet = data.draw(st.sampled_from([name for name in rows if len(rows[name])]))
        at = data.draw(st.integers(0, len(rows[sheet]) - 1))
        wanted = identity(rows[sheet], sheet, at, how)
        clean = dict(ae.denormalize(tables, model=model))
        twice = pd.concat([clean[sheet], clean[sheet].iloc[[at]]], ignore_index=True)
        doubled = ae.Extract.from_frames({**clean, sheet: twice})
        found = compare_sides(side_of_extract(doubled, how), side_of_tables(tables, how), how)
        assert [(each[:3], each[4]) for each in places(found)] == [((sheet, *wanted), "duplicate")]
        assert found["why"].notna().all()

    check()


# ----------------------------------------------------------------------------- tables of others


def spoil_double(frame: pd.DataFrame, at: int, _: str) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[[at]]], ignore_index=True)


def spoil_drop(frame: pd.DataFrame, at: int, _: str) -> pd.DataFrame:
    return pd.concat([frame.iloc[:at], frame.iloc[at + 1 :]], ignore_index=True)


def spoil_cell(frame: pd.DataFrame, at: int, column: str) -> pd.DataFrame:
    cells = frame[column].astype(object).tolist()
    cells[at] = "another"  # nobody is called so
    return frame.assign(**{column: conform_text(pd.Series(cells, dtype=object))})


@pytest.mark.parametrize("spoil", [spoil_double, spoil_drop, spoil_cell])
@pytest.mark.parametrize("model", [ae.BORROWER_MODEL, METERS], ids=["borrower", "meters"])
def test_whoever_changes_a_row_of_a_table_changes_one_subject(
    model: ae.Model, spoil: Callable[[pd.DataFrame, int, str], pd.DataFrame]
) -> None:
    how = can_part(model)

    @some(1, least=4)
    @given(extracts(model, min_rows=2), st.data())
    def check(extract: ae.Extract, data: st.DataObject) -> None:
        tables = dict(ae.normalize(extract, run=RUN, model=model).tables)
        texts = {
            name: [
                spec.name
                for spec in model.tables[name].own_columns
                if spec.type == "text" and spec.references is None
                if spec.name not in model.tables[name].natural_key and not spec.primary_key
            ]
            for name in how.owners
        }
        names = [n for n in how.owners if len(tables[n]) and (spoil is not spoil_cell or texts[n])]
        assume(names)
        name = data.draw(st.sampled_from(names))
        at = data.draw(st.integers(0, len(tables[name]) - 1))
        subject = owner_of(tables, name, at, how)
        column = data.draw(st.sampled_from(texts[name])) if texts[name] else ""
        one = side_of_extract(extract, how)
        two = side_of_tables({**tables, name: spoil(tables[name], at, column)}, how)
        found = compare_sides(one, two, how)
        assert found["why"].isna().all()
        assert subject in set(found["subject"])
        assert set(found["subject"].dropna()) == {subject}
        if spoil is spoil_double:
            assert places(found) == [
                (
                    how.root,
                    subject,
                    None,
                    f"{name}.{model.tables[name].natural_key[-1]}",
                    "duplicate",
                )
            ]

    check()


def owner_of(tables: Mapping[str, pd.DataFrame], name: str, at: int, how: Partitioning) -> str:
    """Follow references from one row to the key of its subject, as text."""
    owner = how.owners[name]
    value = tables[name][owner.column].iloc[at]
    if owner.table is None:
        return str(value)
    keys = tables[owner.table][how.model.tables[owner.table].primary_key]
    return owner_of(tables, owner.table, int(np.flatnonzero(keys == value)[0]), how)


# ----------------------------------------------------------------------------- buckets


def test_only_rows_of_buckets_that_differ_are_looked_at() -> None:
    how = can_part(ae.BORROWER_MODEL)
    columns = list(ae.BORROWER_MODEL.sources["borrower"].columns)
    many = pd.DataFrame({"id": [f"b{n}" for n in range(3_000)]}).reindex(columns=columns)
    many["full_name"] = "Ada Lee"
    roles = pd.DataFrame({"borrower_id": many["id"], "role_profile": "Borrower"})
    one = side_of_extract(ae.Extract(borrower=many, role_profile=roles), how)
    changed = many.copy()
    changed.loc[1_700, "full_name"] = "Ada Roe"
    two = side_of_extract(ae.Extract(borrower=changed, role_profile=roles), how)
    wide = one.buckets.differ(two.buckets)
    assert int(wide.sum()) == 1
    assert len(wide) == BUCKETS
    nobody = conform_text(pd.Series([], dtype=object))
    assert len(one.take("borrower", wide, nobody, "id")) < 10
    wanted = [("borrower", "b1700", None, "full_name", "differs")]
    assert places(compare_sides(one, two, how)) == wanted
