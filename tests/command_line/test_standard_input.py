"""A source of - is what was piped in: a workbook, known by its content and by no time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from aspen_etl.command_line.extracting import SAMPLE

SAMPLE_WORKBOOK = Path(ae.__file__).parent / SAMPLE
LENIENT = ("--max-rejected-rows", "0.2", "--max-rejected-cells", "0.5")


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes, kind: Any = io.TextIOWrapper) -> None:
    monkeypatch.setattr("sys.stdin", kind(io.BytesIO(data)))


def test_normalize_reads_it_as_a_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, SAMPLE_WORKBOOK.read_bytes())
    assert main(["normalize", "-", str(tmp_path / "piped"), "--actor", "me"]) == 0
    piped = ae.read_tables(tmp_path / "piped")
    run = ae.Run(time=piped["user"]["created"].iloc[0], actor="me")
    assert piped.equals(ae.normalize(ae.read_extract(SAMPLE_WORKBOOK), run=run).tables)


def test_the_same_bytes_are_an_unchanged_source_and_older_than_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "store")
    for outcome in ("committed version 1", "unchanged: version 1"):
        pipe(monkeypatch, SAMPLE_WORKBOOK.read_bytes())
        assert main(["sync", "-", store, *LENIENT]) == 0
        assert outcome in capsys.readouterr().out
    (file,) = ae.SnapshotStore(store).find().source.files
    assert (file.url, file.modified) == ("memory://standard-input", None)
    pipe(monkeypatch, SAMPLE_WORKBOOK.read_bytes())
    assert main(["plan", "-", store, *LENIENT]) == 0
    assert main(["sync", str(SAMPLE_WORKBOOK), store, *LENIENT]) == 0


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        (b"", io.TextIOWrapper, "standard input (-) is empty; pipe a workbook into it"),
        (b"x", Terminal, "standard input (-) is a terminal; pipe a workbook into it"),
        (b"id,full_name\n", io.TextIOWrapper, "memory://standard-input is of no format that is"),
    ],
)
def test_what_is_no_workbook_is_refused(
    data: bytes,
    kind: Any,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pipe(monkeypatch, data, kind)
    assert main(["normalize", "-", "out"]) == 1
    assert said in capsys.readouterr().err


def test_a_standard_input_that_is_closed_or_fails_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError

    monkeypatch.setattr("sys.stdin", None)
    assert main(["normalize", "-", "out"]) == 1
    assert "standard input (-) is closed" in capsys.readouterr().err
    assert main(["purge", "store"]) == 1
    assert "no subject's id was given" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(Failing()))
    assert main(["normalize", "-", "out"]) == 1
    assert "standard input (-) cannot be read (OSError)" in capsys.readouterr().err
