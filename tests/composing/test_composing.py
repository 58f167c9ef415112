"""Composing is real: a package of its own, 25 lines, nothing of the library touched."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from hypothesis import given

import aspen_etl as ae
from aspen_etl.errors import ModelError
from aspen_etl.testing import assert_laws, extracts
from tests.support.effort import some
from tests.support.environments import run
from tests.support.services import require_service

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parents[1]
MODULE = PACKAGE / "src" / "acme_loans" / "__init__.py"
DESTINATION = ', source="borrower.employer"'

RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="acme")


def load(text: str) -> dict[str, Any]:
    """Run the module's text, which may have been changed."""
    # pandera looks names up in the module of a class.
    module = ModuleType("acme_loans_changed")
    sys.modules[module.__name__] = module
    code = compile(text, str(MODULE), "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102 - our own file
    return module.__dict__


MODEL: ae.Model = load(MODULE.read_text("utf-8"))["MODEL"]

# ------------------------------------------------------------------------- in this process


def test_the_package_takes_25_lines() -> None:
    lines = MODULE.read_text("utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 25


def test_the_package_adds_a_column_and_a_tenth_table() -> None:
    assert list(MODEL.tables) == [*ae.BORROWER_MODEL.tables, "loan"]
    assert [c.name for c in MODEL.tables["user_profile"].own_columns] == [
        *("user_profile_id", "first_name", "last_name", "employer")
    ]


def test_what_the_package_adds_is_filled_cleaned_and_given_back() -> None:
    borrower = dict.fromkeys(MODEL.sources["borrower"].columns)
    extract = ae.Extract(
        borrower=pd.DataFrame(
            [
                {**borrower, "id": "b", "full_name": "Bo", "phone_cell": "(617) 555-0100"},
                {**borrower, "id": "a", "full_name": "Ada", "employer": " Acme  Inc "},
            ]
        ),
        role_profile=pd.DataFrame({"borrower_id": [], "role_profile": []}),
        loan=pd.DataFrame({"number": ["L2", "L1", "L3"], "borrower_id": ["b", "b", "nobody"]}),
    )
    result = ae.normalize(extract, model=MODEL, run=RUN)
    profiles = result.tables["user_profile"]
    assert profiles["employer"].fillna("").tolist() == ["Acme Inc", ""]
    assert result.tables["loan"][["loan_id", "number", "user_id"]].to_numpy().tolist() == [
        [1, "L1", 2],
        [2, "L2", 2],
    ]
    assert result.tables["phone_number"]["value"].tolist() == ["617.555.0100"]
    assert result.rejects[["source", "row", "column", "rule"]].to_numpy().tolist() == [
        ["loan", 4, "borrower_id", "unknown_borrower"]
    ]
    back = ae.denormalize(result.tables, model=MODEL)
    assert back["loan"].to_numpy().tolist() == [["L1", "b"], ["L2", "b"]]


@some(5, least=5)
@given(extracts(MODEL, faults="all"))
def test_the_laws_hold_for_the_package(extract: ae.Extract) -> None:
    assert_laws(extract, model=MODEL)


def test_a_column_without_a_destination_is_refused_and_the_text_says_how_to_mend_it() -> None:
    text = MODULE.read_text("utf-8")
    assert text.count(DESTINATION) == 1
    with pytest.raises(ModelError, match=r"borrower\.employer") as caught:
        load(text.replace(DESTINATION, ""))
    assert "column(source='borrower.employer')" in str(caught.value)


# ------------------------------------------------------------------------- in its own environment

LAWS = """
import acme_loans, aspen_etl, hypothesis
from aspen_etl.testing import assert_laws, extracts

@hypothesis.settings(max_examples=10, deadline=None, database=None, derandomize=True,
                     suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(extracts(acme_loans.MODEL, faults="all"))
def laws_hold(extract):
    assert_laws(extract, model=acme_loans.MODEL)

laws_hold()
print(aspen_etl.__file__)
print(acme_loans.__file__)
"""


def install(environment: Path, *requirements: object, cwd: Path) -> None:
    """Install into an environment, with uv where it is there."""
    uv = shutil.which("uv")
    python = environment / "bin" / "python"
    tool = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    done = run(*tool, "--quiet", *requirements, cwd=cwd)
    require_service("a package registry", done.returncode == 0, done.stderr[-500:])


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment that holds the library, as a wheel, and the package."""
    if not (CHECKOUT / "pyproject.toml").is_file():
        pytest.skip("the sources are not here, so no wheel can be built of them")
    folder = tmp_path_factory.mktemp("composing")
    made = folder / "env"
    done = run(sys.executable, "-m", "venv", made, cwd=folder)
    assert done.returncode == 0, done.stderr
    copy = folder / "acme"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    types = ["mypy", "pandas-stubs"] if sys.version_info >= (3, 10) else []
    install(made, f"aspen-etl[testing] @ {CHECKOUT.as_uri()}", copy, *types, cwd=folder)
    return made


@pytest.mark.slow
def test_the_laws_hold_in_the_environment_of_the_package(environment: Path) -> None:
    done = run(environment / "bin" / "python", "-c", LAWS, cwd=environment)
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(str(environment)) for line in done.stdout.split())


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info < (3, 10), reason="the stubs of pandas need Python 3.10")
def test_mypy_accepts_the_package(environment: Path) -> None:
    done = run(environment / "bin" / "mypy", "--strict", "-p", "acme_loans", cwd=environment)
    assert (done.returncode, done.stdout) == (0, "Success: no issues found in 1 source file\n")


@pytest.mark.slow
def test_without_its_destination_the_package_is_red(environment: Path) -> None:
    (installed,) = environment.glob("lib/python*/site-packages/acme_loans/__init__.py")
    text = installed.read_text("utf-8")
    installed.write_text(text.replace(DESTINATION, ""), encoding="utf-8")
    done = run(environment / "bin" / "python", "-c", LAWS, cwd=environment)
    installed.write_text(text, encoding="utf-8")
    assert done.returncode == 1
    assert re.search(r"ModelError: .*borrower\.employer.*goes nowhere", done.stderr)
