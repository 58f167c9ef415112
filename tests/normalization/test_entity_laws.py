"""Laws of entities, over random small extracts with everything in them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Optional

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.schema import Model
from aspen_etl.schema.validation import validate
from tests.normalization.wards import (
    CALL_COLUMNS,
    CALLS,
    CITIES,
    NURSES,
    REFERRALS,
    RUN,
    STRICT,
    VISITS,
    plain,
)
from tests.support import effort

some = st.sampled_from
FEWER = effort.some(3, least=4)
few = st.one_of(st.none(), some(["a", "b", "ab"]))
numbers = st.one_of(st.none(), some(["1", "2", "10", "x"]))
days = st.one_of(st.none(), some(["2021-01-01", "2021-01-02", "2021-02-29"]))
keys = st.one_of(some(["1", "2", "3", "4", "5", "6"]), st.none())
names = some([None, "One", "Two", "x" * 11])
towns = st.one_of(st.none(), some(["Rome", "Oslo"]))

visit = st.tuples(
    *(st.one_of(some(["C", "D", "E"]), st.none()), names, towns, few),
    *(st.one_of(st.none(), some(["H", "I"])), numbers, numbers, days),
)
referral = st.tuples(keys, st.one_of(some(["C", "F"]), st.none()), some([None, "One", "Two"]))
nurse = st.tuples(few)
call = st.tuples(
    *(st.one_of(some(["S", "T"]), st.none()), keys, few, some([None, "9.50", "10.00", "1.234"])),
    *(towns, numbers, some([None, "N", "M"]), names),
)

Rows = dict[int, tuple[Optional[str], ...]]
Sheets = tuple[Rows, Rows]


def rows_of(cells: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[Rows]:
    """Give rows by the number that they are known by, so that none stands twice."""
    return st.dictionaries(st.integers(1, most), cells, max_size=most)


@dataclass(frozen=True, repr=False)
class Case:
    """A model, and what its sheets may hold.

    Attributes:
        model: The model.
        columns: The columns of its two sheets, in the order of the cells.
        sheets: Their rows.
    """

    model: Model
    columns: Mapping[str, tuple[str, ...]]
    sheets: st.SearchStrategy[Sheets]

    def extract(self, sheets: Sheets) -> ae.Extract:
        """Make an extract, rows in the order of their dicts."""
        return ae.Extract.from_frames(
            {
                name: pd.DataFrame(
                    [[str(number), *cells] for number, cells in rows.items()],
                    columns=list(columns),
                    dtype=object,
                )
                for rows, (name, columns) in zip(sheets, self.columns.items())
            }
        )


CLINICS = {"visits": VISITS, "referrals": REFERRALS}
TEAMS = {"nurses": NURSES, "calls": CALL_COLUMNS}
both = st.tuples(rows_of(visit, 6), rows_of(referral, 4))
CASES = {
    "cities": Case(CITIES, CLINICS, both),
    "strict": Case(STRICT, CLINICS, both),
    "calls": Case(CALLS, TEAMS, st.tuples(rows_of(nurse, 4), rows_of(call, 6))),
}

with_cases = pytest.mark.parametrize("case", list(CASES.values()), ids=list(CASES))


def told(result: ae.NormalizeResult) -> list[tuple[Any, ...]]:
    """Give the rejects without the numbers of their rows, in order."""
    columns = ["source", "subject", "column", "value", "rule", "scope", "record"]
    return sorted((tuple(row) for row in plain(result.rejects[columns])), key=repr)


def numbered(given_: ae.Extract) -> dict[tuple[str, int], dict[str, Any]]:
    """Give the rows that are read by sheet and row number."""
    return {
        (name, at + 2): dict(zip(frame.columns, cells))
        for name, frame in given_.items()
        for at, cells in enumerate(plain(frame))
    }


def without_rejects(given_: ae.Extract, result: ae.NormalizeResult) -> ae.Extract:
    """Give an extract without what was rejected of it."""
    rows = numbered(given_)
    for source, row, column, scope in plain(result.rejects[["source", "row", "column", "scope"]]):
        if scope == "row":
            rows.pop((source, row), None)
        elif (source, row) in rows:
            rows[source, row][column] = None
    return ae.Extract.from_frames(
        {
            name: pd.DataFrame(
                [row for (sheet, _), row in rows.items() if sheet == name],
                columns=list(frame.columns),
                dtype=object,
            )
            for name, frame in given_.items()
        }
    )


@with_cases
@FEWER
@given(st.data(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_count_conflicts_included(
    case: Case, data: st.DataObject, dice: Any
) -> None:
    sheets = data.draw(case.sheets)
    result = ae.normalize(case.extract(sheets), model=case.model, run=RUN)
    one, two = (dice.sample(list(rows.items()), len(rows)) for rows in sheets)
    other = ae.normalize(case.extract((dict(one), dict(two))), model=case.model, run=RUN)
    assert other.snapshot.equals(result.snapshot)
    assert told(other) == told(result)
    assert other.summary == replace(result.summary, rejects=other.summary.rejects)


@with_cases
@FEWER
@given(st.data())
def test_tables_are_proved_closed_and_every_cell_is_accounted_for(
    case: Case, data: st.DataObject
) -> None:
    model, given_ = case.model, case.extract(data.draw(case.sheets))
    result = ae.normalize(given_, model=model, run=RUN)
    ae.verify(result, given_, model=model, run=RUN)
    validate(result.tables, model=model)
    _check_cells(given_, result, model)
    _check_entities(result, model)


def _check_cells(given_: ae.Extract, result: ae.NormalizeResult, model: Model) -> None:
    """Each cell is agreed, a reject, or was missing and is filled."""
    out = plain(result.rejects[["source", "row", "column", "scope"]])
    whole = {(source, row) for source, row, _, scope in out if scope == "row"}
    cells = {(source, row, column) for source, row, column, _ in out}
    back = ae.denormalize(result.tables, model=model)
    filled: dict[str, Counter[str]] = {name: Counter() for name in given_}
    held = {
        name: {row[0]: dict(zip(frame.columns, row)) for row in plain(frame)}
        for name, frame in back.items()
    }
    for (sheet, number), row in numbered(given_).items():
        if (sheet, number) in whole:
            continue
        now = held[sheet].pop(next(iter(row.values())))
        for column, cell in row.items():
            if cell is None:
                filled[sheet][column] += now[column] is not None
            elif (sheet, number, column) not in cells:
                assert now[column] == cell
    assert not any(held.values())
    for name, counts in filled.items():
        told_ = result.summary.sources[name].filled
        assert told_ == {column: count for column, count in counts.items() if count}


def _check_entities(result: ae.NormalizeResult, model: Model) -> None:
    """Each entity is there once, and something refers to it."""
    for name in model.lineage.entities:
        table, frame = model.tables[name], result.tables[name]
        assert not frame.duplicated(list(table.natural_key)).any()
        used = set()
        for other in model.tables.values():
            for column, target in other.references.items():
                if target == name:
                    used |= set(result.tables[other.name][column].dropna().tolist())
        assert used == set(frame[table.primary_key].tolist())


@with_cases
@FEWER
@given(st.data())
def test_rejected_cells_have_no_say(case: Case, data: st.DataObject) -> None:
    model, given_ = case.model, case.extract(data.draw(case.sheets))
    result = ae.normalize(given_, model=model, run=RUN)
    left = without_rejects(given_, result)
    other = ae.normalize(left, model=model, run=RUN)
    assert other.snapshot.equals(result.snapshot)
    assert not len(other.rejects)


@with_cases
@FEWER
@given(st.data())
def test_what_tables_give_back_normalizes_to_them_without_rejects(
    case: Case, data: st.DataObject
) -> None:
    model, given_ = case.model, case.extract(data.draw(case.sheets))
    result = ae.normalize(given_, model=model, run=RUN)
    back = ae.denormalize(result.tables, model=model)
    other = ae.normalize(back, model=model, run=RUN)
    assert not len(other.rejects)
    assert other.snapshot.equals(result.snapshot)
    assert not any(sheet.filled for sheet in other.summary.sources.values())


# ------------------------------------------------------------------------------- history

Missing = Literal["delete", "keep"]


@with_cases
@FEWER
@given(st.data(), some(["delete", "keep"]))
def test_keys_stay_through_a_history_and_the_same_again_changes_nothing(
    case: Case, data: st.DataObject, missing: Missing
) -> None:
    model = case.model
    before: Optional[ae.Snapshot] = None
    given_keys: dict[str, dict[tuple[Any, ...], Any]] = {name: {} for name in model.tables}
    for turn, sheets in enumerate(data.draw(st.lists(case.sheets, min_size=2, max_size=4))):
        given_ = case.extract(sheets)
        run = replace(RUN, time=RUN.time + dt.timedelta(days=turn))
        result = ae.normalize(given_, model=model, run=run, previous=before, missing=missing)
        ae.verify(result, given_, model=model, run=run, previous=before, missing=missing)
        validate(result.tables, model=model)
        _check_entities(result, model)
        _check_kept(result, before, model)
        for name, table in model.tables.items():
            for key, *natural in plain(
                result.tables[name][[table.primary_key, *table.natural_key]]
            ):
                assert given_keys[name].setdefault(tuple(natural), key) == key
            assert len(set(given_keys[name].values())) == len(given_keys[name])
            if table.has_surrogate_key:
                known = result.snapshot.keys[name].given[table.primary_key]
                assert set(given_keys[name].values()) == set(known.tolist())
        later = replace(run, time=run.time + dt.timedelta(hours=1))
        again = ae.normalize(
            given_, model=model, run=later, previous=result.snapshot, missing=missing
        )
        assert again.snapshot.equals(result.snapshot)
        assert again.changes.is_empty
        before = result.snapshot


def _check_kept(result: ae.NormalizeResult, before: Optional[ae.Snapshot], model: Model) -> None:
    """A row of the subject that is rejected now and can be known stays."""
    if before is None:
        return
    table = model.tables[str(model.subject)]
    rejects = result.rejects[result.rejects["source"] == model.lineage.tables[table.name].source]
    numbers = set(rejects.loc[rejects["scope"] == "row", "subject"].dropna())
    (key,) = table.natural_key
    assert numbers & set(before.tables[table.name][key]) <= set(result.tables[table.name][key])
