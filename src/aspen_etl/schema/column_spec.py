"""What is known of one column: a frozen value, read once off a pandera model."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Optional, Union, get_args

import pandas as pd

from aspen_etl.columns.text import HANDED_TEXT, TextFormat
from aspen_etl.errors import ModelError
from aspen_etl.schema.column import METADATA
from aspen_etl.schema.column_facts import ColumnFacts
from aspen_etl.schema.types import TYPES

if TYPE_CHECKING:
    import pandera.pandas as pa

__all__ = ["TIMESTAMP", "ColumnSpec", "ColumnType", "read_columns", "read_name", "with_dtypes"]

ColumnType = Literal["text", "integer", "decimal", "date", "datetime", "timestamp", "boolean"]

#: The dtype of points in time in frames: UTC, to the millisecond.
TIMESTAMP = pd.DatetimeTZDtype(unit="ms", tz="UTC")


@dataclass(frozen=True)
class ColumnSpec:
    """Everything that is known of one column.

    Attributes:
        name: The column's name.
        type: ``text``, ``integer`` (64 bits), ``decimal``, ``date``, ``datetime`` (what a wall
            clock shows, milliseconds), ``timestamp`` (UTC, milliseconds) or ``boolean``.
        nullable: Whether a row may be without it.
        length: The most characters of a text, or none where it is not limited.
        primary_key: Whether it is the table's key.
        natural_key: Whether it is part of what a row is known by in the source.
        references: The table whose primary key it holds.
        source: The source columns that feed it, as ``"sheet.column"``.
        text_format: The form that the text must have.
        label: The word that rules use for it.
        audit: Whether it tells who wrote the row and when.
        description: One sentence for the data dictionary.
        precision: The most digits of a decimal.
        scale: How many of them stand behind the point.
        format: How the source writes it, where not in its plain form.
        words: The words of the source for true and false.
        minimum: The least whole number, or the first date.
        from_name: What stands for ``*`` in the names of the source columns that rows come from,
            each with the text that this column has for it.
    """

    name: str
    type: ColumnType
    nullable: bool = False
    length: Optional[int] = None
    primary_key: bool = False
    natural_key: bool = False
    references: Optional[str] = None
    source: tuple[str, ...] = ()
    text_format: Optional[TextFormat] = None
    label: str = ""
    audit: bool = False
    description: Optional[str] = None
    precision: Optional[int] = None
    scale: Optional[int] = None
    format: Optional[str] = None
    words: tuple[tuple[str, bool], ...] = ()
    minimum: Union[int, dt.date, None] = None
    from_name: tuple[tuple[str, str], ...] = ()

    @property
    def dtype(self) -> Any:
        """The one dtype that the column has in frames."""
        return HANDED_TEXT if self.type == "text" else self.held_dtype

    @property
    def held_dtype(self) -> Any:
        """The one dtype that the column has inside: pandas 2 may hold text in another way."""
        return TYPES[self.type].dtype(self)


#: The types that a fact speaks of.
_FACTS: Mapping[str, frozenset[ColumnType]] = {
    "length": frozenset({"text"}),
    "text_format": frozenset({"text"}),
    "precision": frozenset({"decimal"}),
    "scale": frozenset({"decimal"}),
    "format": frozenset({"decimal", "date", "datetime", "timestamp"}),
    "words": frozenset({"boolean"}),
    "minimum": frozenset({"integer", "date"}),
    "zone": frozenset({"timestamp"}),
}


def read_columns(model: type[pa.DataFrameModel], owner: str) -> dict[str, ColumnSpec]:
    """Read the columns off a model; ``owner`` is what a ``ModelError`` calls it."""
    from aspen_etl.schema.hidden import hidden_type

    for name, annotation in getattr(model, "__annotations__", {}).items():
        for part in get_args(annotation):
            hidden = hidden_type(owner, name, part)
            if hidden is not None:
                raise ModelError(hidden, owner=owner, column=name)
    try:
        schema = model.to_schema()
    except Exception as error:  # noqa: BLE001 - whatever pandera says of a declaration is ours to explain
        reason = f"{type(error).__name__}: {error}"
    else:
        return {
            name: _column_spec(model, name, found, owner) for name, found in schema.columns.items()
        }
    msg = (
        f"{owner}: pandera cannot read the declaration ({reason}); annotate each column as in "
        "`name: Series[str] = column()`"
    )
    raise ModelError(msg, owner=owner)


def with_dtypes(model: type[pa.DataFrameModel], schema: Any, /) -> Any:
    """Give each column of a pandera schema the one dtype that it has in our frames.

    A column that takes its values from names has no others.
    """
    import pandera.pandas as pa

    changes: dict[str, dict[str, Any]] = {}
    for name, found in schema.columns.items():
        facts = (found.metadata or {}).get(METADATA)
        if isinstance(facts, ColumnFacts) and not facts.audit:
            kind = _type(_annotation(model, name), found.dtype, facts)
            if kind is None:
                continue
            spec = _spec(name, kind, found, facts)
            if TYPES[kind].check(spec) is not None:  # what is wrong is told later
                continue
            change: dict[str, Any] = {} if kind == "text" else {"dtype": spec.dtype}
            if spec.from_name and spec.references is None:
                texts = [text for _, text in spec.from_name]
                numbers = [int(text) for text in texts if re.fullmatch("-?[0-9]+", text)]
                allowed = pa.Check.isin(texts if kind == "text" else numbers)
                change["checks"] = [*found.checks, allowed]
            if change:
                changes[name] = change
    return schema.update_columns(changes) if changes else schema


def _column_spec(model: type[pa.DataFrameModel], name: str, found: Any, owner: str) -> ColumnSpec:
    facts = (found.metadata or {}).get(METADATA)
    if not isinstance(facts, ColumnFacts):
        msg = (
            f"{owner}.{name} is not declared with column(); write `{name}: Series[str] = "
            "column(...)`"
        )
        raise ModelError(msg, owner=owner, column=name)
    kind = _type(_annotation(model, name), found.dtype, facts)
    if kind is None:
        msg = (
            f"{owner}.{name} is annotated with a type that a table cannot have; use "
            "Series[str], Series[int], Series[Decimal], Series[dt.date], Series[dt.datetime] or "
            "Series[bool]"
        )
        raise ModelError(msg, owner=owner, column=name)
    _check_facts(f"{owner}.{name}", facts, kind)
    spec = _spec(name, kind, found, facts)
    wrong = TYPES[kind].check(spec)
    if wrong is not None:
        raise ModelError(f"{owner}.{name}: {wrong}", owner=owner, column=name)
    return spec


def _spec(name: str, kind: ColumnType, found: Any, facts: ColumnFacts) -> ColumnSpec:
    return ColumnSpec(
        name=name,
        type=kind,
        nullable=bool(found.nullable),
        length=facts.length,
        primary_key=facts.primary_key,
        natural_key=facts.natural_key,
        references=facts.references,
        source=facts.source,
        text_format=facts.text_format,
        label=facts.label or name,
        audit=facts.audit,
        description=found.description,
        precision=facts.precision,
        scale=facts.scale,
        format=facts.format,
        words=facts.words,
        minimum=facts.minimum,
        from_name=facts.from_name,
    )


def _check_facts(where: str, facts: ColumnFacts, kind: ColumnType) -> None:
    for fact, kinds in _FACTS.items():
        if getattr(facts, fact) not in (None, ()) and kind not in kinds:
            msg = (
                f"{where} is {kind}, and {fact}= is for {' and '.join(sorted(kinds))}; take it away"
            )
            raise ModelError(msg, column=where)
    if kind == "decimal":
        precision, scale = facts.precision, facts.scale
        if precision is None or scale is None or not 0 <= scale <= precision <= MOST_DIGITS:
            msg = (
                f"{where} is a decimal; say how many digits it has and how many of them stand "
                f"behind the point, as in precision=12, scale=2 (up to {MOST_DIGITS} digits)"
            )
            raise ModelError(msg, column=where)


#: The most digits of a decimal, as every system that reads our tables takes them.
MOST_DIGITS = 38


def _annotation(model: type[pa.DataFrameModel], name: str) -> Any:
    """Give what stands in the brackets of a column's annotation."""
    fields: Mapping[str, Any] = getattr(model, "__fields__", {})
    found = next((held for held in fields.values() if held[1].name == name), None)
    return None if found is None else found[0].arg


_ANNOTATIONS: Mapping[Any, ColumnType] = {Decimal: "decimal", dt.date: "date", bool: "boolean"}


def _type(annotation: Any, dtype: Any, facts: ColumnFacts) -> Optional[ColumnType]:
    if annotation in _ANNOTATIONS:
        return _ANNOTATIONS[annotation]
    if annotation is dt.datetime:
        return "timestamp" if facts.zone else "datetime"
    if dtype is None:
        return None
    import pandera.dtypes

    if pandera.dtypes.is_string(dtype):
        return "text"
    if pandera.dtypes.is_int(dtype):
        return "integer"
    return "timestamp" if pandera.dtypes.is_datetime(dtype) else None


def read_name(model: type[pa.DataFrameModel], suffix: str) -> str:
    """Give the name that a model goes by: the configured one, or its class in snake case."""
    for base in model.__mro__:
        configured = vars(vars(base).get("Config", object)).get("name")
        if configured and configured != base.__name__:  # pandera fills in the class's own name
            return str(configured)
    name = model.__name__
    if suffix and name.endswith(suffix) and name != suffix:
        name = name[: -len(suffix)]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
