"""The import rule of the design: floors one way, no cycle, no module hidden by a name.

It reads the source, so that an import inside a function, or one that only a type checker
sees, counts like any other.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pytest

import aspen_etl
from aspen_etl import _HOMES
from tests.support.house import IMPORTS, MODULES, PACKAGE, nodes, room

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

# The rooms of the house, floor by floor. A module may import from its own room and from the
# floors below, so rooms that share a floor do not know each other: `normalization` no `io`,
# `io` no `normalization`, `sql` no `synchronization`, which joins them. `store` and `sql` stand
# above `io`; they know no `normalization` either (a test of its own). What is of the borrower alone
# stands in `borrower`. `__init__` hands the names of the floors below it to users and to the thin
# things above it.
FLOORS = (
    {"errors"},
    {"columns", "workers"},
    {"schema"},
    {"transform", "derive", "simulation"},
    {"borrower"},
    {"changes"},
    {"normalization", "io"},
    {"store", "inference"},
    {"synchronization", "sql"},
    {"databases"},
    {"__init__"},
    {"aws", "testing"},
    {"command_line"},
    {"__main__"},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# --------------------------------------------------------------------------------- the rules


def test_every_module_stands_in_a_room_of_the_design() -> None:
    assert [name for name in MODULES if room(name) not in FLOOR] == []


def test_imports_come_from_the_own_room_or_a_lower_floor() -> None:
    wrong = [
        f"{module}:{line} imports {target}"
        for module, targets in IMPORTS.items()
        for line, target in targets
        if room(target) != room(module) and FLOOR[room(target)] >= FLOOR[room(module)]
    ]
    assert wrong == []


def test_store_and_sql_know_no_normalization() -> None:
    wrong = [
        f"{module}:{line} imports {target}"
        for module, targets in IMPORTS.items()
        for line, target in targets
        if room(module) in {"sql", "store"} and room(target) == "normalization"
    ]
    assert wrong == []


def test_what_is_imported_by_its_name_is_so_in_few_places() -> None:
    late = {
        module
        for module, tree in MODULES.items()
        for node in nodes(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module")
    }
    assert late == {PACKAGE, f"{PACKAGE}.command_line.models"}


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {
        module: {target for _, target in imports if target != module}
        for module, imports in IMPORTS.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a cycle of imports: {' <- '.join(error.args[1])}", pytrace=False)


def test_no_module_is_named_like_something_else_that_the_package_hands_on() -> None:
    # `aspen_etl.sync` must be one thing: the function, or a module, whichever came last.
    handed_on = {
        alias.asname or alias.name
        for node in nodes(MODULES[PACKAGE])
        if isinstance(node, ast.ImportFrom) and node.module != PACKAGE
        for alias in node.names
    }
    assert sorted(handed_on & {room(name) for name in MODULES}) == []


def test_nothing_runs_when_the_package_is_imported() -> None:
    # Its names come when they are asked for (a function), and type checkers see where from.
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    tree = MODULES[PACKAGE]
    code = tree.body[1:] if ast.get_docstring(tree) else tree.body
    code = [node for node in code if not isinstance(node, ast.FunctionDef)]
    shown = [each for node in code if for_type_checkers(node) for each in node.body]
    code = [node for node in code if not for_type_checkers(node)]
    assert [node.lineno for node in (*code, *shown) if not isinstance(node, allowed)] == []
    calls = [each for node in code for each in nodes(node) if isinstance(each, ast.Call)]
    assert [node.lineno for node in calls] == []


def for_type_checkers(node: ast.stmt) -> TypeGuard[ast.If]:
    """Tell whether code is read by type checkers alone."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def test_every_public_name_has_one_home_that_type_checkers_know() -> None:
    shown = {
        alias.name: node.module
        for node in nodes(MODULES[PACKAGE])
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}.")
        for alias in node.names
    }
    homes = [(name, f"{PACKAGE}.{home}") for home, names in _HOMES.items() for name in names]
    assert sorted(homes) == sorted(shown.items())
    assert sorted(shown) == sorted(aspen_etl.__all__)
    assert [name for name in aspen_etl.__all__ if name not in dir(aspen_etl)] == []
