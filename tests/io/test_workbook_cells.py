"""Every cell of a workbook arrives as text or as missing, whatever program wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from aspen_etl.schema import Extract
from tests.support.workbooks import (
    BORROWER,
    DATE,
    DATE_TIME,
    DURATION,
    SPREADSHEET,
    TIME,
    row,
    sheet,
    table,
    workbook,
)

HEADER = row(1, BORROWER)


def names(extract: Extract) -> list[Any]:
    column = extract["borrower"]["full_name"]
    return [None if absent else value for value, absent in zip(column, column.isna())]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("02138", "02138"),
        ("NA", "NA"),
        ("None", "None"),
        ("Null", "Null"),
        ("nan", "nan"),
        ("1e5", "1e5"),
        ("TRUE", "TRUE"),
        ("2020-01-02", "2020-01-02"),
        ("  two  words ", "  two  words "),
        ("", None),
        (None, None),
        (2138, "2138"),
        (2138.0, "2138"),
        (0.25, "0.25"),
        (-3, "-3"),
        (1e15, "1000000000000000"),
        (True, "TRUE"),
        (False, "FALSE"),
        (f'<c s="{DATE}"><v>44000</v></c>', "2020-06-18"),
        (f'<c s="{DATE_TIME}"><v>44000.5</v></c>', "2020-06-18 12:00:00"),
        (f'<c s="{TIME}"><v>0.25</v></c>', "06:00:00"),
        (f'<c s="{DURATION}"><v>1.75</v></c>', "42:00:00"),
        ('<c t="str"><f>A1</f><v>a&amp;b</v></c>', "a&b"),
        ("<c><f>1+1</f><v>2</v></c>", "2"),
        ('<c t="str"><f>""</f><v></v></c>', None),
        ('<c t="inlineStr"><is><r><t>a</t></r><r><rPr><b/></rPr><t>b</t></r></is></c>', "ab"),
        ("a_x000D_b_x005F_x000D_", "a\rb_x000D_"),
        ("_xD83D_ _x41_", "_xD83D_ _x41_"),
        ('<c s="1"/>', None),
    ],
)
def test_a_cell_is_the_text_that_a_person_would_type(
    read: Callable[..., Extract], cell: Any, text: str | None
) -> None:
    assert names(read({"borrower": table(["1", cell, "end"])})) == [text]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<c><v><![CDATA[5]]></v></c>", "5"),
        ("<c><v>&#53;</v></c>", "5"),
        ('<c t="str"><v>a<!-- no -->b</v></c>', "ab"),
        ('<c t="inlineStr"><is><t><![CDATA[x<]]>y</t></is></c>', "x<y"),
        ("<c><v>7</v><f>3+4</f></c>", "7"),
        ("<c><v>7</v><extLst><ext/></extLst></c>", "7"),
        ("<c t='str'><v>single</v></c>", "single"),
        ('<c t="inlineStr"><v>no</v><is><t>yes</t></is></c>', "yes"),
        ('<c t="inlineStr"><is><t>a&#13;b</t></is></c>', "a\rb"),
        ("<c ><!-- > --><v>3</v></c>", "3"),
        ("<c>\n <v>3</v>\n</c>", "3"),
    ],
)
def test_unusual_xml_says_what_it_means(read: Callable[..., Extract], cell: str, text: str) -> None:
    assert names(read({"borrower": table(["1", cell])})) == [text]


def test_cells_may_go_without_a_name(read: Callable[..., Extract]) -> None:
    cells = "".join(f'<c t="str"><v>{name}</v></c>' for name in BORROWER)
    rows = (
        f'<row>{cells}</row><row/><row><c><v>1</v></c><c r="C3"><v>2</v></c><c><v>3</v></c></row>'
    )
    frame = read({"borrower": sheet(rows)})["borrower"]
    assert frame.index.tolist() == [2, 3]
    assert frame.loc[[3], ["id", "street", "city"]].to_numpy().tolist() == [["1", "2", "3"]]
    assert frame.loc[[3]].notna().to_numpy().sum() == 3


def test_names_may_have_a_prefix(read: Callable[..., Extract]) -> None:
    xml = re.sub(r"<(/?)", r"<\1x:", table(["1", "Ann"])).replace("xmlns=", "xmlns:x=")
    assert names(read({"borrower": xml})) == ["Ann"]


def test_rows_may_come_in_any_order(read: Callable[..., Extract]) -> None:
    xml = sheet(row(3, ["2", "Bob"]) + HEADER + row(2, ["1", "Ann"]))
    assert names(read({"borrower": xml})) == ["Ann", "Bob"]


def test_shared_strings_may_hold_comments_and_cdata(read: Callable[..., Extract]) -> None:
    strings = "<si><t>A<![CDATA[&]]>B</t></si><si><r><t>c</t></r><!-- x --><r><t>d</t></r></si>"
    xml = table(["1", '<c t="s"><v>0</v></c>'], ["2", '<c t="s"><v>1</v></c>'])
    assert names(read(workbook({"borrower": xml}, strings=strings))) == ["A&B", "cd"]


def test_a_calendar_from_1904_is_minded(read: Callable[..., Extract]) -> None:
    xml = table(["1", f'<c s="{DATE}"><v>42538</v></c>'])
    book = workbook({"borrower": xml})
    plain = read(book)
    part = (
        f'<workbook xmlns="{SPREADSHEET}" xmlns:r="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships"><workbookPr date1904="1"/><sheets>'
        '<sheet name="borrower" sheetId="1" r:id="rId0"/>'
        '<sheet name="role_profile" sheetId="2" r:id="rId1"/></sheets></workbook>'
    )
    shifted = read(workbook({"borrower": xml}, parts={"xl/workbook.xml": part}))
    assert (names(plain), names(shifted)) == (["2016-06-17"], ["2020-06-18"])
