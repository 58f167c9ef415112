"""A model of one's own that cannot be had: the message names the true cause."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aspen_etl.__main__ import main
from aspen_etl.borrower import BORROWER_MODEL
from aspen_etl.command_line.models import load_model
from aspen_etl.errors import ModelError

MODULES = {
    "late": "raise OSError('hush')\n",
    "leaves": "import sys\nsys.exit(3)\n",
    "ends": "raise SystemExit\n",
    "needy": "import no_such_package\n",
    "broken": "\ndef (\n",
    "endless": "import endless_too\n",
    "endless_too": "def f():\n    f()\nf()\n",
    "declared": "import aspen_etl as ae\nae.column(length=-1)\n",
    "hollow": "",
    "good": "import aspen_etl as ae\nprint('hello')\nLOANS = ae.BORROWER_MODEL\nNUMBER = 7\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder of such modules, and forget them afterwards."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield tmp_path
    assert sys.path == path
    for name in MODULES:
        sys.modules.pop(name, None)


def test_a_model_is_found_in_the_working_folder_and_what_its_module_prints_is_no_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["status", "nowhere", "--json", "--model", "good:LOANS"]) in {0, 1}
    printed = capsys.readouterr()
    assert isinstance(json.loads(printed.out), dict)
    assert printed.err.startswith("hello\n")
    assert load_model("good:LOANS") is BORROWER_MODEL
    assert load_model("aspen_etl:BORROWER_MODEL") is load_model(None)


@pytest.mark.parametrize(
    "name", ["", ":LOANS", "good:", "a b", ".good", "good..x", "good:a.b", "1"]
)
def test_what_is_no_name_is_told_how_to_write_it(name: str) -> None:
    said = f"--model {name!r} names no model: a module's name, a colon, and the model's name are"
    with pytest.raises(ModelError) as found:
        load_model(name)
    assert str(found.value).startswith(said)
    assert "acme.loans:MODEL" in str(found.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("late:M", "importing late failed: OSError in .*late.py, line 1"),
        ("leaves:M", "importing leaves failed: SystemExit in .*leaves.py, line 2"),
        ("ends:M", "importing ends failed: SystemExit in .*ends.py, line 1"),
        ("needy:M", "it needs the module no_such_package, which is not installed"),
        ("broken:M", "SyntaxError in .*broken.py, line 2"),
        ("endless:M", "RecursionError in .*endless_too.py, line 2"),
        ("declared:M", "importing declared failed: length=-1 leaves no room for text"),
        ("hollow", "hollow has no MODEL .the models there: none"),
        ("good", "good has no MODEL .the models there: 'LOANS'"),
        ("good:NUMBER", "NUMBER is of type int .the models there: 'LOANS'"),
        ("nowhere.at.all:M", "there is no module nowhere here, nor in Python's path"),
        ("good.inner:M", "there is no module good.inner here"),
    ],
)
def test_the_cause_is_named(name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=said):
        load_model(name)
    assert main(["schema", "dbml", "--model", name]) == 1
    printed = capsys.readouterr()
    (line,) = (each for each in printed.err.splitlines() if each != "hello")
    assert "hush" not in line
    assert printed.out == ""


def test_a_working_folder_that_is_gone_is_no_matter(folder: Path) -> None:
    gone = folder / "gone"
    gone.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(gone)
        gone.rmdir()
        with pytest.raises(ModelError, match="there is no module nowhere"):
            load_model("nowhere:M")
