"""Rows of a source that go to the parts that they are of, unit by unit, and are joined there.

In no process is more of the source in memory than one unit of it, or one part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import NamedTuple, Optional, TypeVar

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.errors import AspenETLError, ExtractError
from aspen_etl.errors.base import instead
from aspen_etl.io import blocks
from aspen_etl.io.blocks import Span
from aspen_etl.io.csv_source import end_of_records
from aspen_etl.io.exchange import Piece
from aspen_etl.io.laying_out import add_notes
from aspen_etl.schema.spec import SourceSpec
from aspen_etl.schema.values import FAULT_COLUMNS, Extract
from aspen_etl.synchronization.units import Reader, Sheet, Unit
from aspen_etl.transform.cutting import clean_keys, number_rows, parts_of_faults
from aspen_etl.transform.parting import order_keys, split_positions
from aspen_etl.workers import Workers

__all__ = ["Sampled", "Scattered", "gather", "put_rows", "sample_subjects", "scatter", "scatter_by"]

R = TypeVar("R")

#: Gives the part of each row of a sheet of an extract; a worker is told it.
Number = Callable[[Extract, str], Positions]

#: How many bytes of a block of a CSV file are looked at for subjects.
_SAMPLE = 1 << 16

#: How many subjects of a piece that was read as a whole are looked at.
_SOME = 4096


# ----------------------------------------------------------------------------- who is there


class Sampled(NamedTuple):
    """Subjects of some rows, and how many rows there are, as those tell."""

    keys: pd.Series
    rows: int


def sample_subjects(units: Sequence[Unit], reader: Reader, workers: Workers, /) -> Sampled:
    """Look at some subjects of the sheet that has a row for each, all over the source.

    Returns:
        Their keys in order, and about how many rows the sheet has.

    Raises:
        AspenETLError: What ``read_extract`` raises.
    """
    mine = [unit for unit in units if unit.sheet == reader.how.root]
    found = _map(partial(_sample, reader), mine, workers)
    keys = COLUMNS.concat([each.keys for each in found])
    return Sampled(order_keys(keys), sum(each.rows for each in found))


def _sample(reader: Reader, unit: Unit) -> Sampled:
    seen = _head_of(unit)
    sheet = reader.load(seen)
    rows = len(sheet.frame)
    if seen is unit:
        step = max(rows // _SOME, 1)
        sheet = sheet._replace(frame=sheet.frame.iloc[::step])
    keys = clean_keys(_extract({unit.sheet: sheet}), unit.sheet, reader.how)
    return Sampled(keys, round(rows * unit.bytes / max(seen.bytes, 1)))


def _head_of(unit: Unit) -> Unit:
    """Give the first records of a unit, where it can be read in part."""
    span = unit.origin
    if isinstance(span, Piece) or span.end - span.start <= _SAMPLE:
        return unit
    end = end_of_records(span.place.read_part(span.start, span.start + _SAMPLE))
    if not end:
        return unit
    return Unit(unit.sheet, replace(span, end=span.start + end), end)


# ----------------------------------------------------------------------------- to the parts


@dataclass(frozen=True)
class Scattered:
    """Say where the rows of each part are.

    Attributes:
        pieces: By part, in the order of sheets and rows, the rows of each sheet.
        rows: By part, how many rows the sheet of the subjects has.
    """

    pieces: tuple[tuple[tuple[str, Piece], ...], ...] = field(repr=False)
    rows: tuple[int, ...]


def scatter(
    units: Sequence[Unit], bounds: pd.Series, reader: Reader, workers: Workers, /
) -> Scattered:
    """Read a source, and leave for each part the rows that are its own.

    Args:
        units: What there is to read.
        bounds: The first keys of all parts but the first, as ``read_bounds`` gives them.
        reader: What every worker knows.
        workers: Who reads.

    Raises:
        AspenETLError: What ``read_extract`` raises.
    """
    return scatter_by(units, partial(_by_range, bounds, reader), len(bounds) + 1, reader, workers)


def _by_range(bounds: pd.Series, reader: Reader, extract: Extract, sheet: str) -> Positions:
    return number_rows(extract, sheet, bounds, reader.how)


def scatter_by(
    units: Sequence[Unit], number: Number, count: int, reader: Reader, workers: Workers, /
) -> Scattered:
    """Read a source, and leave for each part the rows that are its own.

    Args:
        units: What there is to read.
        number: Gives the part of each row of a sheet of an extract.
        count: How many parts there are.
        reader: What every worker knows.
        workers: Who reads.

    Raises:
        AspenETLError: What ``read_extract`` raises.
    """
    found = _map(partial(_scatter, reader, number, count), units, workers)
    pieces: list[list[tuple[str, Piece]]] = [[] for _ in range(count)]
    rows = np.zeros(count, dtype=np.int64)
    for unit, (counts, left) in zip(units, found):
        for mine, piece in zip(pieces, left):
            if piece is not None:
                mine.append((unit.sheet, piece))
        if unit.sheet == reader.how.root:
            rows += counts
    return Scattered(tuple(map(tuple, pieces)), tuple(rows.tolist()))


def _scatter(
    reader: Reader, number: Number, count: int, unit: Unit
) -> tuple[list[int], list[Optional[Piece]]]:
    return put_rows(unit.sheet, reader.load(unit), number, count, reader)


def put_rows(
    name: str, sheet: Sheet, number: Number, count: int, reader: Reader, /
) -> tuple[list[int], list[Optional[Piece]]]:
    """Leave rows of a sheet to their parts, and to one of which there are none, nothing.

    Args:
        name: The sheet.
        sheet: Its rows.
        number: Gives the part of each row of a sheet of an extract.
        count: How many parts there are.
        reader: What every worker knows.
    """
    extract = _extract({name: sheet})
    frame, faults = extract[name], extract.faults
    parts = number(extract, name)
    faulty = parts_of_faults(extract, name, parts)
    rows = split_positions(parts, count)
    mine = [
        Sheet(frame.iloc[at], faults[faulty == part], sheet.notes if part == 0 else {})
        for part, at in enumerate(rows)
    ]
    held = [part == 0 or bool(len(each.frame)) for part, each in enumerate(mine)]
    left = iter(reader.exchange.put(each for each, is_held in zip(mine, held) if is_held))
    return [len(at) for at in rows], [next(left) if is_held else None for is_held in held]


def _map(function: Callable[[Unit], R], units: Sequence[Unit], workers: Workers, /) -> list[R]:
    """Call a function on units; of a faulty file, raise what reading it as a whole raises."""

    def explain(_: Exception) -> Optional[AspenETLError]:
        spans: dict[str, list[Span]] = {}
        for unit in units:
            if isinstance(unit.origin, Span):
                spans.setdefault(unit.sheet, []).append(unit.origin)
        return next(filter(None, map(blocks.fault_of, spans.values())), None)

    return instead(lambda: workers.map(function, units), ExtractError, explain)


def gather(pieces: Iterable[tuple[str, Piece]], reader: Reader, /) -> Extract:
    """Join the rows of a part.

    Args:
        pieces: The rows of each sheet, in order; of a sheet without a piece there are none.
        reader: What every worker knows.
    """
    sheets = {name: _nothing(spec) for name, spec in reader.how.model.sources.items()}
    for name, group in groupby(pieces, key=lambda pair: pair[0]):
        sheets[name] = _join([reader.exchange.get(piece) for _, piece in group])
    return _extract(sheets)


def _nothing(source: SourceSpec) -> Sheet:
    faults = pd.DataFrame({column: pd.Series(dtype=object) for column in FAULT_COLUMNS})
    frame = pd.DataFrame({column: pd.Series(dtype=object) for column in source.columns})
    return Sheet(frame.rename_axis("row"), faults, {})


def _join(parts: Sequence[Sheet]) -> Sheet:
    held = [part for part in parts if len(part.frame)] or list(parts[:1])
    notes = add_notes(part.notes for part in parts)
    if len(held) == 1:
        return Sheet(held[0].frame, held[0].faults, notes)
    index = pd.Index(np.concatenate([part.frame.index for part in held]), name="row")
    columns = {name: COLUMNS.concat([part.frame[name] for part in held]) for name in held[0].frame}
    frame = make_frame({name: cells.set_axis(index) for name, cells in columns.items()}, index)
    return Sheet(frame, pd.concat([part.faults for part in held], ignore_index=True), notes)


def _extract(sheets: Mapping[str, Sheet]) -> Extract:
    return Extract.from_frames(
        {name: sheet.frame for name, sheet in sheets.items()},
        faults=pd.concat([sheet.faults for sheet in sheets.values()], ignore_index=True),
        notes={name: sheet.notes for name, sheet in sheets.items() if sheet.notes},
    )
