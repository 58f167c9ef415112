"""What a file is, told by its first bytes: its name can be wrong, and a server can send a page."""

from __future__ import annotations

import codecs
import re
from typing import Literal, Optional

from aspen_etl.errors import FileFormatError
from aspen_etl.io.filesystem import Location

__all__ = [
    "ENCRYPTED_MAGIC",
    "GZIP_MAGIC",
    "OLE_MAGIC",
    "PARQUET_MAGIC",
    "WORKBOOK_SUFFIXES",
    "ZIP_MAGIC",
    "FileKind",
    "recognize",
]

FileKind = Literal["workbook", "parquet", "text"]

#: How files begin that are read, or told by name: a workbook is a zip file, and an encrypted one
#: lies in Microsoft's older container.
ZIP_MAGIC, OLE_MAGIC = (b"PK\x03\x04", b"PK\x05\x06"), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PARQUET_MAGIC, ENCRYPTED_MAGIC = b"PAR1", b"PARE"
GZIP_MAGIC = b"\x1f\x8b"

#: What the name of a workbook ends in.
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm")

_HEAD = 1024
_UNPACK = "unpack it, or pack it with gzip"
_SAVE_AS_CSV = "write it as CSV or Parquet"

#: How files begin that are not read, what they are and what to do. A text that may be the first
#: header of a CSV file is no such beginning.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (rb"BZh[1-9]1AY&SY", "is packed with bzip2", _UNPACK),
    (rb"\x28\xb5\x2f\xfd", "is packed with zstd", _UNPACK),
    (rb"\xfd7zXZ\x00", "is packed with xz", _UNPACK),
    (rb"\x04\x22\x4d\x18", "is packed with lz4", _UNPACK),
    (rb"\xff\x06\x00\x00sNaPpY", "is packed with snappy", _UNPACK),
    (rb"\x1f\x8b", "is packed with gzip twice", "unpack it"),
    (rb"7z\xbc\xaf\x27\x1c", "is a 7z archive", "unpack it"),
    (rb"Rar!\x1a\x07", "is a RAR archive", "unpack it"),
    (rb"[^\x00]{1,100}\x00[\x00-\xff]{156,255}?ustar", "is a tar archive", "unpack it"),
    (rb"ORC[\x00-\x1f\x80-\xff]", "is an ORC file", _SAVE_AS_CSV),
    (rb"Obj\x01", "is an Avro file", _SAVE_AS_CSV),
    (rb"ARROW1\x00", "is an Arrow (Feather) file", _SAVE_AS_CSV),
    (rb"SQLite format 3\x00", "is an SQLite database", _SAVE_AS_CSV),
    (rb"%PDF-", "is a PDF document", _SAVE_AS_CSV),
    (rb"-----BEGIN PGP MESSAGE", "is encrypted with PGP", "decrypt it"),
    (
        rb"version https://git-lfs\.github\.com/spec/",
        "is a Git LFS pointer, not the file that it stands for",
        "fetch the file with git lfs pull",
    ),
    (
        rb"<(?:!doctype\s+html|html|head|body|table|meta)\b",
        "is a page of HTML, as a server sends it in the place of a file",
        "sign in or mend the url, or open it in a spreadsheet program and save it as .xlsx",
    ),
    (
        rb"<(?:\?xml|!doctype|!--|workbook|error)\b",
        "is an XML document",
        "read what it says, or open it in a spreadsheet program and save it as .xlsx",
    ),
    (rb"\{\s*[\"}]|\[\s*[\[{\"\]]", "is JSON", _SAVE_AS_CSV),
)
_PATTERNS = tuple(
    (re.compile(rb"\s*(?:" + begin + rb")", re.IGNORECASE), found, hint)
    for begin, found, hint in _OTHERS
)


def recognize(data: bytes, place: Location) -> FileKind:
    """Tell what a file is.

    Args:
        data: The file, unpacked.
        place: Where it is from; its name tells what it should be.

    Raises:
        FileFormatError: It is of a format that is not read; it has the name of a workbook, and is
            something else.
    """
    name = place.name.lower().removesuffix(".gz")
    if data.startswith((*ZIP_MAGIC, OLE_MAGIC)):
        return "workbook"
    if data.startswith((PARQUET_MAGIC, ENCRYPTED_MAGIC)):
        return "parquet"
    other = _other_format(data)
    is_workbook = name.endswith(WORKBOOK_SUFFIXES)
    if other and is_workbook:
        found = f"it is not a zip file, as workbooks are, but it {other[0]}"
        raise FileFormatError.not_a_workbook(place.url, found, other[1])
    if other:
        raise FileFormatError.unsupported(place.url, *other)
    if is_workbook:
        raise _no_workbook(data, place.url)
    if not name.endswith(".parquet"):
        return "text"
    if data and _is_text(data):
        raise FileFormatError.unsupported(
            place.url, "is no Parquet file but text", "if it is CSV, let its name end in .csv"
        )
    return "parquet"


def _other_format(data: bytes) -> Optional[tuple[str, str]]:
    head = data[:_HEAD].removeprefix(b"\xef\xbb\xbf")
    return next(((found, hint) for begin, found, hint in _PATTERNS if begin.match(head)), None)


def _no_workbook(data: bytes, url: str) -> FileFormatError:
    if not data:
        return FileFormatError.not_a_workbook(url, "it is empty")
    if _is_text(data):
        found = "it is not a zip file, as workbooks are, but text"
        return FileFormatError.not_a_workbook(url, found, "if it is CSV, let its name end in .csv")
    return FileFormatError.not_a_workbook(url, "it is not a zip file, as workbooks are")


def _is_text(data: bytes) -> bool:
    head = data[:_HEAD]
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return "\0" not in decoder.decode(head)  # which may end within a character
    except UnicodeDecodeError:
        return False
