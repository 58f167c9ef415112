"""Take a workbook's zip file apart: each part checked, within limits, as XML in UTF-8."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aspen_etl.errors import CorruptFileError, FileFormatError, LimitExceededError
from aspen_etl.io.formats import OLE_MAGIC, ZIP_MAGIC
from aspen_etl.io.reading import ReadLimits
from aspen_etl.io.xlsx.members import refuse_odd_members
from aspen_etl.io.xlsx.xml import XmlParser, bounded, in_utf8

__all__ = ["Package", "open_package", "part_name"]


_CHUNK = 8 << 20
_SMALL = 1 << 20
_MEMBER = b"PK\x01\x02"
_ENCRYPTED = 0x1
#: The methods that the format allows; the others that zipfile knows unpack without bounds.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_SAVE_AS = "open it in a spreadsheet program and save it as .xlsx"


@dataclass(frozen=True)
class Package:
    """Hold a zip file and the limits within which it is read.

    Attributes:
        url: The file, as messages show it.
        limits: How much to take in.
        archive: The zip file.
        parts: Its members by name, in lower case, as names match.
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

    def chunks(self, name: str) -> Iterator[bytes]:
        """Give a part's XML in UTF-8, piece by piece; its checksum is verified at the end.

        Raises:
            CorruptFileError: The part is not there, damaged or changed.
            FileFormatError: The part is encrypted; it is packed in a way that is not read; it is in
                an encoding that is not read.
            LimitExceededError: It is too large, or a text in it.
        """
        return bounded(in_utf8(self._unpacked(name), self.url, name), self.url, self.limits)

    def read(self, name: str) -> bytes:
        """Give a part's XML as a whole; ``chunks`` says what can be wrong with it."""
        out = io.BytesIO()
        for chunk in self.chunks(name):
            out.write(chunk)
        return out.getvalue()

    def tags(self, name: str, wanted: Collection[str]) -> list[tuple[str, dict[str, str]]]:
        """Give a part's start tags of these names, without prefixes.

        Raises:
            CorruptFileError: It is not well-formed, or has a document type.
            LimitExceededError: There are too many of them.
        """
        found: list[tuple[str, dict[str, str]]] = []

        def start(tag: str, attributes: dict[str, str]) -> None:
            if tag not in wanted:
                return
            if len(found) >= self.limits.max_parts:
                raise self._too_many(f"what its part {name!r} lists is", len(found) + 1)
            local = {key.rpartition(":")[2]: value for key, value in attributes.items()}
            found.append((tag, local))

        parser = XmlParser(self.url, name, self.limits)
        parser.start = start
        parser.parse(self.chunks(name))
        return found

    def _unpacked(self, name: str) -> Iterator[bytes]:
        info = self.parts.get(name)
        if info is None:
            raise CorruptFileError.at(self.url, f"it has no part {name!r}")
        if info.flag_bits & _ENCRYPTED:
            raise FileFormatError.encrypted(self.url)
        if info.compress_type not in _METHODS:
            found = f"holds {name!r}, packed by the method {info.compress_type} of zip files"
            raise FileFormatError.unsupported(self.url, f"{found}, which is not read", _SAVE_AS)
        self.check([name])
        size = 0
        try:
            with self.archive.open(info) as part:
                while chunk := part.read(_CHUNK):
                    size += len(chunk)
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError):
            pass
        else:
            # NOTE: the end of a part that is cut short is no error to zipfile.
            if size == info.file_size:
                return
        raise CorruptFileError.at(self.url, f"its part {name!r} is truncated or changed")

    def _too_many(self, what: str, found: int) -> LimitExceededError:
        return LimitExceededError.of(
            self.url, what, limit="max_parts", allowed=self.limits.max_parts, found=found
        )


def open_package(data: bytes, url: str, limits: ReadLimits) -> Package:
    """Open the zip file of a workbook.

    Raises:
        FileFormatError: It is something else; it is protected with a password; it is a spreadsheet
            of another format, or its members have names that programs understand in different ways.
        CorruptFileError: It is truncated or damaged.
        LimitExceededError: It has too many members.
    """
    _refuse_other_formats(data, url)
    members = data.count(_MEMBER)
    if members > limits.max_parts:
        raise LimitExceededError.of(
            url,
            "the members of its zip file are",
            limit="max_parts",
            allowed=limits.max_parts,
            found=members,
        )
    infos: list[zipfile.ZipInfo] = []
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError):
        pass
    if not infos:
        raise CorruptFileError.at(url, "its zip directory is missing; it was most likely cut short")
    refuse_odd_members(infos, url)
    parts = {part_name(info.filename): info for info in infos}
    for part, name in _OTHER_PARTS.items():
        if part in parts:
            raise FileFormatError.unsupported(url, f"is {name}", _SAVE_AS)
    return Package(url, limits, archive, parts)


_OTHER_PARTS = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "content.xml": "an OpenDocument file (.ods)",
    "index/document.iwa": "a Numbers document",
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a presentation",
}


def _refuse_other_formats(data: bytes, url: str) -> None:
    if data.startswith(OLE_MAGIC):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise FileFormatError.encrypted(url)
        raise FileFormatError.unsupported(url, "is of an old Office format (.xls)", _SAVE_AS)
    if not data.startswith(ZIP_MAGIC):
        found = "it is not a zip file, as workbooks are" if data else "it is empty"
        raise FileFormatError.not_a_workbook(url, found)


def part_name(name: str) -> str:
    """Give a part's name in the form in which names match."""
    return name.replace("\\", "/").lstrip("/").lower()
