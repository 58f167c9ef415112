"""A run in parts: the result of one over all, from any workers, or a refusal that names why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ExtractError, NotSupportedError, ProofError
from aspen_etl.normalization.parted import normalize_parted
from aspen_etl.schema import Snapshot, Tables
from aspen_etl.schema.snapshot import KeyState
from aspen_etl.transform.keys import key_columns
from aspen_etl.workers import Processes
from tests.support.own_rules import PO_BOX
from tests.support.parts import differences, without_schema_check

T = TypeVar("T")
R = TypeVar("R")

COLUMNS = list(ae.BORROWER_MODEL.sources["borrower"].columns)
RUN = ae.Run(time=dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc), actor="me")


def extract(*ids: str, roles: tuple[tuple[str, str], ...] = (), **cells: str) -> ae.Extract:
    borrowers = [{"id": each, "full_name": "Ada Lee", **cells} for each in ids]
    return ae.Extract(
        borrower=pd.DataFrame(borrowers, columns=COLUMNS, dtype=object),
        role_profile=pd.DataFrame(list(roles), columns=["borrower_id", "role_profile"]),
    )


@pytest.fixture(autouse=True)
def _no_schema_check(monkeypatch: pytest.MonkeyPatch) -> None:
    without_schema_check(monkeypatch)


def assert_same(given: ae.Extract, *bounds: str, **options: Any) -> ae.NormalizeResult:
    """Assert that parts give what one run over all gives."""
    workers = {"workers": options.pop("workers")} if "workers" in options else {}
    whole = ae.normalize(given, run=RUN, **options)
    parted = normalize_parted(given, bounds=bounds, run=RUN, **options, **workers)
    assert differences(whole, parted) == []
    return whole


def test_an_extract_without_rows_has_parts_without_rows() -> None:
    assert_same(extract(), "b", "c")


def test_new_roles_and_contacts_of_who_was_there_stand_before_those_of_who_is_new() -> None:
    first = ae.normalize(extract("b", "d"), run=RUN).snapshot
    roles = (("d", "x"), ("b", "y"), ("a", "z"))
    later = extract("a", "b", "c", "d", roles=roles, phone_cell="555-0100")
    found = assert_same(later, "c", "d", previous=first)
    assert found.tables["role_profile"]["user_id"].tolist() == [1, 2, 3, 4]


def test_keys_that_an_application_gave_stay_and_what_is_new_of_them_comes_last() -> None:
    first = ae.normalize(extract("a", "c", roles=(("a", "x"),)), run=RUN).snapshot
    moved = with_application_key(first)
    later = extract("a", "b", "c", "d", roles=(("a", "y"), ("c", "y"), ("d", "x")))
    found = assert_same(later, "c", previous=moved)
    assert found.tables["user"]["user_id"].tolist() == [2, 3, 4, 2**40]
    assert found.tables["role_profile"]["user_id"].tolist()[-1] == 2**40


def with_application_key(snapshot: ae.Snapshot) -> Snapshot:
    """Give the first user a key from 2^40 on."""
    model, tables = ae.BORROWER_MODEL, dict(snapshot.tables)
    tables["user"] = tables["user"].replace({"user_id": {1: 2**40}}).iloc[::-1]
    tables["role_profile"] = tables["role_profile"].replace({"user_id": {1: 2**40}})
    tables = {name: frame.reset_index(drop=True) for name, frame in tables.items()}
    keys = {
        name: KeyState(state.next, tables[name][list(key_columns(model.tables[name]))])
        for name, state in snapshot.keys.items()
    }
    return Snapshot(Tables(tables), keys, snapshot.time)


def test_a_previous_state_of_fewer_tables_is_taken() -> None:
    first = ae.normalize(extract("a", "b"), run=RUN).snapshot
    gone = {"email", "email_type", "address"}
    tables = {name: frame for name, frame in first.tables.items() if name not in gone}
    keys = {name: state for name, state in first.keys.items() if name not in gone}
    later = extract("a", "b", "c", email="a@b")
    assert_same(later, "b", previous=Snapshot(Tables(tables), keys, first.time))


# ----------------------------------------------------------------------------- what is refused


def whole_column(values: pd.Series) -> pd.Series:
    """A cleaner that looks at other rows: the longest is cut."""
    longest = values.str.len().max()
    return values.where(values.str.len() < longest, values.str[-1])


def test_a_cleaner_of_keys_that_does_not_go_row_by_row_is_found() -> None:
    model = ae.BORROWER_MODEL.replace(cleaners={"borrower.id": whole_column})
    with pytest.raises(ProofError, match="belong to another part than the one they were made of"):
        normalize_parted(extract("xa", "zzb", "zc"), bounds=["n"], run=RUN, model=model)


def test_what_an_extract_lacks_is_told_as_ever() -> None:
    with pytest.raises(ExtractError, match="the extract has no 'role_profile'"):
        normalize_parted(ae.Extract(borrower=pd.DataFrame()), bounds=[], run=RUN)


class Nowhere:
    """Workers that must not be asked."""

    def map(self, _function: Callable[[T], R], _items: Iterable[T], /) -> list[R]:
        raise AssertionError


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (
            ae.BORROWER_MODEL.replace(cleaners={"borrower.city": lambda cells: cells}),
            "the cleaner of borrower.city",
        ),
        (
            ae.BORROWER_MODEL.replace(builders={"address": lambda borrower: borrower}),
            "the builder of 'address'",
        ),
        (
            ae.BORROWER_MODEL.replace(
                rules={
                    "borrower": [
                        ae.schema.Rule("odd", "address", ("street",), lambda sheet: sheet.rows > 0)
                    ]
                }
            ),
            "the rule 'odd' of 'borrower'",
        ),
    ],
)
def test_a_function_that_workers_would_not_find_is_named(model: ae.Model, what: str) -> None:
    with pytest.raises(NotSupportedError, match=f"{what} cannot be sent to a worker") as caught:
        normalize_parted(extract("a"), bounds=["b"], run=RUN, model=model, workers=Nowhere())
    assert caught.value.details == {"function": what}


def test_processes_give_what_one_run_gives() -> None:
    model = ae.BORROWER_MODEL.replace(rules={"borrower": [PO_BOX]})
    given = extract("a", "b", "c", roles=(("a", "x"), ("q", "y")), street="PO Box 1")
    assert_same(given, "b", model=model, workers=Processes(2))
