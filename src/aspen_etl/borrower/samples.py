"""Samples of the formats: cells that people really write, each from a number.

A number of up to 24 bits makes one cell, and 0 the simplest; ``aspen_etl.testing`` draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aspen_etl.borrower.tables import EMAIL, PHONE, ZIP_CODE
from aspen_etl.columns.text import TextFormat

__all__ = ["RAW_SAMPLES", "SAMPLES", "email", "phone", "raw_zip_code", "zip_code"]

_ZIP_CODES = ("{0:05d}", "{0:05d}-{1:04d}")
_RAW_ZIP_CODES = (
    "{0:05d}",
    "{0:05d}-{1:04d}",
    "{1:04d}",
    "{0:05d}.0",
    "{2:03d}",
    "{0:03d}{1:04d}",
    "{1:04d}{1:04d}",
    "{0:05d}{1:04d}.0",
)

_PHONES = (
    "{0}{1}{2}{3}{4}{5}{6}{7}{8}{9}",
    "({0}{1}{2}) {3}{4}{5}-{6}{7}{8}{9}",
    "+1 {0}{1}{2} {3}{4}{5} {6}{7}{8}{9}",
    "{0}{1}{2}.{3}{4}{5}.{6}{7}{8}{9}",
    "{3}{4}{5}-{6}{7}{8}{9}",
    "+{0}{1}{2}{3}{4}{5}{6}{7}{8}{9}12345",
    "{3}{4}{5}-{6}{7}{8}{9} x{0}{1}",
)

_EMAILS = (
    *(
        "a@b",
        "ann.o'brien+tag@example.com",
        "=1+1@example.com",
        "-x@+y",
        "josé@bücher.example",
        "山@田.jp",
        "о@о.рф",  # noqa: RUF001 - in Cyrillic letters
    ),
    *("😀@😀", '"a,b"@example.com', "NA@NA", "x" * 242 + "@example.com", "é" * 252 + "@b"),
)


def zip_code(number: int, /) -> str:
    """Give a ZIP code as a table holds it.

    Examples:
        >>> zip_code(0), zip_code(3)
        ('00000', '00061-0001')
    """
    return _zip_code(number, _ZIP_CODES)


def raw_zip_code(number: int, /) -> str:
    """Give a ZIP code as a number format may leave it, for the cleaner to mend."""
    return _zip_code(number, _RAW_ZIP_CODES)


def phone(number: int, /) -> str:
    """Give a phone number with the usual separators."""
    number, form = divmod(number, len(_PHONES))
    return _PHONES[form].format(*f"{number * 7919 % 10**10:010d}")


def email(number: int, /) -> str:
    """Give an e-mail address, most of them odd."""
    number, form = divmod(number, 8)
    return _EMAILS[number % len(_EMAILS)] if form else f"ann{number % 100}@example.com"


def _zip_code(number: int, forms: tuple[str, ...]) -> str:
    number, form = divmod(number, len(forms))
    return forms[form].format(number * 61 % 10**5, number % 10**4, number % 10**3)


#: What makes a cell of a format as a table holds it, and as a source may have it.
SAMPLES: Mapping[TextFormat, Callable[[int], str]] = {
    ZIP_CODE: zip_code,
    PHONE: phone,
    EMAIL: email,
}
RAW_SAMPLES: Mapping[TextFormat, Callable[[int], str]] = {**SAMPLES, ZIP_CODE: raw_zip_code}
