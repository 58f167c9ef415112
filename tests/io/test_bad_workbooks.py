"""A file that is no sound workbook is one clear error of ours, and costs little."""

from __future__ import annotations

import contextlib
import io
import time
import zipfile
from collections.abc import Callable

import pytest

from aspen_etl.errors import AspenETLError, CorruptFileError, LimitExceededError
from aspen_etl.io import ReadLimits
from aspen_etl.schema import Extract
from tests.support.refusals import Kind, refused
from tests.support.workbooks import BORROWER, SPREADSHEET, row, sheet, table, workbook

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
CORNERS = sheet(row(1, BORROWER) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')

Read = Callable[..., Extract]


def archive(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, data in members.items():
            target.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "kind", "match"),
    [
        (b"", "not_a_workbook", "it is empty"),
        (b"id,full_name\n", "not_a_workbook", "not a zip file"),
        (b"<html><table></table></html>", "not_a_workbook", "not a zip file"),
        (OLE, "unsupported", r"old Office format \(\.xls\)"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted", "password"),
        (archive({"xl/workbook.bin": b""}), "unsupported", r"\.xlsb"),
        (archive({"content.xml": b""}), "unsupported", r"\.ods"),
        (archive({"word/document.xml": b""}), "unsupported", "Word"),
        (archive({"a.txt": b""}), "not_a_workbook", "without a workbook"),
        (archive({}), CorruptFileError, "zip directory"),
        (workbook()[:-30], CorruptFileError, "cut short"),
        (workbook()[:900], CorruptFileError, "cut short"),
        (workbook(parts={"xl/_rels/workbook.xml.rels": None}), CorruptFileError, "has no part"),
        (workbook(parts={"xl/worksheets/sheet0.xml": None}), CorruptFileError, "has no part"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_another_file_is_told_by_what_it_is(
    read: Read, data: bytes, kind: Kind, match: str
) -> None:
    with refused(kind, match=match):
        read(data)


def test_a_changed_byte_is_seen(read: Read) -> None:
    book = workbook({"borrower": table(["1", "Ann", None, None, None, 6705])}, compression=0)
    assert book.count(b"6705") == 1
    with pytest.raises(CorruptFileError, match=r"sheet0\.xml' is truncated or changed"):
        read(book.replace(b"6705", b"9705"))


@pytest.mark.parametrize(
    "xml",
    [
        sheet('<row r="1"><c r="A1"><v>1</v></row>'),
        sheet('<row r="1"><!-- <c r="A1"/></row>'),
        "<!DOCTYPE a [<!ENTITY b 'c'>]>" + table(),
        table(["1", "<c><v>&undefined;</v></c>"]),
        sheet('<row r="1"><c r="A0"><v>1</v></c></row>'),
        sheet('<row r="1"><c r="A1048577"><v>1</v></c></row>'),
        sheet('<row r="1"><c r="XFE1"><v>1</v></c></row>'),
        sheet('<row r="1"><c r="ZZZZZZZ1"><v>1</v></c></row>'),
        sheet('<row r="99999999999"><c><v>1</v></c></row>'),
        sheet(row(1, BORROWER) + '<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>'),
        table(["1", '<c t="s"><v>99</v></c>']),
        table(["1", '<c t="s"><v>-1</v></c>']),
        table(["1", '<c t="what"><v>1</v></c>']),
        table(["1", '<c t="n"><v>x</v></c>']),
        "",
        "\0",
    ],
)
def test_a_damaged_sheet_is_an_error(read: Read, xml: str) -> None:
    with refused((CorruptFileError, "missing_column")) as caught:
        read({"borrower": xml})
    assert caught.value.__context__ is None


def test_two_cells_at_opposite_corners_do_not_reach_calamine(read: Read) -> None:
    with pytest.raises(LimitExceededError, match="max_cells") as caught:
        read({"borrower": CORNERS})
    assert caught.value.details["found"] == 1_048_576 * 16_384


def test_a_far_cell_without_a_value_takes_no_room(read: Read) -> None:
    extract = read({"borrower": CORNERS.replace("<v>1</v>", "")})
    assert len(extract["borrower"]) == 0


def test_a_sheet_that_is_not_read_is_not_looked_at(read: Read) -> None:
    assert len(read({"notes": CORNERS})["borrower"]) == 0


def test_a_part_may_not_grow_too_much(read: Read) -> None:
    book = workbook({"borrower": table(["1", *["a" * 1000] * 8]).replace("a", "a" * 1000)})
    with pytest.raises(LimitExceededError, match="max_compression_ratio"):
        read(book)


def test_the_parts_together_may_not_grow_too_much(read: Read) -> None:
    with pytest.raises(LimitExceededError, match="max_uncompressed_bytes"):
        read({}, limits=ReadLimits(max_uncompressed_bytes=1000))


def test_a_shared_string_may_not_be_repeated_without_end(read: Read) -> None:
    strings = f"<si><t>{'x' * 100_000}</t></si><si><t>y</t></si>"
    many = [f'<c t="s"><v>{i % 2}</v></c>' for i in range(9)]
    book = workbook({"borrower": table(*[many] * 100)}, strings=strings)
    limits = ReadLimits(max_uncompressed_bytes=60_000_000, max_compression_ratio=10**6)
    assert len(read(book, limits=limits)["borrower"]) == 100
    with pytest.raises(LimitExceededError, match="max_uncompressed_bytes"):
        read(book, limits=ReadLimits(max_uncompressed_bytes=40_000_000))


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (ReadLimits(max_file_bytes=100), "max_file_bytes"),
        (ReadLimits(max_rows=1), "max_rows"),
        (ReadLimits(max_columns=8), "max_columns"),
        (ReadLimits(max_cells=9), "max_cells"),
        (ReadLimits(max_empty_cells=5), "max_empty_cells"),
        (ReadLimits(max_cell_bytes=240), "max_cell_bytes"),
        (ReadLimits(max_parts=7), "max_parts"),
        (ReadLimits(max_parts=4), "max_parts"),
        (ReadLimits(max_depth=4), "max_depth"),
    ],
)
def test_each_limit_is_named(read: Read, limits: ReadLimits, name: str) -> None:
    text = f"<c t='inlineStr'><is><t>{'x' * 250}</t></is></c>"
    with pytest.raises(LimitExceededError, match=rf"limits=ReadLimits\({name}=") as caught:
        read({"borrower": table(["1"], ["2", text])}, limits=limits)
    assert caught.value.details["limit"] == name


def test_a_limit_must_let_something_pass() -> None:
    with pytest.raises(ValueError, match="max_rows"):
        ReadLimits(max_rows=0)


def test_a_missing_sheet_names_those_that_are_there(read: Read) -> None:
    with refused("missing_sheet", match="no sheet 'people'; it has 'borrower', 'role_"):
        read({}, sheets={"borrower": "people"})


def test_a_sheet_is_found_by_another_name_and_case(read: Read) -> None:
    extract = read({"People": table(["1"])}, sheets={"borrower": " people"})
    assert extract["borrower"]["id"].tolist() == ["1"]


@pytest.mark.parametrize("xml", [sheet(""), sheet('<row r="1"><c r="A1" s="1"/></row>')])
def test_a_sheet_without_a_cell_has_no_header(read: Read, xml: str) -> None:
    with refused("missing_column", match="among its 0 headers"):
        read({"borrower": xml})


def test_part_names_may_be_absolute_or_in_another_case(read: Read) -> None:
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId0" Type="x/worksheet" Target="/XL/Worksheets/Sheet0.xml"/>'
        '<Relationship Id="rId1" Type="x/worksheet" Target="../xl/worksheets/sheet1.xml"/>'
        "</Relationships>"
    )
    book = workbook({"borrower": table(["1"])}, parts={"xl/_rels/workbook.xml.rels": rels})
    assert read(book)["borrower"]["id"].tolist() == ["1"]


def test_a_strict_workbook_is_read(read: Read) -> None:
    strict = table(["1"]).replace(SPREADSHEET, "http://purl.oclc.org/ooxml/spreadsheetml/main")
    assert read({"borrower": strict})["borrower"]["id"].tolist() == ["1"]


@pytest.mark.parametrize("run", [1_000_000, 200_000])
@pytest.mark.parametrize(
    "unit",
    [
        "<", "<a>", "<c>", "<c ", '<c r="A1"/>', '<c r="A1"><f>', "<f ", "<row><f>", "<v>", "<v>&",
        '<row hidden="1" ', '"e"', '"s" ', ":c ", '="', "<!--", "<![CDATA[", ">1<", "</si>", "&#9;",
    ],
)  # fmt: skip
def test_a_hostile_sheet_takes_no_more_time_than_it_is_long(
    read: Read, unit: str, run: int
) -> None:
    noise = "".join(f"<x>{unit * (run // len(unit))}</x>" for _ in range(1_000_000 // run))
    book = workbook({"borrower": sheet(noise)}, strings=noise)
    start = time.process_time()
    with contextlib.suppress(AspenETLError):
        read(book, limits=ReadLimits(max_compression_ratio=10_000))
    assert time.process_time() - start < 8
