"""How a column is declared: one helper that writes the pandera checks and the metadata."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Union

import pandera.pandas as pa

from aspen_etl.columns.text import TextFormat
from aspen_etl.errors import ModelError

__all__ = ["ColumnFacts", "audit_time", "column", "hint"]

#: The key of a pandera field's metadata under which its facts stand.
METADATA = "aspen_etl"

_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")
_SOURCE = re.compile(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*\Z")


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


def column(  # noqa: PLR0913 - the facts of a column, each on its own
    *,
    length: Optional[int] = None,
    primary_key: bool = False,
    natural_key: bool = False,
    references: Optional[str] = None,
    source: Union[str, Sequence[str], None] = None,
    nullable: bool = False,
    text_format: Optional[TextFormat] = None,
    label: Optional[str] = None,
    description: Optional[str] = None,
) -> Any:
    """Declare a column of a source or of a table, once, for everything that reads it.

    Args:
        length: The most characters (code points) that the text may have.
        primary_key: The column is the table's key.
        natural_key: The column is part of what a row is known by in the source.
        references: The name of the table whose primary key this column holds.
        source: Where the content comes from, as ``"sheet.column"``; several, where a builder
            spreads several source columns over rows of one column.
        nullable: The column may be without a value. In a source: a row without it is accepted.
        text_format: The form that the text must have.
        label: The word that rules use for a source column (``missing_<label>``); its name
            where not given.
        description: One sentence for the data dictionary.

    Returns:
        A pandera field, to be assigned in the body of a ``Source`` or ``Table``.

    Raises:
        ModelError: The facts contradict each other; the text says how to mend it.

    Examples:
        >>> from pandera.typing import Series
        >>> from aspen_etl.schema import Table, TableSpec
        >>> class Loan(Table):
        ...     loan_id: Series[int] = column(primary_key=True)
        ...     number: Series[str] = column(natural_key=True, length=20, source="loan.number")
        >>> TableSpec.of(Loan).natural_key
        ('number',)
    """
    facts = ColumnFacts(
        length=length,
        primary_key=primary_key,
        natural_key=natural_key,
        references=references,
        source=(source,) if isinstance(source, str) else tuple(source or ()),
        text_format=text_format,
        label=label,
    )
    _check(facts, nullable=nullable)
    checks: dict[str, Any] = {}
    if length is not None:
        checks["str_length"] = _lengths(length, nullable=nullable)
    if text_format is not None:
        checks["str_matches"] = text_format.anchored
    return pa.Field(
        nullable=nullable,
        unique=primary_key,
        description=description,
        metadata={METADATA: facts},
        **checks,
    )


def audit_time(*, nullable: bool) -> Any:
    """Declare an audit column that holds a point in time, UTC, to the millisecond."""
    return pa.Field(
        nullable=nullable,
        dtype_kwargs={"unit": "ms", "tz": "UTC"},
        metadata={METADATA: ColumnFacts(audit=True)},
    )


def audit_actor(*, nullable: bool) -> Any:
    """Declare an audit column that names who wrote: text of up to 128 characters."""
    return pa.Field(
        nullable=nullable,
        str_length=_lengths(ACTOR_LENGTH, nullable=nullable),
        metadata={METADATA: ColumnFacts(audit=True, length=ACTOR_LENGTH)},
    )


#: The most characters of an actor's name.
ACTOR_LENGTH = 128


def hint(wrong: str, known: Sequence[str]) -> str:
    """Say which name was probably meant, or which there are."""
    prefix = "".join(wrong.rpartition(".")[:2])
    alike = {name[len(prefix) :]: name for name in known if name.startswith(prefix)}
    near = difflib.get_close_matches(wrong[len(prefix) :], alike, n=1)
    if near:
        return f"did you mean {alike[near[0]]!r}?"
    return f"known: {', '.join(known) or 'none'}"


def _lengths(length: int, *, nullable: bool) -> dict[str, int]:
    # Where text may be null, '' would be a second way to say so, and a CSV file holds one.
    return {"min_value": 1, "max_value": length} if nullable else {"max_value": length}


def _check(facts: ColumnFacts, *, nullable: bool) -> None:
    if facts.length is not None and facts.length < 1:
        msg = (
            f"length={facts.length} leaves no room for text; give a positive number of "
            "characters, or none"
        )
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
    if facts.references is not None and not _NAME.match(facts.references):
        msg = (
            f"references={facts.references!r} is not the name of a table; write it as in "
            "references='user'"
        )
        raise ModelError(msg)
    for source in facts.source:
        if not _SOURCE.match(source):
            msg = (
                f"source={source!r} names no source column; write it as in source='borrower.email'"
            )
            raise ModelError(msg)
    if facts.label is not None and not _NAME.match(facts.label):
        msg = (
            f"label={facts.label!r} cannot be part of a rule's name; use lower-case letters, "
            "digits and _"
        )
        raise ModelError(msg)
