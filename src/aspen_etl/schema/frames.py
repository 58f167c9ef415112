"""The frozen values that one step hands to the next: extract, tables, keys, snapshot, run.

A value of frames has ``equals``, and a ``repr`` and notebook view that show counts and never
a cell.
"""

from __future__ import annotations

import datetime as dt
import html
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.errors import ExtractError, RunError
from aspen_etl.schema.column import ACTOR_LENGTH
from aspen_etl.schema.conversion import as_text
from aspen_etl.schema.text import split_unencodable

__all__ = ["Extract", "KeyState", "Run", "Snapshot", "Tables", "equal_frames", "make_frame"]

#: The name of the index that holds a sheet's own row numbers, and the first record's number.
ROW, FIRST_ROW = "row", 2

FAULT_COLUMNS = ("source", "row", "column", "value", "rule")


#: Whether a frame made of columns keeps its own values when somebody writes into another's.
_COPIES_ON_WRITE = int(pd.__version__.partition(".")[0]) >= 3  # noqa: PLR2004 - pandas 3


def make_frame(columns: Mapping[Any, pd.Series], index: Optional[pd.Index] = None) -> pd.DataFrame:
    """Make a frame of columns, which are copied only where pandas would not do so on writing."""
    return pd.DataFrame(columns, index=index, copy=False if _COPIES_ON_WRITE else None)


def make_column(values: Any) -> pd.Series:
    """Make a column of an array that nobody writes into any more, without a copy."""
    return pd.Series(values, copy=False)


def equal_frames(left: pd.DataFrame, right: pd.DataFrame, /) -> bool:
    """Tell whether two frames hold the same columns and values, whatever their index."""
    if list(left.columns) != list(right.columns) or len(left) != len(right):
        return False
    return all(_equal_columns(left.iloc[:, i], right.iloc[:, i]) for i in range(left.shape[1]))


def _equal_columns(left: pd.Series, right: pd.Series) -> bool:
    absent = left.isna().to_numpy(dtype=bool)
    if not np.array_equal(absent, right.isna().to_numpy(dtype=bool)):
        return False
    return bool(np.asarray(left.array[~absent] == right.array[~absent], dtype=bool).all())


class _Frames(Mapping[str, pd.DataFrame]):
    """Frames by name, which show counts and never a cell."""

    __slots__ = ("_frames",)

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self._frames: Mapping[str, pd.DataFrame] = MappingProxyType(dict(frames))

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self._frames[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (dict(self._frames),))

    # Frames have no truth of their own, so a comparison by == would mislead.
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.equals(other)

    def equals(self, other: Any, /) -> bool:
        """Tell whether the other holds the same frames, by value."""
        return self.keys() == other.keys() and all(
            equal_frames(self[name], other[name]) for name in self
        )

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}: {len(frame):,}" for name, frame in self.items())
        return f"<{type(self).__name__} {counts}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{len(frame):,}</td><td>{frame.shape[1]}</td></tr>"
            for name, frame in self.items()
        )
        head = f"<tr><th>{type(self).__name__}</th><th>rows</th><th>columns</th></tr>"
        return f"<table>{head}{rows}</table>"


class Tables(_Frames):
    """Hold the target tables by name, in reference order.

    Examples:
        >>> import pandas as pd
        >>> Tables({"user": pd.DataFrame({"user_id": [1, 2]})})
        <Tables user: 2>
    """

    __slots__ = ()

    @classmethod
    def deferred(cls, frames: Mapping[str, pd.DataFrame], /) -> Tables:
        """Hold a mapping that makes frames when they are asked for, and ask for none of them."""
        tables = cls({})
        tables._frames = MappingProxyType(frames)
        return tables


class Extract(_Frames):
    """Hold the source sheets by name, every cell text or missing, and nothing else.

    Args:
        frames: The sheets, as frames of any dtypes; their cells are turned into text by
            ``as_text``. An integer index with the name ``row`` is taken as the sheet's own
            row numbers; without one, records are numbered from 2, as a spreadsheet does.

    Attributes:
        faults: The cells that hold no text: source, row, column, value, rule. Such a cell is
            missing in its frame and becomes a reject.
        notes: What the reader noticed, as counts by source: hidden rows, merged cells.

    Raises:
        ExtractError: A column cannot be turned into text without changing it.

    Examples:
        >>> import pandas as pd
        >>> Extract(borrower=pd.DataFrame({"id": ["a", "b"]}), role_profile=pd.DataFrame())
        <Extract borrower: 2, role_profile: 0>
    """

    __slots__ = ("faults", "notes")

    def __init__(self, **frames: pd.DataFrame) -> None:
        self._fill(frames, None, None)

    @classmethod
    def from_frames(
        cls,
        frames: Mapping[str, pd.DataFrame],
        *,
        faults: Optional[pd.DataFrame] = None,
        notes: Optional[Mapping[str, Mapping[str, int]]] = None,
    ) -> Extract:
        """Make an extract of frames by name, with the faults and notes of the reader."""
        extract = cls.__new__(cls)
        extract._fill(frames, faults, notes)  # noqa: SLF001 - its own class
        return extract

    def _fill(
        self,
        frames: Mapping[str, pd.DataFrame],
        faults: Optional[pd.DataFrame],
        notes: Optional[Mapping[str, Mapping[str, int]]],
    ) -> None:
        texts, found = {}, [] if faults is None else [faults.loc[:, list(FAULT_COLUMNS)]]
        for name, frame in frames.items():
            texts[name], broken = _text_frame(name, frame)
            found += broken
        super().__init__(texts)
        if found:
            self.faults = pd.concat(found, ignore_index=True)
        else:
            self.faults = pd.DataFrame(
                {column: pd.Series(dtype=object) for column in FAULT_COLUMNS}
            )
        self.notes = {source: dict(counts) for source, counts in (notes or {}).items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore_extract, (dict(self._frames), self.faults, self.notes))

    def equals(self, other: Any, /) -> bool:
        """Tell whether the other holds the same cells, row numbers and faults."""
        return (
            super().equals(other)
            and all(self[name].index.equals(other[name].index) for name in self)
            and equal_frames(self.faults, other.faults)
        )


