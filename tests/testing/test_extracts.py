"""The strategy of extracts: valid where nothing is asked for, with the faults asked for else."""

from __future__ import annotations

import datetime as dt
import time

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl import schema
from aspen_etl.columns.text import WHITE_SPACE
from aspen_etl.schema import Source, Table, TextFormat, column
from aspen_etl.schema.snapshot import REPEATED_HEADER, UNREADABLE
from aspen_etl.testing import FAULT_KINDS, extracts
from aspen_etl.testing._cells import decoder
from aspen_etl.testing._plan import plan
from aspen_etl.transform.cleaning import clean
from aspen_etl.transform.judging import judge
from tests.laws.models import EXTENDED_MODEL, MODELS, RUN
from tests.laws.typed_models import ENTITIES, TYPES_MODEL

EACH_MODEL = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)

WITHOUT_SHRINKING = settings(
    max_examples=2_000,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)


def rules(extract: ae.Extract, model: ae.Model) -> set[str]:
    """Name the rules that an extract breaks, and count its blank rows as one."""
    sheets = clean(extract, model)
    broken = {f.rule for judged in judge(sheets, model).values() for f in judged.faults}
    return broken | ({"blank"} if any(sheet.blank for sheet in sheets.values()) else set())


@EACH_MODEL
def test_without_faults_no_rule_is_broken(model: ae.Model) -> None:
    @given(extracts(model))
    def nothing_is_broken(extract: ae.Extract) -> None:
        assert rules(extract, model) == set()

    nothing_is_broken()


def assert_breaks(model: ae.Model, kind: str, wanted: set[str]) -> None:
    """Look at extracts of a kind of fault until all these rules were broken."""
    seen: set[str] = set()

    def look(extract: ae.Extract) -> bool:
        seen.update(rules(extract, model))
        return wanted <= seen

    # Of more rows, fewer extracts have them all.
    find(extracts(model, faults=[kind], min_rows=4), look, settings=WITHOUT_SHRINKING)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("missing", {"missing_id", "missing_role"}),
        ("duplicate", {"duplicate_id", "duplicate_role"}),
        ("too_long", {"too_long"}),
        (
            "invalid",
            {
                *("invalid_zip_code", "invalid_phone", "invalid_email"),
                *("invalid_dependents", "invalid_grade"),
            },
        ),
        ("incomplete", {"incomplete_address"}),
        ("unknown", {"unknown_borrower"}),
        ("control", {"invalid_text"}),
        ("surrogate", {"invalid_text"}),
        ("excel_error", {"excel_error"}),
        ("inexact_number", {"inexact_number"}),
        ("out_of_range", {"out_of_range"}),
        ("repeated_header", {"repeated_header"}),
        ("blank", {"blank"}),
    ],
)
def test_each_kind_of_fault_breaks_its_rules(kind: str, wanted: set[str]) -> None:
    assert_breaks(EXTENDED_MODEL, kind, wanted)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("invalid", {"invalid_opened", "invalid_active"}),
        ("too_precise", {"too_precise"}),
        ("out_of_range", {"out_of_range"}),
        ("missing", {"missing_sent"}),
        ("unknown", {"unknown_stations"}),
    ],
)
def test_each_kind_of_fault_breaks_the_rules_of_types(kind: str, wanted: set[str]) -> None:
    assert_breaks(TYPES_MODEL, kind, wanted)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        pytest.param(
            "conflict",
            {"conflicting_customer_name", "conflicting_country", "missing_product_title"},
            marks=pytest.mark.slow,  # only of many extracts one has them all
        ),
        ("missing", {"missing_product_title"}),
        ("incomplete", {"incomplete_customer", "incomplete_city"}),
    ],
)
def test_each_kind_of_fault_breaks_the_rules_of_entities(kind: str, wanted: set[str]) -> None:
    seen: set[str] = set()

    def look(extract: ae.Extract) -> bool:
        seen.update(ae.normalize(extract, model=ENTITIES, run=RUN).rejects["rule"])
        return wanted <= seen

    find(
        extracts(ENTITIES, faults=[kind], min_rows=2),
        look,
        settings=settings(WITHOUT_SHRINKING, max_examples=300),
    )


def test_valid_extracts_have_entities_that_several_rows_share() -> None:
    find(
        extracts(ENTITIES, min_rows=2),
        lambda extract: (
            len(ae.normalize(extract, model=ENTITIES, run=RUN).tables["customer"])
            < extract["lines"]["customer_no"].notna().sum()
        ),
        settings=settings(WITHOUT_SHRINKING, max_examples=400),
    )


def test_the_kinds_of_faults_are_those_that_are_documented() -> None:
    assert list(FAULT_KINDS) == [
        *("missing", "duplicate", "too_long", "invalid", "too_precise", "incomplete", "conflict"),
        "unknown",
        *("control", "surrogate", *UNREADABLE, REPEATED_HEADER, "blank"),
    ]


def test_an_unknown_kind_of_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no kind of fault 'typo'; known: missing, "):
        extracts(faults=["missing", "typo"])


@pytest.mark.parametrize(("least", "most"), [(-1, 5), (3, 2)])
def test_numbers_of_rows_that_contradict_each_other_are_refused(least: int, most: int) -> None:
    with pytest.raises(ValueError, match=f"min_rows={least} and max_rows={most}"):
        extracts(min_rows=least, max_rows=most)


@EACH_MODEL
def test_sheets_have_the_rows_asked_for(model: ae.Model) -> None:
    @given(extracts(model, min_rows=2, max_rows=3))
    def rows_are_as_asked_for(extract: ae.Extract) -> None:
        assert all(2 <= len(frame) <= 3 for frame in extract.values())

    rows_are_as_asked_for()


