"""Names in table mappings: how a pattern matches, and how a name is written that is none.

Source: the DMS user guide, "Wildcards in table mapping": ``%`` is any text, ``_`` any character,
``[_]`` the character itself, ``[ab]`` and ``[a-d]`` one of a set. Letter case counts.
"""

from __future__ import annotations

import re

__all__ = ["as_pattern", "matches"]

_PARTS = re.compile(r"\[[^\]]+\]|.", re.DOTALL)
_WILDCARDS = {"%": ".*", "_": "."}


def as_pattern(name: str, /) -> str:
    """Write a name so that it matches itself alone.

    Examples:
        >>> as_pattern("loan_payment")
        'loan[_]payment'
    """
    return re.sub(r"[%_\[]", lambda found: f"[{found[0]}]", name)


def matches(pattern: str, name: str, /) -> bool:
    """Tell whether a pattern matches a name.

    Examples:
        >>> matches("loan_payment", "loan-payment"), matches("loan[_]payment", "loan-payment")
        (True, False)
    """
    return (
        re.fullmatch("".join(map(_expression, _PARTS.findall(pattern))), name, re.DOTALL)
        is not None
    )


def _expression(part: str) -> str:
    if len(part) == 1:
        return _WILDCARDS.get(part, re.escape(part))
    held = part[1:-1].replace("\\", r"\\")
    if held[0] == "^":
        return f"[^{held[1:]}]" if held[1:] else r"\^"
    return f"[{held}]" if held != "[" else r"\["
