"""What becomes of words that others use, of rows of others, and of keys that are none."""

from __future__ import annotations

import datetime as dt
from typing import Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ArgumentError, NotSupportedError, ProofError
from aspen_etl.normalization.touched import TouchedResult, normalize_touched
from tests.laws.parted_models import METERS
from tests.support.clinic_model import MODEL as CLINIC

FIRST = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="first")
LATER = ae.Run(time=dt.datetime(2026, 2, 1, tzinfo=dt.timezone.utc), actor="later")
COLUMNS = list(ae.BORROWER_MODEL.sources["borrower"].columns)


def extract(names: dict[str, str], roles: list[tuple[str, str]]) -> ae.Extract:
    borrowers = pd.DataFrame({"id": list(names), "full_name": list(names.values())}, dtype=object)
    held = pd.DataFrame(roles, columns=["borrower_id", "role_profile"], dtype=object)
    return ae.Extract(borrower=borrowers.reindex(columns=COLUMNS), role_profile=held)


BEFORE = ae.normalize(
    extract(
        {"b1": "Ada Lee", "b2": "Bo Lee", "b3": "Cy Lee"},
        [("b1", "Borrower"), ("b2", "Borrower"), ("b2", "Guarantor")],
    ),
    run=FIRST,
).snapshot


def touch(
    names: dict[str, str], roles: list[tuple[str, str]], who: Optional[list[str]] = None
) -> TouchedResult:
    some = extract(names, roles)
    return normalize_touched(some, who or list(names), run=LATER, previous=BEFORE)


def test_a_word_that_others_use_stays() -> None:
    found = touch({"b1": "Ada Lee"}, [])
    assert found.changes["role_profile_type"].is_empty
    assert found.changes["role_profile"].counts["deleted"] == 1
    assert len(found.keys["role_profile_type"].keys) == 0
    assert len(found.keys["role_profile"].keys) == 1


def test_who_is_touched_and_gone_is_deleted() -> None:
    found = touch({}, [], ["b3"])
    assert found.changes["user_profile"].deleted["user_profile_id"].tolist() == ["b3"]
    assert found.summary.tables["user"] == 2


def test_a_change_of_somebody_who_is_not_named_is_not_seen() -> None:
    """Which is why a law leaves nobody out: this is what would become of it."""
    assert touch({"b1": "Ada Lee"}, [("b1", "Borrower")]).changes.is_empty
    whole = ae.normalize(extract({"b1": "Ada Lee", "b2": "Bo Roe"}, []), run=LATER, previous=BEFORE)
    assert not whole.changes.is_empty


def test_rows_of_others_are_an_error() -> None:
    with pytest.raises(ProofError, match="2 rows of 'user_profile' are of subjects"):
        touch({"b1": "Ada Lee", "b2": "Bo Lee", "b4": "Di Lee"}, [], ["b1"])


def test_a_key_that_is_none_is_an_error() -> None:
    nothing = ae.Extract.from_frames(
        {name: pd.DataFrame(columns=list(s.columns)) for name, s in METERS.sources.items()}
    )
    before = ae.normalize(nothing, run=FIRST, model=METERS).snapshot
    with pytest.raises(ArgumentError, match="a subject is no"):
        normalize_touched(nothing, ["no number"], run=LATER, model=METERS, previous=before)


def test_a_model_that_cannot_be_parted_is_refused_by_name() -> None:
    nothing = ae.Extract.from_frames(
        {name: pd.DataFrame(columns=list(s.columns)) for name, s in CLINIC.sources.items()}
    )
    before = ae.normalize(nothing, run=FIRST, model=CLINIC).snapshot
    with pytest.raises(NotSupportedError, match="cannot be parted by"):
        normalize_touched(nothing, [], run=LATER, model=CLINIC, previous=before)
