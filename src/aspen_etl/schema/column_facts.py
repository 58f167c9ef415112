"""What is written about a column, and what is wrong with it whatever its type is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from aspen_etl.columns.text import TextFormat
from aspen_etl.errors import ModelError

__all__ = ["ColumnFacts", "check_facts", "given_names", "given_sources", "given_words"]

_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")
#: A column of the class's own sheet, or ``sheet.column``.
_SOURCE = re.compile(r"(?:[a-z_][a-z0-9_]*\.)?(?:[a-z_][a-z0-9_]*(?:\*[a-z0-9_]*)?|\*[a-z0-9_]*)\Z")


@dataclass(frozen=True)
class ColumnFacts:
    """What is written about a column beside its name, its type and whether it may be null."""

    length: Optional[int] = None
    primary_key: bool = False
    natural_key: bool = False
    references: Optional[str] = None
    source: tuple[str, ...] = field(default=())
    text_format: Optional[TextFormat] = None
    label: Optional[str] = None
    audit: bool = False
    precision: Optional[int] = None
    scale: Optional[int] = None
    format: Optional[str] = None
    words: tuple[tuple[str, bool], ...] = ()
    minimum: Union[int, dt.date, None] = None
    zone: Optional[str] = None
    from_name: tuple[tuple[str, str], ...] = ()


def given_sources(given: Union[str, Sequence[str], None], /) -> tuple[str, ...]:
    """Give the source columns, be it one or several."""
    if given is None:
        return ()
    sources = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    for source in sources:
        if not isinstance(source, str) or not _SOURCE.match(source):
            msg = f"source={source!r} names no source column; write it as in source='sheet.column'"
            raise ModelError(msg)
    return sources


def given_words(given: Optional[Mapping[str, bool]], /) -> tuple[tuple[str, bool], ...]:
    """Give the words of a boolean, and what each says."""
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        msg = (
            f"words={given!r} does not say which is true; write it as in "
            "words={'Y': True, 'N': False}"
        )
        raise ModelError(msg)
    return tuple(given.items())


def given_names(
    given: Union[Mapping[str, object], Sequence[str], None], /
) -> tuple[tuple[str, str], ...]:
    """Give what stands for ``*`` in the names of source columns, each with the column's text."""
    if given is None:
        return ()
    is_several = isinstance(given, (Mapping, list, tuple)) and len(given) > 0
    if not is_several or not all(isinstance(name, str) for name in given):
        msg = f"from_name={given!r} names no columns; write it as in from_name=('home', 'cell')"
        raise ModelError(msg)
    pairs = given.items() if isinstance(given, Mapping) else zip(given, given)
    return tuple((name, str(value)) for name, value in pairs)


_NUMBER, _TEXT = "a whole number, as in {}=20", "text"
_TRUTH = "True or False"
#: What a fact is, and how that is told; another one is checked where it is taken.
_KINDS: Mapping[str, tuple[type, str]] = {
    "length": (int, _NUMBER),
    "precision": (int, _NUMBER),
    "scale": (int, _NUMBER),
    "format": (str, _TEXT),
    "references": (str, _TEXT),
    "label": (str, _TEXT),
    "description": (str, _TEXT),
    "text_format": (TextFormat, "a TextFormat"),
    "primary_key": (bool, _TRUTH),
    "natural_key": (bool, _TRUTH),
    "nullable": (bool, _TRUTH),
}


def _check_kinds(facts: Mapping[str, Any]) -> None:
    for name, (kind, told) in _KINDS.items():
        fact = facts[name]
        if fact is not None and not _is(fact, kind):
            msg = f"{name}={fact!r} is not {told.format(name)}"
            raise ModelError(msg)
    least, zone = facts["minimum"], facts["zone"]
    if least is not None and not (_is(least, int) or isinstance(least, dt.date)):
        msg = (
            f"minimum={least!r} is neither a whole number nor a datetime.date; write it as in "
            "minimum=0"
        )
        raise ModelError(msg)
    if zone not in (None, "UTC"):
        msg = (
            f"zone={zone!r} is not known; points in time are held in zone='UTC', and a source may "
            "write its offset with each; without zone=, a moment is what a wall clock shows"
        )
        raise ModelError(msg)


def _is(fact: Any, kind: type) -> bool:
    """Tell whether a fact is of a kind; True is no number here."""
    return isinstance(fact, kind) and (kind is bool or not isinstance(fact, bool))


def check_facts(facts: ColumnFacts, *, nullable: bool, description: Optional[str]) -> None:
    """Refuse what is not of its kind, and facts that contradict each other.

    Raises:
        ModelError: The text says how to mend it.
    """
    _check_kinds({**vars(facts), "nullable": nullable, "description": description})
    _check_names(facts)
    if facts.length is not None and facts.length < 1:
        msg = (
            f"length={facts.length} leaves no room for text; give a positive number of "
            "characters, or none"
        )
        raise ModelError(msg)
    if facts.references is not None and facts.minimum is not None:
        msg = "a reference holds what the key may that it refers to; take minimum= away"
        raise ModelError(msg)
    if facts.primary_key and nullable:
        msg = "a primary key cannot be null; take nullable=True away"
        raise ModelError(msg)
    if nullable and facts.natural_key and facts.references is None:
        msg = (
            "a natural key may be null only where it refers to another table; take nullable=True "
            "away"
        )
        raise ModelError(msg)


def _check_names(facts: ColumnFacts) -> None:
    if facts.references is not None and not _NAME.match(facts.references):
        msg = (
            f"references={facts.references!r} is not the name of a table; write it as in "
            "references='user'"
        )
        raise ModelError(msg)
    if facts.label is not None and not _NAME.match(facts.label):
        msg = (
            f"label={facts.label!r} cannot be part of a rule's name; use lower-case letters, "
            "digits and _"
        )
        raise ModelError(msg)
