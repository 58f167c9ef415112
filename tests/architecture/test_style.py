"""Habits of this code base that no linter counts."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.house import SOURCE, TREES, nodes

CHECKOUT = Path(__file__).resolve().parents[2]

MODULE_LINES = 300
FUNCTION_LINES = 40  # the docstring not counted
PARAMETERS = 6  # without ``self`` and ``cls``

# The public doors: a caller says everything there by name, and each name stands alone.
DOORS = {
    "io/extract.py read_extract",
    "io/tables.py write_tables",
    "normalization/parted.py normalize_parted",
    "sql/loading.py load",
    "store/snapshot_store.py __init__",
    "store/snapshot_store.py commit",
    "schema/column.py column",
    "schema/column.py ref",
    "synchronization/cutover/checking.py check_cutover",
    "synchronization/landing.py read_landing",
    "synchronization/reconciling.py reconcile",
    "synchronization/syncing.py plan",
    "synchronization/syncing.py sync",
    "synchronization/two_way/pulling.py pull",
    "synchronization/two_way/pushing.py push",
    "transform/three_way.py merge",
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

TEXTS = {name: (SOURCE / name).read_text("utf-8") for name in TREES}
#: The modules that tell of no borrower.
ELSEWHERE = [name for name in TREES if not name.startswith("borrower/")]


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
    for name, tree in TREES.items():
        for node in nodes(tree):
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


def test_modules_are_small() -> None:
    lengths = {name: len(text.splitlines()) for name, text in TEXTS.items()}
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}


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


def goes_by_row(node: ast.AST) -> bool:
    """Tell whether something is called for each row of a frame."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    return node.func.attr in {"iterrows", "itertuples"} or (
        node.func.attr == "apply"
        and any(
            keyword.arg == "axis"
            and isinstance(keyword.value, ast.Constant)
            and keyword.value.value in {1, "columns"}
            for keyword in node.keywords
        )
    )


def test_no_row_is_iterated() -> None:
    assert all(map(goes_by_row, map(calls_in, ("x.iterrows()", "x.apply(f, axis=1)"))))
    wrong = [
        f"{name}:{getattr(node, 'lineno', 0)}"
        for name, tree in TREES.items()
        for node in nodes(tree)
        if goes_by_row(node)
    ]
    assert wrong == []


def calls_in(code: str) -> ast.expr:
    """Parse a call."""
    return ast.parse(code, mode="eval").body


def declarations_of_all(tree: ast.Module) -> int:
    """Count where a module says what is public."""
    return sum(
        isinstance(target, ast.Name) and target.id == "__all__"
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )


def test_public_modules_say_what_is_public() -> None:
    public = [name for name in TREES if not re.search(r"(^|/)_", name)]
    assert len(public) > 100
    assert [name for name in public if declarations_of_all(TREES[name]) != 1] == []


def words_of(tree: ast.Module) -> set[str]:
    """Give every name of a module that speaks of a borrower."""
    return {
        word
        for node in nodes(tree)
        for field in ("id", "attr", "arg", "name")
        if isinstance(word := getattr(node, field, None), str) and "borrower" in word.lower()
    }


def test_no_name_speaks_of_a_borrower_outside_of_the_room() -> None:
    # The default model is named, and texts may give examples.
    told = {
        name: {word for word in words_of(TREES[name]) if not word.startswith("aspen_etl.")}
        - {"BORROWER_MODEL", "borrower_model"}
        for name in ELSEWHERE
    }
    assert {name: words for name, words in told.items() if words} == {}


#: What a text may name: the default model and what comes with it.
DEFAULT_MODEL = re.compile(
    r"\"borrower\": \(\"BORROWER|BORROWER_MODEL|borrower_model|aspen_etl\.borrower|borrowers\.xlsx"
)
#: An example in a docstring: from its prompt to the next blank line.
EXAMPLE = re.compile(r"^ *>>> .*?(?=\n *\n|\n *\"\"\"|\Z)", re.MULTILINE | re.DOTALL)
#: Old names that still answer, each in the one place that knows it.
FORMER_NAMES = {"schema/__init__.py": '"Borrower",', "schema/rejects.py": '"borrower_id": '}


def test_no_text_speaks_of_a_borrower_outside_of_the_room() -> None:
    told = [
        f"{name}: {line.strip()}"
        for name in ELSEWHERE
        for line in DEFAULT_MODEL.sub("", EXAMPLE.sub("", TEXTS[name]))
        .replace(FORMER_NAMES.get(name, "\0"), "", 1)
        .splitlines()
        if "borrower" in line.lower()
    ]
    assert told == []


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
BY_HAND = {"io/writing.py create", "normalization/whole.py normalize"}


def errors_kept_for_later() -> Iterator[str]:
    """Yield each function that makes an error in `except`, and raises it outside."""
    for name, tree in TREES.items():
        for node in nodes(tree):
            if not isinstance(node, ast.FunctionDef):
                continue
            handlers = [each for each in nodes(node) if isinstance(each, ast.ExceptHandler)]
            inside = [each for handler in handlers for each in nodes(handler)]
            made = {
                target.id
                for each in inside
                if isinstance(each, ast.Assign)
                for target in each.targets
                if isinstance(target, ast.Name)
            }
            raised = {
                each.exc.id
                for each in nodes(node)
                if isinstance(each, ast.Raise) and isinstance(each.exc, ast.Name)
            }
            if made & raised:
                yield f"{name} {node.name}"


def test_a_foreign_error_becomes_ours_in_one_way() -> None:
    # errors.base.instead keeps its text out of the traceback of ours.
    assert set(errors_kept_for_later()) <= BY_HAND
