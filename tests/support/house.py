"""The house as its imports have it: modules, what they import, and a picture of the rooms.

``python -m tests.support.house`` prints the picture of docs/explanation/architecture.md.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGE = "aspen_etl"
SOURCE = Path(__file__).resolve().parents[2] / "src" / PACKAGE


def read_modules() -> dict[str, ast.Module]:
    """Parse every module of the package, by dotted name; a package's is its `__init__`."""
    modules = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return modules


def imported_modules(
    name: str, tree: ast.Module, *, known: Mapping[str, object]
) -> Iterator[tuple[int, str]]:
    """Yield line and name of each module of the package that ``name`` imports, anywhere."""
    for node in ast.walk(tree):
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


MODULES = read_modules()
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
