"""Which row of a sheet holds its headers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from aspen_etl.errors import HeaderError
from aspen_etl.io.reading import Request
from aspen_etl.schema.headers import header_text

__all__ = ["Header", "find_header"]

#: How many rows that are not blank are looked at for the header.
_TOP_ROWS = 20


@dataclass(frozen=True)
class Header:
    """The row that holds the headers of a sheet.

    Attributes:
        number: The sheet's own number of the row, from 1.
        cells: Its cells, from left to right.
        titles: How many rows above it were taken as titles.
    """

    number: int
    cells: Sequence[Any] = field(repr=False)
    titles: int = 0

    @property
    def notes(self) -> dict[str, int]:
        """What a reader of the sheet should know of."""
        return {"title_rows": self.titles} if self.titles else {}


def find_header(rows: Iterable[Sequence[Any]], request: Request) -> Optional[Header]:
    """Find the row that holds the headers: the one that is named, or the first that is not blank.

    Below titles it is the first row with a header for each expected column. A title is a row
    with one cell: no row of a table of several columns, for none could be accepted. Rows of
    more cells may be records, so that nobody but the caller can say that they are titles. Where
    any header will do, it is the first row of more cells than one.

    Args:
        rows: Rows of cells from the top of the sheet; no more are taken than are looked at.
        request: What to read.

    Raises:
        LimitExceededError: There are more rows above the header than the limits allow records,
            or a row has more cells than they allow columns.
        HeaderError: Below rows that may be records there is one with all headers.
    """
    top: list[Header] = []
    for number, row in enumerate(rows, 1):
        request.check_rows(number - 1)
        request.check_columns(len(row))
        if request.header_row is not None:
            if number == request.header_row:
                return Header(number, row) if row else None
        elif any(map(header_text, row)):
            top.append(Header(number, row, titles=len(top)))
            if len(top) == _TOP_ROWS or _is_whole(top[-1], request):
                break
    return _choose(top, request) if top else None


def _is_whole(header: Header, request: Request) -> bool:
    if request.takes_any:
        return not _has_one_cell(header)
    return len(request.matched(header.cells)) == len(set(request.expected))


def _choose(top: Sequence[Header], request: Request) -> Header:
    """Choose the header among the first rows, the last of which may hold all that is expected."""
    first, last = top[0], top[-1]
    body = next((row for row in top if not _is_title(row, request)), first)
    if not _is_whole(last, request):
        # Not whole, but more than half: what is missing can be said.
        found = len(request.matched(body.cells))
        return body if 2 * found > len(request.expected) else first
    if last.number > body.number:
        raise HeaderError.below(request.sheet, first.number, last.number)
    return last


def _is_title(row: Header, request: Request) -> bool:
    return (len(request.expected) > 1 or request.takes_any) and _has_one_cell(row)


def _has_one_cell(row: Header) -> bool:
    return sum(1 for cell in row.cells if header_text(cell)) == 1
