"""`aspen_etl.testing` needs Hypothesis, says so, and its laws can be broken."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.testing import assert_laws
from aspen_etl.testing._laws import assert_tables_are_sound
from aspen_etl.testing._privacy import CANARY
from tests.transform.sheets import ADA, BO, RUN, extract

GIVEN = extract(BO, ADA, roles=(("a", "x"),))


def test_without_hypothesis_the_error_says_how_to_install_it() -> None:
    code = (
        "import importlib.util as u, sys\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'hypothesis' else found(name, *rest)\n"
        "import aspen_etl.testing\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "MissingDependencyError: aspen_etl.testing needs the package hypothesis, which is not "
        "installed; run: pip install 'aspen-etl[testing]'"
    )


def test_the_laws_hold_for_a_small_extract() -> None:
    assert_laws(GIVEN)
    assert_laws(GIVEN, run=RUN)


def broken(model_changes: dict[str, object]) -> str:
    """Give the text with which a law fails for a changed model."""
    model = ae.BORROWER_MODEL.replace(**model_changes)  # type: ignore[arg-type]
    with pytest.raises(AssertionError) as caught:
        assert_laws(GIVEN, model=model)
    return str(caught.value)


def test_a_cleaner_that_depends_on_the_order_of_rows_breaks_law_1() -> None:
    def numbered(values: pd.Series) -> pd.Series:
        return values + " " + pd.Series(range(len(values)), index=values.index).astype(str)

    text = broken({"cleaners": {"borrower.full_name": numbered}})
    assert text == "law 1: another order of rows gives another table 'user_profile'"


def test_a_cleaner_that_prints_breaks_law_12(caplog: pytest.LogCaptureFixture) -> None:
    import logging

    def talking(values: pd.Series) -> pd.Series:
        logging.getLogger("mine").info("cells: %s", values.tolist())
        return values

    assert broken({"cleaners": {"borrower.city": talking}}) == "law 12: a cell is told by log"
    assert CANARY in caplog.text or caplog.text == ""


def test_a_builder_whose_inverse_is_wrong_breaks_the_proof() -> None:
    build = ae.BORROWER_MODEL.builders["user_profile"].build
    model = ae.BORROWER_MODEL.replace(
        builders={
            "user_profile": ae.schema.Builder(build, lambda rows: {"full_name": rows["first_name"]})
        }
    )
    with pytest.raises(AssertionError, match="the proof failed"):
        assert_laws(GIVEN, model=model)


@pytest.mark.parametrize(
    ("table", "column", "cell", "text"),
    [
        ("user", "user_id", 1, "primary_key"),
        ("user_profile", "first_name", " x", "law 3: user_profile.first_name holds"),
        ("user_profile", "first_name", "x\0", "law 3: user_profile.first_name holds"),
    ],
)
def test_unsound_tables_break_law_3(table: str, column: str, cell: object, text: str) -> None:
    tables = ae.normalize(GIVEN, run=RUN).tables
    frame = tables[table].copy()
    frame[column] = pd.Series([cell] * len(frame), dtype=frame[column].dtype)
    with pytest.raises((AssertionError, ae.AspenETLError), match=text):
        assert_tables_are_sound(ae.Tables({**tables, table: frame}), ae.BORROWER_MODEL)
