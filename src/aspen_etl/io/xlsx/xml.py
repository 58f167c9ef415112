"""Read the XML of a workbook's parts: in any usual encoding, without document types."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Optional
from xml.parsers import expat

from aspen_etl.errors import CorruptFileError, FileFormatError, LimitExceededError
from aspen_etl.errors.base import instead
from aspen_etl.io.reading import ReadLimits

__all__ = ["XmlParser", "bounded", "in_utf8"]

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_UNMARKED = {"<?".encode(name): name for name in ("utf-16-le", "utf-16-be")}
_DECLARATION = re.compile(r"<\?xml\s[^<>]*\?>")
_NAMED = re.compile(r"""\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_HEAD = 1024
#: The encodings in which XML is written; Python knows others, which are no text at all.
_KNOWN = re.compile(
    r"utf-?8|(?:us-)?ascii|iso-?8859-[0-9]{1,2}|latin-?[0-9]{1,2}|(?:windows-|cp)[0-9]{3,4}"
    r"|koi8-[ru]|macintosh|mac-roman|shift[_-]jis|euc-(?:jp|kr)|iso-2022-(?:jp|kr)"
    r"|gb(?:2312|k|18030)|big5(?:-hkscs)?",
    re.IGNORECASE,
)
#: What is declared in one of these and can be read before it is decoded is in UTF-8.
_WIDE = re.compile(r"utf-?(?:16|32)(?:-?[bl]e)?|ucs-?2", re.IGNORECASE)


# ----------------------------------------------------------------------------- encodings


def in_utf8(chunks: Iterable[bytes], url: str, part: str) -> Iterator[bytes]:
    """Give XML in UTF-8, without a byte order mark and without its declaration.

    Raises:
        FileFormatError: It is in an encoding that is not read.
        CorruptFileError: It is not text in the encoding that it names.
    """
    pieces = iter(chunks)
    first = next(pieces, b"")
    mark, encoding = _encoding(first, url, part)
    decoder = codecs.getincrementaldecoder(encoding)()
    head = _decoded(decoder, first[len(mark) :], url, part)
    declaration = _DECLARATION.match(head[:_HEAD].decode("latin-1"))
    yield head[len(declaration[0]) :] if declaration else head
    for piece in pieces:
        is_plain = encoding == "utf-8" and piece.isascii() and not decoder.getstate()[0]
        yield piece if is_plain else _decoded(decoder, piece, url, part)
    _decoded(decoder, b"", url, part, is_end=True)


def _decoded(decoder: Any, data: bytes, url: str, part: str, *, is_end: bool = False) -> bytes:
    try:
        return bytes(decoder.decode(data, is_end).encode("utf-8"))
    except UnicodeError:
        pass
    raise CorruptFileError.at(url, f"its part {part!r} is not text in the encoding that it names")


def _encoding(first: bytes, url: str, part: str) -> tuple[bytes, str]:
    """Tell the mark that a part begins with, and its encoding."""
    for mark, encoding in _MARKS.items():
        if first.startswith(mark):
            return mark, encoding
    for begin, encoding in _UNMARKED.items():
        if first.startswith(begin):
            return b"", encoding
    declaration = _DECLARATION.match(first[:_HEAD].decode("latin-1"))
    named = _NAMED.search(declaration[0]) if declaration else None
    if named is None or _WIDE.fullmatch(named[1]):
        return b"", "utf-8"
    if _KNOWN.fullmatch(named[1]):
        try:
            return b"", codecs.lookup(named[1]).name
        except LookupError:
            pass
    raise FileFormatError.encoding_of_part(url, part, named[1])


def bounded(chunks: Iterable[bytes], url: str, limits: ReadLimits) -> Iterator[bytes]:
    """Refuse a text, or a tag, that is longer than a cell may be; look at few of the bytes."""
    allowed, run = limits.max_cell_bytes, 0
    for chunk in chunks:
        longest = _longest_run(chunk, run, max(allowed // 2, 1))
        if longest > allowed:
            raise LimitExceededError.of(
                url,
                "the bytes of a text in it are",
                limit="max_cell_bytes",
                allowed=allowed,
                found=longest,
            )
        last = chunk.rfind(b"<")
        run = len(chunk) - last if last >= 0 else longest
        yield chunk


def _longest_run(chunk: bytes, before: int, step: int) -> int:
    """Give the longest run without ``<``, of those that hold ``step`` bytes and the first."""
    first = chunk.find(b"<")
    longest = before + (first if first >= 0 else len(chunk))
    for start in range(max(first, 0), len(chunk) - step, step):
        if chunk.find(b"<", start, start + step) < 0:
            end = chunk.find(b"<", start)
            begin = chunk.rfind(b"<", 0, start)
            longest = max(longest, (len(chunk) if end < 0 else end) - begin)
    return longest


# ----------------------------------------------------------------------------- parsing


class _DocumentTypeError(Exception):
    """A document type stands where none may be: entities could make anything of the text."""


def _refuse_document_type(*_: object) -> None:
    raise _DocumentTypeError


class XmlParser:
    """Parse a part in UTF-8; it expands no entities, and goes no deeper than it may.

    Attributes:
        start: Is called with each tag's name, without its prefix, and its attributes.
        end: Is called with the name at each tag's end.
    """

    def __init__(self, url: str, part: str, limits: ReadLimits) -> None:
        self.start: Callable[[str, dict[str, str]], object] = lambda _, __: None
        self.end: Callable[[str], object] = lambda _: None
        self._url, self._part, self._limits, self._depth = url, part, limits, 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_document_type
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def text_goes_to(self, take: Optional[Callable[[str], object]]) -> None:
        """Say what is called with the text from here on."""
        self._parser.CharacterDataHandler = take

    def parse(self, chunks: Iterable[bytes]) -> None:
        """Parse a part to its end.

        Raises:
            CorruptFileError: It is not well-formed, or has a document type.
            LimitExceededError: It is nested deeper than the limits allow.
        """

        def parse() -> None:
            for chunk in chunks:
                self._parser.Parse(chunk, False)  # noqa: FBT003 - expat's own form
            self._parser.Parse(b"", True)  # noqa: FBT003

        def ours(error: Exception) -> CorruptFileError:
            if isinstance(error, _DocumentTypeError):
                return CorruptFileError.document_type(self._url, self._part)
            what = f"the XML of its part {self._part!r} is not well-formed"
            return CorruptFileError.at(self._url, what)

        instead(parse, (expat.ExpatError, _DocumentTypeError), ours)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > self._limits.max_depth:
            raise LimitExceededError.of(
                self._url,
                f"the tags of its part {self._part!r} that are open at once are",
                limit="max_depth",
                allowed=self._limits.max_depth,
                found=self._depth,
            )
        self.start(tag.rpartition(":")[2], attributes)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self.end(tag.rpartition(":")[2])
