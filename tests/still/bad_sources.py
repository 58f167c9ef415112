"""Sources that cannot be read, and extracts and runs that cannot be made."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Optional, Union

import pandas as pd

import aspen_etl as ae
from tests.still.cases import NEWEST, needs
from tests.still.failing import Failing
from tests.support.workbooks import BORROWER, row, sheet, table, workbook

__all__ = ["SOURCES"]

SOURCES = Failing("bad_sources")

HEADER = ",".join(BORROWER)
GOOD = f"{HEADER}\na1,Ivo Brandt,3 Bay Ct,Pawtucket,RI,02860,,,\n"
ROLES = "borrower_id,role_profile\na1,borrower\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)

Text = Union[str, bytes]


def _write(folder: Path, files: Mapping[str, Text]) -> str:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return str(folder)


def _read(source: Any, **options: Any) -> str:
    extract = ae.read_extract(source, **options)
    return f"{extract!r} {extract.notes}"


def _archive(members: Mapping[str, Text]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, data in members.items():
            target.writestr(name, data)
    return out.getvalue()


# ----------------------------------------------------------------------------- text

_TEXTS: dict[str, Optional[Text]] = {
    "not there": None,
    "empty": "",
    "only white space": " \n\n",
    "missing column": GOOD.replace("zip_code", "note"),
    "near column": GOOD.replace("zip_code", "zip-cod"),
    "two missing columns": "id,full_name\na1,Ivo\n",
    "unknown column": GOOD.replace("email\n", "email,employer\n").replace(",,,\n", ",,,,Acme\n"),
    "duplicate column": GOOD.replace("email\n", "email, Email\n").replace(",,,\n", ",,,,x\n"),
    "cell below no header": GOOD.replace("email\n", "email,\n").replace(",,,\n", ",,,,x\n"),
    "ragged": GOOD + "a2,Maud\na3,Bo,,\n",
    "quote that stays open": GOOD + 'a2,"Maud,,,,,,,\n',
    "text after a quote": GOOD + 'a2,"Maud" Ferris,,,,,,,\n',
    "latin-1": GOOD.replace("Ivo", "J\u00f6rg").encode("latin-1"),
    "utf-16": GOOD.encode("utf-16"),
    "NUL": GOOD + "a2,Ma\0ud,,,,,,,\n",
    "NUL at the end": GOOD + "\0\0\0",
    "Ctrl-Z at the end": GOOD + "\x1a",
    "sep line": f"sep=,\n{GOOD}",
    "title line": f"Borrowers of May\n{GOOD}",
    "semicolons": GOOD.replace(",", ";"),
    "tabs": GOOD.replace(",", "\t"),
    "web page": "<!DOCTYPE html><html><table><tr><td>1</td></tr></table></html>",
    "JSON": '[{"id": "a1"}]',
    "zip": _archive({"borrower.csv": GOOD}),
    "OLE": OLE,
    "gzip cut short": gzip.compress(GOOD.encode(), mtime=0)[:-9],
    "Parquet cut short": b"PAR1" + bytes(40),
}


def _of_text(data: Optional[Text], folder: Path) -> str:
    files: dict[str, Text] = {"role_profile.csv": ROLES}
    if data is not None:
        files["borrower.csv"] = data
    return _read(_write(folder, files))


for _name, _data in _TEXTS.items():
    _need = needs("pyarrow") if "Parquet" in _name else needs()
    SOURCES.of(f"csv/{_name}", partial(_of_text, _data), _need)


@SOURCES("csv/one file for two sheets")
def _one_file(folder: Path) -> str:
    return _read(str(Path(_write(folder, {"borrower.csv": GOOD})) / "borrower.csv"))


@SOURCES("csv/unknown ending")
def _unknown_ending(folder: Path) -> str:
    _write(folder, {"b.data": GOOD, "r.csv": ROLES})
    return _read({"borrower": str(folder / "b.data"), "role_profile": str(folder / "r.csv")})


@SOURCES("csv/a part without a column")
def _part(folder: Path) -> str:
    parts = {"borrower/part-0.csv": GOOD, "borrower/part-1.csv": "id\na2\n"}
    return _read(_write(folder, {**parts, "role_profile.csv": ROLES}))


@SOURCES("csv/a folder without a part")
def _no_part(folder: Path) -> str:
    return _read(_write(folder, {"borrower/_SUCCESS": "", "role_profile.csv": ROLES}))


@SOURCES("csv/a table with a log of its own")
def _delta(folder: Path) -> str:
    files = {"borrower/_delta_log/0.json": "{}", "borrower/part-0.csv": GOOD}
    return _read(_write(folder, {**files, "role_profile.csv": ROLES}))


# ----------------------------------------------------------------------------- options

_OPTIONS: dict[str, dict[str, Any]] = {
    "unknown sheet": {"sheets": {"people": "x"}},
    "unknown target of a column": {"columns": {"Mail": "e-mail"}},
    "ignored as one text": {"ignore_columns": "email"},
    "header row 0": {"header_row": 0},
    "header row of an unknown sheet": {"header_row": {"people": 2}},
    "header row beyond the end": {"header_row": 9},
    "few rows": {"limits": ae.ReadLimits(max_rows=1)},
    "few columns": {"limits": ae.ReadLimits(max_columns=8)},
    "few cells": {"limits": ae.ReadLimits(max_cells=9)},
    "few bytes": {"limits": ae.ReadLimits(max_file_bytes=100)},
    "short lines": {"limits": ae.ReadLimits(max_line_bytes=20)},
    "two headers for a column": {"columns": {"street": "city"}},
}


def _of_options(options: dict[str, Any], folder: Path) -> str:
    more = GOOD + "a2,Maud Ferris,,,,,,,\n"
    return _read(_write(folder, {"borrower.csv": more, "role_profile.csv": ROLES}), **options)


for _name, _options in _OPTIONS.items():
    SOURCES.of(f"option/{_name}", partial(_of_options, _options))

_URLS = {
    "nowhere": "nowhere/at-all.xlsx",
    "unknown protocol": "nonsense://bucket/source",
    "empty": "",
    "password": "nonsense://user:secret@host/source?token=secret",
    "query": "memory://x/y.xlsx?versionId=1",
}
for _name, _url in _URLS.items():
    SOURCES.of(f"url/{_name}", lambda _, url=_url: _read(url))  # type: ignore[misc]
SOURCES.of("url/a sheet that the model has not", lambda _: _read({"people": "memory://x.csv"}))
SOURCES.of("limits/none", lambda _: ae.ReadLimits(max_rows=0))

# ----------------------------------------------------------------------------- workbooks

_CORNERS = sheet(row(1, BORROWER) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
_GROWN = workbook({"borrower": table(["1", *["a" * 1000] * 8]).replace("a", "a" * 1000)})
_BOOKS: dict[str, bytes] = {
    "empty": b"",
    "text": GOOD.encode(),
    "web page": b"<html><table></table></html>",
    "old Office": OLE,
    "encrypted": OLE + "EncryptedPackage".encode("utf-16-le"),
    "xlsb": _archive({"xl/workbook.bin": b""}),
    "ods": _archive({"content.xml": b""}),
    "Word": _archive({"word/document.xml": b""}),
    "another zip": _archive({"a.txt": b""}),
    "empty zip": _archive({}),
    "cut short": workbook()[:900],
    "no relations": workbook(parts={"xl/_rels/workbook.xml.rels": None}),
    "no sheet part": workbook(parts={"xl/worksheets/sheet0.xml": None}),
    "changed byte": workbook(
        {"borrower": table(["1", "Ann", None, None, None, 6705])}, compression=0
    ).replace(b"6705", b"9705"),
    "no header": workbook({"borrower": sheet("")}),
    "broken XML": workbook({"borrower": sheet('<row r="1"><c r="A1"><v>1</v></row>')}),
    "document type": workbook({"borrower": "<!DOCTYPE a [<!ENTITY b 'c'>]>" + table()}),
    "cell A0": workbook({"borrower": sheet('<row r="1"><c r="A0"><v>1</v></c></row>')}),
    "a cell twice": workbook(
        {"borrower": sheet('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>')}
    ),
    "string beyond the list": workbook({"borrower": table(["1", '<c t="s"><v>99</v></c>'])}),
    "kind of cell": workbook({"borrower": table(["1", '<c t="what"><v>1</v></c>'])}),
    "no number": workbook({"borrower": table(["1", '<c t="n"><v>x</v></c>'])}),
    "opposite corners": workbook({"borrower": _CORNERS}),
    "grown part": _GROWN,
    "a header twice": workbook({"borrower": table(header=[*BORROWER, "Email"])}),
    "one column more": workbook({"borrower": table(header=[*BORROWER, "employer"])}),
    "one column less": workbook({"borrower": table(header=BORROWER[:-1])}),
}


def _of_book(data: bytes, folder: Path) -> str:
    (folder / "book.xlsx").write_bytes(data)
    return _read(str(folder / "book.xlsx"))


for _name, _book in _BOOKS.items():
    SOURCES.of(f"workbook/{_name}", partial(_of_book, _book))


@SOURCES("workbook/no such sheet")
def _no_sheet(folder: Path) -> str:
    (folder / "book.xlsx").write_bytes(workbook())
    return _read(str(folder / "book.xlsx"), sheets={"borrower": "people"})


@SOURCES("parquet/a column of lists", needs("pyarrow"))
def _lists(folder: Path) -> str:
    frame = pd.DataFrame({name: ["x"] for name in BORROWER})
    frame["email"] = pd.Series([["x"]], dtype=object)
    frame.to_parquet(folder / "borrower.parquet")
    return _read(_write(folder, {"role_profile.csv": ROLES}))


@SOURCES("parquet/a double of 2**53", NEWEST)
def _double(folder: Path) -> str:
    frame = pd.DataFrame({name: ["x"] for name in BORROWER}).assign(id=[2.0**53])
    frame.to_parquet(folder / "borrower.parquet")
    return _read(_write(folder, {"role_profile.csv": ROLES}))


# ----------------------------------------------------------------------------- extracts, runs

NOW = dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc)
_FRAMES: dict[str, Any] = {
    "no frame": [1, 2],
    "floats": pd.DataFrame({"id": [1.0, 2.5]}),
    "great floats": pd.DataFrame({"id": pd.Series([1e16, 41.0], dtype=object)}),
    "lists": pd.DataFrame({"id": pd.Series([[1], [2]], dtype=object)}),
    "bytes": pd.DataFrame({"id": pd.Series([b"x"], dtype=object)}),
    "complex": pd.DataFrame({"id": [1j]}),
}
for _name, _frame in _FRAMES.items():
    SOURCES.of(
        f"extract/{_name}",
        lambda _, frame=_frame: repr(ae.Extract(borrower=frame)),  # type: ignore[misc]
    )
_RUNS: dict[str, tuple[Any, Any]] = {
    "no zone": (dt.datetime(2026, 1, 31), "me"),  # noqa: DTZ001 - that is the fault
    "a text": ("2026-01-31", "me"),
    "no time": (pd.NaT, "me"),
    "nobody": (NOW, " "),
    "a long name": (NOW, "x" * 129),
    "a line feed": (NOW, "a\nb"),
    "no text": (NOW, 7),
}
for _name, _words in _RUNS.items():
    SOURCES.of(
        f"run/{_name}",
        lambda _, words=_words: ae.Run(time=words[0], actor=words[1]),  # type: ignore[misc]
    )
