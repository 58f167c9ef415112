"""Where records end in bytes of CSV, counted from any place on, within quotes or outside."""

from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from aspen_etl.columns.protocol import Mask, Positions

__all__ = [
    "END_MARKS",
    "LOOK_AHEAD",
    "LOOK_BACK",
    "Counts",
    "Seen",
    "count_records",
    "feed_ends",
    "line_ends",
    "record_ends",
]

Bytes = npt.NDArray[np.uint8]

#: What may stand behind the last line: Ctrl-Z, with which DOS ends a text, and NUL, with which
#: some programs fill up the space of a file.
END_MARKS = (b"\x1a", b"\0")

#: How many bytes on each side of a block tell what its first and last bytes are.
LOOK_BACK, LOOK_AHEAD = 2, 1

_LINE_FEED, _RETURN, _QUOTE = ord("\n"), ord("\r"), ord('"')

#: How many bytes are looked at at once: what is made of so few stays near the processor.
_AT_ONCE = 1 << 20

#: What stands before a quote that opens a field, and behind one that closes it: a separator, a line
#: break, or the other quote of two that stand for one.
_AROUND = np.zeros(256, dtype=bool)
_AROUND[list(b',\r\n"')] = True


class Seen(NamedTuple):
    """What a block holds if it begins outside of quotes, or if it begins within.

    Attributes:
        is_plain: Whether every quote opens a field, closes one or stands twice inside of one.
        ends: How many records end.
        last: The offset behind the last of them, or -1.
        filled: The same of the last one that is not blank.
        up_to_filled: How many records end up to there.
        cut: The offset behind the first one that is not blank, or -1.
        up_to_cut: How many records end up to there.
    """

    is_plain: bool
    ends: int
    last: int
    filled: int
    up_to_filled: int
    cut: int
    up_to_cut: int


class Counts(NamedTuple):
    """What is counted in a block of a file in one pass; offsets are those of the file.

    Attributes:
        quotes: How many quotes there are.
        seen: What it holds if it begins outside of quotes, and if it begins within.
        first_break: The offset of its first line break, in quotes or not, or -1.
        last_break: The same of its last one.
        gaps: Where so many bytes as told, or more, stand between two line breaks of the block:
            the offset behind the first and that of the second.
        solid: The offset behind its last byte that is neither Ctrl-Z nor NUL, or -1.
    """

    quotes: int
    seen: tuple[Seen, Seen]
    first_break: int
    last_break: int
    gaps: tuple[tuple[int, int], ...]
    solid: int


def record_ends(data: bytes, /) -> tuple[Positions, bool]:
    """Give the offsets behind the records of a text, and whether its quotes are all plain.

    Args:
        data: The text from its beginning; a record that no line break ends is not counted.
    """
    text = np.frombuffer(data, dtype=np.uint8)
    quotes, ends = _quotes(data, 0, len(data)), _line_ends(data, 0, len(data))
    return ends[_quotes_before(quotes, ends) % 2 == 0], _are_plain(text, quotes, opens=0)


def feed_ends(data: bytes, /) -> Optional[Positions]:
    """Give the offsets behind the records of a text each of which ends in a line feed.

    Args:
        data: The text from its beginning to its end.

    Returns:
        The offsets; none where a record ends otherwise, or a quote is not plain.
    """
    ends = _places(data, _LINE_FEED, 0, len(data)) + 1
    quotes, returns = _quotes(data, 0, len(data)), _returns(data)
    if len(quotes):
        ends = ends[_quotes_before(quotes, ends) % 2 == 0]
        if not _are_plain(np.frombuffer(data, dtype=np.uint8), quotes, opens=0):
            return None
    if (_quotes_before(quotes, returns) % 2 == 0).any():  # one that stands in no quotes
        return None
    return ends if (int(ends[-1]) if len(ends) else 0) == len(data) else None


def line_ends(data: bytes, start: int, end: int, /) -> Optional[Positions]:
    """Give the offsets behind the lines of a text, if each of them is a record, and none if not.

    Args:
        data: Bytes that the text stands in, a line feed before it.
        start: The offset of the first line.
        end: The offset behind the last one, which may have no line feed.
    """
    has_returns = data.find(b"\r", start, end) >= 0
    if has_returns and data.count(b"\r", start, end) != data.count(b"\r\n", start, end):
        return None
    text = np.frombuffer(data, dtype=np.uint8)[:end]
    ends = _places(data, _LINE_FEED, start, end) + 1
    if not len(ends) or ends[-1] != end:
        ends = np.append(ends, end)
    quotes = _quotes(data, start, end)
    if len(quotes) and not _are_plain(text, quotes, opens=0):
        return None
    return ends if (_quotes_before(quotes, ends) % 2 == 0).all() else None


