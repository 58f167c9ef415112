"""What an option is told in: its kind, how its text is read, its flag, its words of help.

An option is declared once, as a field of a frozen dataclass. The command line, the environment of a
Lambda function and the arguments of a Glue job are made from that.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Optional, Protocol, Union

from aspen_etl.errors.base import did_you_mean

__all__ = [
    "MAX_DAYS",
    "ByProtocol",
    "Count",
    "CountOr",
    "Either",
    "Flag",
    "Kind",
    "Names",
    "Option",
    "Rows",
    "Share",
    "Span",
    "Text",
    "Texts",
    "UnusableTextError",
    "Word",
    "option",
    "options_of",
]

#: The longest time in days that an option takes: a hundred years.
MAX_DAYS = 36_525

#: The largest whole number that is taken: no version, row or count is larger.
_LARGEST = 10**18


class UnusableTextError(ValueError):
    """Say why a text is no value of a kind.

    Attributes:
        reason: What to say where the text may be a secret, and stands in no message.
        shown: What to say to whoever typed it, the text in the place of ``{}``.
    """

    def __init__(self, reason: str, shown: Optional[str] = None) -> None:
        super().__init__(reason)
        self.reason, self.shown = reason, f"{{}} {reason}" if shown is None else shown


# ----------------------------------------------------------------------------- kinds


class Kind(Protocol):
    """What values an option takes."""

    def read(self, text: str, /) -> Any:
        """Read a value from its text.

        Raises:
            UnusableTextError: The text is no such value.
        """


@dataclass(frozen=True)
class Text:
    """Any text."""

    def read(self, text: str, /) -> str:
        """Give the text."""
        return text


@dataclass(frozen=True)
class Word:
    """One of some words."""

    words: tuple[str, ...]

    def read(self, text: str, /) -> str:
        """Give the word; another one is refused with what may have been meant."""
        if text not in self.words:
            words = ", ".join(self.words)
            close = did_you_mean(text, self.words)
            shown = f"there is no {{}}, only {words}{close}"
            raise UnusableTextError(f"is none of {words}", shown)
        return text


@dataclass(frozen=True)
class Share:
    """A part of a whole, from 0 to 1."""

    def read(self, text: str, /) -> float:
        """Give the number."""
        return _number(text, 1.0, "is no share; give a number from 0 to 1")


@dataclass(frozen=True)
class Span:
    """A span of time, from nothing to the most that makes sense, in some unit."""

    unit: str
    most: float

    def read(self, text: str, /) -> float:
        """Give the number of units."""
        reason = f"is no number of {self.unit} from 0 to {self.most:,.0f}, as in 7 or 0.5"
        return _number(text, self.most, reason)


@dataclass(frozen=True)
class Count:
    """A whole number."""

    least: int = 0
    most: int = _LARGEST

    def read(self, text: str, /) -> int:
        """Give the number."""
        digits = re.fullmatch(r"\s*([+-]?[0-9]{1,19})\s*", text, flags=re.ASCII)
        number = int(digits[1]) if digits else None
        if number is None or not self.least <= number <= self.most:
            raise UnusableTextError(
                f"is no count; give a whole number from {self.least} to {self.most}",
                f"{{}} is no whole number from {self.least} on, as in {max(self.least, 1)}",
            )
        return number


@dataclass(frozen=True)
class CountOr:
    """A whole number, or one of some words."""

    words: tuple[str, ...]
    least: int = 0

    def read(self, text: str, /) -> Union[int, str]:
        """Give the number, or the word."""
        word = text.strip()
        if word in self.words:
            return word
        try:
            return Count(self.least).read(text)
        except UnusableTextError as error:
            words = f", nor {' or '.join(self.words)}"
            raise UnusableTextError(f"{error.reason}{words}", f"{error.shown}{words}") from None


@dataclass(frozen=True)
class Flag:
    """Yes or no."""

    def read(self, text: str, /) -> bool:
        """Give the truth."""
        known = {"true": True, "false": False}
        if text.lower() not in known:
            raise UnusableTextError("is neither true nor false")
        return known[text.lower()]


@dataclass(frozen=True)
class Either(Flag):
    """Yes, no, or what is usual where nothing is told."""


@dataclass(frozen=True)
class Texts:
    """Texts, as a JSON list."""

    def read(self, text: str, /) -> tuple[str, ...]:
        """Give the texts."""
        value = _json(text)
        if not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
            raise UnusableTextError('is no JSON list of texts, such as ["-", "n/a"]')
        return tuple(value)


@dataclass(frozen=True)
class Names:
    """Texts by name, as a JSON object."""

    def read(self, text: str, /) -> dict[str, str]:
        """Give the texts by name."""
        return _object(text, str, 'is no JSON object of texts, such as {"visits": "Sheet1"}')


@dataclass(frozen=True)
class Rows:
    """The number of a row, or one by sheet, as JSON."""

    def read(self, text: str, /) -> Any:
        """Give the number, or the numbers."""
        value = _json(text)
        rows = list(value.values()) if isinstance(value, dict) else [value]
        if not all(type(row) is int and 1 <= row <= _LARGEST for row in rows):
            raise UnusableTextError(
                'is neither a whole number from 1 on nor a JSON object such as {"visits": 3}'
            )
        return value


@dataclass(frozen=True)
class ByProtocol:
    """What filesystems take, by protocol, as a JSON object."""

    def read(self, text: str, /) -> dict[str, dict[str, Any]]:
        """Give the options by protocol."""
        return _object(text, dict, 'is no JSON object by protocol, such as {"s3": {...}}')


def _number(text: str, most: float, reason: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= most:
        raise UnusableTextError(reason)
    return number


def _object(text: str, kind: type, reason: str) -> dict[str, Any]:
    value = _json(text)
    if not (isinstance(value, dict) and all(isinstance(each, kind) for each in value.values())):
        raise UnusableTextError(reason)
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


# ----------------------------------------------------------------------------- declaring


@dataclass(frozen=True)
class Option:
    """How a field is told.

    Attributes:
        name: The name of the field.
        default: The value where nothing is told.
        kind: What values it takes.
        told: What it means, as the help of the command line says it.
        flag: Its name on the command line; a name without dashes stands for a word in its place,
            and without a name it is none of the command line's.
        metavar: What stands for its value there.
    """

    name: str
    default: Any
    kind: Kind
    told: str
    flag: Optional[str] = None
    metavar: Optional[str] = None


def option(
    kind: Kind, told: str, flag: Optional[str] = None, metavar: Optional[str] = None, /
) -> Mapping[str, Any]:
    """Give the metadata of a field that is an option: what an ``Option`` holds of it."""
    return {_KEY: (kind, told, flag, metavar)}


def options_of(holder: type, /) -> Iterator[Option]:
    """Give the options among the fields of a dataclass, named, in their order."""
    for each in fields(holder):
        if _KEY in each.metadata:
            yield Option(each.name, _default(each), *each.metadata[_KEY])


_KEY = "option"


def _default(declared: Field[Any]) -> Any:
    if declared.default_factory is not MISSING:
        return declared.default_factory()
    return declared.default
