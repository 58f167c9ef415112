"""Lay expressions of Python out in lines, as ruff does."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Union

__all__ = ["Bracketed", "assign", "call", "comment", "lay_out", "literal"]

#: The longest line that ruff leaves as it is, where nothing else is said.
_WIDTH = 88
_STEP = "    "


@dataclass(frozen=True)
class Bracketed:
    """What stands in brackets, parted by commas.

    Attributes:
        start: What stands before, and the bracket that opens.
        items: What stands inside.
        end: The bracket that closes, and what stands behind.
    """

    start: str
    items: Sequence[Union[str, Bracketed]]
    end: str

    def __str__(self) -> str:
        """Give it in one line."""
        return f"{self.start}{', '.join(map(str, self.items))}{self.end}"


def call(function: str, positional: Sequence[Any], keywords: Mapping[str, Any]) -> Bracketed:
    """Write a call; a text is a literal, what is laid out already stands as it is."""
    told: list[Union[str, Bracketed]] = [literal(value) for value in positional]
    for name, value in keywords.items():
        held = literal(value)
        if isinstance(held, Bracketed):
            told.append(replace(held, start=f"{name}={held.start}"))
        else:
            told.append(f"{name}={held}")
    return Bracketed(f"{function}(", told, ")")


def literal(value: Any) -> Union[str, Bracketed]:
    """Write a value, its texts in double quotes."""
    if isinstance(value, Bracketed):
        return value
    if isinstance(value, str):
        # Single quotes where that saves an escape.
        is_plain = '"' not in value or "'" in value
        return json.dumps(value, ensure_ascii=False) if is_plain else repr(value)
    if isinstance(value, Mapping):
        items = [f"{literal(name)}: {literal(each)}" for name, each in value.items()]
        return Bracketed("{", items, "}")
    if isinstance(value, (tuple, list)):
        one = len(value) == 1 and isinstance(value, tuple)
        start, end = ("[", "]") if isinstance(value, list) else ("(", ",)" if one else ")")
        return Bracketed(start, [literal(each) for each in value], end)
    return repr(value)


def comment(text: str, indent: str = "") -> list[str]:
    """Write a comment in lines."""
    start = f"{indent}# "
    return textwrap.wrap(
        text, _WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False
    )


def assign(target: str, value: Bracketed, indent: str = "") -> list[str]:
    """Give a target and what it is set to; in brackets where the target fills the line."""
    if len(f"{indent}{target} = {value.start}") <= _WIDTH:
        return lay_out(replace(value, start=f"{target} = {value.start}"), indent)
    return [f"{indent}{target} = (", *lay_out(value, indent + _STEP), f"{indent})"]


def lay_out(expression: Union[str, Bracketed], indent: str = "", behind: str = "") -> list[str]:
    """Give an expression in one line; else what is in its brackets in one; else each item in one.

    Args:
        expression: The expression.
        indent: The white space before each line.
        behind: What stands behind it.
    """
    whole = f"{indent}{expression}{behind}"
    if isinstance(expression, str) or len(whole) <= _WIDTH:
        return [whole]
    inner, items = indent + _STEP, expression.items
    body = [inner + ", ".join(map(str, items))]
    if len(body[0]) > _WIDTH:
        comma = "," if len(items) > 1 else ""
        body = [row for each in items for row in lay_out(each, inner, comma)]
    return [f"{indent}{expression.start}", *body, f"{indent}{expression.end}{behind}"]
