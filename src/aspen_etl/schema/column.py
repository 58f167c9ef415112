"""How a column is declared: one helper that writes the pandera checks and the metadata."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

import pandas as pd

from aspen_etl.columns.text import TextFormat
from aspen_etl.schema.column_facts import (
    ColumnFacts,
    check_facts,
    given_names,
    given_sources,
    given_words,
)

__all__ = ["audit_time", "check_names", "column", "hint", "ref"]

#: The key of a pandera field's metadata under which its facts stand.
METADATA = "aspen_etl"


def column(  # noqa: PLR0913 - the facts of a column, each on its own
    *,
    length: Optional[int] = None,
    primary_key: bool = False,
    natural_key: bool = False,
    references: Optional[str] = None,
    source: Union[str, Sequence[str], None] = None,
    nullable: bool = False,
    text_format: Optional[TextFormat] = None,
    precision: Optional[int] = None,
    scale: Optional[int] = None,
    format: Optional[str] = None,  # noqa: A002 - what strptime and others call it
    words: Optional[Mapping[str, bool]] = None,
    minimum: Union[int, dt.date, None] = None,
    zone: Optional[str] = None,
    from_name: Union[Mapping[str, object], Sequence[str], None] = None,
    label: Optional[str] = None,
    description: Optional[str] = None,
) -> Any:
    """Declare a column of a source or of a table, once, for everything that reads it.

    The annotation gives the type: ``Series[str]``, ``Series[int]``, ``Series[Decimal]``,
    ``Series[dt.date]``, ``Series[dt.datetime]`` or ``Series[bool]``.

    Args:
        length: The most characters (code points) that the text may have.
        primary_key: The column is the table's key.
        natural_key: The column is part of what a row is known by in the source.
        references: The name of the table whose primary key this column holds.
        source: Where the content comes from, as ``"sheet.column"``, or the column alone where
            the class names its sheet; without it, the column of that sheet that is called like
            this one. Several, where a builder spreads several source columns over rows of one
            column, or an entity is fed by several sheets.
        nullable: The column may be without a value. In a source: a row without it is accepted.
        text_format: The form that the text must have.
        precision: The most digits of a decimal, up to 38.
        scale: How many of them stand behind the point; every value has as many.
        format: How the source writes what is not in its plain form: a decimal by example
            (``"1,234.50"``, ``"(1,234.50)"``), a date or moment by its strptime pattern.
        words: The words of the source for true and false, as in ``{"Y": True, "N": False}``.
        minimum: The least whole number, or the first date, that is taken.
        zone: ``"UTC"`` makes points in time of a ``Series[dt.datetime]``; without it, they are
            what a wall clock shows. No other zone is known.
        from_name: The column tells which of several source columns a row comes from: what stands
            for ``*`` in the names of these, or the value for each, as in ``{"jan": 1, "feb": 2}``.
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
        source=given_sources(source),
        text_format=text_format,
        label=label,
        precision=precision,
        scale=scale,
        format=format,
        words=given_words(words),
        minimum=minimum,
        zone=zone,
        from_name=given_names(from_name),
    )
    check_facts(facts, nullable=nullable, description=description)
    return _field(facts, nullable=nullable, description=description)


def ref(
    table: str,
    /,
    *,
    source: Union[str, Sequence[str], None] = None,
    nullable: bool = False,
    natural_key: bool = False,
    from_name: Union[Mapping[str, object], Sequence[str], None] = None,
    label: Optional[str] = None,
    description: Optional[str] = None,
) -> Any:
    """Declare a column that refers to a row of another table, by that table's primary key.

    Args:
        table: The name of the table.
        source: The source column that holds what a row of that table is known by, as
            ``"sheet.column"``, or the column alone where the class names its sheet. Not needed
            for an entity of the same sheet, whose key says it.
        nullable: A row may be without it.
        natural_key: It is part of what a row is known by in the source.
        from_name: As of ``column``; a value is what a row of that table is known by.
        label: The word that rules use for it; its name where not given.
        description: One sentence for the data dictionary.

    Returns:
        A pandera field, to be assigned in the body of a ``Table``, annotated as the key that it
        refers to: ``Series[int]`` where that key is a number that is given.

    Raises:
        ModelError: The facts contradict each other; the text says how to mend it.

    Examples:
        >>> from aspen_etl.schema import Series, Table, TableSpec
        >>> class Visit(Table, source="visits"):
        ...     number: Series[str] = column(natural_key=True, length=20)
        ...     patient_id: Series[int] = ref("patient", source="patient_no")
        >>> TableSpec.of(Visit).columns["patient_id"].source
        ('visits.patient_no',)
    """
    return column(
        references=table,
        source=source,
        nullable=nullable,
        natural_key=natural_key,
        from_name=from_name,
        label=label,
        description=description,
    )


def _field(facts: ColumnFacts, *, nullable: bool, description: Optional[str]) -> Any:
    import pandera.pandas as pa

    from aspen_etl.schema.hidden import Declared

    field = pa.Field(
        nullable=nullable,
        unique=facts.primary_key,
        description=description,
        metadata={METADATA: facts},
        **_checks(facts, nullable=nullable),
    )
    field.__class__ = Declared
    return field


def _checks(facts: ColumnFacts, *, nullable: bool) -> dict[str, Any]:
    """Give the checks of pandera that follow from the facts."""
    checks: dict[str, Any] = {}
    if facts.length is not None:
        checks["str_length"] = _lengths(facts.length, nullable=nullable)
    if facts.text_format is not None:
        checks["str_matches"] = facts.text_format.anchored
    if facts.minimum is not None:
        is_number = isinstance(facts.minimum, int)
        checks["ge"] = facts.minimum if is_number else pd.Timestamp(facts.minimum)
    return checks


def check_names(facts: ColumnFacts, /) -> list[str]:
    """Name the checks of pandera that follow from the facts, as pandera does, in order."""
    named = {
        "greater_than_or_equal_to": facts.minimum is not None,
        "str_length": facts.length is not None,
        "str_matches": facts.text_format is not None,
    }
    return [name for name, follows in named.items() if follows]


def audit_time(*, nullable: bool) -> Any:
    """Declare an audit column that holds a point in time, UTC, to the millisecond."""
    import pandera.pandas as pa

    return pa.Field(
        nullable=nullable,
        dtype_kwargs={"unit": "ms", "tz": "UTC"},
        metadata={METADATA: ColumnFacts(audit=True)},
    )


def audit_actor(*, nullable: bool) -> Any:
    """Declare an audit column that names who wrote: text of up to 128 characters."""
    import pandera.pandas as pa

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
