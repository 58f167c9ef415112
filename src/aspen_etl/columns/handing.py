"""Text as the caller's pandas holds it: made of ours where it leaves us, and nowhere else.

pandas 2 has text as Python objects, which cost several times what text costs that Arrow holds. So
Arrow holds it inside, and what is handed to a caller, or to a function of a model, is objects.
On pandas 3, and without Arrow, both are the same, and nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import partial, wraps
from typing import Any, TypeVar

import pandas as pd

from aspen_etl.columns.text import HANDED_TEXT, TEXT

__all__ = ["as_given", "bare", "handed", "hands_on", "hands_out", "held", "takes_held"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_ALIKE = bool(TEXT == HANDED_TEXT)


def handed(values: T, /) -> T:
    """Give a frame, a column, or several by name, with text as the caller's pandas holds it.

    What holds no text of ours is given as it is.
    """
    out: Any = values
    if _ALIKE:
        return values
    if isinstance(values, pd.Series):
        out = _column(values)
    elif isinstance(values, pd.DataFrame):
        out = _frame(values)
    elif isinstance(values, Mapping):
        out = {name: handed(each) for name, each in values.items()}
    return out  # type: ignore[no-any-return]


def _column(values: pd.Series) -> pd.Series:
    if values.dtype != TEXT:
        return values
    import pyarrow as pa

    cells = pa.array(values.array).to_pandas()  # equal cells are one object
    return pd.Series(cells.array, index=values.index, name=values.name, dtype=object, copy=False)


def _frame(frame: pd.DataFrame) -> pd.DataFrame:
    places = [place for place, dtype in enumerate(frame.dtypes) if dtype == TEXT]
    if not places:
        return frame
    out = frame.copy(deep=False)
    for place in places:
        out.isetitem(place, _column(frame.iloc[:, place]).array)
    return out


def hands_on(step: F, /) -> F:
    """Make a step of ``normalize`` that somebody calls alone hand out what it gives."""
    if _ALIKE:
        return step

    @wraps(step)
    def call(*args: Any, **options: Any) -> Any:
        return _whole(step(*args, **options))

    return call  # type: ignore[return-value]


def _whole(values: Any) -> Any:
    """Hand out frames also where values of ours hold them."""
    if isinstance(values, dict):
        return {name: _whole(each) for name, each in values.items()}
    if hasattr(values, "_replace"):
        return values._replace(**_parts(values, values._fields))
    if is_dataclass(values) and not isinstance(values, type):
        return replace(values, **_parts(values, [each.name for each in fields(values)]))
    return handed(values)


def _parts(values: Any, names: Iterable[str]) -> dict[str, Any]:
    kinds = (dict, pd.Series, pd.DataFrame)
    parts = {name: getattr(values, name) for name in names}
    return {name: _whole(part) for name, part in parts.items() if isinstance(part, kinds)}


def _is_held(values: Any) -> bool:
    if isinstance(values, pd.Series):
        return bool(values.dtype == TEXT)
    return isinstance(values, pd.DataFrame) and any(dtype == TEXT for dtype in values.dtypes)


# ----------------------------------------------------------------------------- functions


def takes_held(function: F, /) -> F:
    """Make a function of ours take text as it is held inside, and give it as it got it."""
    if _ALIKE:
        return function

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        found = function(*args, **options)
        return found if any(map(_is_held, (*args, *options.values()))) else handed(found)

    call._takes_held = True  # type: ignore[attr-defined] # noqa: SLF001 - our own mark
    return call  # type: ignore[return-value]


def bare(function: Any, /) -> Any:
    """Give a function as it is written, without what ``takes_held`` put around it."""
    return function.__wrapped__ if hasattr(function, "_takes_held") else function


def as_given(function: Callable[..., Any], values: T, /) -> T:
    """Give what a function of a model takes: as its writer's pandas holds it, if not ours."""
    while isinstance(function, partial):
        function = function.func
    return values if hasattr(function, "_takes_held") else handed(values)


# ----------------------------------------------------------------------------- attributes


class _Handed:
    """A frame of a frozen value: handed out when it is asked for, and then as its owner left it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            raise AttributeError(self._name)
        frames = vars(instance)
        found = frames[self._name] = handed(frames[self._name])
        return found

    def __set__(self, instance: Any, value: Any) -> None:
        vars(instance)[self._name] = value


def hands_out(*names: str) -> Callable[[type[T]], type[T]]:
    """Make a dataclass hand out frames that it holds, once somebody asks for them."""

    def change(kind: type[T]) -> type[T]:
        for name in () if _ALIKE else names:
            setattr(kind, name, _Handed(name))
        return kind

    return change


def held(instance: Any, name: str, /) -> Any:
    """Give a frame of a value as it is held; who changes it must have been handed it."""
    return vars(instance)[name] if name in vars(instance) else getattr(instance, name)
