"""What is written to the memory of a process that ends is gone, and the command says so."""

from __future__ import annotations

import json
from pathlib import Path

import fsspec
import pytest

from aspen_etl.__main__ import main
from tests.support.borrowers import write_borrowers
from tests.support.sample import SAMPLE

LIMITS = ("--max-rejected-rows", "1", "--max-rejected-cells", "1")


@pytest.fixture(autouse=True)
def _memory() -> None:
    fsspec.filesystem("memory").store.clear()


@pytest.mark.parametrize("url", ["memory://out", "memory://", "memory:///out/x"])
def test_tables_in_memory_vanish(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["normalize", str(SAMPLE), url, "--json"]) == 0
    printed = capsys.readouterr()
    json.loads(printed.out)
    assert printed.err.endswith(
        f"aspen-etl: {url} is in the memory of this process: nothing of it stays; name a folder or "
        "a bucket to keep it\n"
    )


def test_a_store_and_rejects_in_memory_vanish(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_borrowers(tmp_path / "in", ["Ada Byron"])
    for store, rejects in (("memory://s", "memory://r"), (str(tmp_path / "s"), "memory://q")):
        assert main(["sync", source, store, "--rejects-url", rejects, *LIMITS]) == 0
        told = [line.split()[1] for line in capsys.readouterr().err.splitlines()]
        assert told == [url for url in (store, rejects) if url.startswith("memory")]


def test_of_a_disk_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err == ""
