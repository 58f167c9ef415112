"""The parts of a workbook: encodings, document types, members, and what is declared of them."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from aspen_etl.errors import CorruptFileError, LimitExceededError
from aspen_etl.schema import Extract
from tests.support.refusals import Kind, refused
from tests.support.workbooks import SPREADSHEET, sheet, table, workbook

Read = Callable[..., Extract]
SHARED = table(["1", '<c t="s"><v>0</v></c>'])
SHEET, STRINGS = "xl/worksheets/sheet0.xml", "xl/strings.xml"
MEMBERS = (
    "[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels",
    "xl/styles.xml", STRINGS, SHEET,
)  # fmt: skip


def changed(change: Callable[[str, bytes], bytes], book: bytes | None = None) -> bytes:
    """Give a workbook with each part changed."""
    out = io.BytesIO()
    old = zipfile.ZipFile(
        io.BytesIO(book or workbook({"borrower": SHARED}, strings="<si><t>Zoë</t></si>"))
    )
    with old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def first_name(extract: Extract) -> Any:
    return extract["borrower"]["full_name"].tolist()[0]


@pytest.mark.parametrize("part", MEMBERS)
@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "utf-16"),
        ("iso-8859-1", "ISO-8859-1"),
        ("cp1252", "windows-1252"),
        ("utf-8-sig", "utf-8"),
    ],
)
def test_a_part_is_read_in_the_encoding_that_it_names(
    read: Read, part: str, encoding: str, declared: str
) -> None:
    def change(name: str, data: bytes) -> bytes:
        text = f'<?xml version="1.0" encoding="{declared}"?>{data.decode()}'
        return text.encode(encoding) if name == part else data

    assert first_name(read(changed(change))) == "Zoë"


def test_utf_16_that_is_none_is_utf_8(read: Read) -> None:
    head = b"<?xml version='1.0' encoding='utf-16'?>"
    assert first_name(read(changed(lambda _, data: head + data))) == "Zoë"


@pytest.mark.parametrize("declared", ["rot13", "zip", "EBCDIC-CP-US", "iso-8859-99"])
def test_another_encoding_is_named(read: Read, declared: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>'.encode()
    with refused("encoding", match=f"'xl/strings.xml' is in the encoding '{declared}'"):
        read(changed(lambda name, data: head + data if name == STRINGS else data))


@pytest.mark.parametrize("part", [STRINGS, SHEET])
def test_bytes_that_are_no_text_are_damage(read: Read, part: str) -> None:
    with pytest.raises(CorruptFileError, match="not text in the encoding that it names"):
        read(changed(lambda name, data: data.replace(b"<", b"<\xff", 1) if name == part else data))


@pytest.mark.parametrize("part", MEMBERS)
@pytest.mark.parametrize("head", ["", '<?xml version="1.0"?>', "<!-- a -->", "\ufeff"])
def test_a_document_type_is_refused_wherever_it_stands(read: Read, part: str, head: str) -> None:
    doctype = f'{head}<!DOCTYPE a [<!ENTITY b "c">]>'.encode()
    with pytest.raises(CorruptFileError, match=r"is refused: its part .* has a document type"):
        read(changed(lambda name, data: doctype + data if name == part else data))


@pytest.mark.parametrize(
    ("name", "match"),
    [
        (SHEET, "holds 'xl/worksheets/sheet0.xml' twice"),
        ("xl/WORKSHEETS/sheet0.xml", "differ in the case of letters alone"),
        ("/xl/other.xml", "begins with a slash"),
        ("xl\\other.xml", "holds a backslash"),
        ("../other.xml", r"leads out of it with '\.\.'"),
    ],
)
def test_members_of_odd_names_are_refused(read: Read, name: str, match: str) -> None:
    out = io.BytesIO(workbook({"borrower": table(["1", "Ann"])}))
    with (
        pytest.warns(UserWarning, match="Duplicate") if name == SHEET else contextlib.nullcontext(),
        zipfile.ZipFile(out, "a") as archive,
    ):
        archive.writestr(name, table(["1", "Bob"]))
    with refused("unsupported", match=match):
        read(out.getvalue())


def test_what_a_part_declares_of_itself_is_not_trusted(read: Read) -> None:
    def change(_: str, data: bytes) -> bytes:
        many = b' count="18446744073709551615" uniqueCount="3000000000"'
        data = data.replace(b"<sst", b"<sst" + many).replace(b'count="5"', b'count="4000000000"')
        wide = b'<dimension ref="A1:XFD1048576"/><sheetData>'
        merged = (
            b'</sheetData><mergeCells count="4294967295"><mergeCell ref="A5:XFD9"/></mergeCells>'
        )
        return data.replace(b"<sheetData>", wide).replace(b"</sheetData>", merged)

    extract = read(changed(change))
    assert (first_name(extract), len(extract["borrower"])) == ("Zoë", 1)
    assert extract.notes["borrower"] == {"merged_cells": 1}


@pytest.mark.parametrize("dimension", ["B2:A1", "XFD1048576:A1", "A0", "ZZZZZZZ99999999999"])
def test_an_odd_dimension_is_nothing(read: Read, dimension: str) -> None:
    xml = SHARED.replace("<sheetData>", f'<dimension ref="{dimension}"/><sheetData>')
    book = workbook({"borrower": xml}, strings="<si><t>Ann</t></si>")
    assert first_name(read(book)) == "Ann"


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels"])
def test_a_list_of_sheets_may_be_large_and_not_endless(read: Read, part: str) -> None:
    ends = (b"</workbook>", b"</Relationships>")

    def grown(filler: bytes) -> bytes:
        def change(name: str, data: bytes) -> bytes:
            for end in ends if name == part else ():
                data = data.replace(end, filler + end)
            return data

        return changed(change)

    names = b"".join(
        b'<other name="was_%d">%x</other>' % (i, i * 2654435761) for i in range(120_000)
    )
    assert len(names) > 4 << 20
    assert first_name(read(grown(names))) == "Zoë"
    with pytest.raises(LimitExceededError, match="max_compression_ratio"):
        read(grown(b" " * (20 << 20)))


def test_sheets_and_relations_named_twice_are_damage(read: Read) -> None:
    twice = b'<sheet name="borrower" sheetId="9" r:id="rId1"/></sheets>'
    with pytest.raises(CorruptFileError, match="two sheets of the name 'borrower'"):
        read(changed(lambda _, data: data.replace(b"</sheets>", twice)))
    with pytest.raises(CorruptFileError, match="two relations"):
        read(
            changed(
                lambda name, data: (
                    data.replace(b'"rId1"', b'"rId0"') if name.startswith("xl/_rels") else data
                )
            )
        )


@pytest.mark.parametrize(
    ("offset", "value", "kind", "match"),
    [
        (8, 0x1, "encrypted", "password"),
        (10, 9, "unsupported", "the method 9"),
        (10, 12, "unsupported", "the method 12"),
    ],
)
def test_a_member_that_is_not_read_is_not_called_damaged(
    read: Read, offset: int, value: int, kind: Kind, match: str
) -> None:
    book = bytearray(workbook({"borrower": table(["1"])}))
    start = book.rindex(b"PK\x01\x02", 0, book.rindex(SHEET.encode()))
    book[start + offset] = value
    with refused(kind, match=match):
        read(bytes(book))


@pytest.mark.parametrize(
    "strings",
    [
        "<si><t>a</t></si><si><t> b</t></si>",
        "\n <si>\n <t>a</t>\n </si>\n <si><t xml:space='preserve'> b</t></si>",
        "<si><r><t>a</t></r></si><si><r><rPr><b/></rPr><t> </t></r><r><t>b</t></r></si>",
        '<si><t>a</t><rPh sb="0"><t>x</t></rPh><phoneticPr fontId="1"/></si><si><t> b</t></si>',
        "<si><t>a</t></si><si><t> <![CDATA[b]]></t></si>",
        "<si><t>&#97;</t></si><si><t>&#32;b</t></si>",
    ],
)
def test_shared_strings_are_read_however_they_are_written(read: Read, strings: str) -> None:
    xml = table(["1", '<c t="s"><v>0</v></c>'], ["2", '<c t="s"><v>1</v></c>'])
    names = read(workbook({"borrower": xml}, strings=strings))["borrower"]["full_name"]
    assert [name.strip() for name in names] == ["a", "b"]


def test_a_string_that_is_not_there_is_named_by_its_place(read: Read) -> None:
    with pytest.raises(
        CorruptFileError, match=r"the cell B2 of its part .* names no shared string"
    ):
        read(
            workbook(
                {"borrower": table(["1", '<c t="s"><v>1</v></c>'])}, strings="<si><t>a</t></si>"
            )
        )


def test_cells_outside_of_the_rows_are_none(read: Read) -> None:
    xml = sheet("", after='<x><c r="A9"><v>9</v></c></x>')
    one = table(["1"]).replace(
        sheet("")[len(f'<worksheet xmlns="{SPREADSHEET}"><sheetData>') :],
        xml[xml.index("</sheetData>") :],
    )
    assert len(read({"borrower": one})["borrower"]) == 1
