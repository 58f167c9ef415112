"""Read the sheets of a workbook: checked first, then by calamine, numbered as in the sheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from python_calamine import CalamineError, load_workbook

from aspen_etl.errors import CorruptFileError, LimitExceededError, MissingSheetError
from aspen_etl.io._escapes import resolve
from aspen_etl.io._package import Package, Workbook, assemble, open_package, plain_xml
from aspen_etl.io._sheet_rewrite import rewrite
from aspen_etl.io._sheet_xml import Scan, scan_plain
from aspen_etl.io.limits import ReadLimits
from aspen_etl.io.raw import RawSheet, Request, find_header
from aspen_etl.schema.headers import header_text

__all__ = ["read_workbook"]

#: The longest text between two tags: Excel's 32,767 characters, each escaped.
_MAX_RUN = 262_144
_RECORDS = 512

_DIGITS = re.compile(rb">([0-9]{1,9})<")
_ITEM = re.compile(rb"</(?:[^\s<>/:]+:)?si>")


@dataclass(frozen=True)
class _Sheet:
    """A sheet's XML in a form that calamine can read, and what is known of it."""

    part: str
    xml: bytes
    scan: Scan
    is_rewritten: bool

    def rewritten(self, url: str) -> _Sheet:
        if self.is_rewritten:
            return self
        return _Sheet(self.part, *rewrite(self.xml, url, self.part), is_rewritten=True)


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
        NotAWorkbookError: It is something else.
        EncryptedWorkbookError: It is protected with a password.
        UnsupportedFormatError: It is a spreadsheet of another format.
        CorruptFileError: It is truncated, damaged or changed.
        LimitExceededError: It is larger than the limits allow.
        MissingSheetError: A sheet is not there.
        MissingColumnError: A sheet has no header.
    """
    package = open_package(data, url, limits)
    workbook = package.workbook()
    parts = [_part(workbook, request.sheet, url) for request in requests.values()]
    package.check([*dict.fromkeys([*parts, *workbook.shared])])

    sheets = [_scan(package, part) for part in parts]
    shared = {part: plain_xml(package.read(part), url, part) for part in workbook.shared}
    strings, styles = shared.get(workbook.strings or ""), shared.get(workbook.styles or "")
    if strings is not None:
        _check_strings(strings, sheets, package)
    read = _calamine(assemble([sheet.xml for sheet in sheets], strings, styles, workbook.date1904))
    if read is None:
        # What calamine stumbles over may be gone when it is written in its own form.
        sheets = [sheet.rewritten(url) for sheet in sheets]
        read = _calamine(
            assemble([sheet.xml for sheet in sheets], strings, styles, workbook.date1904)
        )
    if read is None:
        raise CorruptFileError.at(url, "a cell or a shared string of it cannot be read")
    return {
        name: _raw_sheet(grid, sheet.scan, request)
        for (name, request), grid, sheet in zip(requests.items(), read, sheets)
    }


def _part(workbook: Workbook, name: str, url: str) -> str:
    """Find a sheet by its name, as Excel does: without regard to case."""
    if name in workbook.sheets:
        return workbook.sheets[name]
    folded = {_fold(sheet): part for sheet, part in workbook.sheets.items()}
    if _fold(name) not in folded:
        raise MissingSheetError.of(url, name, list(workbook.sheets))
    return folded[_fold(name)]


def _fold(name: str) -> str:
    return header_text(name).casefold()


# ----------------------------------------------------------------------------- before calamine


def _scan(package: Package, part: str) -> _Sheet:
    xml, limits = package.read(part), package.limits
    _refuse_long_texts(xml, package.url)
    scan = scan_plain(xml, package.url, limits)
    if scan is not None:
        return _Sheet(part, xml, scan, is_rewritten=False)
    xml, scan = rewrite(xml, package.url, part)
    if scan.area > limits.max_cells:
        raise LimitExceededError.of(
            package.url,
            "the cells between the first and the last one of a sheet are",
            limit="max_cells",
            allowed=limits.max_cells,
            found=scan.area,
        )
    return _Sheet(part, xml, scan, is_rewritten=True)


def _refuse_long_texts(xml: bytes, url: str) -> None:
    """Refuse a text that no cell of a workbook can hold, in one look at every 131,072th byte."""
    step = _MAX_RUN // 2
    for start in range(0, len(xml) - step, step):
        if xml.find(b"<", start, start + step) < 0:
            end = xml.find(b"<", start)
            if (len(xml) if end < 0 else end) - xml.rfind(b"<", 0, start) > _MAX_RUN:
                raise CorruptFileError.at(url, "a text in it is longer than a cell can hold")


def _check_strings(strings: bytes, sheets: Sequence[_Sheet], package: Package) -> None:
    """Bound the text of all cells: a long string can be shared by millions of them."""
    items = strings.split(b"</si>") if b"</si>" in strings else _ITEM.split(strings)
    lengths = np.array([len(item) for item in items], dtype=np.int64)
    limits, longest = package.limits, int(lengths.max())
    if longest > _MAX_RUN:
        raise CorruptFileError.at(package.url, "a text in it is longer than a cell can hold")
    if sum(sheet.scan.cells for sheet in sheets) * longest <= limits.max_uncompressed_bytes:
        return
    size = 0
    for sheet in sheets:
        numbers = np.array(_DIGITS.findall(sheet.xml), dtype="S9").astype(np.int64)
        size += int(lengths[numbers[numbers < len(lengths)]].sum())
    if size > limits.max_uncompressed_bytes:
        raise LimitExceededError.unpacked(package.url, size, len(strings), limits)


# ----------------------------------------------------------------------------- calamine, and after


def _calamine(package: Any) -> list[Any] | None:
    """Read all sheets of a plain package; None where calamine cannot."""
    try:
        workbook = load_workbook(package)
        return [workbook.get_sheet_by_index(i) for i in range(len(workbook.sheet_names))]
    except CalamineError:
        return None
    except BaseException as error:  # a panic of Rust is no Exception
        if type(error).__name__ != "PanicException":
            raise
        return None


def _raw_sheet(grid: Any, scan: Scan, request: Request) -> RawSheet:
    if grid.start is None:
        raise request.no_header()
    header, offset = find_header(grid.iter_rows(), request), grid.start[1]
    if header is None:
        raise request.no_header()
    number, headers = header.number, [""] * offset + list(header.cells)
    faults = {(fault.row, fault.position): fault.value for fault in scan.faults}
    for (row, position), value in faults.items():
        if row == number and position < len(headers):
            headers[position] = value
    request.check_columns(len(headers))
    below = tuple(fault for fault in scan.faults if fault.row > number)

    cells = _columns(islice(grid.iter_rows(), number, None), len(header.cells))
    # A row that holds nothing but a formula without a value is no row to calamine.
    count = max([len(cells[0]), *(fault.row - number for fault in below)])
    request.check_rows(count)

    def column(position: int) -> pd.Series:
        values = np.full(count, None, dtype=object)
        if position >= offset:
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
