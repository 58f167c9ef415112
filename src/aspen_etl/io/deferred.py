"""Values by name that are made when they are asked for, such as the tables of a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

__all__ = ["Deferred"]

V = TypeVar("V")


class Deferred(Mapping[str, V], Generic[V]):
    """Make values when they are asked for; one that somebody still holds is not made again.

    Who goes through them one by one never has all of them in memory.

    Args:
        names: The names that there are.
        make: What makes the value of a name; it may be called from several threads.
    """

    __slots__ = ("_alive", "_make", "_names")

    def __init__(self, names: tuple[str, ...], make: Callable[[str], V]) -> None:
        self._names, self._make = names, make
        self._alive: WeakValueDictionary[str, V] = WeakValueDictionary()

    def __getitem__(self, name: str) -> V:
        if name not in self._names:
            raise KeyError(name)
        value = self._alive.get(name)
        if value is None:
            value = self._alive[name] = self._make(name)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
