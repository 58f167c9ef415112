"""Write declarations down as a module, as ruff would format it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aspen_etl.inference.declaring import Declared
from aspen_etl.inference.layout import Bracketed, assign, call, comment, lay_out
from aspen_etl.schema.column_spec import ColumnType

__all__ = ["write_model"]

#: How a type is annotated.
_ANNOTATIONS: Mapping[ColumnType, str] = {
    "text": "str",
    "integer": "int",
    "decimal": "Decimal",
    "date": "dt.date",
    "datetime": "dt.datetime",
    "timestamp": "dt.datetime",
    "boolean": "bool",
}
#: The import that an annotation needs, by what it begins with, in the order of imports.
_IMPORTS = {"dt.": "import datetime as dt", "Decimal": "from decimal import Decimal"}


def write_model(about: str, classes: Sequence[Declared], /) -> str:
    """Write a module that holds a model as ``MODEL``.

    Args:
        about: Its docstring.
        classes: The classes, each after those that it refers to.
    """
    lines = [line for each in classes for line in each.lines]
    annotations = {_ANNOTATIONS[line.type] for line in lines}
    names = {"Model", "Series", *(each.base for each in classes)}
    names |= {"column" if line.target is None else "ref" for line in lines}
    imports = [
        statement
        for start, statement in _IMPORTS.items()
        if any(each.startswith(start) for each in annotations)
    ]
    ours = f"from aspen_etl.schema import {', '.join(sorted(names, key=_import_order))}"
    head = [f'"""{about}"""', "", *imports, *([""] if imports else []), ours]
    tables = Bracketed("[", [each.name for each in classes], "]")
    end = assign("MODEL", call("Model.of", (), {"tables": tables}))
    blocks = [head, *(list(_class(each)) for each in classes), end]
    return "\n\n\n".join("\n".join(block) for block in blocks) + "\n"


def _import_order(name: str) -> tuple[bool, str]:
    """Put classes before functions, each in the order of the alphabet."""
    return name.islower(), name


def _class(declared: Declared) -> Iterator[str]:
    source = call("", (), {"source": declared.source}).items
    yield from lay_out(Bracketed(f"class {declared.name}(", [declared.base, *source], "):"))
    yield from comment(declared.note, "    ")
    for line in declared.lines:
        yield from comment(line.note, "    ")
        function = "column" if line.target is None else "ref"
        target = () if line.target is None else (line.target,)
        name = f"{line.name}: Series[{_ANNOTATIONS[line.type]}]"
        yield from assign(name, call(function, target, line.facts), "    ")
