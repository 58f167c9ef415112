"""Which column of a sheet is which column of the model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from aspen_etl.columns.text import WHITE_SPACE
from aspen_etl.errors import HeaderError

__all__ = [
    "blank_columns",
    "header_key",
    "header_text",
    "identifier",
    "known_headers",
    "match_headers",
    "matched_columns",
    "spell_headers",
]

#: Where a word of a header ends: at what is neither letter nor digit, and within ``orderId``.
_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")


def header_text(cell: Any, /) -> str:
    """Give a header cell as text without white space at its ends, '' where it is missing."""
    if isinstance(cell, str):
        return cell.strip(WHITE_SPACE)
    return "" if cell is None or pd.isna(cell) is True else str(cell).strip(WHITE_SPACE)


def header_key(header: str, /) -> str:
    """Give the form in which headers are compared."""
    # NOTE: where files were joined, the mark that one of them begins with stands before a header.
    return header.strip(f"{WHITE_SPACE}\ufeff").casefold()


def identifier(header: str, /) -> str:
    """Give the name that a header, or a sheet's name, has as an identifier; '' where it has none.

    Examples:
        >>> [identifier(each) for each in ("Order ID", "orderId", "Größe (cm)", "2020", "#")]
        ['order_id', 'order_id', 'grosse_cm', 'column_2020', '']
    """
    plain = unicodedata.normalize("NFKD", header.replace("ß", "ss"))
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    name = "_".join(filter(None, _BETWEEN_WORDS.split(plain))).lower()
    return f"column_{name}" if name[:1].isdigit() else name


def spell_headers(
    found: Sequence[Any],
    expected: Collection[str],
    /,
    *,
    rename: Mapping[str, str] | None = None,
    ignore: Collection[str] = (),
) -> list[str]:
    """Give the headers of an implied source, those that are a column's as an identifier so named.

    Nobody wrote the headers of such a source down: each is taken for the column whose name it has
    as an identifier, unless another header is that name already. A column without one is
    ``column_`` and its position, from 1. What the caller renames or leaves out stays as it is.

    Examples:
        >>> spell_headers(["Order ID", "", "Note"], ["order_id", "column_2"])
        ['order_id', 'column_2', 'Note']
    """
    headers = [header_text(cell) for cell in found]
    given = {header_key(header): name for header, name in (rename or {}).items()}
    taken = {given.get(key, key) for key in map(header_key, headers)}
    told = {*given, *map(header_key, ignore)}
    out = []
    for place, header in enumerate(headers, 1):
        name = identifier(header) or f"column_{place}"
        is_free = header_key(header) not in told and name in expected and name not in taken
        out.append(name if is_free else header)
    return out


def blank_columns(headers: Sequence[Any], column: Callable[[int], pd.Series], /) -> set[int]:
    """Give the positions of columns without a header whose cells, once clean, are all missing.

    Args:
        headers: The header cells, from left to right.
        column: Gives the cells of the column at a position (from 0).
    """
    return {
        position
        for position, header in enumerate(headers)
        if not header_text(header)
        and not any(header_text(cell) for cell in column(position).dropna().array)
    }


def known_headers(
    expected: Sequence[str], rename: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Give the model's name of a column by each header that stands for it, as headers match.

    Args:
        expected: The names of the model's columns.
        rename: The model's name by header; a name that is not expected here is for another
            sheet.
    """
    known = {header_key(column): column for column in expected}
    others = {header_key(header): name for header, name in (rename or {}).items()}
    return known | {header: name for header, name in others.items() if name in expected}


def matched_columns(cells: Sequence[Any], known: Mapping[str, str], /) -> set[str]:
    """Give the columns of the model whose header is among these cells."""
    keys = [header_key(header_text(cell)) for cell in cells]
    return {known[key] for key in keys if key in known}


def match_headers(
    found: Sequence[Any],
    expected: Sequence[str],
    /,
    *,
    sheet: str,
    rename: Mapping[str, str] | None = None,
    ignore: Collection[str] = (),
    empty: Collection[int] = (),
) -> dict[int, str]:
    """Match the headers of a sheet with the columns that the model expects.

    Headers match without regard to case and to white space at their ends. Every expected
    column is found exactly once, and no column of the sheet is lost without a word.

    Args:
        found: The header cells, from left to right.
        expected: The names of the model's columns.
        sheet: The sheet's name, for messages.
        rename: The model's name by header; a name that is not expected here is for another
            sheet.
        ignore: The headers to leave out.
        empty: The positions of columns without a cell; they may go without a header.

    Returns:
        The model's name by position (from 0), in the order of ``expected``.

    Raises:
        HeaderError: An expected column is not there; a column has no place in the model, or cells
            but no header; an expected column is there more than once.

    Examples:
        >>> match_headers(
        ...     [" ID ", "Zip", "note"],
        ...     ["id", "zip_code"],
        ...     sheet="borrower",
        ...     rename={"ZIP": "zip_code"},
        ...     ignore=["note"],
        ... )
        {0: 'id', 1: 'zip_code'}
    """
    headers = [header_text(cell) for cell in found]
    left_out = {header_key(header) for header in ignore}
    known = known_headers(expected, rename)
    places: dict[str, list[int]] = {column: [] for column in expected}
    unknown, unnamed = [], []
    for position, header in enumerate(headers):
        if not header:
            unnamed.append(position)
        elif header_key(header) in left_out:
            continue
        elif header_key(header) in known:
            places[known[header_key(header)]].append(position)
        else:
            unknown.append(header)

    _refuse_missing(places, headers, unknown, sheet)
    for column, positions in places.items():
        if len(positions) > 1:
            raise HeaderError.duplicate_column(
                sheet, column, [position + 1 for position in positions]
            )
    if unknown:
        given = [*ignore, *(rename or {})]
        raise HeaderError.unknown_column(sheet, unknown, [n for n in given if n not in headers])
    filled = [position + 1 for position in unnamed if position not in empty]
    if filled:
        raise HeaderError.unnamed_column(sheet, filled)
    return {positions[0]: column for column, positions in places.items()}


def _refuse_missing(
    places: Mapping[str, Sequence[int]],
    headers: Sequence[str],
    unknown: Sequence[str],
    sheet: str,
) -> None:
    missing = [column for column, positions in places.items() if not positions]
    named = [header for header in headers if header]
    if not missing:
        return
    # NOTE: without one header that is expected, the row may be a record's and not a header.
    if len(missing) == len(places):
        raise HeaderError.no_header(sheet, missing, len(named))
    raise HeaderError.missing_column(sheet, missing, named, unknown)
