"""Laws of the types over made-up cells: every kernel says the same, and loses no value."""

from __future__ import annotations

import datetime as dt
import decimal
import re
from typing import Any, Optional

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.types import TYPES
from tests.schema.types.kernels import KERNELS, Cells, Kernel, a_column, judge, round_trip

#: Enough digits for any number of the tests.
EXACT = decimal.Context(prec=400, traps=[decimal.InvalidOperation])

#: Moments of a clock on the wall.
BEFORE, FIRST, EPOCH, LAST = map(
    dt.datetime.fromisoformat,
    ("1582-10-13", "1582-10-15", "1970-01-01", "9999-12-31T23:59:59.999999"),
)

SIZES = [(12, 2), (18, 0), (38, 18), (10, 7), (3, 3), (38, 38), (1, 0)]
NUMBER_FORMATS = [
    None,
    "1,234.50",
    "1.234,50",
    "$1,234.50",
    "(1,234.50)",
    "1234.50-",
    "-1 234,50 €",
]
DATE_FORMATS = [None, "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%Y-%m-%d", "%d-%b-%Y", "%Y%j"]
CLOCKS = [" %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", "T%H", ""]


def decimals() -> st.SearchStrategy[ColumnSpec]:
    def a_decimal(size: tuple[int, int], shape: Optional[str]) -> ColumnSpec:
        return a_column("decimal", precision=size[0], scale=size[1], format=shape)

    made = st.builds(a_decimal, st.sampled_from(SIZES), st.sampled_from(NUMBER_FORMATS))
    return made.filter(lambda spec: TYPES["decimal"].check(spec) is None)


def moments() -> st.SearchStrategy[ColumnSpec]:
    kinds = st.sampled_from(["datetime", "timestamp"])
    patterns = st.builds(
        lambda date, clock: date and date + clock,
        st.sampled_from(DATE_FORMATS),
        st.sampled_from(CLOCKS),
    )
    return st.builds(lambda kind, shape: a_column(kind, format=shape), kinds, patterns)


SPECS = st.one_of(
    decimals(),
    moments(),
    st.sampled_from([None, -5, 2**62]).map(lambda least: a_column("integer", minimum=least)),
    st.builds(
        lambda shape, least: a_column("date", format=shape, minimum=least),
        st.sampled_from(DATE_FORMATS),
        st.sampled_from([None, dt.date(1, 1, 1), dt.date(1999, 12, 31)]),
    ),
    st.sampled_from([(), (("Y", True), ("N", False))]).map(lambda w: a_column("boolean", words=w)),
)


def _shown(moment: dt.datetime, pattern: str) -> str:
    shown = pattern.replace("%Y", f"{moment.year:04d}")  # as strftime of this system may not
    return moment.strftime(shown)


NUMBERS = st.one_of(
    st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{0,9})?", fullmatch=True),
    st.from_regex(
        r"[($-]{0,2}[0-9]{1,3}([,. ][0-9]{3}){0,3}([.,][0-9]{1,3})?[)-]?( €)?", fullmatch=True
    ),
    st.from_regex(r"-?0{0,3}[0-9]{0,40}\.?[0-9]{0,40}", fullmatch=True),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.integers(-(2**64), 2**64).map(str),
    st.sampled_from(
        ["1,234", "1.234", "=1.", "=1.50", "1.", ".5", "1234.", "-0.00", "1.234.567,8"]
    ),
)
TIMES = st.one_of(
    st.builds(
        lambda moment, date, clock: _shown(moment, date + clock),
        st.datetimes(BEFORE),
        st.sampled_from([shape for shape in DATE_FORMATS if shape]),
        st.sampled_from(
            [*CLOCKS, "T%H:%M:%S", " %H:%M:%S.%fZ", " %H:%M:%S +00:00", "T%H:%M:%S.%f-03:30"]
        ),
    ),
    st.from_regex(
        r"[0-9]{4}-[0-9]{1,3}-[0-9]{1,3}[T ][0-9]{1,3}:[0-9]{2}(:[0-9]{2}(\.[0-9]{0,9})?)?Z?",
        fullmatch=True,
    ),
    st.from_regex(r"[01]?[0-9]/[0-3]?[0-9]/[12][0-9]{3}( [0-2]?[0-9]:[0-6][0-9])?", fullmatch=True),
    st.sampled_from(
        ["2021-02-29", "2020-02-29", "=2020-001-002 004:05:00", "2020-001-02 04:05:00"]
    ),
)
CELLS = st.lists(
    st.none()
    | NUMBERS
    | TIMES
    | st.sampled_from(["Y", "N", "true", "FALSE", "tRuE"])
    | st.text("0123456789.,-()+eE _$:/TZ１٣\u00a0\n=", max_size=16),
    max_size=8,
)


def test_all_kernels_agree_and_every_text_is_canonical_or_repaired_or_a_fault() -> None:
    @given(CELLS, SPECS)
    @example(["1,234", "1.234"], a_column("decimal", precision=12, scale=2, format="1.234,50"))
    @example(["=2020-001-002 004:05:00"], a_column("datetime", format="%m/%d/%Y %H:%M:%S"))
    def check(cells: Cells, spec: ColumnSpec) -> None:
        assert TYPES[spec.type].check(spec) is None
        answers = [in_kernel(kernel, cells, spec) for kernel in KERNELS]
        assert all(answer == answers[0] for answer in answers)
        rules = TYPES[spec.type].rules(spec)
        for cell, answer in zip(cells, answers[0]):
            assert (cell is None) == (answer is None)
            if cell is not None and answer is not None and answer not in rules:
                assert is_same_value(cell, answer, spec)

    check()


