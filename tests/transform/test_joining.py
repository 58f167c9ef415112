"""What was made of parts, joined: rows by key, rejects by row, figures added up."""

from __future__ import annotations

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ProofError
from aspen_etl.schema import Snapshot, Tables
from aspen_etl.transform.joining import join_rejects, join_rows, join_snapshots, join_summaries
from aspen_etl.transform.keys import PartedKeys, TableKeys, key_columns
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.reporting import RejectCount, SourceSummary, Summary
from tests.transform.sheets import ADA, BO, RUN, extract

MODEL = ae.BORROWER_MODEL
HOW = can_part(MODEL)
USERS = ae.normalize(extract(ADA, BO, {**BO, "id": "c"}), run=RUN).tables["user"]


def test_rows_come_in_the_order_of_their_keys() -> None:
    parts = [USERS.iloc[[0, 2]], USERS.iloc[:0], USERS.iloc[[1]]]
    found = join_rows(parts, MODEL.tables["user"])
    assert found.equals(USERS)
    assert join_rows([USERS.iloc[:0]] * 2, MODEL.tables["user"]).empty


def test_a_row_of_two_parts_is_an_error_unless_they_share_it() -> None:
    parts = [USERS.iloc[:2], USERS.iloc[1:]]
    assert join_rows(parts, MODEL.tables["user"], shared=True).equals(USERS)
    with pytest.raises(ProofError, match="1 rows of 'user' were made of two parts") as caught:
        join_rows(parts, MODEL.tables["user"])
    assert caught.value.details == {"table": "user", "column": "user_id", "count": 1}


def test_a_lookup_row_that_one_part_has_again_is_not_retired() -> None:
    made = ae.normalize(extract(ADA, roles=(("a", "x"), ("a", "y"), ("a", "z"))), run=RUN).snapshot
    table, name = MODEL.tables["role_profile_type"], "role_profile_type"
    keys = made.tables[name][list(key_columns(table))]
    # The other tables have no row, which two parts would both hold.
    empty = {each: frame.iloc[:0] for each, frame in made.tables.items()}

    def part(*held: int) -> Snapshot:
        rows = made.tables[name].iloc[list(held)].reset_index(drop=True)
        gone = keys.drop(index=list(held)).reset_index(drop=True)
        parts = PartedKeys(keys.iloc[list(held)].reset_index(drop=True), gone)
        return Snapshot(Tables({**empty, name: rows}), {name: TableKeys(table, 4, parts)})

    found = join_snapshots([part(0), part(0, 2)], HOW)
    assert found.tables[name]["type"].tolist() == ["x", "z"]
    assert found.keys[name].given["type"].tolist() == ["x", "y", "z"]
    assert found.keys[name].next == 4


def test_rejects_come_in_the_order_of_sheets_and_of_their_rows() -> None:
    given = extract({**BO, "full_name": None}, {**BO, "full_name": None}, roles=(("nobody", "x"),))
    frames = dict(given)
    frames["borrower"].index = pd.Index([7, 3], name="row")
    given = ae.Extract.from_frames(frames)
    whole = ae.normalize(given, run=RUN).rejects
    parts = [whole.iloc[[1, 2]], whole.iloc[:0], whole.iloc[[0]]]
    found = join_rejects(parts, {name: given[name].index for name in given}, MODEL)
    assert found["row"].tolist() == [7, 3, 2]
    pd.testing.assert_frame_equal(found, pd.DataFrame(whole))


def test_figures_are_added_up_in_the_order_of_columns_and_rules() -> None:
    def summary(cells: dict[str, int], *rejects: RejectCount, notes: int = 0) -> Summary:
        source = SourceSummary(3, 1, 2, 1, cells=cells, notes={"hidden_rows": notes}, kept=1)
        nothing = SourceSummary(0, 0, 0, 0)
        return Summary({"borrower": source, "role_profile": nothing}, rejects, {"user": 2})

    def count(column: str, rule: str, many: int, scope: str = "value") -> RejectCount:
        return RejectCount("borrower", column, rule, scope, many)

    own = count("email", "odd", 1, "row")
    parts = [
        summary({"email": 1}, count("email", "too_long", 2), notes=4),
        summary({"id": 2, "email": 0}, count("phone_cell", "odd", 1), own),
        summary({}, count("email", "odd", 5), count("email", "too_long", 1)),
    ]
    found = join_summaries(parts, {"user": 3}, MODEL)
    assert found.sources["borrower"] == SourceSummary(
        9, 3, 6, 3, cells={"id": 2, "email": 1}, notes={"hidden_rows": 4}, kept=3
    )
    assert list(found.sources["borrower"].cells) == ["id", "email"]
    assert found.rejects == (
        count("phone_cell", "odd", 1),
        count("email", "odd", 5),
        own,
        count("email", "too_long", 3),
    )
    assert found.tables == {"user": 3}