def cells(extract: ae.Extract) -> set[str]:
    return {cell for frame in extract.values() for name in frame for cell in frame[name].dropna()}


def test_cells_range_over_what_people_really_write() -> None:
    seen: set[str] = set()

    @settings(WITHOUT_SHRINKING, max_examples=250)
    @given(extracts(min_rows=3))
    def look(extract: ae.Extract) -> None:
        seen.update(cells(extract))

    look()
    bare = {cell.strip() for cell in seen}
    assert {"NA", "None", "nan", "TRUE", "1e5", "O'Brien", "=1+1", "Smith-Jones"} <= bare
    assert {cell[0] for cell in seen if cell} >= set("=+-@") | set(WHITE_SPACE)
    assert set("😀مé\u202e\u200b") <= set("".join(seen))
    assert 128 in set(map(len, bare))
    assert any(character > "\uffff" for character in "".join(bare))


def test_a_name_may_fill_both_of_its_columns() -> None:
    (name,) = (c for c in plan(ae.BORROWER_MODEL)[0].columns if c.name == "full_name")
    assert (name.limit, name.parts, name.splits_words) == (128, 2, True)
    decode = decoder(128, (), parts=2)
    assert decode is not None
    lengths = {len(text) for text in map(decode, range(4_000)) if name.fits(text)}
    assert max(lengths) == 257
    assert all(name.fits(text) for text in map(decode, range(4_000)))


def test_rows_have_numbers_of_their_own_with_gaps() -> None:
    find(
        extracts(min_rows=2),
        lambda extract: extract["borrower"].index[-1] > len(extract["borrower"]) + 1,
        settings=WITHOUT_SHRINKING,
    )


# ------------------------------------------------------------------------- models of others


class Sheet(Source):
    code: Series[str] = column()
    amount: Series[str] = column()
    grade: Series[str] = column(nullable=True)

    class Config:
        name = "loan"


class Loan(Table):
    loan_id: Series[int] = column(primary_key=True)
    code: Series[str] = column(
        natural_key=True,
        length=3,
        text_format=TextFormat("code", "[A-Z]{2}[0-9]?"),
        source="loan.code",
    )
    amount: Series[int] = column(source="loan.amount")
    grade: Series[str] = column(
        nullable=True, text_format=TextFormat("g", "[a-d][+]?"), source="loan.grade"
    )


LOANS = ae.Model.of(
    sources=[Sheet], tables=[Loan], cleaners={"loan.grade": lambda v: v.str.lower()}
)


@given(extracts(LOANS, min_rows=1))
def test_a_model_of_forms_of_its_own_has_valid_extracts(extract: ae.Extract) -> None:
    assert rules(extract, LOANS) == set()


def test_keys_that_a_cleaner_makes_equal_are_made_different() -> None:
    model = ae.BORROWER_MODEL.replace(cleaners={"borrower.id": lambda ids: ids.str[:2]})

    @given(extracts(model, max_rows=8))
    def nothing_is_broken(extract: ae.Extract) -> None:
        assert rules(extract, model) == set()

    nothing_is_broken()


def test_cells_that_a_cleaner_makes_unfit_are_left_out() -> None:
    def to_digits(values: pd.Series) -> pd.Series:
        return values.str.replace("[^0-9+]", "", regex=True).str[:8]

    model = ae.BORROWER_MODEL.replace(
        cleaners={"borrower.phone_cell": to_digits, "borrower.city": lambda v: v.where(v != "a")}
    )

    @given(extracts(model))
    def nothing_is_broken(extract: ae.Extract) -> None:
        assert rules(extract, model) == set()

    nothing_is_broken()


def test_a_builder_that_parts_other_than_words_gets_shorter_text() -> None:
    def halves(borrower: pd.DataFrame) -> pd.DataFrame:
        half = borrower["full_name"].str.len() // 2
        parts = [(n[:h], n[h:]) for n, h in zip(borrower["full_name"], half)]
        built = pd.DataFrame(parts, columns=["first_name", "last_name"], index=borrower.index)
        return built.assign(user_profile_id=borrower["id"])

    def join(rows: pd.DataFrame) -> dict[str, pd.Series]:
        return {"full_name": rows["first_name"] + rows["last_name"]}

    model = ae.BORROWER_MODEL.replace(builders={"user_profile": schema.Builder(halves, join)})
    longest = find(
        extracts(model, min_rows=1),
        lambda x: x["borrower"]["full_name"].str.strip().str.len().max() == 128,
        settings=WITHOUT_SHRINKING,
    )
    assert rules(longest, model) == set()


# ------------------------------------------------------------------------- speed


@pytest.mark.benchmark
@pytest.mark.parametrize("faults", [(), "all"], ids=["valid", "faulty"])
def test_an_extract_of_five_rows_takes_about_ten_milliseconds(faults: str) -> None:
    made = []

    @settings(WITHOUT_SHRINKING, max_examples=300)
    @given(extracts(faults=faults, min_rows=5, max_rows=5))
    def make(extract: ae.Extract) -> None:
        made.append(len(extract))

    start = time.process_time()
    make()
    took = dt.timedelta(seconds=time.process_time() - start) / len(made)
    print(f"{took / dt.timedelta(milliseconds=1):.1f} ms")
    assert took < dt.timedelta(milliseconds=25)


def test_a_strategy_of_extracts_can_be_combined_with_others() -> None:
    find(
        st.tuples(extracts(), extracts()),
        lambda pair: pair[0] == pair[1],
        settings=WITHOUT_SHRINKING,
    )
