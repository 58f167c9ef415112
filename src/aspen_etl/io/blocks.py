"""Blocks of a CSV file, each read alone, by any process, and together what the whole file is.

``split`` finds the header and splits the file anywhere. ``count_block`` counts a block in one pass:
nobody knows yet whether it begins within quotes, so it counts both. Sums over the blocks before
tell which it is, so that ``cut`` gives spans of whole records, each with the number of its first
row. ``read_span`` reads one as ``read_csv`` reads the file.

Blocks and spans pickle. Who reads them makes sure that the file is the same before and after: each
of them is a request of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Optional

from aspen_etl.errors import AspenETLError, ExtractError
from aspen_etl.errors.base import instead
from aspen_etl.io.counting import LOOK_AHEAD, LOOK_BACK, Counts, count_records
from aspen_etl.io.csv_outline import Outline, outline_of, refused
from aspen_etl.io.csv_reading import long_line, read_records
from aspen_etl.io.csv_records import find_fault
from aspen_etl.io.filesystem import Location
from aspen_etl.io.formats import GZIP_MAGIC, recognize
from aspen_etl.io.reading import RawSheet, Request
from aspen_etl.io.streaming import open_part

__all__ = [
    "Block",
    "Span",
    "count_block",
    "cut",
    "load_span",
    "read_in_blocks",
    "read_span",
    "split",
]


@dataclass(frozen=True)
class Block:
    """Some bytes of a file, cut anywhere.

    Attributes:
        place: The file.
        outline: What is known of it.
        start: The offset of the first byte.
        end: The offset behind the last.
    """

    place: Location
    outline: Outline
    start: int
    end: int


@dataclass(frozen=True)
class Span:
    """Whole records of a file.

    Attributes:
        place: The file.
        outline: What is known of it.
        start: The offset of the first byte.
        end: The offset behind the last.
        row: The row number of the first record.
    """

    place: Location
    outline: Outline
    start: int
    end: int
    row: int


def split(place: Location, request: Request, /, *, size: int) -> list[Block]:
    """Split a file into blocks of so many bytes.

    Args:
        place: The file.
        request: What to read.
        size: The bytes of a block.

    Raises:
        NotSupportedError: It cannot be split, for the reason named; read as a whole, it is read or
            tells what is wrong with it.
        FileFormatError: It is of a format that is not read.
        LimitExceededError: It is larger than a file may be.
        SourceNotFoundError: There is no file.
        SourceAccessError: The storage refuses.
        ReadError: It cannot be read.
    """
    if place.is_inside:
        raise refused(request, "it lies inside of another file")
    if place.is_web:
        raise refused(request, "a web server need not give a part of it")
    length = place.size(request.limits.max_file_bytes)
    if length is None:
        raise refused(request, "its storage does not tell its size")

    def head(most: int) -> bytes:
        data = place.read_part(0, most)
        if data.startswith(GZIP_MAGIC):
            raise refused(request, "it is packed with gzip")
        if recognize(data, place) != "text":
            raise refused(request, "it is no text")
        return data

    outline = outline_of(head, length, request)
    starts = range(outline.start, max(outline.size, outline.start + 1), size)
    return [Block(place, outline, start, min(start + size, length)) for start in starts]


def count_block(block: Block, /) -> Counts:
    """Count the records of a block, whether it begins within quotes or outside.

    Raises:
        SourceAccessError: The storage refuses.
        ReadError: It cannot be read, or the file is shorter now.
    """
    outline = block.outline
    first = max(block.start - LOOK_BACK, 0)
    data = block.place.read_part(first, min(block.end + LOOK_AHEAD, outline.size))
    gap = outline.request.limits.max_line_bytes
    return count_records(data, block.start - first, block.end - first, origin=first, gap=gap)


# ----------------------------------------------------------------------------- whole records


def cut(blocks: Sequence[Block], counts: Iterable[Counts], /) -> list[Span]:
    """Cut a file between records: mostly as many spans as there are blocks, and at least one.

    No span but the last ends with a blank line, which would be none of its records then.

    Args:
        blocks: All blocks of a file, in order.
        counts: What was counted in each.

    Raises:
        NotSupportedError: Quotes stand where none may be, so that they tell nothing.
        LimitExceededError: There are more records than the limits allow, or a line is too long.
    """
    place, outline = blocks[0].place, blocks[0].outline
    fold = _Fold(outline)
    starts = [(outline.start, fold.row)]
    for number, count in enumerate(counts):
        seen = count.seen[fold.within]
        if not seen.is_plain:
            raise refused(outline.request, "a quote stands within a field, or behind one")
        if number and seen.cut >= 0:
            starts.append((seen.cut, fold.row + seen.up_to_cut))
        fold.add(count)
    if fold.within:
        raise refused(outline.request, "its last quote is never closed")
    end = fold.end()
    ends = [*(start for start, _ in starts[1:]), end]
    spans = [Span(place, outline, start, stop, row) for (start, row), stop in zip(starts, ends)]
    return [spans[0], *(span for span in spans[1:] if span.start < span.end)]


class _Fold:
    """What the blocks of a file are up to a place."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self.within, self.row = 0, outline.header_number + 1
        self._last = self._solid = self._behind_break = outline.start
        self._filled, self._filled_row = outline.start, outline.header_number
        self._gaps: list[tuple[int, int]] = []

    def add(self, count: Counts, /) -> None:
        """Go on behind a block."""
        seen = count.seen[self.within]
        if seen.up_to_filled:
            self._filled, self._filled_row = seen.filled, self.row + seen.up_to_filled - 1
        self.row += seen.ends
        self.within = (self.within + count.quotes) % 2
        self._last, self._solid = max(self._last, seen.last), max(self._solid, count.solid)
        if count.last_break >= 0:
            self._gaps += [(self._behind_break, count.first_break), *count.gaps]
            self._behind_break = count.last_break + 1

    def end(self) -> int:
        """Give the offset behind the last record: no blank line, and no mark of an end.

        Raises:
            LimitExceededError: The whole file would be refused.
        """
        outline, request = self._outline, self._outline.request
        end = self._solid if self._solid == self._behind_break else outline.size
        most, origin = request.limits.max_line_bytes, outline.origin
        for start, stop in [*self._gaps, (self._behind_break, end)]:
            window = origin - (origin - start) // most * most  # the first that begins in it
            if window + most <= stop and window + most < end:
                raise long_line(request)
        is_open = self._last < end
        request.check_rows((self.row if is_open else self._filled_row) - outline.header_number)
        return end if is_open else self._filled