def count_records(data: bytes, start: int, end: int, /, *, origin: int, gap: int) -> Counts:
    """Count what a block of a file holds.

    Args:
        data: Bytes of the file: the block, with up to ``LOOK_BACK`` before it, all that there are,
            and ``LOOK_AHEAD`` behind it.
        start: The offset of the block within these bytes.
        end: The offset behind it.
        origin: The offset of these bytes within the file.
        gap: How many bytes between two line breaks are told of.
    """
    text = np.frombuffer(data, dtype=np.uint8)
    quotes, ends = _quotes(data, start, end), _line_ends(data, start, end)
    before, filled = _quotes_before(quotes, ends), ~_are_blank(text, ends)
    seen = [
        _seen(ends, before % 2 == within, filled, _are_plain(text, quotes, opens=within), origin)
        for within in (0, 1)
    ]
    breaks = ends - 1 + origin
    if b"\r" in data:
        breaks = np.flatnonzero(_are_breaks(text[start:end])) + start + origin
    wide = np.flatnonzero(np.diff(breaks) > gap)
    solid = end - start
    if data.endswith(END_MARKS, start, end):
        solid = len(data[start:end].rstrip(b"".join(END_MARKS)))
    return Counts(
        len(quotes),
        (seen[0], seen[1]),
        int(breaks[0]) if len(breaks) else -1,
        int(breaks[-1]) if len(breaks) else -1,
        tuple((int(breaks[at]) + 1, int(breaks[at + 1])) for at in wide),
        solid + start + origin if solid else -1,
    )


def _seen(ends: Positions, outside: Mask, filled: Mask, is_plain: bool, origin: int) -> Seen:  # noqa: FBT001
    ends, filled = ends[outside], filled[outside]
    held = np.flatnonzero(filled)
    first, last = (int(held[0]), int(held[-1])) if len(held) else (-1, -1)

    def offset(at: int) -> int:
        return int(ends[at]) + origin if at >= 0 else -1

    return Seen(
        is_plain,
        len(ends),
        offset(len(ends) - 1),
        offset(last),
        last + 1,
        offset(first),
        first + 1,
    )


# ----------------------------------------------------------------------------- line breaks, quotes


def _are_breaks(text: Bytes) -> Mask:
    breaks: Mask = text == _LINE_FEED
    breaks |= text == _RETURN
    return breaks


def _line_ends(data: bytes, start: int, end: int) -> Positions:
    r"""Give the offsets behind the line breaks of a block; ``\r\n`` is one, and ends at its end."""
    text = np.frombuffer(data, dtype=np.uint8)
    if b"\r" not in data:
        return _places(data, _LINE_FEED, start, end) + 1
    ends, following = _are_breaks(text[start:end]), text[start + 1 : end + 1]
    held = text[start : start + len(following)]
    ends[: len(following)] &= ~((held == _RETURN) & (following == _LINE_FEED))
    return np.flatnonzero(ends) + (start + 1)


def _quotes(data: bytes, start: int, end: int) -> Positions:
    if data.find(b'"', start, end) < 0:
        return np.empty(0, dtype=np.int64)
    return _places(data, _QUOTE, start, end)


def _returns(data: bytes) -> Positions:
    if b"\r" not in data:
        return np.empty(0, dtype=np.int64)
    return _places(data, _RETURN, 0, len(data))


def _places(data: bytes, byte: int, start: int, end: int) -> Positions:
    """Give the offsets of a byte."""
    text = np.frombuffer(data, dtype=np.uint8)[:end]
    found = [
        np.flatnonzero(text[first : first + _AT_ONCE] == byte) + first
        for first in range(start, end, _AT_ONCE)
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def _quotes_before(quotes: Positions, ends: Positions) -> Positions:
    return np.searchsorted(quotes, ends) if len(quotes) else np.zeros(len(ends), dtype=np.int64)


def _are_blank(text: Bytes, ends: Positions) -> Mask:
    """Tell before which ends there is nothing but another line break, or the beginning."""
    begins = ends - 1
    begins = begins - ((text[begins] == _LINE_FEED) & (begins > 0) & (text[begins - 1] == _RETURN))
    before = text[begins - 1]
    blank: Mask = (begins == 0) | (before == _LINE_FEED) | (before == _RETURN)
    return blank


def _are_plain(text: Bytes, quotes: Positions, *, opens: int) -> bool:
    """Tell whether every quote opens a field, closes one or stands twice inside of one.

    Quotes then take turns: of one that opens, the byte before tells, of one that closes, the
    byte behind it.

    Args:
        text: The text; what stands before it, and behind it, is no field.
        quotes: The offsets of quotes.
        opens: Which of the first two opens a field, 0 or 1.
    """
    openers, closers = quotes[opens::2], quotes[1 - opens :: 2]
    before = text[openers[openers > 0] - 1]
    after = text[closers[closers < len(text) - 1] + 1]
    return bool(_AROUND[before].all() and _AROUND[after].all())
