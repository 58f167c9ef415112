"""Read the sheets of a workbook: checked first, then by calamine, numbered as in the sheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from python_calamine import CalamineError, load_workbook

from aspen_etl.columns.conversion import as_text
from aspen_etl.errors import CorruptFileError, LimitExceededError
from aspen_etl.io.header import find_header
from aspen_etl.io.reading import RawSheet, ReadLimits, Request
from aspen_etl.io.xlsx.assembly import assemble
from aspen_etl.io.xlsx.cell import Cells
from aspen_etl.io.xlsx.escapes import resolve
from aspen_etl.io.xlsx.package import Package, open_package
from aspen_etl.io.xlsx.parts import Parts, find_parts
from aspen_etl.io.xlsx.sheet_rewrite import rewrite
from aspen_etl.io.xlsx.sheet_xml import Scan, scan_plain
from aspen_etl.io.xlsx.strings import Strings, read_strings
from aspen_etl.io.xlsx.styles import Styles, read_styles

__all__ = ["read_workbook"]

_RECORDS = 512
_DIGITS = re.compile(rb">([0-9]{1,9})<")


def read_workbook(
    data: bytes, requests: Mapping[str, Request], *, url: str, limits: ReadLimits
) -> dict[str, RawSheet]:
    """Read sheets of an .xlsx or .xlsm workbook.

    Args:
        data: The file.
        requests: What to read, by any key.
        url: The file, as messages show it.
        limits: How much to take in.

    Returns:
        The sheets, by the keys of ``requests``.

    Raises:
        FileFormatError: It is something else; it is protected with a password; it is a spreadsheet
            of another format.
        CorruptFileError: It is truncated, damaged or changed.
        LimitExceededError: It is larger than the limits allow.
        HeaderError: A sheet is not there; a sheet has no header.
    """
    package = open_package(data, url, limits)
    parts = find_parts(package)
    names = [parts.of_sheet(each.sheet, implied=each.implied) for each in requests.values()]
    shared = [part for part in (parts.strings, parts.styles) if part is not None]
    package.check([*dict.fromkeys([*names, *shared])])

    book = _Book(package, parts)
    sheets = book.scans(names)
    read = _calamine(sheets, book.strings)
    if read is None:
        # What calamine stumbles over may be gone when it is written in its own form.
        book = _Book(package, parts, anew=True)
        sheets = book.scans(names)
        read = _calamine(sheets, book.strings)
    if read is None:
        raise CorruptFileError.at(url, "a cell or a shared string of it cannot be read")
    return {
        name: _raw_sheet(grid, sheet, request)
        for (name, request), grid, sheet in zip(requests.items(), read, sheets)
    }


# ----------------------------------------------------------------------------- before calamine


class _Book:
    """The parts of a workbook, brought to the form that calamine reads right."""

    def __init__(self, package: Package, parts: Parts, *, anew: bool = False) -> None:
        self.strings = (
            Strings() if parts.strings is None else read_strings(package, parts.strings, anew=anew)
        )
        styles = Styles() if parts.styles is None else read_styles(package, parts.styles)
        self._cells = Cells(styles, parts.is_1904, len(self.strings.lengths))
        self._package, self._anew = package, anew

    def scans(self, parts: Sequence[str]) -> list[Scan]:
        """Look sheets over, and hold the limits against them."""
        sheets = [self._scan(part) for part in parts]
        _check_text(sheets, self.strings, self._package)
        return sheets

    def _scan(self, part: str) -> Scan:
        package = self._package
        xml = package.read(part)
        scan = None if self._anew else scan_plain(xml, self._cells, package)
        if scan is None:
            scan = rewrite(xml, part, self._cells, package)
            _check_area(scan, package)
        return scan


def _check_area(scan: Scan, package: Package) -> None:
    limits, empty = package.limits, scan.area - scan.cells
    if scan.area > limits.max_cells:
        limit, allowed, found = "max_cells", limits.max_cells, scan.area
    elif empty > limits.max_empty_cells:
        limit, allowed, found = "max_empty_cells", limits.max_empty_cells, empty
    else:
        return
    kind = "" if limit == "max_cells" else "empty "
    raise LimitExceededError.of(
        package.url,
        f"the {kind}cells between the first and the last one of a sheet are",
        limit=limit,
        allowed=allowed,
        found=found,
    )


def _check_text(sheets: Sequence[Scan], strings: Strings, package: Package) -> None:
    """Bound the text of all cells: a long string can be shared by millions of them."""
    limits, lengths = package.limits, strings.lengths
    most = sum(sheet.cells for sheet in sheets) * int(lengths.max(initial=0))
    if most <= limits.max_uncompressed_bytes:
        return
    size = 0
    for sheet in sheets:
        numbers = np.array(_DIGITS.findall(sheet.xml), dtype="S9").astype(np.int64)
        size += int(lengths[numbers[numbers < len(lengths)]].sum())
    if size > limits.max_uncompressed_bytes:
        raise LimitExceededError.unpacked(package.url, size, len(strings.xml or b""), limits)


# ----------------------------------------------------------------------------- calamine, and after


def _calamine(sheets: Sequence[Scan], strings: Strings) -> list[Any] | None:
    """Read all sheets of a plain package; None where calamine cannot."""
    try:
        workbook = load_workbook(assemble([sheet.xml for sheet in sheets], strings.xml))
        return [workbook.get_sheet_by_index(i) for i in range(len(workbook.sheet_names))]
    except CalamineError:
        return None
    except BaseException as error:  # a panic of Rust is no Exception
        if type(error).__name__ != "PanicException":
            raise
        return None


def _raw_sheet(grid: Any, scan: Scan, request: Request) -> RawSheet:
    if grid.start is None:
        return request.without_header()
    header, offset = find_header(grid.iter_rows(), request), grid.start[1]
    if header is None:
        return request.without_header()
    number, named = header.number, as_text(pd.Series(list(header.cells), dtype=object)).tolist()
    width = max([offset + len(named), *(fault.position + 1 for fault in scan.faults)])
    headers = [""] * offset + named + [""] * (width - offset - len(named))
    for fault in scan.faults:
        if fault.row == number:
            headers[fault.position] = fault.value
    request.check_columns(width)
    below = tuple(fault for fault in scan.faults if fault.row > number)

    cells = _columns(islice(grid.iter_rows(), number, None), len(named))
    # A row that holds nothing but what cannot be taken is no row to calamine.
    count = max([len(cells[0]), *(fault.row - number for fault in below)])
    request.check_rows(count)

    def column(position: int) -> pd.Series:
        values = np.full(count, None, dtype=object)
        if 0 <= position - offset < len(cells):
            values[: len(cells[position - offset])] = cells[position - offset]
            values[values == ""] = None
            resolve(values)
        return pd.Series(values, dtype=object)

    notes = {"hidden_rows": scan.hidden_rows, "merged_cells": scan.merged_cells, **header.notes}
    return RawSheet(
        headers,
        np.arange(count, dtype=np.int64) + number + 1,
        column,
        below,
        {name: found for name, found in notes.items() if found},
    )


def _columns(rows: Iterable[list[Any]], width: int) -> list[list[Any]]:
    columns: list[list[Any]] = [[] for _ in range(width)]
    # Few rows at once: they are gone before the garbage collector looks at them.
    for records in iter(lambda: list(islice(rows, _RECORDS)), []):
        for column, cells in zip(columns, zip(*records)):
            column.extend(cells)
    return columns
