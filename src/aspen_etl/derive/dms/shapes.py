"""The parts of a document: an object or a list where one is, and else an error or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aspen_etl.errors import ArgumentError

__all__ = ["need_list", "need_object", "part"]


def part(value: Any) -> Mapping[str, Any]:
    """Give an object, or an empty one in the place of what is none."""
    return value if isinstance(value, Mapping) else {}


def need_object(value: Any, where: str) -> Mapping[str, Any]:
    """Give an object.

    Raises:
        ArgumentError: It is none.
    """
    if isinstance(value, Mapping):
        return value
    msg = f"{where} is no JSON object; DMS would refuse it, or take what it likes of it"
    raise ArgumentError(msg, problem="document")


def need_list(value: Any, where: str) -> list[Mapping[str, Any]]:
    """Give a list of objects.

    Raises:
        ArgumentError: It is none.
    """
    if not isinstance(value, list):
        msg = f"{where} is no list; DMS would refuse it, or take what it likes of it"
        raise ArgumentError(msg, problem="document")
    return [need_object(each, f"a part of {where}") for each in value]