def _restore_extract(frames: Any, faults: Any, notes: Any) -> Extract:
    return Extract.from_frames(frames, faults=faults, notes=notes)


def _text_frame(name: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    if not isinstance(frame, pd.DataFrame):
        msg = f"{name} is {type(frame).__name__}; give a pandas DataFrame"
        raise ExtractError(msg, source=name)
    numbered = frame.index.name == ROW and pd.api.types.is_integer_dtype(frame.index.dtype)
    start = pd.RangeIndex(FIRST_ROW, FIRST_ROW + len(frame), name=ROW)
    index = frame.index if numbered else start
    columns, faults = {}, []
    for position, header in enumerate(frame.columns):
        values, broken = split_unencodable(frame.iloc[:, position])
        columns[position] = _text_column(name, header, values).set_axis(index)
        if len(broken):
            rows = index.to_numpy()[broken.index.to_numpy()]
            parts = (name, rows.astype(object), str(header), broken.to_numpy(), "invalid_text")
            faults.append(pd.DataFrame(dict(zip(FAULT_COLUMNS, parts)), dtype=object))
    out = make_frame(columns, index)
    out.columns = pd.Index([str(header) for header in frame.columns], dtype=object)
    return out, faults


def _text_column(name: str, header: Any, values: pd.Series) -> pd.Series:
    try:
        return as_text(values)
    except ExtractError as error:
        reason, details = str(error), error.details
    msg = f"{name}.{header}: {reason}"
    raise ExtractError(msg, source=name, column=str(header), **details)


# ----------------------------------------------------------------------------- keys and snapshot


@dataclass(frozen=True)
class KeyState:
    """Hold every key that a table ever gave, and the next number.

    Attributes:
        next: The number that the next new row gets.
        given: One row for each key ever given: the primary key, then the natural key.
    """

    next: int
    given: pd.DataFrame = field(repr=False)

    def equals(self, other: KeyState, /) -> bool:
        """Tell whether the other holds the same keys."""
        return self.next == other.next and equal_frames(self.given, other.given)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Hold the tables of one moment, and the keys given so far.

    Attributes:
        tables: The tables.
        keys: The key state, by table with a key that is given.
        time: When it was made, in UTC; no later snapshot is earlier. It does not count when
            snapshots are compared.
    """

    tables: Tables
    keys: Mapping[str, KeyState] = field(repr=False)
    time: Optional[dt.datetime] = None

    def equals(self, other: Snapshot, /) -> bool:
        """Tell whether the other holds the same tables and keys, by value."""
        return (
            self.tables.equals(other.tables)
            and self.keys.keys() == other.keys.keys()
            and all(state.equals(other.keys[name]) for name, state in self.keys.items())
        )


# ----------------------------------------------------------------------------- run


@dataclass(frozen=True)
class Run:
    """Say when a run is and who runs it; no function of ours reads the clock.

    Attributes:
        time: A time with a zone; it is turned into UTC and floored to the millisecond.
        actor: Who writes, as it stands in ``created_by``: up to 128 characters.

    Raises:
        RunError: The time has no zone, or the actor is no such text.

    Examples:
        >>> import datetime as dt
        >>> Run(
        ...     time=dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc), actor="nightly"
        ... ).time.isoformat()
        '2026-01-31T12:00:00+00:00'
    """

    time: dt.datetime
    actor: str

    def __post_init__(self) -> None:
        """Bring the time to UTC and the millisecond."""
        time: Any = self.time
        if not isinstance(time, dt.datetime) or pd.isna(time):
            msg = (
                f"the time of a run is {type(time).__name__}; give a datetime with a zone, such "
                "as datetime.now(timezone.utc)"
            )
            raise RunError(msg)
        if isinstance(time, pd.Timestamp):
            time = time.floor("ms").to_pydatetime(warn=False)
        if time.tzinfo is None:
            msg = (
                "the time of a run has no zone, so it could be any of 38 moments; give "
                "datetime.now(timezone.utc)"
            )
            raise RunError(msg)
        time = time.astimezone(dt.timezone.utc)
        object.__setattr__(self, "time", time.replace(microsecond=time.microsecond // 1000 * 1000))
        actor: Any = self.actor
        if not isinstance(actor, str) or not actor.strip() or len(actor) > ACTOR_LENGTH:
            msg = (
                f"the actor of a run must be text of 1 to {ACTOR_LENGTH} characters; name the job "
                "or the person"
            )
            raise RunError(msg)
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in actor):
            msg = "the actor of a run holds a control character; give plain text"
            raise RunError(msg)
