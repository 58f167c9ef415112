"""The house as its imports have it: modules, what they import, and a picture of the rooms.

``python -m tests.support.house`` prints the picture of docs/explanation/architecture.md.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

PACKAGE = "aspen_etl"
SOURCE = Path(__file__).resolve().parents[2] / "src" / PACKAGE


#: Every module of the package, parsed once, by its path within.
TREES = {
    path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text("utf-8"), filename=str(path))
    for path in sorted(SOURCE.rglob("*.py"))
}


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Give all nodes of a tree; many tests walk the same one."""
    return tuple(ast.walk(tree))


def dotted(path: str) -> str:
    """Name a module as an import does; a package's is its `__init__`."""
    return ".".join([PACKAGE, *Path(path).with_suffix("").parts]).removesuffix(".__init__")


def imported_modules(
    name: str, tree: ast.Module, *, known: Mapping[str, object]
) -> Iterator[tuple[int, str]]:
    """Yield line and name of each module of the package that ``name`` imports, anywhere."""
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == PACKAGE:
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{name}:{node.lineno} imports relatively")
            base = node.module or ""
            if base.split(".")[0] != PACKAGE:
                continue
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                yield node.lineno, submodule if submodule in known else base


def room(module: str) -> str:
    """Name the room that a module stands in."""
    return module.split(".")[1] if "." in module else "__init__"


MODULES = {dotted(path): tree for path, tree in TREES.items()}
IMPORTS = {
    name: list(imported_modules(name, tree, known=MODULES)) for name, tree in MODULES.items()
}


def arrows() -> dict[str, set[str]]:
    """Give the rooms that each room imports from; what only hands names on is no room."""
    found: dict[str, set[str]] = {room(name): set() for name in MODULES}
    for name, targets in IMPORTS.items():
        found[room(name)] |= {room(target) for _, target in targets} - {room(name), "__init__"}
    hidden = {"__init__", "threads"}  # the face, and a path of before
    return {here: there - hidden for here, there in found.items() if here not in hidden}


def reduced(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Leave out each arrow that a longer way says already."""

    def reach(start: str) -> set[str]:
        return {end for step in graph[start] for end in {step, *reach(step)}}

    return {
        here: {one for one in there if not any(one in reach(other) for other in there)}
        for here, there in graph.items()
    }


def picture() -> str:
    """Draw the rooms in the language of Mermaid, who uses above whom it uses."""
    lines = ["flowchart TD"]
    for here, there in sorted(reduced(arrows()).items()):
        lines += [f"    {here} --> {one}" for one in sorted(there)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(picture())
