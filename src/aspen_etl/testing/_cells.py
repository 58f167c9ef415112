"""Strategies for single cells: what people really write, and what a format asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Optional

from hypothesis import strategies as st

from aspen_etl.borrower.samples import RAW_SAMPLES, SAMPLES
from aspen_etl.columns.text import WHITE_SPACE, TextFormat

__all__ = [
    "BLANKS",
    "Decoder",
    "clean_cells",
    "decoder",
    "decorate",
    "from_pattern",
    "holds_no_text",
    "is_clean",
    "raw_cells",
    "tidy",
]

#: Words that readers, databases and spreadsheets are known to take for something else.
WORDS = (
    *(
        "a",
        "Ann",
        "Degli",
        "Antoni",
        "van",
        "Null",
        "NA",
        "N/A",
        "None",
        "nan",
        "NaN",
        "NaT",
        "-",
        "0",
        "1e5",
    ),
    *(
        "TRUE",
        "false",
        "007",
        "6705",
        "2138.0",
        "1,5",
        "2020-01-31",
        "=1+1",
        "+1",
        "-1",
        "@SUM",
        "#N/A",
        "'",
    ),
    *(
        "O'Brien",
        "D’Arcy",
        "Smith-Jones",
        "von-und-zu",
        "Zoë",
        "Zoe\u0308",
        "Łukasz",
        "Straße",
        "STRASSE",
        "İz",
    ),
    *(
        "山田",
        "아버지",
        "Δημήτρης",
        "ὈΔΥΣΣΕΎΣ",
        "Иван",
        "محمد",
        "שָׁלוֹם",
        "\u202eabc\u202c",
        "😀",
        "👩‍👩‍👧",
        "🇮🇹",
    ),
    *(
        "\u200b",
        "\ufeff",
        "\u2060x",
        "\ufffd",
        "\U0010ffff",
        "\ue000",
        "a,b",
        '"q"',
        "a;b",
        "a|b",
        "\\N",
        "\\",
        "%s",
        "{0}",
    ),
)

#: White space around and inside a cell, as (before, after, in place of each space).
_PLAIN = ("", "", " ")
_DECORATIONS = (
    *(_PLAIN,) * 6,
    (" ", " ", "  "),
    *(("", space, space) for space in WHITE_SPACE),
    *((space, " " + space, " ") for space in WHITE_SPACE),
)

#: Cells of which cleaning leaves nothing.
BLANKS = (None, "", " ", " \t\r\n", WHITE_SPACE)

#: The length of a long cell where nothing limits it.
LONG = 2_000

_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_RUN = re.compile(f"[{WHITE_SPACE}]+")

#: A cell is made of one number, since each draw takes time. Hypothesis draws numbers of up to
#: 24 bits evenly; 0 is the simplest cell.
_NUMBERS = st.integers(0, 2**24 - 1)


#: Text from a number of up to 24 bits.
Decoder = Callable[[int], str]


def tidy(cell: Optional[str]) -> Optional[str]:
    """Clean the white space of a cell by the contract, '' missing."""
    return None if cell is None else _RUN.sub(" ", cell).strip(" ") or None


def holds_no_text(text: str) -> bool:
    """Tell whether text holds a control character or a lone surrogate."""
    return _CONTROL.search(text) is not None


def texts(limit: Optional[int], *, parts: int = 1) -> Decoder:
    """Give clean text of up to ``limit`` characters: words, odd characters, text at its limit.

    Args:
        limit: The most characters.
        parts: How many columns the text is split over, each of up to ``limit`` characters.
    """
    longest = _longest(limit or LONG, parts)

    def decode(number: int) -> str:
        number, shape = divmod(number, 8)
        second, first = divmod(number, len(WORDS))
        one, two = WORDS[first], WORDS[second % len(WORDS)]
        if shape == _AT_LIMIT:
            return longest[first % len(longest)]
        if shape == _ODD:
            one = _character(number)
        text = one if shape < _TWO_WORDS else f"{one} {two}" if number % 5 else f"{one} {two} {one}"
        return text if limit is None or len(text) <= limit else text[:limit].rstrip(" ")

    return decode


_TWO_WORDS, _ODD, _AT_LIMIT = 3, 6, 7


def _character(number: int) -> str:
    """Give a character of any script, and often one beyond the basic plane."""
    point = 0x21 + number // 2 if number % 2 else (0xA1 + number * 7919) % 0x110000
    text = chr(point)
    return "x" if holds_no_text(text) or tidy(text) != text else text


def _longest(limit: int, parts: int) -> tuple[str, ...]:
    full = tuple((character * limit)[:limit].rstrip(" ") for character in ("x", "é", "😀", "山 "))
    return full if parts == 1 else (*full, " ".join(["x" * limit] * parts))


# ----------------------------------------------------------------------------- forms


def decoder(
    limit: Optional[int],
    formats: Sequence[TextFormat],
    *,
    parts: int = 1,
    raw: bool = False,
) -> Optional[Decoder]:
    """Give what makes text of a form, or none for a form that only its pattern tells of.

    Args:
        limit: The most characters.
        formats: The forms.
        parts: How many columns the text is split over, each of up to ``limit`` characters.
        raw: Whether it may also be as a number format leaves it, for cleaners to mend.
    """
    if not formats:
        return texts(limit, parts=parts)
    return (RAW_SAMPLES if raw else SAMPLES).get(formats[0])


def from_pattern(text_format: TextFormat) -> st.SearchStrategy[str]:
    """Give text of a form from its pattern."""
    return st.from_regex(
        re.compile(text_format.anchored), alphabet=st.characters(exclude_categories=("Cc", "Cs"))
    )


# ----------------------------------------------------------------------------- cells


def clean_cells(decode: Decoder) -> st.SearchStrategy[str]:
    """Give cells as a table holds them."""
    return _NUMBERS.map(decode)


def raw_cells(decode: Decoder, *, optional: bool) -> st.SearchStrategy[Optional[str]]:
    """Give cells with white space around and inside them, or, where they may be, blank ones."""

    def cell(number: int) -> Optional[str]:
        if optional:
            number, blank = divmod(number, 3)
            if not blank:
                return BLANKS[number % len(BLANKS)]
        number, place = divmod(number, len(_DECORATIONS))
        return decorate(decode(number), place)

    return _NUMBERS.map(cell)


def decorate(text: str, place: int) -> str:
    """Put white space around text and inside it that cleaning takes away again."""
    before, after, inner = _DECORATIONS[place % len(_DECORATIONS)]
    return before + text.replace(" ", inner) + after


def is_clean(text: str, limit: Optional[int], formats: Sequence[TextFormat]) -> bool:
    """Tell whether text is clean, of every form, and not too long."""
    return (
        tidy(text) == text
        and not holds_no_text(text)
        and (limit is None or len(text) <= limit)
        and all(re.search(found.anchored, text) for found in formats)
    )