def in_kernel(kernel: Kernel, cells: Cells, spec: ColumnSpec) -> Cells:
    with pytest.MonkeyPatch.context() as patch:
        kernel.use(patch)
        found = judge(cells, spec)
        rules = TYPES[spec.type].rules(spec)
        round_trip([text for text in found if text not in rules], spec)
        return found


def is_same_value(cell: str, text: str, spec: ColumnSpec) -> bool:
    """Tell whether a cell says what its canonical text does, as another library reads it."""
    if spec.type == "decimal":
        return text in {_decimal(reading, spec) for reading in _readings(cell, spec)}
    if spec.type == "integer":
        return int(text) == int(cell)
    if spec.type == "boolean":
        return text == {"Y": "true", "N": "false"}.get(cell, cell.lower())
    return text in _moments(cell, spec)


def _readings(cell: str, spec: ColumnSpec) -> list[str]:
    """Give a number as plain text, by its point and by that of the format."""
    sign = "-" if re.search(r"[(-]", cell) else ""
    comma = re.sub("[^0-9,]", "", cell).replace(",", ".")
    point = re.sub("[^0-9.]", "", cell)
    shape = spec.format or ""
    found = [point] if point.count(".") < 2 else []
    found += [comma] if "4,5" in shape and comma.count(".") < 2 else []
    return [sign + text for text in found]


def _decimal(number: str, spec: ColumnSpec) -> str:
    value = EXACT.quantize(
        EXACT.create_decimal(number), decimal.Decimal(1).scaleb(-(spec.scale or 0))
    )
    shown = format(value, "f")
    return shown if value else shown.lstrip("-")


def _moments(cell: str, spec: ColumnSpec) -> set[str]:
    found = set()
    for shape in filter(None, [spec.format, *ISO]):
        try:
            moment = dt.datetime.strptime(re.sub(r"([.][0-9]{6})[0-9]+", r"\1", cell), shape)  # noqa: DTZ007
        except (ValueError, OverflowError):
            continue
        if moment.tzinfo is not None:
            moment = moment.astimezone(dt.timezone.utc)
        shown = moment.replace(tzinfo=None).isoformat(" ", "milliseconds")
        found |= {shown[:10], shown, f"{shown}Z"}
    return found


ISO = [
    "%Y-%m-%d",
    *(
        f"%Y-%m-%d{mark}{clock}{zone}"
        for mark in "T "
        for clock in ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
        for zone in ("", "%z", " %z")
    ),
]


# ----------------------------------------------------------------------------- values go round


def unscaled(number: int, scale: int) -> str:
    digits = f"{abs(number):0{scale + 1}d}"
    point = len(digits) - scale
    return ("-" if number < 0 else "") + digits[:point] + (f".{digits[point:]}" if scale else "")


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize(("precision", "scale"), SIZES)
def test_decimals_go_round_at_the_ends_and_between(precision: int, scale: int) -> None:
    most = 10**precision - 1
    ends = [-most, 1 - most, -min(10**scale, most), -1, 0, 1, min(10**scale, most), most - 1, most]

    @given(st.lists(st.integers(-most, most), max_size=4))
    def check(numbers: list[int]) -> None:
        cells = [unscaled(number, scale) for number in [*ends, *numbers]]
        round_trip([*cells, None], a_column("decimal", precision=precision, scale=scale))

    check()


@pytest.mark.usefixtures("kernel")
def test_integers_go_round_at_the_ends_and_between() -> None:
    least, most = -(2**63), 2**63 - 1

    @given(st.lists(st.integers(least, most), max_size=4))
    def check(numbers: list[int]) -> None:
        cells = [str(number) for number in [least, least + 1, -1, 0, 1, most - 1, most, *numbers]]
        round_trip([*cells, None], a_column("integer"))
        round_trip([*cells], a_column("integer", nullable=False))

    check()


@pytest.mark.usefixtures("kernel")
def test_dates_go_round_at_the_ends_and_between() -> None:
    @given(st.lists(st.dates(), max_size=4))
    def check(days: list[dt.date]) -> None:
        ends = [dt.date.min, dt.date(1582, 10, 15), dt.date(1970, 1, 1), dt.date.max]
        cells = [day.isoformat() for day in [*ends, *days]]
        round_trip([*cells, None], a_column("date", minimum=dt.date.min))

    check()


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize(("kind", "zone"), [("datetime", ""), ("timestamp", "Z")])
def test_moments_go_round_at_the_ends_and_between(kind: Any, zone: str) -> None:
    @given(st.lists(st.datetimes(FIRST), max_size=4))
    def check(moments: list[dt.datetime]) -> None:
        ends = [FIRST, EPOCH, LAST]
        cells = [m.isoformat(" ", "milliseconds") + zone for m in [*ends, *moments]]
        round_trip([*cells, None], a_column(kind))

    check()


@pytest.mark.usefixtures("kernel")
def test_moments_of_the_first_years_have_text_and_are_parsed() -> None:
    # An audit time may be of any year, so `parse` minds no minimum.
    spec = a_column("datetime")
    first = TYPES["datetime"].text(pd.Series(["0001-01-01"]).astype("datetime64[ms]"), spec)
    assert first.tolist() == ["0001-01-01 00:00:00.000"]
    assert TYPES["datetime"].parse(first, spec).dt.year.tolist() == [1]


@pytest.mark.usefixtures("kernel")
def test_booleans_go_round() -> None:
    round_trip(["true", "false", None], a_column("boolean"))
    round_trip(["false", "true"], a_column("boolean", nullable=False))
