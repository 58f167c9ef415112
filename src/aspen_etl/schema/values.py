"""The frozen values that a caller gives: an extract, and what is known of a run.

An extract has ``equals``, and a ``repr`` and notebook view that show counts and never a cell.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

import pandas as pd

from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.frames import Frames, equal_frames, held_frames, make_frame
from aspen_etl.columns.text import split_unencodable
from aspen_etl.errors import ArgumentError, ExtractError
from aspen_etl.errors.base import instead
from aspen_etl.schema.column import ACTOR_LENGTH

__all__ = ["Extract", "Run"]

#: The name of the index that holds a sheet's own row numbers, and the first record's number.
ROW, FIRST_ROW = "row", 2

FAULT_COLUMNS = ("source", "row", "column", "value", "rule")


class Extract(Frames):
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
        for name, frame in held_frames(frames).items():
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
        return (_restore_extract, (self._frames, self.faults, self.notes))

    def equals(self, other: Any, /) -> bool:
        """Tell whether the other holds the same cells, row numbers and faults."""
        return (
            super().equals(other)
            and all(
                frame.index.equals(held_frames(other)[name].index)
                for name, frame in held_frames(self).items()
            )
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
    def say_where(error: ExtractError) -> ExtractError:
        msg = f"{name}.{header}: {error}"
        return ExtractError(msg, source=name, column=str(header), **error.details)

    return instead(lambda: as_text(values), ExtractError, say_where)


@dataclass(frozen=True)
class Run:
    """Say when a run is and who runs it; no function of ours reads the clock.

    Attributes:
        time: A time with a zone; it is turned into UTC and floored to the millisecond.
        actor: Who writes, as it stands in ``created_by``: up to 128 characters.

    Raises:
        ArgumentError: The time has no zone, or the actor is no such text.

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
            raise ArgumentError(msg, problem="run")
        if isinstance(time, pd.Timestamp):
            time = time.floor("ms").to_pydatetime(warn=False)
        if time.tzinfo is None:
            msg = (
                "the time of a run has no zone, so it could be any of 38 moments; give "
                "datetime.now(timezone.utc)"
            )
            raise ArgumentError(msg, problem="run")
        time = time.astimezone(dt.timezone.utc)
        object.__setattr__(self, "time", time.replace(microsecond=time.microsecond // 1000 * 1000))
        actor: Any = self.actor
        if not isinstance(actor, str) or not actor.strip() or len(actor) > ACTOR_LENGTH:
            msg = (
                f"the actor of a run must be text of 1 to {ACTOR_LENGTH} characters; name the job "
                "or the person"
            )
            raise ArgumentError(msg, problem="run")
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in actor):
            msg = "the actor of a run holds a control character; give plain text"
            raise ArgumentError(msg, problem="run")
