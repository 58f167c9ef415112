"""Numbers, dates and booleans of a workbook arrive digit by digit, or as rejects."""

from __future__ import annotations

import decimal
import re
from collections.abc import Callable
from typing import Any

import pytest

from aspen_etl.errors import CorruptFileError
from aspen_etl.io.xlsx.number import number_text
from aspen_etl.io.xlsx.serial import Shown, serial_text
from aspen_etl.schema import Extract
from tests.support.workbooks import (
    DATE,
    DATE_TIME,
    DURATION,
    OFFICE,
    SPREADSHEET,
    TIME,
    table,
    workbook,
)

Read = Callable[..., Extract]
_1904 = {
    "xl/workbook.xml": f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{OFFICE}">'
    '<workbookPr date1904="true"/><sheets><sheet name="borrower" sheetId="1" r:id="rId0"/>'
    '<sheet name="role_profile" sheetId="2" r:id="rId1"/></sheets></workbook>'
}


def seen(read: Read, cells: list[str], parts: dict[str, Any] | None = None) -> list[Any]:
    """Give the text of cells, or the value and rule of what they are rejected for."""
    xml = table(*([str(i), cell] for i, cell in enumerate(cells, 1)))
    both = []
    for each in (xml, xml.replace("<row", "<!-- rewritten --><row", 1)):
        extract = read(workbook({"borrower": each}, parts=parts))
        names = extract["borrower"]["full_name"]
        found: list[Any] = [None if cell != cell else cell for cell in names.tolist()]  # noqa: PLR0124
        for _, row, column, value, rule in extract.faults.itertuples(index=False):
            assert column == "full_name"
            found[row - 2] = (value, rule)
        both.append(found)
    assert both[0] == both[1]
    return both[0]


NUMBERS = {
    "10000000000000001": "10000000000000001",
    "98765432109876543210": "98765432109876543210",
    "-9007199254740993": "-9007199254740993",
    "1.0000000000000001E16": "10000000000000001",
    "1.0000000000000001e+16": "10000000000000001",
    "010000000000000001": "10000000000000001",
    "+10000000000000001.00": "10000000000000001",
    " 10000000000000001\n": "10000000000000001",
    "9007199254740990.5": "9007199254740990.5",
    "12345678901234567.5": "12345678901234567.5",
    "0.12345678901234567890": "0.1234567890123456789",
    "0.57999999999999996": "0.58",
    "0.1000000000000000055511151231257827": "0.1",
    "2860.0": "2860",
    "2E4": "20000",
    "007": "7",
    "-0": "0",
    "-0.0": "0",
    ".5": "0.5",
    "5.": "5",
    "1e-7": "0.0000001",
    "1" * 400: "1" * 400,
}
INEXACT = [
    "NaN",
    "-INF",
    "inf",
    "1.#QNAN",
    "1e400",
    "1E16",
    "2e20",
    "1e-400",
    "1e99999999999999999999",
]


@pytest.mark.parametrize(
    "form", ["<c><v>{}</v></c>", '<c t="n"><v>{}</v></c>', "<c><f>A1</f><v>{}</v></c>"]
)
def test_a_number_keeps_all_the_digits_that_are_stored(read: Read, form: str) -> None:
    assert seen(read, [form.format(number) for number in NUMBERS]) == list(NUMBERS.values())


def test_a_number_without_its_digits_is_a_reject(read: Read) -> None:
    cells = [f"<c><v>{number}</v></c>" for number in INEXACT]
    assert seen(read, cells) == [(number, "inexact_number") for number in INEXACT]


def test_two_wide_ids_stay_two(read: Read) -> None:
    cells = ["<c><v>10000000000000000</v></c>", "<c><v>10000000000000001</v></c>"]
    xml = table(*([cell, "Ann"] for cell in cells))
    assert read({"borrower": xml})["borrower"]["id"].tolist() == [
        "10000000000000000",
        "10000000000000001",
    ]


def test_what_is_marked_as_a_number_and_is_none_is_named_by_its_place(read: Read) -> None:
    with pytest.raises(
        CorruptFileError, match=r"the cell B2 of its part '.*' is marked as a number"
    ):
        read({"borrower": table(["1", '<c t="n"><v>x</v></c>'])})
    assert seen(read, ["<c><v>1_0</v></c>"]) == ["1_0"]


