"""A first model: its text is as expected, holds no cell, and normalizes what it was made of."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import given

import aspen_etl as ae
from aspen_etl.errors import ExtractError
from aspen_etl.inference.declaring import Declared, Line
from aspen_etl.inference.layout import assign, call
from aspen_etl.inference.writing import write_model
from tests.support.refusals import refused
from tests.support.unknown import UNKNOWN, put_sheets

EXPECTED = Path(__file__).parent / "expected"
RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="test")


def made(text: str, name: str = "made_of_text") -> ModuleType:
    """Make a module of a text, as if it had been imported."""
    module = ModuleType(name)
    sys.modules[name] = module  # where pandera looks names up
    exec(compile(text, name, "exec"), module.__dict__)  # noqa: S102 - a text that we made
    return module


def model_of(text: str) -> ae.Model:
    model: ae.Model = made(text).MODEL
    return model


def named(sheets: Mapping[str, pd.DataFrame]) -> ae.Extract:
    """Give sheets as an extract, under names that are identifiers."""
    return ae.Extract.from_frames({name.lower(): frame for name, frame in sheets.items()})


# ------------------------------------------------------------------------------ what is written


@pytest.mark.parametrize("name", UNKNOWN)
def test_the_text_is_as_expected(name: str) -> None:
    # Red, and the new text is better? Take it into the file.
    expected = (EXPECTED / f"{name}.txt").read_text("utf-8")
    assert ae.propose_model(named(UNKNOWN[name]())).model == expected


@pytest.mark.parametrize("name", UNKNOWN)
def test_the_text_holds_no_cell_but_words_of_booleans(name: str) -> None:
    sheets = UNKNOWN[name]()
    proposal = ae.propose_model(named(sheets))
    text = proposal.model + proposal.test("model", "source.csv") + repr(proposal)
    cells = {str(cell) for frame in sheets.values() for at in frame for cell in frame[at].dropna()}
    shown = {cell for cell in cells if re.search(rf"(?<![\w.]){re.escape(cell)}(?![\w.])", text)}
    # A number may stand there as a length or a count, in an import or a line of the test.
    assert {cell for cell in shown if not cell.isdigit()} <= {"Y", "N", "UA"}


@pytest.mark.slow
def test_the_texts_are_clean_to_ruff_and_mypy(tmp_path: Path) -> None:
    for tool in ("ruff", "mypy"):
        if importlib.util.find_spec(tool) is None:
            pytest.skip(f"{tool} is not installed")
    for name, make in UNKNOWN.items():
        proposal = ae.propose_model(named(make()))
        test = proposal.test(name, PurePath("some where") / f"{name}.csv")
        (tmp_path / f"{name}.py").write_text(proposal.model, "utf-8")
        (tmp_path / f"test_{name}.py").write_text(test, "utf-8")
    for words in (
        ["ruff", "format", "--isolated", "--check", "."],
        ["ruff", "check", "--isolated", "."],  # by the rules that it has where nobody says any
        ["ruff", "check", "--isolated", "--select", "E,F,I,W,B,C4,SIM,RUF", "."],
        ["mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "."],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_long_lines_are_laid_out_as_ruff_does() -> None:
    pytest.importorskip("ruff")
    sheets = tuple(f"a_sheet_of_a_long_name_{number}" for number in range(4))
    words = tuple(f"word_{number}" for number in range(20))
    lines = [
        Line("plain", "text", None, {"natural_key": True, "length": 10}),
        Line("x" * 60, "decimal", None, {"precision": 12, "scale": 2}),
        Line("y", "text", None, {"source": sheets, "length": 10, "nullable": True}, "note " * 40),
        Line("z", "text", None, {"from_name": words}),
        Line("r", "integer", "table_of_a_long_name" * 4, {"natural_key": True}),
        Line("m", "boolean", None, {"words": {"Ja": True, "Nein": False}, "nullable": True}),
        Line("d", "date", None, {"format": 'a "quoted" %Y', "nullable": True}),
    ]
    classes = [Declared(f"Name{number}", "Entity", sheets, lines) for number in range(20)]
    text = write_model("About.", classes)
    code = f"{text}\n\n" + "\n".join(assign("SOURCE", call("dict", (), {"a": words, "b": "c"})))
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-"],
        input=code + "\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


# ---------------------------------------------------------------------------- what is done with it


@pytest.mark.parametrize("name", UNKNOWN)
def test_the_source_is_normalized_at_once_and_given_back(name: str, tmp_path: Path) -> None:
    source = put_sheets(tmp_path / "source", UNKNOWN[name]())
    proposal = ae.propose_model(source)
    sys.modules["model"] = made(proposal.model, "model")
    test = made(proposal.test("model", str(source)), "test_model")
    ran = [getattr(test, each)() for each in dir(test) if each.startswith("test_")]
    assert len(ran) == 2
    result = ae.normalize(ae.read_extract(source, model=test.MODEL), run=RUN, model=test.MODEL)
    assert len(result.rejects) == 0
    assert sum(map(len, result.tables.values())) > 0
    del sys.modules["model"]


def test_a_workbook_and_a_parquet_file_are_sources_too(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    pytest.importorskip("pyarrow")
    sheets = UNKNOWN["clinic"]()
    with pd.ExcelWriter(tmp_path / "clinic.xlsx") as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    UNKNOWN["prices"]()["stocks"].to_parquet(tmp_path / "stocks.parquet", index=False)
    book = ae.propose_model(tmp_path / "clinic.xlsx")
    assert book.model == ae.propose_model(named(sheets)).model
    assert ae.propose_model(tmp_path / "stocks.parquet").tables == {"Stock": 3}


def test_typing_errors_are_rejects_and_nothing_is_lost(tmp_path: Path) -> None:
    sheets = UNKNOWN["clinic"]()
    visits = sheets["Visits"]
    visits["Clinic Name"] = ["A typing error", *visits["Clinic Name"][1:]]
    visits["Patient No"] = [visits["Patient No"][0], "nobody", *visits["Patient No"][2:]]
    visits["Visit No"] = [*visits["Visit No"][:-1], visits["Visit No"][0]]
    source = put_sheets(tmp_path, sheets)
    proposal = ae.propose_model(source)
    model = model_of(proposal.model)
    result = ae.normalize(ae.read_extract(source, model=model), run=RUN, model=model)
    rules = set(result.rejects["rule"])
    assert {"conflicting_clinic_name", "unknown_patients", "duplicate_visit_no"} <= rules
    assert proposal.notes == {"1 rows repeat the key, and become rejects": ("Visit",)}


def test_the_read_options_are_told_on_and_secrets_are_not(tmp_path: Path) -> None:
    sheets = UNKNOWN["flights"]()
    source = put_sheets(tmp_path, sheets)
    told = {"na_values": ["NA"], "sheets": {"leg": "flights"}, "storage_options": {"key": "hush"}}
    proposal = ae.propose_model(source, read_options=told)
    assert proposal.tables == {"Leg": 4}
    assert "dep_delay: Series[int] = column(nullable=True)" in proposal.model
    assert proposal.options == {"na_values": ("NA",), "sheets": {"leg": "flights"}}
    text = proposal.test("model", {"leg": "s3://bucket/flights.csv"})
    assert 'SOURCE = dict(leg="s3://bucket/flights.csv")' in text
    assert 'SOURCE, model=MODEL, na_values=("NA",), sheets={"leg": "flights"}' in text
    assert "hush" not in repr(proposal) + text


def test_a_sheet_whose_name_says_nothing_is_called_like_its_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Loan No": ["a", "b"]})
    frame.to_csv(tmp_path / "Data 2.csv", index=False)
    assert ae.propose_model(tmp_path / "Data 2.csv", name="loans").tables == {"Loan": 1}
    assert ae.propose_model(ae.Extract(sheet1=frame), name="loans").tables == {"Loan": 1}
    assert ae.propose_model(ae.Extract(sheet1=frame)).tables == {"Row": 1}


def test_names_that_python_or_a_table_has_already_are_changed() -> None:
    frame = pd.DataFrame(
        {"Table No": ["1", "2"], "class": ["a", "b"], "created": ["x", "y"], "ref": ["1", "2"],
         "Table ID": ["7", "7"], "dt": ["2024-01-31", "2024-02-01"]}
    )  # fmt: skip
    proposal = ae.propose_model(ae.Extract(table=frame))
    model = model_of(proposal.model)
    assert 'class_: Series[str] = column(source="class", length=10)' in proposal.model
    result = ae.normalize(ae.Extract(table=frame), run=RUN, model=model)
    (table,) = result.tables
    assert list(result.tables[table].columns)[1:7] == [
        *("table_no", "class_", "created_", "ref_", "table_id", "dt_")
    ]


def test_a_key_called_like_the_number_of_its_rows_is_the_primary_key() -> None:
    frame = pd.DataFrame({"customer_id": ["k1", "k2"], "city": ["Ulm", "Bonn"]})
    orders = pd.DataFrame({"order_no": ["1", "2", "3"], "customer_id": ["k1", "k2", "k2"]})
    extract = ae.Extract(customers=frame, orders=orders)
    proposal = ae.propose_model(extract)
    assert "customer_id: Series[str] = column(primary_key=True, length=10)" in proposal.model
    assert 'customer_id: Series[str] = ref("customer", source="customer_id")' in proposal.model
    tables = ae.normalize(extract, run=RUN, model=model_of(proposal.model)).tables
    assert tables["order"]["customer_id"].tolist() == ["k1", "k2", "k2"]


def test_an_entity_of_two_sheets_is_declared_once() -> None:
    codes = [f"C{number % 9}" for number in range(200)]
    visits = pd.DataFrame({"visit_no": [f"v{n}" for n in range(200)], "clinic_code": codes})
    referrals = pd.DataFrame({"referral_no": [f"r{n}" for n in range(200)], "clinic_code": codes})
    visits["clinic_name"] = [f"House {code}" for code in codes]
    extract = ae.Extract(visits=visits, referrals=referrals)
    proposal = ae.propose_model(extract)
    assert proposal.tables == {"Clinic": 2, "Visit": 2, "Referral": 2}
    tables = ae.normalize(extract, run=RUN, model=model_of(proposal.model)).tables
    assert len(tables["clinic"]) == 9


def test_what_is_no_identifier_or_not_one_is_refused() -> None:
    with pytest.raises(ExtractError, match="'My Visits' is no identifier; give it as 'my_v"):
        ae.propose_model(ae.Extract.from_frames({"My Visits": pd.DataFrame({"a": ["1"]})}))
    with refused("duplicate_column"):
        ae.propose_model(ae.Extract(visits=pd.DataFrame({"A b": ["1"], "a_b": ["2"]})))
    with pytest.raises(ExtractError, match="sheet visits: no column"):
        ae.propose_model(ae.Extract(visits=pd.DataFrame({"a": ["x", "x"]})))
    with pytest.raises(ExtractError, match="and each column misses cells, or holds amounts or"):
        ae.propose_model(ae.Extract(visits=pd.DataFrame({"a": ["0.5", "1.5"]})))


def test_names_that_are_long_are_cut_at_a_word() -> None:
    question = "how satisfied are you with what the branch near your home does for you, all in all"
    sheet = question.replace(" ", "_").replace(",", "")
    extract = ae.Extract(**{sheet: pd.DataFrame({"id": ["1", "2"], question: ["4", "5"]})})
    proposal = ae.propose_model(extract)
    model = model_of(proposal.model)
    (table,) = model.tables
    assert table == "how_satisfied_are_you_with_what_the_branch_near"
    assert f'{table}: Series[int] = column(\n        source="{sheet}"\n' in proposal.model
    assert len(ae.normalize(extract, run=RUN, model=model).rejects) == 0


def test_a_sheet_without_rows_is_declared_by_its_headers(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("Name,Visit No,Fee\n")
    (tmp_path / "shops.csv").write_text("Name\n,\n".replace(",", ""))
    proposal = ae.propose_model(tmp_path)
    assert "visit_no: Series[str] = column(natural_key=True, length=128)" in proposal.model
    assert proposal.notes["there was no row to go by: its key and its types are guesses"] == (
        *("Shop", "Visit"),
    )
    model = model_of(proposal.model)
    result = ae.normalize(ae.read_extract(tmp_path, model=model), run=RUN, model=model)
    assert [len(table) for table in result.tables.values()] == [0, 0]


def test_rows_that_repeat_the_header_are_no_cells() -> None:
    frame = pd.DataFrame({"id": ["1", "Id", "2"], "Fee": ["1.5", " fee", "2.5"]})
    proposal = ae.propose_model(ae.Extract(visits=frame))
    assert "fee: Series[Decimal] = column(precision=12, scale=2)" in proposal.model
    model = model_of(proposal.model)
    result = ae.normalize(ae.Extract(visits=frame), run=RUN, model=model)
    assert result.rejects["rule"].tolist() == ["repeated_header"]


def test_commas_within_numbers_part_no_fields(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    for title in ("", "Visits of 2024\n"):
        path.write_text(f"{title}Id;Name;Fee\n1;Ann;1.234,50\n2;Bob;3,10\n")
        with refused("unsupported", match="has semicolons between its fields"):
            ae.propose_model(path)
    path.write_text("Visits; a draft\nId,Name\n1,Ann\n")
    assert ae.propose_model(path).tables == {"Visit": 2}


def test_a_key_is_named_by_its_header_too() -> None:
    extract = ae.Extract(visits=pd.DataFrame({"Visit No": ["1", "1"], "Day": ["x", "y"]}))
    assert ae.propose_model(extract, keys={"Visits": ["Visit No"]}).notes == {
        "1 rows repeat the key, and become rejects": ("Visit",)
    }


# ------------------------------------------------------------------------------------ the law

_HEADERS = ("id", "visit_no", "clinic_code", "clinic_name", "note", "class", "Fee", "created", "%")


@st.composite
def sheets_of_anything(draw: Any) -> dict[str, pd.DataFrame]:
    """Draw sheets of few rows, some of whose columns say the same as others."""
    out = {}
    for name in draw(
        st.lists(st.sampled_from(["visits", "tests", "patients"]), min_size=1, unique=True)
    ):
        count = draw(st.integers(1, 40))
        frame = {f"{name[:-1]}_no": [f"{name[0]}{row}" for row in range(count)]}
        for header in draw(st.lists(st.sampled_from(_HEADERS), unique=True)):
            cells = draw(st.lists(st.sampled_from(draw(_SOME_CELLS)), min_size=1, max_size=9))
            frame[header] = [cells[row % len(cells)] for row in range(count)]
        out[name] = pd.DataFrame(frame, dtype=object)
    return out


_CELL = st.one_of(
    st.integers(-999, 9999).map(str),
    st.sampled_from(["Y", "N", "NA", "1,234.50", "$5", "2024-01-31", "31/01/2024", "1e5", None]),
    st.text("aZ0.-/ ", min_size=1, max_size=6),
)
_SOME_CELLS = st.lists(_CELL, min_size=1, max_size=6)


@given(sheets_of_anything())
def test_a_model_normalizes_what_it_was_made_of(sheets: dict[str, pd.DataFrame]) -> None:
    extract = ae.Extract.from_frames(sheets)
    try:
        proposal = ae.propose_model(extract)
    except ExtractError:  # nothing tells rows apart
        return
    model = model_of(proposal.model)
    tables = ae.normalize(extract, run=RUN, model=model).tables
    again = ae.normalize(ae.denormalize(tables, model=model), run=RUN, model=model)
    assert again.tables.equals(tables)
    assert len(again.rejects) == 0
