"""The command line: what it prints, what it writes, how it ends."""

from __future__ import annotations

import io
import json
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from aspen_etl.command_line.extracting import SAMPLE
from aspen_etl.errors import ValidationError
from tests.support.borrowers import RUN

SAMPLE_WORKBOOK = Path(ae.__file__).parent / SAMPLE
FILES = {f"{name}.csv" for name in ae.BORROWER_MODEL.tables} | {"rejects.csv", "datapackage.json"}


def test_demo_writes_nine_tables_and_the_rejects(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", str(tmp_path / "out")]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    printed = capsys.readouterr().out
    assert "borrower                        14          12           2           1" in printed
    assert "borrower.email                invalid_email (value)" in printed


def test_demo_can_be_repeated(tmp_path: Path) -> None:
    assert main(["demo", str(tmp_path / "out")]) == 0
    assert main(["demo", str(tmp_path / "out")]) == 0


def test_no_cell_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo", str(tmp_path / "out")])
    captured = capsys.readouterr()
    extract = ae.read_extract(SAMPLE_WORKBOOK)
    cells = pd.unique(pd.concat([extract["borrower"][c] for c in extract["borrower"]]).dropna())
    assert [cell for cell in cells if cell in captured.out + captured.err] == []


def test_normalize_writes_what_the_functions_give(tmp_path: Path) -> None:
    target = str(tmp_path / "out")
    assert main(["normalize", str(SAMPLE_WORKBOOK), target, "--actor", "nightly"]) == 0
    tables = ae.read_tables(target)
    assert set(tables["user"]["created_by"]) == {"nightly"}
    run = ae.Run(time=tables["user"]["created"].iloc[0], actor="nightly")
    assert tables.equals(ae.normalize(ae.read_extract(SAMPLE_WORKBOOK), run=run).tables)


def test_a_folder_that_holds_tables_is_refused_until_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["normalize", str(SAMPLE_WORKBOOK), str(tmp_path / "out")]
    assert main(command) == 0
    assert main(command) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


def test_headers_sheets_and_missing_tokens_can_be_named(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    columns = list(ae.BORROWER_MODEL.sources["borrower"].columns)
    people = pd.DataFrame([["b1", "Ada Lee", "-", *[None] * 6, "x"]], columns=[*columns, "note"])
    people.rename(columns={"full_name": "Name"}).to_csv(folder / "people.csv", index=False)
    (folder / "role_profile.csv").write_text("borrower_id,role_profile\n")
    options = ["--sheet", "borrower=people", "--column", "Name=full_name"]
    options += ["--ignore-column", "note", "--na-values", "-", "--header-row", "1"]
    assert main(["normalize", str(folder), str(tmp_path / "out"), *options]) == 0
    tables = ae.read_tables(tmp_path / "out")
    assert tables["user_profile"]["last_name"].tolist() == ["Lee"]
    assert len(tables["address"]) == 0


@pytest.mark.parametrize(
    "options", ["--header-row borrower=2 --header-row role_profile=3", "--header-row borrower=2"]
)
def test_each_sheet_may_have_its_header_in_a_row_of_its_own(tmp_path: Path, options: str) -> None:
    titles = {"borrower": "May,2026\n", "role_profile": "Roles\n\n"}
    for name, source in ae.BORROWER_MODEL.sources.items():
        header = ",".join(source.columns)
        (tmp_path / f"{name}.csv").write_text(f"{titles[name]}{header}\n")
    assert main(["normalize", str(tmp_path), str(tmp_path / "out"), *options.split()]) == 0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ("--header-row =3", "write it as [SOURCE=]N"),
        ("--header-row borrower=x", "is no whole number from 1 on"),
        ("--header-row 3 --header-row borrower=4", "give one number, or SOURCE=N for each"),
        ("--header-row borrower=4 --header-row 3", "give one number, or SOURCE=N for each"),
    ],
)
def test_a_row_of_a_header_that_is_none_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], options: str, match: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["normalize", "in", "out", *options.split()])
    assert caught.value.code == 2
    assert match in capsys.readouterr().err


def test_a_model_of_ones_own_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("acme_own.py").write_text(
        "import aspen_etl as ae\n"
        "MODEL = ae.borrower_model(classify_email=lambda emails: emails.str.partition('@')[2])\n"
    )
    command = ["normalize", str(SAMPLE_WORKBOOK), "out", "--model", "acme_own:MODEL"]
    assert main(command) == 0
    assert "caldwell.example" in set(ae.read_tables("out")["email_type"]["type"])


