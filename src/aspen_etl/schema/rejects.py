"""What the columns of the rejects were called, and how long the old names are taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pandas as pd

from aspen_etl.columns.handing import handed
from aspen_etl.errors.moving import warn_moved
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.snapshot import REJECTS

__all__ = [
    "FORMER",
    "WRITTEN",
    "Rejects",
    "columns_as_named",
    "hand_out",
    "has_former_names",
    "rename",
    "take_in",
]

#: What each column is now, by its name until release 0.3: until then there was one subject.
FORMER: Mapping[str, str] = MappingProxyType({"borrower_id": "subject"})

_OLD = {new: name for name, new in FORMER.items()}

#: The columns that files of rejects have: as they are written now, and until release 0.3.
WRITTEN = (tuple(REJECTS), tuple(_OLD.get(name, name) for name in REJECTS))


def columns_as_named(names: Iterable[str], /) -> dict[str, ColumnSpec]:
    """Say what the columns of rejects are that any release wrote, by the names in its files."""
    specs = {name: REJECTS.get(FORMER.get(name, name)) for name in names}
    return {name: replace(spec, name=name) for name, spec in specs.items() if spec is not None}


def rename(rejects: pd.DataFrame, /) -> pd.DataFrame:
    """Give rejects that any release wrote the names that their columns have now."""
    return rejects.rename(columns=FORMER)


def has_former_names(names: Iterable[str], /) -> bool:
    """Tell whether columns of rejects have the names of a release before."""
    return not FORMER.keys().isdisjoint(names)


def take_in(rejects: pd.DataFrame, /) -> pd.DataFrame:
    """Take rejects under the old names, too, with a ``DeprecationWarning``."""
    old = [name for name in FORMER if name in rejects.columns]
    for name in old:
        _warn(name)
    return rename(rejects) if old else rejects


def hand_out(rejects: pd.DataFrame, /) -> pd.DataFrame:
    """Give rejects as a frame that also answers to the old names."""
    return Rejects(handed(rejects))


class _OfFrames(type):
    """Take every frame for one of the class: a frame is compared with one that is none alike."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, pd.DataFrame)


class Rejects(pd.DataFrame, metaclass=_OfFrames):
    """A frame of rejects that answers to the old names of its columns; what it gives is plain."""

    def __getitem__(self, key: Any) -> Any:
        """Give columns; an old name warns."""
        return super().__getitem__([*map(_new, key)] if isinstance(key, list) else _new(key))

    def __getattr__(self, name: str) -> Any:  # type: ignore[misc]
        """Give a column; an old name warns."""
        return super().__getattr__(_new(name))


def _new(name: Any) -> Any:
    if not isinstance(name, str) or name not in FORMER:
        return name
    _warn(name)
    return FORMER[name]


def _warn(name: str) -> None:
    warn_moved(f"the column {name!r} of the rejects is {FORMER[name]!r} now", "0.4", level=3)
