"""One place knows Arrow from pandas: nobody else asks who holds the text of a column."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support.house import MODULES, PACKAGE, nodes, room

#: The room that knows, and those that read and write what Arrow brings: files.
KNOWING = {"columns", "io"}

#: Where Arrow is something else than the holder of text: a schema, and the memory of a process.
OTHERS = {f"{PACKAGE}.derive.formats", f"{PACKAGE}.command_line.program"}

#: In the room that knows, the modules that use Arrow. All others ask ``COLUMNS``.
USING = {
    "arrow",
    "arrow_arrays",
    "arrow_sorting",
    "arrow_values",
    "conversion",
    "decimals",
    "dtypes",
    "handing",
}


def imports_of_arrow(tree: ast.AST) -> Iterator[int]:
    for node in nodes(tree):
        if isinstance(node, ast.Import) and any(
            alias.name.partition(".")[0] == "pyarrow" for alias in node.names
        ):
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "pyarrow":
            yield node.lineno


def questions(tree: ast.AST) -> Iterator[int]:
    """Find what asks a column, or an environment, for Arrow."""
    for node in nodes(tree):
        asked = (
            (isinstance(node, ast.Attribute) and node.attr in {"storage", "ArrowDtype"})
            or (isinstance(node, ast.Constant) and node.value == "storage")
            or (isinstance(node, ast.Attribute) and node.attr == "__from_arrow__")
            or (isinstance(node, ast.alias) and node.name == "HELD_BY_ARROW")
        )
        if asked:
            yield getattr(node, "lineno", 0)


def test_no_other_room_knows_who_holds_text() -> None:
    found = {
        name
        for name, tree in MODULES.items()
        if room(name) not in KNOWING and [*imports_of_arrow(tree), *questions(tree)]
    }
    assert found == OTHERS


def test_in_the_room_that_knows_few_modules_use_arrow() -> None:
    found = {
        name.rpartition(".")[2]
        for name, tree in MODULES.items()
        if room(name) == "columns" and list(imports_of_arrow(tree))
    }
    assert found == USING


def test_the_choice_is_made_once() -> None:
    chosen = [
        name
        for name, tree in MODULES.items()
        if any(isinstance(node, ast.Name) and node.id == "Arrow" for node in nodes(tree))
    ]
    assert chosen == [f"{PACKAGE}.columns.chosen"]


def test_a_question_would_be_seen() -> None:
    asked = 'import pyarrow.compute as pc\ngetattr(values.dtype, "storage", None)\ndtype.storage\n'
    assert list(imports_of_arrow(ast.parse(asked))) == [1]
    assert sorted(questions(ast.parse(asked))) == [2, 3]
