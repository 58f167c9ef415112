"""What workers read of a source at a time: records of a CSV file, or sheets that lie ready.

A CSV file is read in blocks of bytes; what cannot be, a workbook or a Parquet file, is read as a
whole, one file after the other, and lies ready from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Optional, Union

import pandas as pd
from fsspec.implementations.memory import MemoryFileSystem

from aspen_etl.errors import NotSupportedError
from aspen_etl.io import blocks
from aspen_etl.io.blocks import Span
from aspen_etl.io.exchange import Exchange, Piece
from aspen_etl.io.extract import check_names, read_files
from aspen_etl.io.filesystem import Location
from aspen_etl.io.laying_out import Parts, add_notes, lay_out
from aspen_etl.io.places import SheetFiles, Source, find_files
from aspen_etl.io.reading import Reading
from aspen_etl.schema.values import Extract
from aspen_etl.transform.parting import Partitioning
from aspen_etl.workers import Workers

__all__ = ["Reader", "Sheet", "Unit", "open_source"]

#: The bytes of a block of a CSV file.
BLOCK = 16 << 20


class Sheet(NamedTuple):
    """Rows of a sheet, under its own row numbers, with the faults among them and its notes."""

    frame: pd.DataFrame
    faults: pd.DataFrame
    notes: Mapping[str, int]


@dataclass(frozen=True)
class Unit:
    """What one worker reads at a time: rows of one sheet.

    Attributes:
        sheet: The sheet.
        origin: Records of a file, or a piece of what was read already.
        bytes: What they take, in the file or as a piece.
    """

    sheet: str
    origin: Union[Span, Piece]
    bytes: int


@dataclass(frozen=True)
class Reader:
    """What every worker knows that reads.

    Attributes:
        exchange: Where pieces are left.
        how: How the model is partitioned.
        reading: How the source is read.
        elsewhere: Whether it reads in another process, which does not see the memory of this one.
    """

    exchange: Exchange
    how: Partitioning = field(repr=False)
    reading: Reading = field(repr=False)
    elsewhere: bool = False

    def check(self, place: Location, /) -> None:
        """Make sure that a worker reaches a place.

        Raises:
            NotSupportedError: It is in the memory of this process.
        """
        if self.elsewhere and isinstance(place.filesystem, MemoryFileSystem):
            msg = f"{place.url} is in the memory of this process, where no worker sees it"
            raise NotSupportedError(f"{msg}; work in turn", url=place.url)

    def load(self, unit: Unit, /) -> Sheet:
        """Read the rows of a unit."""
        if isinstance(unit.origin, Piece):
            found: Sheet = self.exchange.get(unit.origin)
            return found
        raw = blocks.read_span(unit.origin)
        return self.lay_out(unit.sheet, [(unit.origin.place, raw)])

    def lay_out(self, name: str, parts: Parts, /) -> Sheet:
        """Lay out what was read as a sheet of the model."""
        frame, faults = lay_out(parts, self.how.model.sources[name], self.reading)
        return Sheet(frame, faults, add_notes(raw.notes for _, raw in parts))


# ----------------------------------------------------------------------------- what there is


def open_source(
    source: Union[Source, Extract], reader: Reader, workers: Workers, /
) -> tuple[Unit, ...]:
    """Find what workers read at a time; the sheets in the order of the model, rows in theirs.

    Raises:
        AspenETLError: What ``read_extract`` raises.
    """
    model, reading = reader.how.model, reader.reading
    if isinstance(source, Extract):
        return tuple(_hand_over(source, name, reader) for name in model.sources)
    check_names(reading, model)
    files = find_files(source, model, reading.storage_options, reading.sheets)
    for each in files:
        reader.check(each.places[0])
    units: list[Unit] = []
    whole: list[SheetFiles] = []
    for each in files:
        found = _find_spans(each, reader, workers)
        units += found or ()
        whole += [] if found else [each]
    for read in workers.map(partial(_read_whole, reader), whole):
        units += read
    order = list(model.sources)
    return tuple(sorted(units, key=lambda unit: order.index(unit.sheet)))


def _hand_over(extract: Extract, name: str, reader: Reader) -> Unit:
    faults = extract.faults[(extract.faults["source"] == name).to_numpy(dtype=bool)]
    sheet = Sheet(extract[name], faults, extract.notes.get(name, {}))
    (piece,) = reader.exchange.put([sheet])
    return Unit(name, piece, sum(piece.sizes))


def _find_spans(files: SheetFiles, reader: Reader, workers: Workers) -> Optional[list[Unit]]:
    """Split a file of one sheet; none where it must be read as a whole."""
    if files.folder is not None or len(files.sources) > 1:
        return None
    (name,), (place,) = files.sources, files.places
    if not place.name.lower().endswith(".csv"):
        return None
    request = reader.reading.request(place.url, reader.how.model.sources[name])
    try:
        pieces = blocks.split(place, request, size=BLOCK)
        spans = blocks.cut(pieces, workers.map(blocks.count_block, pieces))
    except NotSupportedError:
        return None
    return [Unit(name, span, span.end - span.start) for span in spans]


def _read_whole(reader: Reader, files: SheetFiles) -> list[Unit]:
    found = []
    for name, parts in read_files([files], reader.how.model, reader.reading).items():
        sheet = reader.lay_out(name, parts)
        (piece,) = reader.exchange.put([sheet])
        found.append(Unit(name, piece, sum(piece.sizes)))
    return found
