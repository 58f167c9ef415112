"""Read sheets that no model describes: whatever columns they have, under names of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from aspen_etl.columns.threads import UNKNOWN_ROWS, map_threads
from aspen_etl.errors import ExtractError, HeaderError
from aspen_etl.io.extract import load_file, read_file
from aspen_etl.io.filesystem import Location
from aspen_etl.io.formats import recognize
from aspen_etl.io.laying_out import lay_out
from aspen_etl.io.places import SheetFiles, Source, find_sheets
from aspen_etl.io.reading import RawSheet, Reading, Request
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.headers import header_key, header_text, identifier
from aspen_etl.schema.spec import SourceSpec
from aspen_etl.schema.values import Extract

__all__ = ["read_sheets"]

_USUAL = Reading()


def read_sheets(source: Source, reading: Reading = _USUAL, /) -> Extract:
    r"""Read all sheets of a source, every cell text or missing, and nothing else.

    Sheets and columns have the names that they have as identifiers (``Order ID`` is
    ``order_id``), so that a model of these names reads the same source.

    Args:
        source: What ``read_extract`` takes.
        reading: What it takes beside. ``sheets`` names those to read, ``columns`` gives a header
            another name.

    Raises:
        HeaderError: Two columns of a sheet have one name.
        ExtractError: There is no sheet with a column; two sheets have one name.
        AspenETLError: What ``read_extract`` raises.

    Examples:
        >>> import fsspec
        >>> with fsspec.open_files(["memory://sheets/Order Lines.csv"], "w")[0] as file:
        ...     _ = file.write("Order ID,SKU\n1,a\n")
        >>> sheets = read_sheets("memory://sheets/Order Lines.csv")
        >>> {name: list(frame.columns) for name, frame in sheets.items()}
        {'order_lines': ['order_id', 'sku']}
    """
    files = find_sheets(source, reading)
    jobs = [(place, each) for each in files for place in each.places]
    read = map_threads(lambda job: _read(*job, reading), jobs, rows=UNKNOWN_ROWS)
    parts: dict[str, list[tuple[Location, RawSheet]]] = {}
    for (place, each), sheets in zip(jobs, read):
        for name, sheet in sheets.items():
            if name in parts and each.folder is None:
                raise _two_sheets(name)
            if len(sheet.headers):
                parts.setdefault(name, []).append((place, sheet))
    if not parts:
        msg = (
            "the source has no sheet with a header: is it empty? "
            "Else name its row with header_row= (--header-row)"
        )
        raise ExtractError(msg)
    frames, faults = {}, []
    for name, held in parts.items():
        spec = _spec(name, held[0][1], reading)
        frames[name], found = lay_out(held, spec, reading)
        faults.append(found)
    return Extract.from_frames(frames, faults=pd.concat(faults, ignore_index=True))


def _two_sheets(name: str) -> ExtractError:
    return ExtractError(
        f"two sheets have the name {name!r} as an identifier; name one of them with "
        "sheets={'source': 'sheet'} (--sheet SOURCE=SHEET)",
        sheet=name,
    )


# ----------------------------------------------------------------------------- the files


def _read(place: Location, files: SheetFiles, reading: Reading) -> dict[str, RawSheet]:
    data = load_file(place, reading.limits)
    names = dict.fromkeys(files.sources)
    found: Mapping[str, str] = {name: reading.sheet(name) for name in names}
    if recognize(data, place) == "workbook" and files.folder is None:
        found = _sheets_of(data, place, reading)
    requests = {name: _request(place, name, sheet, reading) for name, sheet in found.items()}
    return read_file(data, place, requests, is_part=files.folder is not None)


def _sheets_of(data: bytes, place: Location, reading: Reading) -> dict[str, str]:
    """Give the sheets of a workbook by the names that they have as identifiers."""
    from aspen_etl.io.xlsx.package import open_package
    from aspen_etl.io.xlsx.parts import find_parts

    if reading.sheets:
        return dict(reading.sheets)
    found: dict[str, str] = {}
    for name, sheet in find_parts(open_package(data, place.url, reading.limits)).names():
        if name in found:
            raise _two_sheets(name)
        found[name] = sheet
    return found


def _request(place: Location, name: str, sheet: str, reading: Reading) -> Request:
    return replace(reading.request(place.url, _any_sheet(name, {})), sheet=sheet)


def _any_sheet(name: str, columns: Mapping[str, ColumnSpec]) -> SourceSpec:
    from aspen_etl.schema.declared import Source as AnySheet

    return SourceSpec(name, columns, AnySheet, implied=True)


# ----------------------------------------------------------------------------- one sheet


def _spec(name: str, raw: RawSheet, reading: Reading) -> SourceSpec:
    """Describe a sheet by its headers."""
    columns: dict[str, list[int]] = {}
    for place, column in _names(raw, reading):
        columns.setdefault(column, []).append(place)
    for column, places in columns.items():
        if len(places) > 1:
            raise HeaderError.duplicate_column(reading.sheet(name), column, places)
    specs = {column: ColumnSpec(column, "text", nullable=True, label=column) for column in columns}
    return _any_sheet(name, specs)


def _names(raw: RawSheet, reading: Reading) -> Iterator[tuple[int, str]]:
    """Give place, from 1, and name of each column that is not left out."""
    renamed = {header_key(header): name for header, name in reading.columns.items()}
    ignored = {header_key(header) for header in reading.ignore_columns}
    empty = raw.empty()
    for place, cell in enumerate(raw.headers, 1):
        header = header_text(cell)
        key = header_key(header)
        if (header and key in ignored) or (not header and place - 1 in empty):
            continue
        yield place, renamed.get(key) or identifier(header) or f"column_{place}"
