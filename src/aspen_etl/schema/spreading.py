"""What is declared of a table that takes several columns of one sheet as rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from aspen_etl.errors import ModelError
from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.schema.keywords import Keywords

__all__ = ["fill_spread", "is_spread"]

#: A whole number as its column writes it, which 64 bits hold for sure.
_WHOLE = re.compile(r"(?:0|-?[1-9][0-9]{0,17})\Z")

#: How the text of a type is written, by the types that a column of types may have.
_FORMS: Mapping[ColumnType, re.Pattern[str]] = {"text": re.compile(r"(?s:.)+\Z"), "integer": _WHOLE}


def is_spread(own: Mapping[str, ColumnSpec], /) -> bool:
    """Tell whether a column takes its values from the names of source columns."""
    return any(spec.from_name for spec in own.values())


def fill_spread(
    owner: str, own: Mapping[str, ColumnSpec], keywords: Keywords, /
) -> dict[str, ColumnSpec]:
    """Give each column of values the source columns that its pattern stands for.

    Args:
        owner: What a ``ModelError`` calls the table.
        own: Its own columns by name, one of which takes its values from names.
        keywords: The keywords of its class.

    Raises:
        ModelError: The columns do not say whose the rows are, of which type, and what they hold.
    """
    kinds = [spec for spec in own.values() if spec.from_name]
    if len(kinds) > 1 or keywords.entity is not None or len(keywords.sources) != 1:
        msg = (
            f"{owner}: from_name= is for one column of a Table whose class names what it takes, as "
            "in class Phone(Table, source='patients.phone_*')"
        )
        raise ModelError(msg, column=kinds[0].name)
    _check_kind(owner, kinds[0])
    held = [spec for spec in own.values() if _is_value(spec)]
    out = dict(own)
    for spec in held:
        pattern = _pattern(owner, spec, keywords, alone=len(held) == 1)
        names = tuple(pattern.replace("*", name) for name, _ in kinds[0].from_name)
        out[spec.name] = replace(spec, source=names)
    sources = [source for spec in out.values() for source in spec.source]
    if len(set(sources)) != len(sources):
        msg = f"{owner}: two columns take the same columns of a sheet; give each another source="
        raise ModelError(msg, column=held[-1].name)
    _check_rest(owner, own, held)
    return out


def _is_value(spec: ColumnSpec) -> bool:
    if spec.from_name or spec.primary_key:
        return False
    return bool(spec.source) or spec.references is None


def _check_kind(owner: str, kind: ColumnSpec) -> None:
    texts = [text for _, text in kind.from_name]
    form = _FORMS.get("text" if kind.references else kind.type)
    wrong = form is None or not all(map(form.match, texts)) or len(set(texts)) != len(texts)
    if wrong or kind.source or not kind.natural_key:
        msg = (
            f"{owner}: {kind.name!r} takes its values from names; annotate it as Series[str], or "
            "Series[int] where they are whole numbers, give it natural_key=True and no source=, "
            "and let each value of from_name= be another one"
        )
        raise ModelError(msg, column=kind.name)
    longest = max(map(len, texts))
    if kind.length is not None and longest > kind.length:
        msg = f"{owner}: from_name= has {longest} characters; give {kind.name!r} such a length="
        raise ModelError(msg, column=kind.name)


def _pattern(owner: str, spec: ColumnSpec, keywords: Keywords, *, alone: bool) -> str:
    sheet = keywords.sheets[0]
    given = spec.source or (keywords.sources if alone else ())
    if (
        len(given) != 1
        or given[0].count("*") != 1
        or given[0].rpartition(".")[0] not in {"", sheet}
    ):
        msg = (
            f"{owner}: nothing says which columns of {sheet!r} {spec.name!r} takes; write them "
            f"with a * for the type, as in source='{spec.name}_*'"
        )
        raise ModelError(msg, column=spec.name)
    return f"{sheet}.{given[0].rpartition('.')[2]}"


def _check_rest(owner: str, own: Mapping[str, ColumnSpec], held: list[ColumnSpec]) -> None:
    parents = [s for s in own.values() if s.references and not s.source and not s.from_name]
    if len(parents) != 1 or not parents[0].natural_key or parents[0].nullable:
        msg = (
            f"{owner}: a row of it belongs to one row of another table; give it one column for "
            "that, as in patient_id: Series[int] = ref('patient', natural_key=True)"
        )
        raise ModelError(msg)
    needed = [spec.name for spec in held if not spec.nullable]
    if not held or any(spec.natural_key for spec in held) or (len(held) > 1 and needed):
        msg = (
            f"{owner}: what it holds is one column, or several that may each be missing; give "
            f"{', '.join(needed) or 'it a column'} nullable=True, and no natural_key=, or take a "
            "builder"
        )
        raise ModelError(msg, columns=tuple(needed))
