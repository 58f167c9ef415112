"""Whatever the words are, the command line ends with a status of its own and a line that tells why.

The words come from the parser itself: every command with every option, and values for them that are
right, odd or absurd. Nothing is written outside of the test's folder, nor asked of a network.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from aspen_etl.command_line.output import take_any_text
from aspen_etl.command_line.program import make_parser
from tests.support.borrowers import RUN, write_borrowers

#: What a person, a script or a shell with a slip may put in the place of a value.
ODD = (
    *("", " ", "-", "--", ".", "..", "~", "~nobody/x", "a\nb", "ü", "\udcff", "%00", "a" * 5_000),
    *("nan", "inf", "-inf", "-1", "0", "1", "2", "1e20", "1e-320", "0x1", "9" * 5_000, "１", "½"),
    *("1,5", "1_0", " 3 ", "None", "true", "null", "[]", "{}", "=", "a=", "=a", "borrower=x"),
    *("memory://", "memory::", "nowhere://x", "file:///dev/null", "file://elsewhere/x", "data:,x"),
    *("zip://a::b", "::", "a::b", "http://127.0.0.1:9/x", "http://[", "http://u:p@h:x/"),
    *("in", "in/borrower.csv", "store", "tables", "plain.txt", "empty.xlsx", "/dev/null"),
    *("ok:MODEL", "late:MODEL", "empty", ":MODEL", "os", "id=full_name", "csv", "parquet", "dbml"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a source, a store, tables, and files that are none of these."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("ASPEN_ETL_DATABASE_URL", raising=False)
    source = write_borrowers(home / "in", ["Ann A", "Bob B"])
    ae.sync(source, "store", run=RUN)
    ae.write_tables(ae.SnapshotStore("store").read().tables, "tables")
    for name, text in {
        "ok.py": "import aspen_etl as ae\nMODEL = ae.BORROWER_MODEL\n",
        "late.py": "raise OSError\n",
        "empty.py": "",
        "empty.xlsx": "",
        "plain.txt": "100\n",
    }.items():
        (home / name).write_text(text)
    return home


def words_of(parser: argparse.ArgumentParser, pick: random.Random) -> Iterator[str]:
    """Make up words for a command: its arguments, and some of its options."""
    actions = [action for action in parser._actions if action.dest not in {"help", "debug"}]
    named = [action for action in actions if action.option_strings]
    for action in pick.sample(named, min(len(named), pick.randrange(4))):
        name = action.option_strings[0]
        if action.nargs == 0:
            yield name
        elif pick.random() < 0.5:
            yield f"{name}={pick.choice(ODD)}"
        else:
            yield from (name, pick.choice(ODD))
    for action in actions:
        if not action.option_strings:
            right = {"source": "in", "store": "store", "form": "dbml"}.get(action.dest, "out")
            yield right if pick.random() < 0.5 else pick.choice(ODD)


def one_each() -> Iterator[tuple[str, ...]]:
    """Give every option of every command, with odd values in turn."""
    number = 0
    for command, parser in make_parser().commands.items():
        for action in parser._actions:
            if action.option_strings and action.nargs != 0:
                right = {"schema": ("dbml",), "restore": ("store", "1"), "demo": ("out",)}
                given = right.get(command, ("in", "store") if "plan" in command else ("store",))
                for _ in range(2):
                    number += 7
                    yield (command, *given, f"{action.option_strings[0]}={ODD[number % len(ODD)]}")


def made_up(count: int, seed: int = 7) -> Iterator[tuple[str, ...]]:
    """Make up command lines, the same for one seed."""
    pick = random.Random(seed)  # noqa: S311 - no secret
    commands = dict(make_parser().commands)
    for _ in range(count):
        name = pick.choice(list(commands))
        yield (name, *words_of(commands[name], pick))


def faults_of(words: tuple[str, ...]) -> str:
    """Run words, and say what is not as promised."""
    out, err = io.TextIOWrapper(io.BytesIO(), "ascii"), io.StringIO()
    take_any_text(out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"100\n")))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status: object = main(words)
            except SystemExit as ended:
                status = ended.code
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                return f"raised {type(error).__name__}"
    out.seek(0)
    told = out.read()
    printed = told + err.getvalue()
    if status not in {0, 1, 2, 3}:
        return f"status {status}"
    if "unexpected" in printed or "Traceback" in printed:
        return err.getvalue()
    if status in {1, 2} and not printed.strip():
        return "nothing is told"
    if "--json" in words:
        json.loads(told)
    return ""


@pytest.mark.usefixtures("folder")
def test_every_option_takes_any_value() -> None:
    faults = {" ".join(words): faults_of(words) for words in one_each()}
    assert {words: fault for words, fault in faults.items() if fault} == {}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "count", [150, pytest.param(5_000, marks=pytest.mark.exhaustive)], ids=["some", "many"]
)
def test_no_words_end_in_what_nobody_expected(count: int) -> None:
    faults = {" ".join(words): faults_of(words) for words in made_up(count)}
    assert {words: fault for words, fault in faults.items() if fault} == {}