@pytest.mark.parametrize("name", ["no_such_module:MODEL", "json:MODEL", "json:dumps"])
def test_what_is_no_model_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    command = ["normalize", str(SAMPLE_WORKBOOK), str(tmp_path / "out"), "--model", name]
    assert main(command) == 1
    assert "names no model" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["normalize"], ["demo", "--format", "x"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as found:
        main(arguments)
    assert found.value.code == 2


def test_a_pair_without_its_equals_sign_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as found:
        main(["normalize", "x", "y", "--sheet", "borrower"])
    assert found.value.code == 2


def test_an_error_of_ours_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["normalize", str(tmp_path / "none.xlsx"), str(tmp_path / "out")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_debug_shows_where_an_error_arose(tmp_path: Path) -> None:
    with pytest.raises(ae.AspenETLError):
        main(["normalize", str(tmp_path / "none.xlsx"), str(tmp_path / "out"), "--debug"])


@pytest.mark.parametrize("text", ["", "[]", '{"s3": 1}'])
def test_storage_options_that_cannot_be_used_are_an_error_that_hides_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "options.json").write_text(text)
    command = ["normalize", "memory://in", "memory://out", "--storage-options"]
    assert main([*command, str(tmp_path / "options.json")]) == 1
    assert "cannot be used" in capsys.readouterr().err


def test_storage_options_reach_the_filesystem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = tmp_path / "options.json"
    options.write_text(json.dumps({"file": {"auto_mkdir": False}}))
    target = str(tmp_path / "out")
    command = ["normalize", str(SAMPLE_WORKBOOK), target, "--storage-options", str(options)]
    assert main(command) == 0
    assert f"Written to {target}" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_words_that_cannot_be_said_are_a_failure() -> None:
    command = [sys.executable, "-m", "aspen_etl", "schema", "markdown"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode == 1
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_reports_are_one_json_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = ae.normalize(ae.read_extract(SAMPLE_WORKBOOK), run=RUN)
    expected = json.loads(json.dumps(result.summary.to_dict()))
    for number, command in enumerate((["normalize", str(SAMPLE_WORKBOOK)], ["demo"])):
        target = tmp_path / str(number)
        assert main([*command, str(target), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        sizes = {path.name: path.stat().st_size for path in target.iterdir()}
        assert told == {"target": str(target), "files": sizes, **expected}


def test_an_error_is_one_json_value_with_its_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(tmp_path / "none.xlsx")
    assert main(["normalize", url, "out", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "error": "SourceNotFoundError",
        "message": f"there is no file and no folder at {url}; check the path",
        "details": {"url": url},
    }


def test_what_is_no_plain_value_is_no_part_for_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        frame = pd.DataFrame({"row": [1]})
        parts = {"names": ("a", "b"), "by": {"x": 1, "frame": frame}}
        raise ValidationError("broken", failures=frame, **parts)

    monkeypatch.setattr("aspen_etl.command_line.extracting.read_extract", fail)
    assert main(["normalize", "in", str(tmp_path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["details"] == {"names": ["a", "b"], "by": {"x": 1}}


def test_what_nobody_expected_says_where_and_no_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        pd.Series(["Ada Ek"]).astype(int)

    monkeypatch.setattr("aspen_etl.command_line.extracting.read_extract", fail)
    assert main(["normalize", "in", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("aspen-etl: unexpected ValueError in pandas.")
    assert ", called by aspen_etl.command_line.extracting, line " in line
    assert "please report this line, which holds no cell" in line
    assert line.endswith(f"(aspen_etl {ae.__version__}, Python {platform.python_version()})")
    assert "Ada" not in line


def test_a_reader_that_has_enough_is_no_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())
    assert main(["schema", "dbml"]) == 1
    assert capsys.readouterr().err == ""


def test_the_version_is_that_of_the_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ae.__version__ == metadata.version("aspen-etl")
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"{ae.__version__}\n")

    def absent(_: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "version", absent)
    assert ae.__getattr__("__version__") == "unknown"
    monkeypatch.undo()
    ae.__dict__.pop("__version__")
