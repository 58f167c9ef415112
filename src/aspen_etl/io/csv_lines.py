"""Lines of a CSV file, where each of them is a record: found, and some of them read.

So a run that has the file of the run before needs to look at those lines alone that ``align`` does
not find there: the others were parsed and judged under the same header, model and options.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from aspen_etl.columns.protocol import Positions
from aspen_etl.io.counting import line_ends
from aspen_etl.io.csv_fast import content_end
from aspen_etl.io.csv_outline import Outline, outline_of, refused
from aspen_etl.io.csv_reading import read_records, text_end
from aspen_etl.io.reading import RawSheet, Request

__all__ = ["CsvLines", "have_one_header", "lines_of", "read_lines"]


@dataclass(frozen=True)
class CsvLines:
    """The lines below the header of a CSV file, each of which is a record.

    Attributes:
        outline: What is known of the file.
        data: The file.
        bounds: The offset of each line, and behind the last one.
    """

    outline: Outline
    data: bytes = field(repr=False)
    bounds: Positions = field(repr=False)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def first_row(self) -> int:
        """The row number of the first line."""
        return self.outline.header_number + 1


def lines_of(data: bytes, request: Request, /) -> CsvLines:
    """Find the lines of a CSV file.

    Args:
        data: The file, unpacked.
        request: What to read.

    Returns:
        The lines; blank ones at the end are none, as they are no records.

    Raises:
        NotSupportedError: Its lines are no records, for the reason named: quotes do not pair within
            each line, or another line break stands among them; or it is faulty where it begins.
        LimitExceededError: There are more records than the limits allow.
    """
    outline = outline_of(lambda most: data[:most], len(data), request)
    start, end = outline.start, content_end(data[: text_end(data)])
    if end <= start:
        return CsvLines(outline, data, np.array([start], dtype=np.int64))
    end += next(len(mark) for mark in (b"\r\n", b"\n", b"") if data.startswith(mark, end))
    ends = line_ends(data, start, end)
    if ends is None:
        raise refused(request, "a record has several lines, or a line ends in a carriage return")
    bounds = np.concatenate([[start], ends])
    if int(np.diff(bounds).max()) > request.limits.max_line_bytes:
        raise refused(request, "a line is too long")
    request.check_rows(len(ends))
    return CsvLines(outline, data, bounds)


def have_one_header(before: CsvLines, after: CsvLines, /) -> bool:
    """Tell whether a line means the same in two files: all above their records is the same."""
    one, two = before.outline, after.outline
    tops = before.data[: one.start], after.data[: two.start]
    return tops[0] == tops[1] and one.header_number == two.header_number


def read_lines(lines: CsvLines, at: Positions, /) -> RawSheet:
    """Read some lines of a file under their row numbers.

    Args:
        lines: The lines of the file.
        at: Which of them, from 0.

    Raises:
        ExtractError: One is faulty; who reads the whole file is told what is wrong and where.
    """
    starts, ends = lines.bounds[at].tolist(), lines.bounds[at + 1].tolist()
    held = [lines.data[start:end] for start, end in zip(starts, ends)]
    if held and not held[-1].strip(b"\r\n"):
        held[-1] = b'""\n'  # which is blank, too, and stays at the end of a file
    held = [line if line.endswith(b"\n") else line + b"\n" for line in held]
    sheet = read_records(lines.outline.header, b"".join(held), lines.outline.request)
    return replace(sheet, rows=at + lines.first_row)
