"""Expect an error of ours by its class, or by the problem of a class that stands for several."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Optional, Union

import pytest

from aspen_etl.errors import (
    ArgumentError,
    ConflictError,
    FileFormatError,
    HeaderError,
    ModelFunctionError,
    ModelMismatchError,
    SettingsError,
)

__all__ = ["CLASSES", "Kind", "refused"]

#: The problems that a class tells apart, and the class.
CLASSES: dict[str, type[Exception]] = {
    "not_a_workbook": FileFormatError,
    "encrypted": FileFormatError,
    "unsupported": FileFormatError,
    "encoding": FileFormatError,
    "ragged_rows": FileFormatError,
    "missing_sheet": HeaderError,
    "missing_column": HeaderError,
    "unknown_column": HeaderError,
    "duplicate_column": HeaderError,
    "cleaner": ModelFunctionError,
    "builder": ModelFunctionError,
    "rule": ModelFunctionError,
    "run": ArgumentError,
    "name": ArgumentError,
    "limit": ArgumentError,
    "threshold": ArgumentError,
    "timeout": ArgumentError,
    "model": ArgumentError,
    "count": ArgumentError,
    "storage_options": SettingsError,
    "setting": SettingsError,
    "store": ModelMismatchError,
    "database": ModelMismatchError,
    "commit": ConflictError,
    "load": ConflictError,
}

#: A class, a problem, or some of either.
Kind = Union[type[Exception], str, tuple[Union[type[Exception], str], ...]]


@contextlib.contextmanager
def refused(kind: Kind, *, match: Optional[str] = None) -> Iterator[pytest.ExceptionInfo[Any]]:
    """Expect an error as ``pytest.raises`` does; of a problem, its class and the problem."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    classes = tuple(CLASSES[each] if isinstance(each, str) else each for each in kinds)
    with pytest.raises(classes, match=match) as caught:
        yield caught
    details: Any = getattr(caught.value, "details", {})
    assert any(
        isinstance(caught.value, CLASSES[each]) and details.get("problem") == each
        if isinstance(each, str)
        else isinstance(caught.value, each)
        for each in kinds
    ), caught.value
