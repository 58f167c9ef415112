"""Habits of this code base that no linter counts."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCE = CHECKOUT / "src" / "aspen_etl"

MODULE_LINES = 350
FUNCTION_LINES = 60  # the docstring not counted
USUAL_FUNCTION_LINES = 40  # ... which one function in twenty may pass

TOP_LEVEL = {
    "src",
    "tests",
    "docs",
    "pyproject.toml",
    "CHANGELOG.md",
    "README.md",
    "LICENSE",
    ".ci",
}

MACHINE_PATHS = re.compile(r"(?<![\w./~-])/(?:work|root|home|Users|opt/wheels)/")
REGISTRY_HOSTS = re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.org|debian\.org")

MODULES = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}


def parse(path: Path) -> ast.Module:
    """Read a module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions() -> Iterator[tuple[str, int]]:
    """Yield each function's place and its length without the docstring."""
    for name, path in MODULES.items():
        for node in ast.walk(parse(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if ast.get_docstring(node, clean=False) is not None:
                    docstring = node.body[0]
                    lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
                yield f"{name}:{node.lineno} {node.name}", lines


def tracked_files() -> list[str]:
    """List what git tracks; skip where the tests do not run in a checkout."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"not in a git checkout: {done.stderr.strip()}")
    return [name for name in done.stdout.split("\0") if name and (CHECKOUT / name).is_file()]


# -------------------------------------------------------------------------------------- size


def test_modules_are_small() -> None:
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_functions_are_small() -> None:
    assert [place for place in functions() if place[1] > FUNCTION_LINES] == []


def test_nearly_all_functions_are_smaller() -> None:
    lengths = list(functions())
    long = [place for place in lengths if place[1] > USUAL_FUNCTION_LINES]
    assert len(long) <= len(lengths) // 20, long


# ------------------------------------------------------------------------------------- habits


@pytest.mark.parametrize("module", MODULES)
def test_no_row_is_iterated(module: str) -> None:
    wrong = []
    for node in ast.walk(parse(MODULES[module])):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        by_row = node.func.attr == "apply" and any(
            keyword.arg == "axis"
            and isinstance(keyword.value, ast.Constant)
            and keyword.value.value in {1, "columns"}
            for keyword in node.keywords
        )
        if by_row or node.func.attr in {"iterrows", "itertuples"}:
            wrong.append(f"{module}:{node.lineno} .{node.func.attr}")
    assert wrong == []


@pytest.mark.parametrize(
    "module",
    [name for name in MODULES if not any(part.startswith("_") for part in name.split("/"))],
)
def test_public_modules_say_what_is_public(module: str) -> None:
    names = [
        target.id
        for node in parse(MODULES[module]).body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    assert names.count("__all__") == 1


# -------------------------------------------------------------------------------- the checkout


def test_the_top_level_holds_nothing_new() -> None:
    names = {name.partition("/")[0] for name in tracked_files()}
    assert {name for name in names - TOP_LEVEL if not name.startswith(".")} == set()


@pytest.mark.parametrize("what", [MACHINE_PATHS, REGISTRY_HOSTS], ids=["machine", "registry"])
def test_no_file_names_a_machine_or_a_registry(what: re.Pattern[str]) -> None:
    found = []
    for name in tracked_files():
        data = (CHECKOUT / name).read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8").splitlines(), start=1):
            if what.search(line):
                found.append(f"{name}:{number}")
    assert found == []
