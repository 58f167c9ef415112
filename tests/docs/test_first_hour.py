"""The first hour of a contributor, taken step by step: a red test, a change, a green test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import read_blocks

CHECKOUT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a clone of the last commit; what is tested in it is its own source."""
    folder = tmp_path_factory.mktemp("hour") / "clone"
    subprocess.run(["git", "clone", "--quiet", CHECKOUT, folder], check=True)
    return folder


def run_test(clone: Path, name: str) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": str(clone / "src")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name]
    done = subprocess.run(
        command, cwd=clone, env=environment, check=False, capture_output=True, text=True
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("test", "change", "red"),
    [
        ("tests/borrower/test_employer.py", "column", "KeyError: 'employer'"),
        ("tests/borrower/test_po_box.py", "rule", "assert 'po_box' in"),
    ],
)
def test_a_test_is_red_until_the_change_of_the_page_is_made(
    clone: Path, test: str, change: str, red: str
) -> None:
    page = CHECKOUT / "docs" / "contributing.md"
    blocks = {block.step: block.text for block in read_blocks(page)}
    (clone / test).write_text(blocks[test], encoding="utf-8")
    status, printed = run_test(clone, test)
    assert status == 1, printed
    assert red in printed
    subprocess.run(["git", "apply", "-"], cwd=clone, input=blocks[change], text=True, check=True)
    status, printed = run_test(clone, test)
    assert status == 0, printed
