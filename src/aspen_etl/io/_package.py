"""Take a workbook's zip file apart, and put a plain one together from what was checked.

calamine aborts the process on some files, does not verify checksums and unpacks whatever it
finds. So it never sees the file: it gets a small package, made here, with the parts that are
needed and nothing else.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional
from xml.parsers import expat
from xml.sax.saxutils import escape

from aspen_etl.errors import (
    CorruptFileError,
    EncryptedWorkbookError,
    LimitExceededError,
    NotAWorkbookError,
    UnsupportedFormatError,
)
from aspen_etl.io.limits import ReadLimits

__all__ = ["OLE_MAGIC", "ZIP_MAGIC", "Package", "Workbook", "assemble", "open_package", "plain_xml"]

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_CHUNK = 8 << 20
_SMALL = 1 << 20
_LARGEST_LIST = 4 << 20
_ENCRYPTED = 0x1
_SAVE_AS = "open it in a spreadsheet program and save it as .xlsx"


@dataclass(frozen=True)
class Workbook:
    """What a workbook says of its parts.

    Attributes:
        sheets: The part of each worksheet, by the sheet's name.
        strings: The part with the shared strings.
        styles: The part with the formats: they tell a date from a number.
        date1904: The first day of its calendar, as the workbook puts it.
    """

    sheets: Mapping[str, str]
    strings: Optional[str]
    styles: Optional[str]
    date1904: str

    @property
    def shared(self) -> tuple[str, ...]:
        """The parts that all sheets need."""
        return tuple(part for part in (self.strings, self.styles) if part is not None)


@dataclass(frozen=True)
class Package:
    """Hold a zip file and the limits within which it is read.

    Attributes:
        url: The file, as messages show it.
        limits: How much to take in.
        archive: The zip file.
        parts: Its members by name: without a leading slash, in lower case, as names match.
    """

    url: str
    limits: ReadLimits
    archive: zipfile.ZipFile = field(repr=False)
    parts: Mapping[str, zipfile.ZipInfo] = field(repr=False)

    def check(self, names: Sequence[str]) -> None:
        """Hold the limits against what the directory says of these parts.

        Raises:
            LimitExceededError: They are too large together, or one of them for its size.
        """
        infos = [self.parts[name] for name in names if name in self.parts]
        total = sum(info.file_size for info in infos)
        if total > self.limits.max_uncompressed_bytes:
            packed = sum(info.compress_size for info in infos)
            raise LimitExceededError.unpacked(self.url, total, packed, self.limits)
        for info in infos:
            ratio = self.limits.max_compression_ratio * max(info.compress_size, 1)
            if info.file_size > max(_SMALL, ratio):
                raise LimitExceededError.unpacked(
                    self.url, info.file_size, info.compress_size, self.limits
                )

    def read(self, name: str) -> bytes:
        """Read a part to its end, so that its checksum is verified.

        Raises:
            CorruptFileError: The part is not there, damaged or changed.
            EncryptedWorkbookError: The part is encrypted.
        """
        info = self.parts.get(name)
        if info is None:
            raise CorruptFileError.at(self.url, f"it has no part {name!r}")
        if info.flag_bits & _ENCRYPTED:
            raise EncryptedWorkbookError.at(self.url)
        self.check([name])
        out = io.BytesIO()
        try:
            with self.archive.open(info) as part:
                while chunk := part.read(_CHUNK):
                    out.write(chunk)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError):
            pass
        else:
            # NOTE: the end of a part that is cut short is no error to zipfile.
            if out.tell() == info.file_size:
                return out.getvalue()
        raise CorruptFileError.at(self.url, f"its part {name!r} is truncated or changed")

    def tags(self, name: str) -> list[tuple[str, dict[str, str]]]:
        """Give the start tags of a small part, without namespaces."""
        found: list[tuple[str, dict[str, str]]] = []
        if name in self.parts and self.parts[name].file_size > _LARGEST_LIST:
            raise CorruptFileError.at(self.url, f"its part {name!r} is no list of sheets")

        def start(tag: str, attributes: dict[str, str]) -> None:
            local = {key.rpartition(":")[2]: value for key, value in attributes.items()}
            found.append((tag.rpartition(":")[2], local))

        parser = xml_parser()
        parser.StartElementHandler = start
        parse_xml(parser, self.read(name), self.url, name)
        return found

    def workbook(self) -> Workbook:
        """Read which part holds which sheet.

        Raises:
            NotAWorkbookError: There is no workbook in the package.
            CorruptFileError: A part that is named is not there, or not well-formed.
        """
        main = "xl/workbook.xml"
        if "_rels/.rels" in self.parts:
            roots = self._relations("")
            main = next((to for kind, to in roots.values() if kind == "officedocument"), main)
        if main not in self.parts:
            found = "it is a zip file without a workbook in it"
            hint = f"unpack it, or name the file in it, as in zip://borrower.csv::{self.url}"
            raise NotAWorkbookError.at(self.url, found, hint)
        relations = self._relations(main)
        by_kind = {kind: target for kind, target in relations.values() if target in self.parts}
        sheets, date1904 = {}, "0"
        for tag, attributes in self.tags(main):
            if tag == "workbookPr":
                date1904 = attributes.get("date1904", "0")
            elif tag == "sheet":
                kind, target = relations.get(attributes.get("id", ""), ("", ""))
                if kind == "worksheet":
                    sheets[attributes.get("name", "")] = target
        return Workbook(sheets, by_kind.get("sharedstrings"), by_kind.get("styles"), date1904)

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Give kind and target of each relation of a part, by the relation's id."""
        folder, name = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        found = {}
        for tag, attributes in self.tags(relations):
            if tag == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.join("/", folder, attributes.get("Target", ""))
                kind = attributes.get("Type", "").rpartition("/")[2].lower()
                found[attributes.get("Id", "")] = (kind, _part_name(posixpath.normpath(target)))
        return found


