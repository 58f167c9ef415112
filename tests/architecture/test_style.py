"""Habits of this code base that no linter counts."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCE = CHECKOUT / "src" / "aspen_etl"

MODULE_LINES = 300
FUNCTION_LINES = 40  # the docstring not counted
PARAMETERS = 6  # without ``self`` and ``cls``

# The public doors: a caller says everything there by name, and each name stands alone.
DOORS = {
    "io/extract.py read_extract",
    "io/tables.py write_tables",
    "sql/loading.py load",
    "store/snapshot_store.py __init__",
    "store/snapshot_store.py commit",
    "schema/column.py column",
    "schema/column.py ref",
    "synchronization/syncing.py plan",
    "synchronization/syncing.py sync",
}

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


class Function(NamedTuple):
    """A function, where it stands, and how large it is."""

    place: str
    lines: int
    parameters: int

    @property
    def is_door(self) -> bool:
        """Whether it is one of the public doors."""
        return self.place in DOORS


def functions() -> Iterator[Function]:
    """Yield the functions; a docstring is no part of their length."""
    for name, path in MODULES.items():
        for node in ast.walk(parse(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if ast.get_docstring(node, clean=False) is not None:
                    docstring = node.body[0]
                    lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
                yield Function(f"{name} {node.name}", lines, parameters(node.args))


def parameters(given: ast.arguments) -> int:
    """Count the parameters of a function, those that take the rest included."""
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    names += [each.arg for each in (given.vararg, given.kwarg) if each is not None]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def tracked_files() -> list[str]:
    """List what git tracks; skip where the tests do not run in a checkout."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"not in a git checkout: {done.stderr.strip()}")
    return [name for name in done.stdout.split("\0") if name and (CHECKOUT / name).is_file()]


# -------------------------------------------------------------------------------------- size


LENGTHS = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}


def test_modules_are_small() -> None:
    assert {name: lines for name, lines in LENGTHS.items() if lines > MODULE_LINES} == {}


def test_functions_are_small() -> None:
    assert [each for each in functions() if each.lines > FUNCTION_LINES] == []


def test_what_travels_together_is_one_parameter() -> None:
    wide = [each for each in functions() if each.parameters > PARAMETERS]
    assert [each for each in wide if not each.is_door] == []


def test_the_doors_are_there_and_wide() -> None:
    everywhere = functions()
    wide = {each.place for each in everywhere if each.parameters > PARAMETERS}
    assert DOORS - wide == set()


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


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("borrower/")])
def test_no_name_speaks_of_a_borrower_outside_of_the_room(module: str) -> None:
    # The default model is named, and texts may give examples.
    words = {
        word
        for node in ast.walk(parse(MODULES[module]))
        for field in ("id", "attr", "arg", "name")
        if isinstance(word := getattr(node, field, None), str) and "borrower" in word.lower()
    }
    modules = {word for word in words if word.startswith("aspen_etl.")}
    assert words - modules - {"BORROWER_MODEL", "borrower_model"} == set()


#: What a text may name: the default model and what comes with it.
DEFAULT_MODEL = re.compile(
    r"\"borrower\": \(\"BORROWER|BORROWER_MODEL|borrower_model|aspen_etl\.borrower|borrowers\.xlsx"
)
#: An example in a docstring: from its prompt to the next blank line.
EXAMPLE = re.compile(r"^ *>>> .*?(?=\n *\n|\n *\"\"\"|\Z)", re.MULTILINE | re.DOTALL)
#: Old names that still answer, each in the one place that knows it.
FORMER_NAMES = {"schema/__init__.py": '"Borrower",', "schema/rejects.py": '"borrower_id": '}


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("borrower/")])
def test_no_text_speaks_of_a_borrower_outside_of_the_room(module: str) -> None:
    text = EXAMPLE.sub("", MODULES[module].read_text("utf-8"))
    text = DEFAULT_MODEL.sub("", text).replace(FORMER_NAMES.get(module, "\0"), "", 1)
    told = [line.strip() for line in text.splitlines() if "borrower" in line.lower()]
    assert told == []


def test_one_place_says_when_old_names_go() -> None:
    told = [
        name
        for name, path in MODULES.items()
        if re.search(r"with release|\bDeprecationWarning,", path.read_text("utf-8"))
    ]
    assert told == ["errors/moving.py"]


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


# ------------------------------------------------------------------------------------- errors

#: Where an error is made in `except` and raised after it by hand: what `create` found decides
#: between an error and two answers, and a proof waits for the check of the schema.
BY_HAND = {"io/writing.py create", "normalization.py normalize"}


def errors_kept_for_later() -> Iterator[str]:
    """Yield each function that makes an error in `except`, and raises it outside."""
    for name, path in MODULES.items():
        for node in ast.walk(parse(path)):
            if not isinstance(node, ast.FunctionDef):
                continue
            handlers = [each for each in ast.walk(node) if isinstance(each, ast.ExceptHandler)]
            inside = [each for handler in handlers for each in ast.walk(handler)]
            made = {
                target.id
                for each in inside
                if isinstance(each, ast.Assign)
                for target in each.targets
                if isinstance(target, ast.Name)
            }
            raised = {
                each.exc.id
                for each in ast.walk(node)
                if isinstance(each, ast.Raise) and isinstance(each.exc, ast.Name)
            }
            if made & raised:
                yield f"{name} {node.name}"


def test_a_foreign_error_becomes_ours_in_one_way() -> None:
    # errors.base.instead keeps its text out of the traceback of ours.
    assert set(errors_kept_for_later()) <= BY_HAND