SERIALS = [
    # format, serial, in the calendar from 1900, from 1904 (None: no such day)
    (DATE, "-1", None, None),
    (DATE, "0", None, "1904-01-01"),
    (DATE, "0.25", None, "1904-01-01 06:00:00"),
    (DATE, "1", "1900-01-01", "1904-01-02"),
    (DATE, "59", "1900-02-28", "1904-02-29"),
    (DATE, "60", None, "1904-03-01"),
    (DATE_TIME, "60.5", None, "1904-03-01 12:00:00"),
    (DATE, "61", "1900-03-01", "1904-03-02"),
    (DATE, "4.4E4", "2020-06-18", "2024-06-19"),
    (DATE, "2957003", "9995-12-30", "9999-12-31"),
    (DATE, "2958465", "9999-12-31", None),
    (DATE, "2958466", None, None),
    (DATE, "1e20", None, None),
    (DATE_TIME, "44000.416666666664", "2020-06-18 10:00:00", "2024-06-19 10:00:00"),
    (DATE_TIME, "44000.5000057870", "2020-06-18 12:00:00.500000", "2024-06-19 12:00:00.500000"),
    (DATE_TIME, "44000.123456789", "2020-06-18 02:57:46.666570", "2024-06-19 02:57:46.666570"),
    (DATE_TIME, "44000.99999999999", "2020-06-19", "2024-06-20"),
    (TIME, "0", "00:00:00", "00:00:00"),
    (TIME, "0.33333333333333331", "08:00:00", "08:00:00"),
    (TIME, "-0.25", None, None),
    (TIME, "0.9999999999999999", None, None),
    (TIME, "1.25", "1900-01-01 06:00:00", "1904-01-02 06:00:00"),
    (DURATION, "-0.25", "-06:00:00", "-06:00:00"),
    (DURATION, "1.75", "42:00:00", "42:00:00"),
    (DURATION, "9999999999", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("place", "parts"), [(2, {}), (3, _1904)], ids=["1900", "1904"])
def test_a_serial_is_the_day_that_is_shown_or_a_reject(
    read: Read, place: int, parts: dict[str, Any]
) -> None:
    cells = [f'<c s="{style}"><v>{serial}</v></c>' for style, serial, *_ in SERIALS]
    expected = [each[place] or (each[1], "out_of_range") for each in SERIALS]
    assert seen(read, cells, parts) == expected


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("d/m/yy", "2020-06-18 12:00:00"),
        ("mmmm", "2020-06-18 12:00:00"),
        ("[$-409]h:mm\\ AM/PM;@", "2020-06-18 12:00:00"),
        ("[h]:mm", "1056012:00:00"),
        ("[Red]0.00", "44000.5"),
        ('0.0 "days"', "44000.5"),
        ("General", "44000.5"),
        ("0.00E+00", "44000.5"),
        ("0;[Red]d", "44000.5"),
    ],
)
def test_a_format_tells_a_date_from_a_number(read: Read, code: str, text: str) -> None:
    escaped = code.replace('"', "&quot;")
    styles = (
        f'<styleSheet xmlns="{SPREADSHEET}"><numFmts count="9999999999">'
        f'<numFmt numFmtId="200" formatCode="{escaped}"/></numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        '<cellXfs count="9999999999"><xf numFmtId="0"/><xf numFmtId="200"/></cellXfs>'
        '<dxfs><dxf><numFmt numFmtId="200" formatCode="d"/></dxf></dxfs></styleSheet>'
    )
    assert seen(read, ['<c s="1"><v>44000.5</v></c>'], {"xl/styles.xml": styles}) == [text]


def test_a_format_that_is_not_there_is_damage(read: Read) -> None:
    with pytest.raises(CorruptFileError, match=r"the cell B2 of its part .* names a format"):
        read({"borrower": table(["1", '<c s="5"><v>44000</v></c>'])})
    with pytest.raises(CorruptFileError, match=r"no part 'xl/styles\.xml'"):
        read(workbook({"borrower": table(["1"])}, parts={"xl/styles.xml": None}))


def test_booleans_and_iso_dates_are_what_they_say(read: Read) -> None:
    cells = {
        '<c t="b"><v>1</v></c>': "TRUE",
        '<c t="b"><v>true</v></c>': "TRUE",
        '<c t="b"><v>0</v></c>': "FALSE",
        '<c t="b"><v>false</v></c>': "FALSE",
        '<c t="b"><v>2</v></c>': "2",
        '<c t="b"><v>-1</v></c>': "-1",
        '<c t="b"><f>A1</f><v>false</v></c>': "FALSE",
        '<c t="d"><v>2020-01-31</v></c>': "2020-01-31",
        '<c t="d"><v>2020-01-31T00:00:00</v></c>': "2020-01-31",
        '<c t="d"><v>2020-01-31T14:05:00.5</v></c>': "2020-01-31 14:05:00.500000",
        '<c t="d"><v>2020-01-31T14:05:00Z</v></c>': "2020-01-31 14:05:00+00:00",
        '<c t="d"><v>14:05:00</v></c>': "14:05:00",
        '<c t="d"><v>P1D</v></c>': "P1D",
        '<c t="e"><v>#BUSY!</v></c>': ("#BUSY!", "excel_error"),
        '<c t="str"><v>_x0000_a</v></c>': "\x00a",
        '<c t="inlineStr"><is><t>a</t><rPh sb="0" eb="1"><t>b</t></rPh></is></c>': "a",
    }
    assert seen(read, list(cells)) == list(cells.values())


def test_a_number_in_the_header_is_its_text(read: Read) -> None:
    wide = ["<c><v>10000000000000001</v></c>", "<c><v>2020</v></c>"]
    xml = table(["1", *[None] * 8, "x", "y"], header=["id", "full_name", "street", "city", "state",
                "zip_code", "phone_home", "phone_cell", "email", *wide])  # fmt: skip
    extract = read({"borrower": xml}, ignore_columns=["10000000000000001", "2020"])
    assert len(extract["borrower"]) == 1


def test_a_fault_right_of_the_table_is_not_lost(read: Read) -> None:
    xml = table(["1", *[None] * 10, '<c t="e"><v>#N/A</v></c>'])
    with pytest.raises(ValueError, match=re.escape("empty header (column 12)")):
        read({"borrower": xml})


def test_the_decimal_context_of_the_caller_changes_no_number_and_no_day() -> None:
    long = "12345678901234567890123456789012345678.25"
    below = "9007199254740991.99999999999999999"  # a context of few digits makes 2**53 of it
    with decimal.localcontext() as context:
        context.prec = 3
        context.traps[decimal.Inexact] = True
        assert [number_text(text) for text in (long, below, "-1234.5")] == [long, below, "-1234.5"]
        moment = serial_text("43861.58680555555", Shown.DATE, is_1904=False)
        last = serial_text("2958465.99999", Shown.DATE, is_1904=False)
    assert (moment, last) == ("2020-01-31 14:05:00", "9999-12-31 23:59:59.136000")
