"""init: it writes a model and a test, over nothing, and prints what comes next."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aspen_etl.__main__ import main
from tests.support.unknown import UNKNOWN, put_sheets


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in an empty folder, and forget the models that are imported from it."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in {"model", "loans", "a model"} & (set(sys.modules) - before):
        del sys.modules[name]


def test_the_command_that_is_printed_normalizes_the_source_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_sheets(folder / "the clinic", UNKNOWN["clinic"]())
    assert main(["init", "the clinic"]) == 0
    printed = capsys.readouterr().out
    assert "  Insurer                          2\n" in printed
    (line,) = [each for each in printed.splitlines() if " normalize " in each]
    words = shlex.split(line)
    assert words == [
        *("aspen-etl", "normalize", "the clinic", "tables", "--model", "model.py:MODEL")
    ]
    assert main(words[1:]) == 0
    assert "rejected: nothing" in capsys.readouterr().out
    assert (folder / "tables" / "test_type.csv").exists()


@pytest.mark.slow
def test_the_test_that_is_written_passes_wherever_it_is_run_from(folder: Path) -> None:
    put_sheets(folder / "in", UNKNOWN["order_lines"]())
    (folder / "models").mkdir()
    assert main(["init", "in/order_lines.csv", "-o", "models/loans.py"]) == 0
    for at, path in ((folder, "models/test_loans.py"), (folder / "models", "test_loans.py")):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path],
            cwd=at, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_how_the_source_is_read_is_told_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_sheets(folder, UNKNOWN["flights"]())
    options = ["--na-values", "NA", "--na-values", "n a", "--sheet", "leg=flights"]
    options += ["--ignore-column", "carrier", "--header-row", "leg=1", "--column", "flight=number"]
    options += ["--key", "leg=number,time_hour"]
    assert main(["init", ".", "-o", "loans.py", "--json", *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tables"] == {"Leg": 3}
    assert told["notes"].keys() == {"720 rows repeat the key, and become rejects"} or told["notes"]
    words = shlex.split(told["normalize"])
    assert words[:6] == ["aspen-etl", "normalize", ".", "tables", "--model", "loans.py:MODEL"]
    assert sorted(words[6:]) == sorted(options[:-2])
    assert main(words[1:]) == 0
    assert "na_values=(" in (folder / "test_loans.py").read_text("utf-8")


@pytest.mark.parametrize("there", ["model.py", "test_model.py"])
def test_nothing_is_written_over(
    there: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_sheets(folder, UNKNOWN["prices"]())
    (folder / there).write_text("mine")
    assert main(["init", "stocks.csv"]) == 1
    assert f"'{there}' is there already; nothing was written" in capsys.readouterr().err
    assert (folder / there).read_text() == "mine"
    assert {path.name for path in folder.iterdir()} == {there, "stocks.csv"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.csv"], "nowhere.csv"),
        (["stocks.csv", "-o", "a model.py"], "a model.py can be no module; give a name such as"),
        (["stocks.csv", "-o", "model.txt"], "can be no module"),
        (["stocks.csv", "-o", "."], ". can be no module"),
        (["stocks.csv", "-o", ""], "an empty name can be no module"),
        (["stocks.csv", "-o", "class.py"], "can be no module"),
        (["stocks.csv", "-o", "json.py"], "would hide a module that is installed here"),
        (["stocks.csv", "-o", "sys.py"], "would hide a module that is installed here"),
        (["stocks.csv", "-o", "memory://model.py"], "is no path of this machine"),
        (["stocks.csv", "-o", "no/where/model.py"], "there is no folder no/where; make it, or"),
        (["-"], "init takes no standard input, for the test reads the source again"),
        (["shifts.csv"], "nearest are 'nurse', 'ward' (repeated by 44)"),
        (["shifts.csv", "--key", "shifts=day"], "no column 'day' to be its key"),
        (["shifts.csv", "--key", "shift=ward"], "keys= names 'shift', which is no sheet"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_left(
    words: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_sheets(folder, UNKNOWN["prices"]())
    rows = "".join(f"N{n % 9},W{n % 4}\n" for n in range(80))
    (folder / "shifts.csv").write_text(f"nurse,ward\n{rows}")
    assert main(["init", *words]) == 1
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
    assert {path.name for path in folder.iterdir()} == {"shifts.csv", "stocks.csv"}


def test_no_cell_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheets = UNKNOWN["people"]()
    put_sheets(folder, sheets)
    assert main(["init", "people.csv"]) == 0
    printed = capsys.readouterr()
    cells = {str(cell) for at in sheets["people"] for cell in sheets["people"][at].dropna()}
    assert [cell for cell in cells if cell in printed.out + printed.err] == []


def test_a_model_is_named_by_the_path_of_its_file_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a folder").mkdir()
    put_sheets(folder, UNKNOWN["prices"]())
    assert main(["init", "stocks.csv", "-o", "a folder/loans.py"]) == 0
    assert main(["schema", "markdown", "--model", "a folder/loans.py:MODEL"]) == 0
    assert main(["schema", "markdown", "--model", "a folder/loans.py"]) == 0
    assert main(["schema", "markdown", "--model", "a folder/other.py:MODEL"]) == 1
    assert "there is no module other" in capsys.readouterr().err
