"""Kinds of options: what a text is read as, and how one that is none is refused."""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

import pytest

from aspen_etl.io.options import (
    ByProtocol,
    Count,
    CountOr,
    Flag,
    Kind,
    Names,
    Option,
    Rows,
    Share,
    Span,
    Text,
    Texts,
    UnusableTextError,
    Word,
    option,
    options_of,
)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Text(), " as it is ", " as it is "),
        (Word(("csv", "parquet")), "csv", "csv"),
        (Share(), "0.25", 0.25),
        (Share(), "1", 1.0),
        (Span("days", 7), "0.5", 0.5),
        (Count(), " +7 ", 7),
        (Count(1, 9), "9", 9),
        (Flag(), "True", True),
        (Flag(), "false", False),
        (Texts(), '["-", "n/a"]', ("-", "n/a")),
        (Names(), '{"borrower": "Sheet1"}', {"borrower": "Sheet1"}),
        (Rows(), "2", 2),
        (Rows(), '{"borrower": 3}', {"borrower": 3}),
        (ByProtocol(), '{"s3": {"anon": true}}', {"s3": {"anon": True}}),
    ],
)
def test_a_text_is_read_as_its_kind(kind: Kind, text: str, value: Any) -> None:
    found = kind.read(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "text", "reason", "shown"),
    [
        (
            Word(("csv", "parquet")),
            "prquet",
            "is none of csv, parquet",
            "there is no {}, only csv, parquet; did you mean 'parquet'?",
        ),
        (Share(), "nan", "is no share; give a number from 0 to 1", None),
        (
            Span("days", 36_525),
            "inf",
            "is no number of days from 0 to 36,525, as in 7 or 0.5",
            None,
        ),
        (
            Count(1, 9),
            "10",
            "is no count; give a whole number from 1 to 9",
            "{} is no whole number from 1 on, as in 1",
        ),
        (Flag(), "yes", "is neither true nor false", None),
        (Texts(), "[1]", 'is no JSON list of texts, such as ["-", "n/a"]', None),
        (
            Names(),
            "[" * 100_000,
            'is no JSON object of texts, such as {"visits": "Sheet1"}',
            None,
        ),
        (ByProtocol(), '{"s3": 1}', 'is no JSON object by protocol, such as {"s3": {...}}', None),
    ],
)
def test_a_text_that_is_none_is_refused_with_it_and_without_it(
    kind: Kind, text: str, reason: str, shown: Optional[str]
) -> None:
    with pytest.raises(UnusableTextError) as caught:
        kind.read(text)
    assert caught.value.reason == reason == str(caught.value)
    assert caught.value.shown == (f"{{}} {reason}" if shown is None else shown)


def test_a_field_that_is_an_option_is_told_with_its_name_and_its_default() -> None:
    @dataclasses.dataclass(frozen=True)
    class Told:
        limit: int = dataclasses.field(
            default=3, metadata=option(Count(), "at most", "--most", "N")
        )
        names: dict[str, str] = dataclasses.field(
            default_factory=dict, metadata=option(Names(), "by name")
        )
        other: int = 0

    assert list(options_of(Told)) == [
        Option("limit", 3, Count(), "at most", "--most", "N"),
        Option("names", {}, Names(), "by name"),
    ]


def test_a_number_or_a_word_is_read_as_what_it_is() -> None:
    kind = CountOr(("spark",), least=1)
    assert [kind.read(text) for text in ("4", " spark ")] == [4, "spark"]
    for text in ("0", "sparks", "-1", ""):
        with pytest.raises(UnusableTextError, match=r"from 1 .*nor spark"):
            kind.read(text)
