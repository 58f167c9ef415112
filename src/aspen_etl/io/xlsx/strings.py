"""Bring the shared strings of a workbook to the one form in which calamine reads each right.

Nothing of what the part declares of itself is kept: calamine takes memory for as many strings as
it promises.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional
from xml.sax.saxutils import escape

import numpy as np

from aspen_etl.errors import LimitExceededError
from aspen_etl.io.xlsx.assembly import SPREADSHEET
from aspen_etl.io.xlsx.package import Package
from aspen_etl.io.xlsx.xml import XmlParser

__all__ = ["RETURN", "Strings", "read_strings"]

#: A raw carriage return would become a line feed.
RETURN = {"\r": "&#13;"}

_ROOT, _END = re.compile(rb"\s*<sst(?:\s[^<>]*)?(?<!/)>"), re.compile(rb"</sst\s*>\s*\Z")
_LAST = 200  # bytes in which the end of the part is looked for
_OPENINGS, _CLOSING = (b"<si><t>", b'<si><t xml:space="preserve">'), b"</t></si>"
_TAGS_OF_ONE = 4


@dataclass(frozen=True)
class Strings:
    """Shared strings in plain form.

    Attributes:
        xml: The part, in which each string is one text; None where there is none.
        lengths: How many bytes the XML of each takes.
    """

    xml: Optional[bytes] = field(default=None, repr=False)
    lengths: np.ndarray[Any, np.dtype[np.int64]] = field(
        default_factory=lambda: np.zeros(0, dtype=np.int64), repr=False
    )


def read_strings(package: Package, part: str, *, anew: bool = False) -> Strings:
    """Read the shared strings.

    Args:
        package: The workbook.
        part: The part that holds them.
        anew: Whether to write them anew, also if they look plain.

    Raises:
        CorruptFileError: The part is not well-formed.
        LimitExceededError: A string is longer than the limits allow.
    """
    found = None if anew else _plain(package.read(part))
    if found is None:
        reader = _Reader(XmlParser(package.url, part, package.limits))
        reader.parser.parse(package.chunks(part))
        found = _strings(b"".join(reader.items), [len(item) for item in reader.items])
    longest, allowed = int(found.lengths.max(initial=0)), package.limits.max_cell_bytes
    if longest > allowed:
        raise LimitExceededError.of(
            package.url,
            "the bytes of a shared string are",
            limit="max_cell_bytes",
            allowed=allowed,
            found=longest,
        )
    return found


def _strings(items: bytes, lengths: Sequence[int]) -> Strings:
    xml = b'<sst xmlns="%b">%b</sst>' % (SPREADSHEET.encode(), items)
    return Strings(xml, np.array(lengths, dtype=np.int64))


def _plain(data: bytes) -> Optional[Strings]:
    """Take strings as they are; None unless each is one text and nothing else."""
    root, end = _ROOT.match(data), _END.search(data, max(len(data) - _LAST, 0))
    if root is None or end is None:
        return None
    body = data[root.end() : end.start()]
    *items, rest = body.split(_CLOSING)
    # NOTE: each item begins with two tags and ends with two; as many are all tags that there are.
    is_plain = (
        not rest.strip()
        and body.count(b"<") == _TAGS_OF_ONE * len(items)
        and all(item.startswith(_OPENINGS) or item.lstrip().startswith(_OPENINGS) for item in items)
    )
    return _strings(body, [len(item) for item in items]) if is_plain else None


class _Reader:
    """Gather the strings from a parser's events: their runs joined, without phonetic hints."""

    def __init__(self, parser: XmlParser) -> None:
        self.items: list[bytes] = []
        self.parser = parser
        self._texts: list[str] = []
        self._hints = 0
        parser.start, parser.end = self._start, self._end

    def _start(self, name: str, _: dict[str, str]) -> None:
        if name == "si":
            self._texts = []
        elif name == "rPh":
            self._hints += 1
        elif name == "t" and not self._hints:
            self.parser.text_goes_to(self._texts.append)

    def _end(self, name: str) -> None:
        self.parser.text_goes_to(None)
        if name == "rPh":
            self._hints -= 1
        elif name == "si":
            text = escape("".join(self._texts), RETURN)
            self.items.append(f'<si><t xml:space="preserve">{text}</t></si>'.encode())
