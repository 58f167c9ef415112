"""The sheets of a source as files of their own: loaded once, read whole or some lines of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from aspen_etl.columns.protocol import Positions
from aspen_etl.columns.threads import UNKNOWN_ROWS, map_threads
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.csv_lines import CsvLines, lines_of, read_lines
from aspen_etl.io.extract import check_names, load_file, read_file
from aspen_etl.io.filesystem import Location
from aspen_etl.io.formats import recognize
from aspen_etl.io.laying_out import Parts, put_together
from aspen_etl.io.places import Source, find_files
from aspen_etl.io.reading import Reading
from aspen_etl.schema.values import Extract

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model

__all__ = ["LoadedSheet", "load_sheets", "read_rows", "read_sheets", "sheet_lines"]


@dataclass(frozen=True, eq=False)
class LoadedSheet:
    """One sheet as it lies in a file of its own.

    Attributes:
        place: The file.
        data: Its bytes, unpacked.
    """

    place: Location
    data: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """The checksum of its bytes, as hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()


def load_sheets(source: Source, model: Model, reading: Reading, /) -> dict[str, LoadedSheet]:
    """Load the files of a source that has a file for each sheet.

    Raises:
        NotSupportedError: It is another kind of source; the reason says which.
        AspenETLError: What ``read_extract`` raises before it parses.
    """
    check_names(reading, model)
    files = find_files(source, model, reading.storage_options, reading.sheets)
    for each in files:
        if each.folder is not None:
            raise _refused(each.folder.url, "a sheet is a folder of parts")
        if len(each.sources) > 1:
            raise _refused(each.places[0].url, "it is no CSV file of one sheet")
    places = [each.places[0] for each in files]
    data = map_threads(lambda place: load_file(place, reading.limits), places, rows=UNKNOWN_ROWS)
    return {each.sources[0]: LoadedSheet(*found) for each, found in zip(files, zip(places, data))}


def _refused(url: str, reason: str) -> NotSupportedError:
    msg = f"{url} is not compared line by line: {reason}"
    return NotSupportedError(msg, url=url, reason=reason)


def read_sheets(sheets: Mapping[str, LoadedSheet], model: Model, reading: Reading, /) -> Extract:
    """Read all of what was loaded, as ``read_extract`` does.

    Raises:
        ExtractError: A file is not what it should be.
    """

    def read(name: str) -> Parts:
        sheet = sheets[name]
        request = reading.request(sheet.place.url, model.sources[name])
        raw = read_file(sheet.data, sheet.place, {name: request}, is_part=False)
        return [(sheet.place, raw[name])]

    names = list(model.sources)
    parts = map_threads(read, names, rows=UNKNOWN_ROWS)
    return put_together(dict(zip(names, parts)), model, reading)


def sheet_lines(name: str, sheet: LoadedSheet, model: Model, reading: Reading, /) -> CsvLines:
    """Find the lines of a sheet.

    Raises:
        NotSupportedError: They are no records, for the reason named.
        LimitExceededError: There are more records than the limits allow.
    """
    is_csv = sheet.place.name.lower().endswith((".csv", ".csv.gz"))
    if not is_csv or recognize(sheet.data, sheet.place) != "text":
        raise _refused(sheet.place.url, "it is no CSV file of one sheet")
    return lines_of(sheet.data, reading.request(sheet.place.url, model.sources[name]))


def read_rows(
    sheets: Sequence[tuple[str, LoadedSheet, CsvLines, Positions]],
    model: Model,
    reading: Reading,
    /,
) -> Extract:
    """Read some lines of each sheet, under their row numbers.

    Args:
        sheets: Each sheet of the model by name, what was loaded, its lines, and which of them.
        model: The model.
        reading: How the source is read.

    Raises:
        ExtractError: A line is faulty; who reads the whole file is told what is wrong and where.
    """
    raw = {name: [(sheet.place, read_lines(lines, at))] for name, sheet, lines, at in sheets}
    return put_together(raw, model, reading)
