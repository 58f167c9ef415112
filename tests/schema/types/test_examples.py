"""What each text is to each type: canonical, repaired, or a fault; traps of other parsers."""

from __future__ import annotations

import datetime as dt
from typing import Any, Optional, get_args

import pytest

from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.schema.types import TYPES
from tests.schema.types.kernels import a_column, column, judge, round_trip

INVALID, TOO_PRECISE, OUT = "invalid", "too_precise", "out_of_range"

#: A long number, of more digits than a context of Python's decimals holds.
LONG = "12345678901234567890123456789012345678"

MONEY = a_column("decimal", precision=12, scale=2)


def money(example: str, scale: int = 2) -> ColumnSpec:
    return a_column("decimal", precision=12, scale=scale, format=example)


#: By name: a column, and what becomes of cells; True is canonical as it stands.
EXAMPLES: dict[str, tuple[ColumnSpec, dict[str, Any]]] = {
    "text": (a_column("text"), {"a": True, " 1,5 ": True}),
    "integers": (
        a_column("integer"),
        {
            **dict.fromkeys(["0", "-17", str(2**63 - 1), str(-(2**63))], True),
            **dict.fromkeys(
                ["007", "-0", "+5", "1.0", "1e3", "1,234", "１２", "1_0", "٣"], INVALID
            ),
            **dict.fromkeys(["", " 1", "1\n", "true", "--1", "NaN"], INVALID),
            # What 64 bits do not hold was invalid before there were types.
            **dict.fromkeys([str(2**63), str(-(2**63) - 1), "9" * 5_000], INVALID),
        },
    ),
    "integers from a minimum": (
        a_column("integer", minimum=-3),
        {"-3": True, "0": True, "-4": OUT, str(-(2**63)): OUT, str(-(2**63) - 1): INVALID},
    ),
    "decimals": (
        MONEY,
        {
            **dict.fromkeys(["0.00", "-1234.50", "-0.01", "9999999999.99", "-9999999999.99"], True),
            "1.5": "1.50",
            "7": "7.00",
            "1.500": "1.50",
            "-0.00": "0.00",
            "-0": "0.00",
            "007.5": "7.50",
            "00000000000000000000001": "1.00",
            "-0.5": "-0.50",
            f"1.5{'0' * 60}": "1.50",
            f"{'0' * 60}1.5": "1.50",
            **dict.fromkeys(["1.505", "0.001", "-0.001", "0.30000000000000004"], TOO_PRECISE),
            **dict.fromkeys(["10000000000", "-10000000000.00", LONG, f"{LONG}.00"], OUT),
            **dict.fromkeys(
                ["1e3", "1E3", "+5", ".5", "5.", "1,234", "1,234.50", "1_000"], INVALID
            ),
            **dict.fromkeys(["１２", "١٢", "NaN", "Infinity", "-", "", " 1.5", "1.5\n"], INVALID),
            **dict.fromkeys(["$5", "(5)", "5-", "--5", "1.2.3", "0x10"], INVALID),
        },
    ),
    "decimals of no places": (
        a_column("decimal", precision=38, scale=0),
        {LONG: True, "-" + "9" * 38: True, "1.0": "1", "1.5": TOO_PRECISE, f"{LONG}9": OUT},
    ),
    "decimals of nothing but places": (
        a_column("decimal", precision=38, scale=38),
        {
            f"0.{LONG}": True,
            f"-0.{'0' * 37}1": True,
            "0": f"0.{'0' * 38}",
            "1": OUT,
            "00.5": f"0.5{'0' * 37}",
            f"0.{LONG}1": TOO_PRECISE,
            f"-0.{'0' * 50}": f"0.{'0' * 38}",
        },
    ),
    "small decimals": (
        a_column("decimal", precision=38, scale=10),
        {
            **dict.fromkeys(["0.0000000001", "-0.0000000001", "0.0000000000"], True),
            "0": "0.0000000000",
            "0.0000001": "0.0000001000",
            "1e-7": INVALID,
        },
    ),
    "1,234.50": (
        money("1,234.50"),
        {
            "1,234.50": "1234.50",
            "1234.50": True,
            "-1,234,567.8": "-1234567.80",
            "1,234": "1234.00",
            "12.5": "12.50",
            "-0,000.00": "0.00",
            "1,234.567": TOO_PRECISE,
            **dict.fromkeys(
                ["1,23.50", "1,2345", ",234", "1234,567", "1,234,56", "1,234."], INVALID
            ),
            **dict.fromkeys(["(1,234.50)", "1.234,50", "1,234.50-", "$1", "1,,234"], INVALID),
            "99,999,999,999": OUT,
            "1,000,000,000,000,000,000,000,000": OUT,
        },
    ),
    "1.234,50": (
        money("1.234,50"),
        {
            "1.234,50": "1234.50",
            "1.234": "1234.00",
            "-1.234.567,8": "-1234567.80",
            "1234,5": "1234.50",
            "1234.50": True,
            "-0.50": True,
            "0.00": True,
            # No canonical text, and a point parts thousands here.
            **dict.fromkeys(["1.5", "1234.5", "1,234.50", "1.2345", "1.50.000", "-0.00"], INVALID),
            "1,234": TOO_PRECISE,
            "99.999.999.999": OUT,
        },
    ),
    "$1,234.50": (
        money("$1,234.50"),
        {
            "$1,234.50": "1234.50",
            "-$5": "-5.00",
            "1234.5": "1234.50",
            "-5": "-5.00",
            **dict.fromkeys(["$-5", "1,234.50", "$ 5", "€5", "$", "5$", "($5)"], INVALID),
        },
    ),
    "(1,234.50)": (
        money("(1,234.50)"),
        {
            "(1,234.50)": "-1234.50",
            "1,234.50": "1234.50",
            "(0.00)": "0.00",
            "(5)": "-5.00",
            "-5.00": True,
            "-5": "-5.00",
            **dict.fromkeys(["-1,234.50", "(-5)", "(5", "5)", "()", "((5))"], INVALID),
            "(1.234)": TOO_PRECISE,
        },
    ),
    "1234.50-": (
        money("1234.50-"),
        {
            "1234.50-": "-1234.50",
            "5-": "-5.00",
            "5": "5.00",
            "0-": "0.00",
            **dict.fromkeys(["5--", "-5-", "1,234.50-", "5 -"], INVALID),
        },
    ),
    "($1,234.50)": (
        money("($1,234.50)"),
        {"($1,234.50)": "-1234.50", "$5": "5.00", "$(5)": INVALID, "(5)": INVALID},
    ),
    "-1 234,50 €": (
        money("-1 234,50 €"),
        {"-1 234,50 €": "-1234.50", "5 €": "5.00", "5€": INVALID, "1 23 €": INVALID, "5.0": "5.00"},
    ),
    "CHF 1'234.50": (
        money("CHF 1'234.50"),
        {"CHF 1'234.50": "1234.50", "-CHF 5": "-5.00", "chf 5": INVALID, "5": "5.00"},
    ),
    "1,234 of no places": (
        a_column("decimal", precision=9, scale=0, format="1,234"),
        {"1,234": "1234", "1,234.0": INVALID, "1234.0": "1234", "12,345,678": "12345678"},
    ),
    "dates": (
        a_column("date"),
        {
            **dict.fromkeys(["2020-01-31", "2020-02-29", "2000-02-29", "9999-12-31"], True),
            **dict.fromkeys(["1582-10-15", "1600-02-29", "1999-12-31"], True),
            **dict.fromkeys(["1582-10-14", "0001-01-01", "1500-02-28"], OUT),
            **dict.fromkeys(["2021-02-29", "1900-02-29", "2020-02-30", "2020-13-01"], INVALID),
            **dict.fromkeys(["2020-00-10", "2020-04-31", "2020-01-00", "0000-01-01"], INVALID),
            **dict.fromkeys(["2020-1-1", "20200131", "2020-01", "2020", "10000-01-01"], INVALID),
            **dict.fromkeys(["2020/01/31", "01/31/2020", "-001-01-01", "NaT", "43861"], INVALID),
            **dict.fromkeys(
                ["2020-01-31 00:00:00", "2020-01-31T00:00", "２020-01-01", ""], INVALID
            ),
        },
    ),
    "dates from a minimum": (
        a_column("date", minimum=dt.date(1900, 1, 1)),
        {"1900-01-01": True, "1899-12-31": OUT, "1900-02-29": INVALID},
    ),
    "all dates": (
        a_column("date", minimum=dt.date(1, 1, 1)),
        {"0001-01-01": True, "0004-02-29": True, "0100-02-29": INVALID, "0000-12-31": INVALID},
    ),
    "%m/%d/%Y": (
        a_column("date", format="%m/%d/%Y"),
        {
            "01/31/2020": "2020-01-31",
            "1/2/2020": "2020-01-02",
            "2020-01-31": True,
            **dict.fromkeys(["01/02/20", "31/01/2020", "02/29/2021", "1-2-2020"], INVALID),
            **dict.fromkeys(["001/02/2020", "1/2/02020", "2020-1-1", "1/2/2020 0:00"], INVALID),
            "01/02/0999": OUT,
            "2/29/2000": "2000-02-29",
            "0/1/2020": INVALID,
            "1/0/2020": INVALID,
        },
    ),
    "%d.%m.%Y": (
        a_column("date", format="%d.%m.%Y"),
        {"31.01.2020": "2020-01-31", "1.2.2020": "2020-02-01", "1x2x2020": INVALID},
    ),
    "%Y%m%d": (
        a_column("date", format="%Y%m%d"),
        {"20200131": "2020-01-31", "2020131": INVALID, "20200230": INVALID, "20200100": INVALID},
    ),
    "%Y-%m-%d": (
        a_column("date", format="%Y-%m-%d"),
        {"2020-01-31": True, "2020-1-1": INVALID, "2020-01-1": INVALID},
    ),
    "%d-%b-%Y": (
        a_column("date", format="%d-%b-%Y"),
        {"31-JAN-2020": "2020-01-31", "1-feb-2020": "2020-02-01", "31-Feb-2020": INVALID},
    ),
    "%A, %B %d, %Y": (
        a_column("date", format="%A, %B %d, %Y"),
        {
            "Friday, January 31, 2020": "2020-01-31",
            "friday, JANUARY 31, 2020": "2020-01-31",
            "Monday, January 31, 2020": INVALID,
            "Fri, January 31, 2020": INVALID,
        },
    ),
    "%Y%j": (
        a_column("date", format="%Y%j"),
        {
            "2020001": "2020-01-01",
            "2020366": "2020-12-31",
            "9999365": "9999-12-31",
            **dict.fromkeys(["2021366", "2020000", "2020367", "2020999", "0000001"], INVALID),
            **dict.fromkeys(["9999366", "9999367", "9999999"], INVALID),
        },
    ),
    "datetimes": (
        a_column("datetime"),
        {
            **dict.fromkeys(["2020-01-31 14:05:00.000", "9999-12-31 23:59:59.999"], True),
            "1582-10-15 00:00:00.000": True,
            "2020-01-31 14:05:00": "2020-01-31 14:05:00.000",
            "2020-01-31T14:05:00": "2020-01-31 14:05:00.000",
            "2020-01-31T14:05": "2020-01-31 14:05:00.000",
            "2020-01-31": "2020-01-31 00:00:00.000",
            "2020-01-31 14:05:00.1": "2020-01-31 14:05:00.100",
            "2020-01-31 14:05:00.12": "2020-01-31 14:05:00.120",
            "2020-01-31 14:05:00.1230000": "2020-01-31 14:05:00.123",
            "2020-01-31 14:05:00.0000000": "2020-01-31 14:05:00.000",
            **dict.fromkeys(
                ["2020-01-31 14:05:00.1234", "2020-01-31 14:05:00.0000001"], TOO_PRECISE
            ),
            **dict.fromkeys(["1582-10-14 23:59:59.999", "0001-01-01", "1582-10-14T00:00"], OUT),
            **dict.fromkeys(["2020-01-31 14:05:00Z", "2020-01-31 14:05:00+00:00"], INVALID),
            **dict.fromkeys(["2020-01-31 14:05:00.000Z", "2020-01-31Z"], INVALID),
            **dict.fromkeys(["2020-01-31 05", "2020-01-31 24:00:00", "2020-01-31 24:00"], INVALID),
            **dict.fromkeys(
                ["2020-01-31 14:60:00", "2020-01-31 14:05:60", "2020-01-31 1:05"], INVALID
            ),
            **dict.fromkeys(["2021-02-29 14:05:00", "2020-01-31  14:05:00", "14:05:00"], INVALID),
            **dict.fromkeys(
                ["2020-01-31t14:05:00", "2020-01-31 14:05:00.", "2020-01-31 "], INVALID
            ),
            **dict.fromkeys(["2020-01-31 14:05:00,5", "20200131T140500", "1580524800"], INVALID),
            **dict.fromkeys(["2020-001-31 14:05:00", "=2020-01-31 14:05:00", ""], INVALID),
        },
    ),
    "timestamps": (
        a_column("timestamp"),
        {
            **dict.fromkeys(["2020-01-31 14:05:00.000Z", "9999-12-31 23:59:59.999Z"], True),
            "2020-01-31 14:05:00.000": "2020-01-31 14:05:00.000Z",
            "2020-01-31T14:05:00Z": "2020-01-31 14:05:00.000Z",
            "2020-01-31 14:05:00+00": "2020-01-31 14:05:00.000Z",
            "2020-01-31 14:05:00-00:00": "2020-01-31 14:05:00.000Z",
            "2020-01-31 14:05:00.0000000 +00:00": "2020-01-31 14:05:00.000Z",
            "2020-01-31 14:05:00+02:00": "2020-01-31 12:05:00.000Z",
            "2020-01-31T23:05:00.5-0530": "2020-02-01 04:35:00.500Z",
            "2020-01-31": "2020-01-31 00:00:00.000Z",
            "2020-01-31 14:05": "2020-01-31 14:05:00.000Z",
            "1582-10-14 23:00:00-01:00": "1582-10-15 00:00:00.000Z",
            "1880-01-01 10:00:00.5-04:56:02": "1880-01-01 14:56:02.500Z",  # New York's clocks
            "1880-01-01 10:00:00 +001944": "1880-01-01 09:40:16.000Z",
            **dict.fromkeys(["9999-12-31 23:59:59-01:00", "1582-10-15 00:00:00+00:01"], OUT),
            **dict.fromkeys(["0001-01-01 00:00:00+01:00"], OUT),
            **dict.fromkeys(["2020-01-31 14:05:00+24:00", "2020-01-31 14:05:00+00:60"], INVALID),
            **dict.fromkeys(["2020-01-31 14:05:00+00:00:60", "2020-01-31 14:05+1:00:00"], INVALID),
            **dict.fromkeys(
                ["2020-01-31Z", "2020-01-31 14:05:00z", "2020-01-31 14:05:00 UTC"], INVALID
            ),
            **dict.fromkeys(["2020-01-31 14:05:00+2", "2020-01-31 14:05:00  Z"], INVALID),
            **dict.fromkeys(["2020-01-31 14:05:00.0001Z"], TOO_PRECISE),
        },
    ),
    "%m/%d/%Y %H:%M": (
        a_column("datetime", format="%m/%d/%Y %H:%M"),
        {
            "01/31/2020 14:05": "2020-01-31 14:05:00.000",
            "1/2/2020 4:05": "2020-01-02 04:05:00.000",
            "2020-01-31 14:05:00": "2020-01-31 14:05:00.000",
            "2020-01-31 14:05:00.000": True,
            "2020-01-31": "2020-01-31 00:00:00.000",
            "01/31/1500 14:05": OUT,
            **dict.fromkeys(
                ["1/2/2020 24:00", "1/2/2020 4:5", "1/2/2020", "02/30/2020 1:00"], INVALID
            ),
            **dict.fromkeys(["2020-001-002 004:05:00", "1/2/2020 4:05:00"], INVALID),
        },
    ),
    "%d.%m.%Y %H:%M:%S.%f": (
        a_column("datetime", format="%d.%m.%Y %H:%M:%S.%f"),
        {
            "31.1.2020 14:05:06.5": "2020-01-31 14:05:06.500",
            "31.01.2020 14:05:06.123000": "2020-01-31 14:05:06.123",
            "31.01.2020 14:05:06.1234": TOO_PRECISE,
            "31.01.2020 14:05:06.1230000000": INVALID,
        },
    ),
    "%m/%d/%Y %I:%M %p": (
        a_column("datetime", format="%m/%d/%Y %I:%M %p"),
        {
            "1/2/2020 12:05 AM": "2020-01-02 00:05:00.000",
            "1/2/2020 12:05 pm": "2020-01-02 12:05:00.000",
            "1/2/2020 5:05 PM": "2020-01-02 17:05:00.000",
            **dict.fromkeys(["1/2/2020 13:05 PM", "1/2/2020 0:05 AM", "1/2/2020 5:05"], INVALID),
        },
    ),
    "%Y%m%d%H%M%S": (
        a_column("datetime", format="%Y%m%d%H%M%S"),
        {"20200131140506": "2020-01-31 14:05:06.000", "2020013114050": INVALID},
    ),
    "%m/%d/%Y %H:%M %z": (
        a_column("timestamp", format="%m/%d/%Y %H:%M %z"),
        {
            "1/2/2020 4:05 +0200": "2020-01-02 02:05:00.000Z",
            "1/2/1880 4:05 -04:56:02": "1880-01-02 09:01:02.000Z",
            "1/2/2020 4:05": INVALID,
        },
    ),
    "%Y-%m-%dT%H:%M:%SZ": (
        a_column("datetime", format="%Y-%m-%dT%H:%M:%SZ"),
        {
            "2020-01-31T14:05:00Z": "2020-01-31 14:05:00.000",
            "2020-01-31 14:05:00Z": INVALID,
            "2020-01-31T14:05:00+00:00": INVALID,
        },
    ),
    "%Y-%m-%dT%H:%M:%S+02:00": (
        a_column("timestamp", format="%Y-%m-%dT%H:%M:%S+02:00"),
        {
            # ISO text is ISO text, whatever a pattern says of it.
            "2020-01-31T14:05:00+02:00": "2020-01-31 12:05:00.000Z",
            "2020-01-31T14:05:00+01:00": "2020-01-31 13:05:00.000Z",
        },
    ),
    "%m/%d/%Y of midnight": (
        a_column("datetime", format="%m/%d/%Y"),
        {"1/2/2020": "2020-01-02 00:00:00.000"},
    ),
    "booleans": (
        a_column("boolean"),
        {
            "true": True,
            "false": True,
            "TRUE": "true",
            "False": "false",
            **dict.fromkeys(["1", "0", "Y", "yes", "t", "tru", "", "ｔｒｕｅ", "None"], INVALID),
        },
    ),
    "booleans of words": (
        a_column("boolean", words=(("Y", True), ("1", True), ("no thanks", False))),
        {
            "Y": "true",
            "1": "true",
            "no thanks": "false",
            "TRUE": "true",
            "false": True,
            **dict.fromkeys(["y", "N", "0", "No thanks"], INVALID),
        },
    ),
}


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("name", EXAMPLES)
def test_each_text_is_canonical_or_repaired_or_a_fault(name: str) -> None:
    spec, found = EXAMPLES[name]
    cells: list[Optional[str]] = [*found, None, *found]
    expected = [text if answer is True else answer for text, answer in found.items()]
    assert judge(cells, spec) == [*expected, None, *expected]
    for text, answer in zip(found, expected):  # and none of them minds the others
        assert judge([text], spec) == [answer]
    rules = TYPES[spec.type].rules(spec)
    round_trip([*[text for text in expected if text not in rules], None], spec)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_not_canonical_is_no_value(name: str) -> None:
    spec, found = EXAMPLES[name]
    for text, answer in found.items():
        if answer not in {True, OUT}:
            with pytest.raises(ValueError, match="cells") as caught:
                TYPES[spec.type].parse(column([text]), spec)
            assert len(text) < 4 or text not in str(caught.value)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("kind", [each for each in TYPES if each != "text"])
def test_a_missing_value_is_refused_where_none_may_be(kind: str) -> None:
    spec = a_column(kind, precision=3, scale=1, nullable=False)
    with pytest.raises(ValueError, match="missing"):
        TYPES[kind].parse(column([None]), spec)
    assert TYPES[kind].parse(column([]), spec).dtype == spec.held_dtype


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("kind", TYPES)
def test_columns_without_a_cell_stay_so(kind: str) -> None:
    spec = a_column(kind, precision=3, scale=1)
    round_trip([], spec)
    round_trip([None, None], spec)


def test_there_is_a_type_for_each_word() -> None:
    assert tuple(TYPES) == get_args(ColumnType)
    assert {name: kind.name for name, kind in TYPES.items()} == {name: name for name in TYPES}
