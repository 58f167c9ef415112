"""Long columns of the usual spellings are never read cell by cell, which takes far longer."""

from __future__ import annotations

from typing import Any

import pytest

from aspen_etl.schema.types import date, decimal, moment
from tests.schema.types.kernels import KERNELS, Cells, Kernel, a_column, judge

MONEY: dict[str, Any] = {"precision": 12, "scale": 2}
AT_ONCE = [kernel for kernel in KERNELS if kernel.many == 1]

MOMENTS = {
    "": ["2020-01-31 14:05:00", "2020-01-31T14:05:00", "2020-01-31 14:05:00.1200000"],
    "short": ["2020-01-31 14:05:00.1", "2020-01-31T14:05:00.12", "2020-01-31 14:05", "2020-01-31"],
    "%m/%d/%Y %H:%M:%S": ["01/31/2020 14:05:00", "1/2/2020 4:05:00"],
    "%d.%m.%Y %H:%M": ["31.01.2020 14:05", "1.2.2020 4:05"],
    "%Y%m%d%H%M%S": ["20200131140500"],
    "%d.%m.%Y %H:%M:%S.%f": ["31.1.2020 14:05:00.5", "31.1.2020 14:05:00.123000"],
}
DAYS = {
    "": ["2020-01-31", "1600-02-29"],
    "%m/%d/%Y": ["01/31/2020", "1/2/2020", "2/29/2020", "2020-01-31"],
    "%d.%m.%Y": ["31.01.2020", "1.2.2020", "2020-01-31"],
    "%Y%m%d": ["20200131"],
    "%Y/%m/%d": ["2020/1/31", "2020/01/02"],
}
NUMBERS = {
    "": ["1.5", "7", "-0", "007.5", "-0.01"],
    "1,234.50": ["1,234.5", "-1,234,567.89", "12", "1234"],
    "1.234,50": ["1.234,5", "-1.234.567,89", "1.234", "-12"],
    "($1,234.50)": ["$1,234.50", "($1,234)", "$5", "7.5"],
    "1234.50-": ["5-", "1234.5-", "5"],
}


def refuse(*_given: Any) -> tuple[str, str]:
    raise AssertionError("a cell is read by itself")


@pytest.mark.parametrize("kernel", AT_ONCE, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("name", MOMENTS)
@pytest.mark.parametrize(("kind", "end"), [("datetime", ""), ("timestamp", ""), ("timestamp", "Z")])
def test_moments(
    kernel: Kernel, name: str, kind: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.use(monkeypatch)
    monkeypatch.setattr(moment, "_read", refuse)
    spec = a_column(kind, format=name if "%" in name else None)
    ends = end if "%" not in name else ""
    cells = [cell + ends if ":" in cell else cell for cell in MOMENTS[name]]
    assert len(judge([*cells, None], spec)) == len(cells) + 1


@pytest.mark.parametrize("kernel", AT_ONCE, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("name", DAYS)
def test_days(kernel: Kernel, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.use(monkeypatch)
    monkeypatch.setattr(date, "_read", refuse)
    cells = DAYS[name]
    assert len(judge([*cells, None], a_column("date", format=name or None))) == len(cells) + 1


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("name", DAYS)
def test_what_is_no_day_is_none_at_once_either(
    kernel: Kernel, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.use(monkeypatch)
    spec = a_column("date", format=name or None)
    wrong: Cells = [
        "2020-01-31 00:00:00",
        "=2020-01-031",
        "=2020-01-31 00:00:00",
        "=2020-01-31",
        "2021-02-29",
    ]
    assert judge(wrong, spec) == ["invalid"] * len(wrong)
    early: Cells = ["1582-10-14", "1582-10-15"]
    assert judge(early, spec) == ["out_of_range", "1582-10-15"]


@pytest.mark.parametrize(
    "kernel", [each for each in AT_ONCE if each.arrow], ids=lambda kernel: kernel.name
)
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_where_arrow_holds_them(
    kernel: Kernel, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.use(monkeypatch)
    monkeypatch.setattr(decimal, "_read", refuse)
    cells = NUMBERS[name]
    assert len(judge([*cells, None], a_column("decimal", format=name or None, **MONEY))) > len(
        cells
    )
