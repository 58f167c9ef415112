"""Lay out what readers give as the sheets of a model: columns in its order, under its names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.text import WHITE_SPACE
from aspen_etl.columns.threads import map_threads
from aspen_etl.io.filesystem import Location
from aspen_etl.io.reading import RawSheet, Reading
from aspen_etl.schema.headers import header_text, known_headers, match_headers, spell_headers
from aspen_etl.schema.repeating import repeated_headers, set_apart
from aspen_etl.schema.values import FAULT_COLUMNS, FIRST_ROW, Extract

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model
    from aspen_etl.schema.spec import SourceSpec

__all__ = ["Parts", "add_notes", "lay_out", "put_together"]

#: What was read of a sheet: each part with the place that it comes from.
Parts = Sequence["tuple[Location, RawSheet]"]


def put_together(raw: Mapping[str, Parts], model: Model, reading: Reading, /) -> Extract:
    """Make an extract of what was read of each sheet."""
    frames, faults, notes = {}, [], {}
    for name, spec in model.sources.items():
        frames[name], found = lay_out(raw[name], spec, reading)
        faults.append(found)
        notes[name] = add_notes(part.notes for _, part in raw[name])
    return Extract.from_frames(
        frames,
        faults=pd.concat(faults, ignore_index=True),
        notes={name: counts for name, counts in notes.items() if counts},
    )


def add_notes(notes: Iterable[Mapping[str, int]], /) -> Mapping[str, int]:
    """Add up what readers of parts of a sheet noticed."""
    return sum(map(Counter, notes), Counter[str]())


def lay_out(
    parts: Parts, spec: SourceSpec, reading: Reading, /
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give a sheet's columns in the model's order and names, and its faults."""
    sheet = reading.sheet(spec.name)
    if len(parts) == 1:
        return _frame(parts[0][1], spec, reading, sheet)
    reading.request(parts[0][0].url, spec).check_rows(sum(len(raw.rows) for _, raw in parts))
    frames: list[pd.DataFrame] = []
    faults: list[pd.DataFrame] = []
    last = FIRST_ROW - 1
    for place, raw in parts:
        frame, found = _frame(raw, spec, reading, f"{sheet}, part {place.name}")
        if frames and len(frame):  # the records go on to count where those before end
            ahead = last + 1 - frame.index[0]
            frame.index += ahead
            found["row"] += ahead
        last = frame.index[-1] if len(frame) else last
        frames.append(frame.apply(as_text))
        faults.append(found)
    return pd.concat(frames), pd.concat(faults, ignore_index=True)


def _frame(
    raw: RawSheet, spec: SourceSpec, reading: Reading, sheet: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the same of one file."""
    told: Any = {"rename": reading.columns, "ignore": reading.ignore_columns}
    headers = raw.headers
    if spec.implied:
        headers = spell_headers(headers, spec.columns, **told)
    places = match_headers(headers, list(spec.columns), sheet=sheet, empty=raw.empty(), **told)
    index = pd.Index(raw.rows, dtype="int64", name="row")
    cells = map_threads(
        lambda position: _without(raw.column(position), reading.na_values).set_axis(index),
        places,
        rows=len(index),
    )
    faults = [
        (spec.name, fault.row, places[fault.position], fault.value, fault.rule)
        for fault in raw.faults
        if fault.position in places
    ]
    columns = dict(zip(places.values(), cells))
    frame = make_frame(columns, index)
    found = pd.DataFrame(faults, columns=list(FAULT_COLUMNS), dtype=object)
    # By the model's own names a repeated header is known later on, by others nowhere else.
    spelled = dict(zip(map(header_text, raw.headers), headers)) if spec.implied else {}
    known = known_headers(list(spec.columns), {**spelled, **reading.columns})
    if len(known) == len(columns) or not len(frame):
        return frame, found
    first = next(iter(columns))
    trimmed = {**columns, first: as_text(columns[first]).str.strip(WHITE_SPACE)}
    again = repeated_headers(trimmed, known)
    if not len(again):
        return frame, found
    frame, repeated = set_apart(frame, again, spec.name)
    return frame, pd.concat([found, repeated], ignore_index=True)


def _without(values: pd.Series, tokens: Collection[str]) -> pd.Series:
    """Make the cells missing whose text, white space trimmed, is one of the tokens."""
    if not tokens:
        return values
    texts = as_text(values)
    return texts.mask(texts.str.strip(WHITE_SPACE).isin(list(tokens)))
