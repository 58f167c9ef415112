"""A model is a value, checked as it is made; what is wrong is refused with a way to mend it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping

import pandas as pd
import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl import borrower
from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.errors import ModelError
from aspen_etl.schema import Builder, Model, Source, Table, column


class LoanSheet(Source):
    number: Series[str] = column()
    owner: Series[str] = column()


class Loan(Table):
    loan_id: Series[int] = column(primary_key=True)
    number: Series[str] = column(natural_key=True, length=12, source="loan.number")
    user_id: Series[int] = column(references="user", source="loan.owner")


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(ModelError) as caught:
        make()
    return str(caught.value)


def with_loan(table: type[Table], sheet: type[Source] = LoanSheet) -> Callable[[], Model]:
    return lambda: BORROWER_MODEL.add(sources=[sheet], tables=[table])


# ------------------------------------------------------------------------- a value


def test_replace_takes_the_place_of_a_namesake_and_leaves_the_model_alone() -> None:
    class Borrower(borrower.Borrower):
        employer: Series[str] = column(nullable=True)

    class UserProfile(borrower.UserProfile):
        employer: Series[str] = column(length=9, nullable=True, source="borrower.employer")

    changed = BORROWER_MODEL.replace(sources=[Borrower], tables=[UserProfile])
    assert list(changed.sources) == list(BORROWER_MODEL.sources)
    assert list(changed.tables) == list(BORROWER_MODEL.tables)
    assert "employer" in changed.sources["borrower"].columns
    assert "employer" not in BORROWER_MODEL.sources["borrower"].columns
    assert changed.builders == BORROWER_MODEL.builders
    assert changed.cleaners == BORROWER_MODEL.cleaners


def test_tables_come_after_those_that_they_refer_to_however_they_are_given() -> None:
    shuffled = Model.of(
        sources=[borrower.RoleProfileSheet, borrower.Borrower],
        tables=[t.schema for t in reversed(list(BORROWER_MODEL.tables.values()))],
        cleaners=BORROWER_MODEL.cleaners,
        builders=BORROWER_MODEL.builders,
    )
    assert list(shuffled.sources) == ["borrower", "role_profile"]
    for name, table in shuffled.tables.items():
        before = list(shuffled.tables)[: list(shuffled.tables).index(name)]
        assert set(table.references.values()) <= set(before)


def test_merge_takes_a_column_and_the_table_it_goes_to_at_once() -> None:
    class Borrower(borrower.Borrower):
        loan: Series[str] = column(nullable=True)

    class Note(Table):
        user_profile_id: Series[str] = column(
            primary_key=True, references="user_profile", source="borrower.id"
        )
        loan: Series[str] = column(nullable=True, length=9, source="borrower.loan")

    model = BORROWER_MODEL.merge(sources=[Borrower], tables=[Note])
    assert list(model.tables)[-1] == "note"
    assert model.lineage.tables["note"].source == "borrower"


def test_what_a_model_holds_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        BORROWER_MODEL.tables["x"] = None  # type: ignore[index]
    with pytest.raises(AttributeError):
        BORROWER_MODEL.tables = {}  # type: ignore[misc]


def test_a_bare_function_is_a_builder_without_an_inverse() -> None:
    def email(borrower: pd.DataFrame, role_profile_rows: pd.DataFrame) -> pd.DataFrame:
        raise NotImplementedError

    found = BORROWER_MODEL.replace(builders={"email": email}).builders["email"]
    assert found == Builder(email, None)
    assert found.inputs == ("borrower", "role_profile_rows")


def test_a_parameter_with_a_default_is_no_input() -> None:
    def build(borrower: pd.DataFrame, limit: int = 3, **options: object) -> pd.DataFrame:
        raise NotImplementedError

    assert Builder(build).inputs == ("borrower",)


# ------------------------------------------------------------------------- names


def test_replacing_what_is_not_there_is_refused() -> None:
    assert refused(lambda: BORROWER_MODEL.replace(tables=[Loan])).startswith(
        "there is no table 'loan' to replace (known: user_profile, "
    )

    class Borower(borrower.Borrower):
        pass

    assert refused(lambda: BORROWER_MODEL.replace(sources=[Borower])) == (
        "there is no source 'borower' to replace (did you mean 'borrower'?); "
        "name the class after it, or use add() or merge()"
    )


def test_adding_what_is_there_is_refused() -> None:
    assert refused(lambda: BORROWER_MODEL.add(tables=[borrower.User])) == (
        "there is already a table 'user'; use replace() or merge()"
    )
    assert refused(lambda: BORROWER_MODEL.add(sources=[borrower.Borrower])) == (
        "there is already a source 'borrower'; use replace() or merge()"
    )
    assert refused(lambda: BORROWER_MODEL.add(cleaners={"borrower.zip_code": str})).startswith(  # type: ignore[dict-item]
        "there is already a cleaner 'borrower.zip_code'"
    )
    assert refused(lambda: BORROWER_MODEL.add(builders={"email": str})).startswith(  # type: ignore[dict-item]
        "there is already a builder 'email'"
    )


def test_one_name_given_twice_is_refused() -> None:
    assert refused(lambda: Model.of(sources=[LoanSheet, LoanSheet], tables=[])) == (
        "source 'loan' is given twice; give each source another name (Config.name)"
    )


def test_a_cleaner_of_no_column_is_refused() -> None:
    assert refused(
        lambda: BORROWER_MODEL.replace(cleaners={"borrower.zip_cod": lambda values: values})
    ) == (
        "a cleaner is given for 'borrower.zip_cod', which is no source column; "
        "did you mean 'borrower.zip_code'?"
    )


def test_a_builder_of_no_table_is_refused() -> None:
    def build(borrower: pd.DataFrame) -> pd.DataFrame:
        raise NotImplementedError

    assert refused(lambda: BORROWER_MODEL.replace(builders={"emails": build})) == (
        "a builder is given for 'emails', which is no table; did you mean 'email'?"
    )


def test_a_builder_that_asks_for_what_is_not_made_yet_is_refused() -> None:
    def role_profile(borrower: pd.DataFrame, email_rows: pd.DataFrame) -> pd.DataFrame:
        raise NotImplementedError

    text = refused(lambda: BORROWER_MODEL.replace(builders={"role_profile": role_profile}))
    assert text.startswith(
        "the builder of 'role_profile' asks for 'email_rows'; name a source, or `<table>_rows` "
        "of a table that is made before it; "
    )


def test_a_builder_that_splits_a_column_needs_its_inverse() -> None:
    build = BORROWER_MODEL.builders["user_profile"].build
    assert refused(lambda: BORROWER_MODEL.replace(builders={"user_profile": build})) == (
        "the builder of 'user_profile' has no inverse, and borrower.full_name cannot be read "
        "back from the declaration; give Builder(build, invert)"
    )


# ------------------------------------------------------------------------- where cells go


def test_a_source_column_that_goes_nowhere_is_refused() -> None:
    class Borrower(borrower.Borrower):
        employer: Series[str] = column(nullable=True)

    assert refused(lambda: BORROWER_MODEL.replace(sources=[Borrower])) == (
        "the source column borrower.employer goes nowhere, so its cells would be lost; name it "
        "in the column it goes to, as in column(source='borrower.employer'), or take it out of "
        "the source"
    )


def test_a_reference_to_no_table_is_refused() -> None:
    class Wrong(Loan):
        user_id: Series[int] = column(references="users", source="loan.owner")

        class Config:
            name = "loan"

    assert refused(with_loan(Wrong)) == (
        "loan.user_id refers to the table 'users', which the model does not have; "
        "did you mean 'user'?"
    )


def test_a_reference_of_another_type_is_refused() -> None:
    class Wrong(Loan):
        user_id: Series[str] = column(references="user", source="loan.owner")

        class Config:
            name = "loan"

    assert refused(with_loan(Wrong)) == (
        "loan.user_id is text and refers to user.user_id, which is integer; annotate it as "
        "Series[int] (Series[pd.Int64Dtype] where it may be null)"
    )

    class Other(Loan):
        user_id: Series[int] = column(references="user_profile", source="loan.owner")

        class Config:
            name = "loan"

    assert refused(with_loan(Other)).endswith("which is text; annotate it as Series[str]")


def test_a_source_that_is_not_there_is_refused() -> None:
    class Wrong(Loan):
        number: Series[str] = column(natural_key=True, length=12, source="loans.number")

        class Config:
            name = "loan"

    assert refused(with_loan(Wrong)) == (
        "loan.number has source='loans.number', and there is no source 'loans'; "
        "did you mean 'loan'?"
    )

    class Other(Loan):
        number: Series[str] = column(natural_key=True, length=12, source="loan.numer")

        class Config:
            name = "loan"

    assert refused(with_loan(Other)) == (
        "loan.number has source='loan.numer', and the source 'loan' has no such column; "
        "did you mean 'number'?"
    )


def test_tables_that_refer_to_each_other_are_refused() -> None:
    class Egg(Table):
        egg_id: Series[int] = column(primary_key=True)
        hen_id: Series[int] = column(natural_key=True, references="hen")

    class Hen(Table):
        hen_id: Series[int] = column(primary_key=True)
        egg_id: Series[int] = column(natural_key=True, references="egg")

    class Farm(Table):  # it leads to the circle, and is not in it
        farm_id: Series[int] = column(primary_key=True)
        hen_id: Series[int] = column(natural_key=True, references="hen")

    assert refused(lambda: BORROWER_MODEL.add(tables=[Egg, Farm, Hen])) == (
        "the tables egg, hen refer to each other in a circle, or one to itself; "
        "take one reference away"
    )


def test_a_table_whose_rows_come_from_nowhere_is_refused() -> None:
    class Wrong(Loan):
        number: Series[str] = column(natural_key=True, length=12)
        printed: Series[str] = column(length=12, source="loan.number")

        class Config:
            name = "loan"

    assert refused(with_loan(Wrong)) == (
        "nothing says where the rows of table 'loan' come from: its natural key (number) has no "
        "source; give source= to each of its columns, all from one sheet, or "
        "builders={'loan': ...}"
    )


def test_a_sheet_that_no_table_follows_row_by_row_is_refused() -> None:
    class Wrong(Table):
        wrong_id: Series[int] = column(primary_key=True)
        user_profile_id: Series[str] = column(
            natural_key=True, references="user_profile", source="borrower.id"
        )
        number: Series[str] = column(length=9, source="loan.number")
        owner: Series[str] = column(length=9, source="loan.owner")

    assert "no reference of it leads to a table with one row for each row of 'loan'" in refused(
        with_loan(Wrong)
    )


def test_two_tables_that_know_a_sheet_by_other_columns_are_refused() -> None:
    class Owner(Table):
        owner_id: Series[int] = column(primary_key=True)
        name: Series[str] = column(natural_key=True, length=9, source="loan.owner")

    text = refused(lambda: BORROWER_MODEL.add(sources=[LoanSheet], tables=[Loan, Owner]))
    assert "for a table of distinct values take source= away from its natural key" in text


def test_a_column_spread_over_several_needs_a_builder() -> None:
    class Wrong(Loan):
        twice: Series[str] = column(length=9, source="loan.owner")
        again: Series[str] = column(length=9, source="loan.owner")

        class Config:
            name = "loan"

    assert refused(with_loan(Wrong)) == (
        "table 'loan': loan.owner is spread over columns or rows (user_id, twice, again), which "
        "takes a builder; let source= name another column of the sheet, or give builders={'loan': "
        "Builder(build, invert)}"
    )


def test_a_sheet_that_no_table_has_rows_for_is_refused() -> None:
    class NoteSheet(Source):
        owner: Series[str] = column()

    def build(role_profile: pd.DataFrame) -> pd.DataFrame:
        raise NotImplementedError

    class Note(Table):
        note_id: Series[int] = column(primary_key=True)
        user_id: Series[int] = column(natural_key=True, references="user")
        owner: Series[str] = column(length=9, source="note.owner")

    text = refused(
        lambda: BORROWER_MODEL.add(sources=[NoteSheet], tables=[Note], builders={"note": build})
    )
    assert "one row for each row of" in text
    assert "'note'" in text


def test_a_column_that_refers_to_two_sheets_is_refused() -> None:
    class NoteSheet(Source):
        number: Series[str] = column()
        about: Series[str] = column()

    class Note(Table):
        note_id: Series[int] = column(primary_key=True)
        number: Series[str] = column(natural_key=True, length=9, source="note.number")
        user_id: Series[int] = column(references="user", source="note.about")
        loan_id: Series[int] = column(references="loan", source="note.about")

    def build(note: pd.DataFrame) -> pd.DataFrame:
        raise NotImplementedError

    builder = Builder(build, build)  # type: ignore[arg-type]
    text = refused(
        lambda: BORROWER_MODEL.add(
            sources=[LoanSheet, NoteSheet], tables=[Loan, Note], builders={"note": builder}
        )
    )
    assert text == ("note.about is used to refer to borrower and to loan; use one column for each")


def test_the_repr_of_a_model_names_its_sheets_and_tables() -> None:
    assert repr(with_loan(Loan)()) == (
        "<Model borrower, role_profile, loan -> user_profile, user, role_profile_type, "
        "role_profile, phone_number_type, phone_number, email_type, email, address, loan>"
    )


def test_a_reference_to_a_table_that_no_column_identifies_is_refused() -> None:
    class Wrong(Loan):
        user_id: Series[int] = column(references="role_profile", source="loan.owner")

        class Config:
            name = "loan"

    assert refused(with_loan(Wrong)).startswith(
        "loan.user_id refers to 'role_profile', which is not known by one source column"
    )


def test_a_cell_that_may_be_missing_cannot_fill_a_column_that_must_not_be_null() -> None:
    class Sheet(LoanSheet):
        note: Series[str] = column(nullable=True)

        class Config:
            name = "loan"

    class Wrong(Loan):
        note: Series[str] = column(length=9, source="loan.note")

        class Config:
            name = "loan"

    assert refused(with_loan(Wrong, Sheet)) == (
        "loan.note may be missing, and loan.note must not; give both nullable=True, or neither"
    )


# ------------------------------------------------------------------------- at run time


def one_loan() -> Mapping[str, pd.DataFrame]:
    borrower = dict.fromkeys(BORROWER_MODEL.sources["borrower"].columns)
    return {
        "borrower": pd.DataFrame([{**borrower, "id": "b", "full_name": "Bo"}]),
        "role_profile": pd.DataFrame({"borrower_id": [], "role_profile": []}),
    }


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (
            lambda borrower: borrower.attrs.get(0),
            "the builder of 'user' gives NoneType; give a DataFrame",
        ),
        (
            lambda borrower: borrower[[]].assign(user_id=1),
            "the builder of 'user' gives user_id, which it must not",
        ),
        (
            lambda borrower: borrower[[]].set_axis(["x"]),
            "the builder of 'user' must keep the row numbers of 'borrower' as its index",
        ),
        (
            lambda borrower: borrower[[]].set_axis([1]),
            "the builder of 'user' must keep the row numbers of 'borrower' as its index",
        ),
    ],
)
def test_a_builder_that_gives_what_it_must_not_is_refused(
    build: Callable[..., pd.DataFrame], text: str
) -> None:
    model = BORROWER_MODEL.replace(builders={"user": build})
    run = ae.Run(time=pd.Timestamp("2026-01-31", tz="UTC"), actor="me")
    assert text in refused(lambda: ae.normalize(ae.Extract(**one_loan()), model=model, run=run))


def test_a_column_that_nothing_fills_is_refused() -> None:
    class User(borrower.User):
        note: Series[str] = column(length=9, nullable=True)

    model = BORROWER_MODEL.replace(tables=[User])
    run = ae.Run(time=pd.Timestamp("2026-01-31", tz="UTC"), actor="me")
    assert refused(lambda: ae.normalize(ae.Extract(**one_loan()), model=model, run=run)) == (
        "nothing fills user.note; give it source=, or let the builder of 'user' give it"
    )


# ------------------------------------------------------------------------- travelling


def test_a_model_travels_and_normalizes_as_before() -> None:
    there = pickle.loads(pickle.dumps(BORROWER_MODEL))  # noqa: S301 - our own bytes
    assert repr(there) == repr(BORROWER_MODEL)
    assert (there.sources, there.tables) == (BORROWER_MODEL.sources, BORROWER_MODEL.tables)
    assert there.lineage == BORROWER_MODEL.lineage
    run = ae.Run(time=pd.Timestamp("2026-01-31", tz="UTC"), actor="me")
    here, far = (
        ae.normalize(ae.Extract(**one_loan()), model=model, run=run)
        for model in (BORROWER_MODEL, there)
    )
    assert here.tables.equals(far.tables)


def test_the_columns_of_what_travelled_cannot_be_changed() -> None:
    for spec in (BORROWER_MODEL.sources["borrower"], BORROWER_MODEL.tables["user"]):
        there = pickle.loads(pickle.dumps(spec))  # noqa: S301 - our own bytes
        assert there == spec
        with pytest.raises(TypeError):
            there.columns["x"] = there.columns
