"""Keys, references, entities and fan-outs of sheets, found in all of their cells."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest

from aspen_etl.errors import ExtractError
from aspen_etl.inference.columns import Sheet, study_sheet
from aspen_etl.inference.dependencies import determines, find_groups
from aspen_etl.inference.fan_outs import find_fan_outs
from aspen_etl.inference.keys import Key, find_key
from aspen_etl.inference.names import base_of, class_name, column_name, points_at, singular
from aspen_etl.inference.study import Study, study
from aspen_etl.schema import Extract

MANY = 400


def sheet(name: str = "visits", /, **columns: Sequence[Any]) -> Sheet:
    (only,) = Extract.from_frames({name: pd.DataFrame(columns, dtype=object)}).values()
    return study_sheet(name, only)


def numbered(prefix: str = "", count: int = MANY) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def drawn(count: int, rows: int = MANY, seed: int = 0) -> list[str]:
    return [str(n) for n in np.random.default_rng(seed).integers(0, count, rows)]


# ------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("visits", "visit"), ("order_lines", "order_line"), ("cities", "city"),
        ("addresses", "address"), ("boxes", "box"), ("batches", "batch"), ("status", "status"),
        ("analysis", "analysis"), ("class", "class"), ("movies", "movie"), ("people", "person"),
        ("gas", "gas"), ("x", "x"),
    ],
)  # fmt: skip
def test_a_table_is_called_like_one_row(many: str, one: str) -> None:
    assert singular(many) == one


def test_names_that_a_class_body_needs_are_not_taken() -> None:
    taken = ("column", "ref", "dt", "str", "created", "updated_by", "class", "validate", "example")
    assert [column_name(name) for name in taken] == [f"{name}_" for name in taken]
    assert class_name("table") == "TableRow"
    assert class_name("order", {"Order"}) == "Order2"


@pytest.mark.parametrize(
    ("column", "key", "is_so"),
    [
        ("patient_no", "patient_no", True),
        ("patient_id", "patient_no", True),
        ("patient", "patient_no", True),
        ("sold_to_patient_no", "patient_no", True),
        ("patient_id", "id", True),
        ("id", "id", False),
        ("no", "patient_no", False),
        ("patient_name", "patient_no", False),
        ("tailnum", "tailnum", True),
        ("year", "year", False),
        ("column_1", "column_1", False),
    ],
)
def test_a_column_points_at_a_sheet_by_its_name(column: str, key: str, is_so: object) -> None:
    assert points_at(column, "patients", key) is is_so


@pytest.mark.parametrize(
    ("column", "base"),
    [
        ("clinic_code", "clinic"), ("origin_iata", "origin"), ("product_sku", "product"),
        ("code", "code"), ("sku", "sku"), ("casino", "casino"), ("monkey", "monkey"),
        ("id", "id"), ("bid", "bid"),
    ],
)  # fmt: skip
def test_what_a_column_is_the_key_of(column: str, base: str) -> None:
    assert base_of(column) == base


# ------------------------------------------------------------------------------------- keys


def key_of(**columns: Sequence[Any]) -> Optional[tuple[str, ...]]:
    found = find_key(sheet(**columns))
    return None if found is None else found.columns


def test_a_unique_column_that_is_called_like_a_key_comes_first_and_the_sheets_own_before() -> None:
    assert key_of(email=numbered("e"), other_no=numbered(), visit_no=numbered("v")) == ("visit_no",)
    assert key_of(email=numbered("e"), other_no=numbered()) == ("other_no",)


def test_a_key_is_never_missing() -> None:
    assert key_of(visit_no=[None, *numbered(count=MANY - 1)], mail=numbered("m")) == ("mail",)


def test_two_columns_that_are_called_like_keys_are_one() -> None:
    orders, lines = [order for order in numbered("o", 200) for _ in "12"], ["1", "2"] * 200
    assert key_of(order_no=orders, line=lines, text=numbered("t")) == ("order_no", "line")


def test_few_repetitions_of_the_sheets_own_key_are_faults() -> None:
    repeated = [*numbered("v", MANY - 5), *["v1"] * 5]
    found = find_key(sheet(visit_no=repeated, note=numbered("n")))
    assert found == Key(("visit_no",), repeated=5)
    others = [f"p{n}" for n in range(MANY)]
    assert key_of(visit_no=repeated, patient_no=[*others[1:], "p1"]) == ("visit_no",)
    assert key_of(visit_no=repeated, line=[str(n) for n in range(MANY)]) == ("visit_no", "line")
    many = [*numbered("v", MANY - 30), *["v1"] * 30]
    assert key_of(visit_no=many, code=drawn(9)) is None


def test_columns_that_are_called_otherwise_are_a_guess() -> None:
    found = find_key(sheet(mail=numbered("m"), amount=drawn(50)))
    assert found is not None
    assert found.columns == ("mail",)
    assert "a guess" in found.note


def test_three_columns_that_are_called_like_keys_are_no_guess() -> None:
    shops = list("aabbccdd") * 50
    orders = [str(number // 8) for number in range(MANY)]
    found = find_key(sheet(shop_no=shops, order_no=orders, line=["1", "2"] * 200))
    assert found == Key(("shop_no", "order_no", "line"))


def test_a_wide_sheet_takes_no_combination_of_all_of_its_columns() -> None:
    held = {f"c{n}": list("ab") * 30 for n in range(300)}
    start = time.process_time()
    assert find_key(sheet(**held)) is None
    assert time.process_time() - start < 20  # of 4.5 million triples it took minutes


def test_two_or_three_columns_are_a_key_where_chance_would_repeat_them() -> None:
    days, shares = [day for day in numbered("d", 100) for _ in range(4)], list("abcd") * 100
    assert key_of(day=days, share=shares, price=drawn(10_000)) == ("day", "share")
    assert key_of(day=days, share=list("abab") * 100, half=list("xxyy") * 100) == (
        *("day", "share", "half"),
    )
    # In ten rows, any two columns of some values are unique.
    assert key_of(a=drawn(9, 10), b=drawn(9, 10, 1), c=["1.5"] * 10) is None


def test_measures_are_no_key_though_they_are_unique() -> None:
    prices = [f"{number}.5" for number in range(MANY)]
    floats = [f"{number}.30000000000000004" for number in range(MANY)]
    assert key_of(price=prices, rate=floats) is None
    assert key_of(price=prices, year=[str(n) for n in range(MANY)]) == ("year",)


def test_without_a_key_what_is_nearest_is_named_and_no_cell() -> None:
    frame = pd.DataFrame({"kind": drawn(300), "city": ["Ulm"] * MANY, "price": ["1.5"] * MANY})
    with pytest.raises(ExtractError) as caught:
        study(Extract(visits=frame), {})
    told = str(caught.value)
    assert "sheet visits: no column, pair or triple tells its 400 rows apart; nearest are" in told
    assert "'kind' (repeated by " in told
    assert "--key visits=COLUMN,COLUMN" in told
    assert "Ulm" not in told
    with pytest.raises(ExtractError, match=r"'b', 'a' \(unique by chance\)"):
        study(Extract(visits=pd.DataFrame({"a": drawn(9, 10), "b": drawn(9, 10, 1)})), {})
    assert study(Extract(visits=frame), {"visits": ("kind",)}).keys["visits"].columns == ("kind",)


def test_a_key_that_is_given_must_be_there() -> None:
    with pytest.raises(ExtractError, match="no column 'b' to be its key; it has 'a'"):
        study(Extract(visits=pd.DataFrame({"a": ["1"]})), {"visits": ["b"]})
    with pytest.raises(ExtractError, match="keys= names 'visit', which is no sheet"):
        study(Extract(visits=pd.DataFrame({"a": ["1"]})), {"visit": ["a"]})


# ------------------------------------------------------------------------------- references


def studied(**frames: Mapping[str, Sequence[Any]]) -> Study:
    return study(Extract(**{name: pd.DataFrame(held) for name, held in frames.items()}), {})


PATIENTS = {"patient_no": numbered("p", 100), "name": drawn(90, 100)}


def test_nearly_all_cells_of_a_reference_are_keys() -> None:
    good = [f"p{n}" for n in drawn(100)]
    for unknown, expected in ((15, {("visits", "patient_no"): "patients"}), (30, {})):
        cells = [*["?"] * unknown, *good[unknown:]]
        found = studied(patients=PATIENTS, visits={"visit_no": numbered("v"), "patient_no": cells})
        assert found.references == expected


def test_numbers_that_fit_under_another_name_are_no_reference() -> None:
    visits = {"visit_no": numbered("v"), "amount": [f"p{n}" for n in drawn(100)]}
    assert studied(patients=PATIENTS, visits=visits).references == {}
    assert studied(a={"id": numbered(count=9)}, b={"id": numbered(count=9)}).references == {}


def test_two_sheets_do_not_refer_to_each_other() -> None:
    more = {"patient_no": numbered("p", 100), "weight": drawn(50, 100)}
    found = studied(details=more, patients=PATIENTS)
    assert found.references == {("details", "patient_no"): "patients"}


# --------------------------------------------------------------------------------- entities


def test_independent_columns_seldom_seem_dependent() -> None:
    draw = np.random.default_rng(7)
    seen = 0
    for _ in range(300):
        rows, heads, others = draw.integers(20, 600), draw.integers(2, 60), draw.integers(2, 6)
        held = sheet(
            a=[str(n) for n in draw.integers(0, heads, rows)],
            b=[str(n) for n in draw.choice(others, rows, p=draw.dirichlet(np.ones(others)))],
        )
        seen += determines(held["a"], held["b"])
    assert seen == 0


def test_dependent_columns_are_found_though_some_cells_are_wrong() -> None:
    codes = drawn(20)
    names = [f"name {code}" for code in codes]
    held = sheet(code=codes, name=names, wrong=["?", *names[1:]], other=drawn(5, seed=3))
    assert determines(held["code"], held["name"])
    assert determines(held["code"], held["wrong"])
    assert not determines(held["code"], held["other"])
    assert not determines(held["other"], held["name"])


def test_what_has_a_cell_where_its_head_has_none_is_not_said_by_it() -> None:
    codes = drawn(20)
    gaps = [None if n < 40 else code for n, code in enumerate(codes)]
    held = sheet(code=gaps, name=codes, both=gaps)
    assert not determines(held["code"], held["name"])
    assert determines(held["code"], held["both"])


def test_the_head_with_the_fewest_values_takes_a_column() -> None:
    clinics = drawn(30)
    cities = [str(int(code) % 5) for code in clinics]
    held = sheet(
        visit_no=numbered("v"), clinic_code=clinics, clinic=[f"c{n}" for n in clinics],
        city_code=cities, city=[f"City {n}" for n in cities],
    )  # fmt: skip
    groups = find_groups(held, Key(("visit_no",)), ())
    assert {group.head: group.columns for group in groups} == {
        "city_code": ("city",),
        "clinic_code": ("clinic", "city_code"),
    }


def test_of_two_heads_that_say_the_same_one_is_an_entity() -> None:
    codes = drawn(30)
    held = sheet(
        visit_no=numbered("v"), a_id=codes, a_code=[f"c{n}" for n in codes],
        a=[f"a{n}" for n in codes],
    )  # fmt: skip
    (group,) = find_groups(held, Key(("visit_no",)), ())
    assert (group.head, group.columns) == ("a_id", ("a_code", "a"))


def test_an_entity_of_two_sheets_is_one() -> None:
    codes, others = drawn(12), drawn(12, seed=1)
    found = studied(
        visits={
            "visit_no": numbered("v"),
            "clinic_code": codes,
            "clinic_name": [f"House {n}" for n in codes],
        },
        referrals={"referral_no": numbered("r"), "clinic_code": others},
    )
    (entity,) = found.entities
    assert entity.sheets == {"visits": ("clinic_name",), "referrals": ()}


# ---------------------------------------------------------------------------------- fan-outs


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["phone_home", "phone_cell"], [("phone_*", ("home", "cell"))]),
        (["home_phone", "cell_phone", "email"], [("*_phone", ("home", "cell"))]),
        (["phone1", "phone2"], [("phone*", ("1", "2"))]),
        (["score_1", "score_2", "score_3"], [("score_*", ("1", "2", "3"))]),
        (["sales_jan", "sales_feb", "sales_mar"], [("sales_*", ("jan", "feb", "mar"))]),
        (["score_1", "score_2"], []),
        (["x1", "x2", "x3"], []),
        (["first_name", "last_name"], []),
        (["start_date", "end_date"], []),
        (["phone"], []),
        (["column_3", "column_4", "column_5"], []),
        (["column_1999", "column_2000", "column_2001"], [("column_*", ("1999", "2000", "2001"))]),
    ],
)
def test_columns_of_one_meaning_are_found_by_their_names(names: list[str], found: Any) -> None:
    held = sheet(**{name: drawn(200) for name in names})
    assert [(one.pattern, one.words) for one in find_fan_outs(held, ())] == found


def test_columns_of_two_types_have_two_meanings() -> None:
    held = sheet(score_1=drawn(9), score_2=["2024-01-31"] * MANY, score_3=["a"] * MANY)
    assert find_fan_outs(held, ()) == []


def test_columns_without_a_cell_or_of_flags_have_no_meaning_of_their_own() -> None:
    assert find_fan_outs(sheet(phone_home=[None, None], phone_cell=[None, None]), ()) == []
    flags = {f"education_{number}": drawn(2, seed=number) for number in range(4)}
    assert find_fan_outs(sheet(**flags), ()) == []


def test_a_column_that_has_a_meaning_of_its_own_is_left_alone() -> None:
    held = sheet(phone_home=drawn(9), phone_cell=drawn(9))
    assert find_fan_outs(held, {"phone_cell"}) == []