def open_package(data: bytes, url: str, limits: ReadLimits) -> Package:
    """Open the zip file of a workbook.

    Raises:
        NotAWorkbookError: It is something else.
        EncryptedWorkbookError: It is protected with a password.
        UnsupportedFormatError: It is a spreadsheet of another format.
        CorruptFileError: It is truncated or damaged.
    """
    _refuse_other_formats(data, url)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = {_part_name(info.filename): info for info in archive.infolist()}
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError):
        parts = {}
    if not parts:
        raise CorruptFileError.at(url, "its zip directory is missing; it was most likely cut short")
    for part, name in _OTHER_PARTS.items():
        if part in parts:
            raise UnsupportedFormatError.at(url, f"is {name}", _SAVE_AS)
    return Package(url, limits, archive, parts)


_OTHER_PARTS = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "content.xml": "an OpenDocument file (.ods)",
    "index/document.iwa": "a Numbers document",
    "word/document.xml": "a Word document",
}


def _refuse_other_formats(data: bytes, url: str) -> None:
    if data.startswith(OLE_MAGIC):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise EncryptedWorkbookError.at(url)
        raise UnsupportedFormatError.at(url, "is of an old Office format (.xls)", _SAVE_AS)
    if not data.startswith(ZIP_MAGIC):
        found = "it is not a zip file, as workbooks are" if data else "it is empty"
        raise NotAWorkbookError.at(url, found)


def _part_name(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


# ----------------------------------------------------------------------------- XML


class _DocumentTypeError(Exception):
    """A document type stands where none may be: entities could make anything of the text."""


def _refuse_document_type(*_: object) -> None:
    raise _DocumentTypeError


def xml_parser() -> expat.XMLParserType:
    """Make a parser of UTF-8 that expands no entities."""
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_document_type
    return parser


def parse_xml(parser: expat.XMLParserType, data: bytes, url: str, part: str) -> None:
    """Parse a part to its end.

    Raises:
        CorruptFileError: It is not well-formed, or has a document type.
    """
    try:
        for start in range(0, len(data), _CHUNK):
            parser.Parse(data[start : start + _CHUNK], False)  # noqa: FBT003 - expat's own form
        parser.Parse(b"", True)  # noqa: FBT003
    except (expat.ExpatError, _DocumentTypeError):
        pass
    else:
        return
    raise CorruptFileError.at(url, f"the XML of its part {part!r} is not well-formed")


def plain_xml(data: bytes, url: str, part: str) -> bytes:
    """Give XML without comments, and with escaped text in the place of CDATA sections.

    Raises:
        CorruptFileError: One has no end, or there is a document type.
    """
    if b"<!" not in data:
        return data
    pieces, position = [], 0
    while (start := data.find(b"<!", position)) >= 0:
        marks = next((each for each in _SECTIONS if data.startswith(each[0], start)), None)
        end = data.find(marks[1], start + len(marks[0])) if marks else -1
        if marks is None or end < 0:
            raise CorruptFileError.at(url, f"the XML of its part {part!r} is not well-formed")
        pieces.append(data[position:start])
        if marks is _CDATA:
            text = data[start + len(marks[0]) : end].decode("latin-1")
            pieces.append(escape(text).encode("latin-1"))
        position = end + len(marks[1])
    return b"".join([*pieces, data[position:]])


_CDATA = (b"<![CDATA[", b"]]>")
_SECTIONS = ((b"<!--", b"-->"), _CDATA)


# ----------------------------------------------------------------------------- a plain package

_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def assemble(
    sheets: Sequence[bytes], strings: bytes | None, styles: bytes | None, date1904: str
) -> io.BytesIO:
    """Make a workbook of parts that were checked; its sheets are in the order given."""
    parts = {f"worksheets/sheet{i}.xml": ("worksheet", data) for i, data in enumerate(sheets)}
    if strings is not None:
        parts["sharedStrings.xml"] = ("sharedStrings", strings)
    if styles is not None:
        parts["styles.xml"] = ("styles", styles)
    listed = "".join(
        f'<sheet name="{i}" sheetId="{i + 1}" r:id="r{i}"/>' for i in range(len(sheets))
    )
    workbook = (
        f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}">'
        f'<workbookPr date1904="{int(date1904 in {"1", "true"})}"/>'
        f"<sheets>{listed}</sheets></workbook>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        archive.writestr("_rels/.rels", _relationships([("officeDocument", "xl/workbook.xml")]))
        archive.writestr("xl/workbook.xml", workbook)
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            _relationships([(kind, name) for name, (kind, _) in parts.items()]),
        )
        for name, (_, data) in parts.items():
            archive.writestr(f"xl/{name}", data)
    out.seek(0)
    return out


def _relationships(relations: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="r{i}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for i, (kind, target) in enumerate(relations)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'
