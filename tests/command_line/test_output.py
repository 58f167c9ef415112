"""What is shown while a command works, and that any text can be shown."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import pytest

from aspen_etl.__main__ import main
from aspen_etl.command_line.output import Steps, progress, take_any_text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def look(patch: pytest.MonkeyPatch) -> Terminal:
    """Let somebody look at standard error, and let no time pass."""
    shown = Terminal()
    patch.setattr("sys.stderr", shown)
    patch.setattr("time.perf_counter", lambda: 1.0)
    return shown


def test_steps_are_shown_with_their_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look(monkeypatch)
    with Steps() as steps:
        steps("looking")
        steps("reading")
    assert terminal.getvalue() == "looking ...\rlooking ... 0.0 s\nreading ...\rreading ... 0.0 s\n"


def test_a_step_that_fails_ends_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look(monkeypatch)
    with contextlib.suppress(ZeroDivisionError), Steps() as steps:
        steps("looking")
        raise ZeroDivisionError
    with contextlib.suppress(ZeroDivisionError), progress("reading"):
        raise ZeroDivisionError
    assert terminal.getvalue() == "looking ...\nreading ...\n"


def test_steps_are_not_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with Steps() as steps:
        steps("looking")
    assert capsys.readouterr() == ("", "")


def test_a_stream_takes_any_text() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    take_any_text(stream, None, io.StringIO())
    print("Weiß \udcff", file=stream, flush=True)
    assert stream.buffer.getvalue() == b"Wei\\xdf \\udcff\n"


def test_an_id_that_cannot_be_read_is_told_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "id").write_bytes(b"hush\xff")
    for name, reason in (("none", "FileNotFoundError"), ("id", "UnicodeDecodeError")):
        path = str(tmp_path / name)
        assert main(["purge", "store", "--id-file", path]) == 1
        said = f"aspen-etl: no subject's id can be read from {path} ({reason})\n"
        assert capsys.readouterr().err == said
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hush\xff"), "utf-8"))
    assert main(["purge", "store"]) == 1
    said = "aspen-etl: no subject's id can be read from standard input (UnicodeDecodeError)\n"
    assert capsys.readouterr().err == said
