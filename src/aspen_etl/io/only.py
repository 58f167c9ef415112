"""What a value that a small file holds must be: said to pydantic, which is not loaded for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Only"]


class Only:
    """Say in an ``Annotated`` type what its values must be, beside of their type.

    pydantic asks for it when it builds what reads a file, and no sooner.

    Args:
        facts: What is added to the type's schema, in the words of ``pydantic_core``.
    """

    def __init__(self, **facts: Any) -> None:
        self._facts = facts

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        """Give the schema of the type with what is added."""
        return {**handler(source), **self._facts}