# ----------------------------------------------------------------------------- reading


def load_span(span: Span, /) -> bytes:
    """Give the bytes of a CSV file that holds the header and the records of a span, and no other.

    Raises:
        SourceAccessError: The storage refuses.
        ReadError: It cannot be read, or the file is shorter now.
    """
    return span.outline.header + span.place.read_part(span.start, span.end)


def read_span(span: Span, /) -> RawSheet:
    """Read the records of a span under their row numbers in the file.

    Raises:
        ExtractError: The file is faulty; ``read_in_blocks`` tells what is wrong and where.
        SourceAccessError: The storage refuses.
        ReadError: It cannot be read, or the file is shorter now.
    """
    outline = span.outline
    records = span.place.read_part(span.start, span.end)
    sheet = read_records(outline.header, records, outline.request)
    notes = outline.notes if span.start == outline.start else {}
    return replace(sheet, rows=sheet.rows + span.row, notes=notes)


def read_in_blocks(
    place: Location,
    request: Request,
    /,
    *,
    size: int,
    each: Callable[..., Iterable[Any]] = map,
) -> Iterator[RawSheet]:
    """Read a file in spans of whole records, one after the other.

    Args:
        place: The file.
        request: What to read.
        size: The bytes of a block.
        each: Calls a function on each of some items, as ``map`` does; it may hand them to other
            processes.

    Returns:
        The sheets, which together are the one that ``read_csv`` gives.

    Raises:
        NotSupportedError: It cannot be split, for the reason named.
        AspenETLError: What ``read_csv`` raises; a faulty file is read by record then, a piece at
            a time.
    """
    blocks = split(place, request, size=size)
    spans = cut(blocks, each(count_block, blocks))
    sheets = iter(each(read_span, spans))
    for _ in spans:
        yield instead(partial(next, sheets), ExtractError, lambda _: fault_of(spans))


def fault_of(spans: Sequence[Span], /) -> Optional[AspenETLError]:
    """Give what ``read_csv`` raises of a faulty file, which is read piece by piece.

    Args:
        spans: All spans of the file, in order.
    """
    outline, end = spans[0].outline, spans[-1].end
    try:
        find_fault(partial(open_part, spans[0].place, outline.origin, end), outline.request)
    except AspenETLError as error:
        return error
    return None
