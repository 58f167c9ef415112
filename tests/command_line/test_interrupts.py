"""Ctrl-C is one line and status 130 at any time, and leaves nothing that is half written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from tests.support.borrowers import RUN, write_borrowers

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")

SCRIPT = Path(sys.executable).with_name("aspen-etl")

#: Read by Python as it starts: Ctrl-C comes when a module is asked for.
_AT_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""

#: Ctrl-C comes while a thread waits for what never answers, or when a function is called.
_IN_A_THREAD = """
import os, signal, sys, threading
from aspen_etl import __main__ as program
from aspen_etl.columns import threads
from aspen_etl.command_line import extracting, interrupts
interrupts._GRACE = 0.2
threads._cores = lambda: 2
def read(*_, **__):
    threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
    threads.map_threads(lambda _: threading.Event().wait(), [1, 2], rows=threads.UNKNOWN_ROWS)
extracting.read_extract = read
sys.argv = ["aspen-etl", "normalize", "in", "out"]
program.run()
"""
_IN_A_COMMIT = """
import os, signal, sys
from aspen_etl import __main__ as program
from aspen_etl.io import batch
put, calls = batch.Batch.put, []
def interrupted(*given, **more):
    calls.append(1)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGINT)
    return put(*given, **more)
batch.Batch.put = interrupted
sys.argv = ["aspen-etl", "sync", "next", "store"]
program.run()
"""
_IGNORING = """
import os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from aspen_etl.command_line import interrupts
for handle in (interrupts.leave_at_once, interrupts.unwind_first):
    handle()
    os.kill(os.getpid(), signal.SIGINT)
print("goes on")
"""


def run(folder: Path, *command: str, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        command,
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("module", ["aspen_etl.command_line.program", "pandas._libs.lib"])
@pytest.mark.parametrize(
    "command", [(sys.executable, "-m", "aspen_etl"), (str(SCRIPT),)], ids=["module", "script"]
)
def test_ctrl_c_while_modules_are_imported_is_one_line(
    command: tuple[str, ...], module: str, tmp_path: Path
) -> None:
    if not Path(command[0]).exists():
        pytest.skip("the package is not installed with its script")
    (tmp_path / "sitecustomize.py").write_text(_AT_IMPORT)
    more = {"PYTHONPATH": str(tmp_path), "INTERRUPT_AT": module}
    assert run(tmp_path, *command, "demo", "out", **more) == (130, "", "aspen-etl: interrupted\n")
    assert not (tmp_path / "out").exists()


def test_ctrl_c_does_not_wait_for_a_thread_that_never_ends(tmp_path: Path) -> None:
    done = run(tmp_path, sys.executable, "-c", _IN_A_THREAD)
    assert done == (130, "", "aspen-etl: interrupted\n")


def test_ctrl_c_in_a_commit_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = ae.SnapshotStore(str(tmp_path / "store"))
    ae.sync(write_borrowers(tmp_path / "first", ["Ann A"]), store, run=RUN)
    write_borrowers(tmp_path / "next", ["Ann B", "Cy D"])
    done = run(tmp_path, sys.executable, "-c", _IN_A_COMMIT)
    assert done == (130, "", "aspen-etl: interrupted\n")
    assert store.find().version == 1
    assert store.verify().problems == ()
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_process_that_ignores_ctrl_c_goes_on(tmp_path: Path) -> None:
    done = run(tmp_path, sys.executable, "-c", _IGNORING)
    assert done == (0, "goes on\n", "")


def test_an_interrupted_call_gives_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("aspen_etl.command_line.extracting.read_extract", interrupted)
    assert main(["normalize", "in", "out", "--debug"]) == 130
    assert capsys.readouterr() == ("", "aspen-etl: interrupted\n")
