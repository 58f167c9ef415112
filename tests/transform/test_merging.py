"""Numbers of what is new, settled among parts as one run over the whole would give them."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ProofError
from aspen_etl.schema import Held
from aspen_etl.transform.claiming import Claim, KeyMap, NewRows, Numbers, claim
from aspen_etl.transform.cutting import cut
from aspen_etl.transform.merging import apply, renumber, settle
from aspen_etl.transform.parting import can_part
from tests.transform.sheets import ADA, BO, RUN, extract

HOW = can_part(ae.BORROWER_MODEL)
FROM_ONE = dict.fromkeys((*HOW.lookups, *HOW.numbered), 1)


def words(*texts: str) -> pd.Series:
    return conform_text(pd.Series(list(texts), dtype=object))


def claimed(**given: Any) -> Claim:
    """Claim numbers for texts of lookups, and rows: which are mixed, and the keys of these."""
    rows = {}
    for name in HOW.numbered:
        mixed, keys = given.get(name, ([], []))
        natural = HOW.model.tables[name].natural_key
        columns = {
            column: pd.Series([key[place] for key in keys], dtype="int64")
            for place, column in enumerate(natural)
        }
        rows[name] = NewRows(len(mixed), np.flatnonzero(mixed), pd.DataFrame(columns))
    return Claim({name: words(*given.get(name, ())) for name in HOW.lookups}, rows)


def numbers(maps: list[KeyMap], table: str) -> list[list[int]]:
    return [each.numbers[table].to_array().tolist() for each in maps]


def test_a_text_that_two_parts_have_is_numbered_once_in_the_order_of_all() -> None:
    claims = [claimed(email_type=("x", "z")), claimed(), claimed(email_type=("a", "x", "y"))]
    maps = settle(claims, {**FROM_ONE, "email_type": 5}, HOW)
    assert numbers(maps, "email_type") == [[6, 8], [], [5, 6, 7]]
    assert {each.after["email_type"] for each in maps} == {9}
    assert maps[0].after["user"] == 1


def test_new_rows_of_new_subjects_follow_the_order_of_parts() -> None:
    maps = settle([claimed(user=([0, 0], [])), claimed(user=([0], []))], FROM_ONE, HOW)
    assert numbers(maps, "user") == [[1, 2], [3]]
    assert maps[0].after["user"] == 4


def test_new_rows_of_old_subjects_come_first_in_the_order_of_their_keys() -> None:
    following = {**FROM_ONE, "user": 10, "role_profile": 20}
    one = claimed(user=([0], []), role_profile=([1, 1, 0], [(2, 1), (7, 1)]))
    two = claimed(user=([0, 0], []), role_profile=([1, 0, 0], [(3, 1)]))
    maps = settle([one, two], following, HOW)
    assert numbers(maps, "role_profile") == [[20, 22, 23], [21, 24, 25]]


def test_a_reference_is_compared_by_its_number_in_the_whole() -> None:
    # Both parts gave a new word their number 1; among all, that of the second comes first.
    one = claimed(role_profile_type=("z",), role_profile=([1, 1], [(2, 0), (2, 1)]))
    two = claimed(role_profile_type=("a",), role_profile=([1], [(2, 1)]))
    maps = settle([one, two], {**FROM_ONE, "user": 9}, HOW)
    assert numbers(maps, "role_profile_type") == [[2], [1]]
    assert numbers(maps, "role_profile") == [[1, 3], [2]]


def test_new_rows_of_owners_above_all_numbers_come_last() -> None:
    # From 2^40 on stand the keys that an application gave.
    following = {**FROM_ONE, "user": 10}
    one = claimed(user=([0], []), role_profile=([1, 0, 1], [(2, 1), (2**40, 1)]))
    two = claimed(user=([0], []), role_profile=([0, 1], [(2**40 + 1, 1)]))
    maps = settle([one, two], following, HOW)
    assert numbers(maps, "role_profile") == [[1, 2, 4], [3, 5]]


def test_numbers_that_do_not_rise_in_a_part_are_an_error() -> None:
    turned = claimed(role_profile=([1, 1], [(7, 1), (2, 1)]))
    with pytest.raises(ProofError, match="the numbers of new rows of 'role_profile' are not") as e:
        settle([turned], {**FROM_ONE, "user": 9}, HOW)
    assert e.value.details == {"table": "role_profile", "column": "role_profile_id"}


def test_a_text_that_a_part_claims_twice_is_an_error() -> None:
    with pytest.raises(ProofError, match="the numbers of new rows of 'email_type' are not given"):
        settle([claimed(email_type=("a", "a"))], FROM_ONE, HOW)


# ----------------------------------------------------------------------------- claim and apply


def parted(given: ae.Extract, bound: str, before: Optional[ae.Snapshot]) -> Any:
    pieces = cut(given, Held(before), [bound], HOW)
    made = [
        ae.normalize(part.extract, run=RUN, previous=part.previous).snapshot
        for part in pieces.parts
    ]
    claims = [claim(each, pieces.following, HOW) for each in made]
    return made, claims, settle(claims, pieces.following, HOW)


def places(found: Claim, table: str) -> tuple[int, list[int]]:
    return found.rows[table].count, found.rows[table].mixed.tolist()


def test_a_part_claims_what_is_new_and_shows_the_keys_of_what_is_mixed() -> None:
    before = ae.normalize(extract({**BO, "id": "a"}, {**BO, "id": "c"}), run=RUN).snapshot
    given = extract(
        {**BO, "id": "a"},
        {**BO, "id": "b"},
        {**ADA, "id": "c"},
        {**BO, "id": "d"},
        roles=(("a", "x"),),
    )
    made, claims, maps = parted(given, "c", before)
    first, second = claims
    assert first.texts["role_profile_type"].tolist() == ["x"]
    assert second.texts["phone_number_type"].tolist() == ["cell", "home"]
    assert places(first, "user") == places(second, "user") == (1, [])
    # Of a, who was there, the row with a role is new; b and d are new with all that is theirs.
    assert places(first, "role_profile") == (2, [0])
    assert first.rows["role_profile"].keys.to_numpy().tolist() == [[1, 1]]
    assert places(second, "role_profile") == (1, [])
    assert places(second, "address") == (1, [0])
    whole = ae.normalize(given, run=RUN, previous=before).snapshot
    after = [apply(each, keys, HOW) for each, keys in zip(made, maps)]
    both = pd.concat([each.tables["role_profile"] for each in after])
    assert (
        sorted(both["role_profile_id"]) == whole.tables["role_profile"]["role_profile_id"].tolist()
    )
    assert after[1].tables["user"]["user_id"].tolist() == [2, 4]
    assert after[1].keys["user"].given["user_id"].tolist() == [2, 4]
    assert {each.keys["user"].next for each in after} == {whole.keys["user"].next}


def test_missing_references_stay_missing_and_old_numbers_stay() -> None:
    given = Numbers(2, 0, np.array([0, 1]), np.array([9, 5]))
    keys = KeyMap({"role_profile_type": 3, "user": 1}, {"role_profile_type": given}, {})
    rows = pd.DataFrame({"role_profile_type_id": pd.array([None, 2, 3, 4, 5], dtype="Int64")})
    found = renumber(rows, HOW.model.tables["role_profile"], keys)["role_profile_type_id"]
    assert found.tolist() == [pd.NA, 2, 9, 5, 5]
    assert found.dtype == "Int64"
