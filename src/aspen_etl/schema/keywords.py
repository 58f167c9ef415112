"""The keywords of a table's class: the sheets that it is made of, and how disagreement ends.

They are read when the class is made, so that a mistake shows where it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Optional, Union, get_args

from aspen_etl.errors import ModelError
from aspen_etl.schema.column import hint
from aspen_etl.schema.column_spec import ColumnSpec

__all__ = ["Conflict", "EntityFacts", "Keywords", "fill_sources", "read_keywords"]

#: What becomes of cells that say different things of one entity: most rows win, or nobody.
Conflict = Literal["majority", "reject"]

_SHEET = re.compile(r"[a-z_][a-z0-9_]*\Z")
_COLUMNS = re.compile(r"[a-z0-9_]*\*?[a-z0-9_]*\Z")
_COLUMN = re.compile(r"(?:[a-z_][a-z0-9_]*\.)?[a-z_][a-z0-9_]*\Z")


@dataclass(frozen=True)
class EntityFacts:
    """What is said of a table that has one row for each distinct natural key.

    Attributes:
        conflict: What becomes of cells that say different things of one entity.
        newest: The source column, as ``"sheet.column"``, whose latest value wins before that.
    """

    conflict: Conflict = "majority"
    newest: Optional[str] = None


@dataclass(frozen=True)
class Keywords:
    """The keywords of a table's class.

    Attributes:
        sources: The sheets that it is made of, each with what its columns are called there.
        entity: What is said of it as an entity, if it is one.
    """

    sources: tuple[str, ...] = ()
    entity: Optional[EntityFacts] = None

    @property
    def sheets(self) -> tuple[str, ...]:
        """The names of the sheets, in order."""
        return tuple(source.partition(".")[0] for source in self.sources)


def read_keywords(
    owner: str,
    before: Keywords,
    source: Union[str, Sequence[str], None],
    conflict: Optional[str],
    newest: Optional[str],
) -> Keywords:
    """Read the keywords of a class.

    Args:
        owner: The name of the class.
        before: Those of the class that it derives from, which hold where none are given.
        source: The keyword ``source``.
        conflict: The keyword ``conflict``.
        newest: The keyword ``newest``.

    Raises:
        ModelError: They are wrong; the text says how to mend it.
    """
    out = before
    if source is not None:
        given = (source,) if isinstance(source, str) else tuple(source)
        _check_sources(owner, given, is_entity=before.entity is not None)
        out = replace(out, sources=given)
    if conflict is None and newest is None:
        return out
    entity = before.entity
    if entity is None:
        msg = (
            f"class {owner}: conflict= and newest= are for an Entity, whose rows are voted on; "
            "derive the class from aspen_etl.schema.Entity, or take them away"
        )
        raise ModelError(msg, table=owner)
    if conflict is not None:
        entity = replace(entity, conflict=_conflict(owner, conflict))
    if newest is not None:
        entity = replace(entity, newest=_newest(owner, newest, out.sheets))
    if entity.newest is not None and entity.conflict != _DEFAULT:
        msg = (
            f"class {owner}: with conflict={entity.conflict!r} nobody wins, so newest= says "
            "nothing; take one of them away"
        )
        raise ModelError(msg, table=owner)
    return replace(out, entity=entity)


_DEFAULT: Conflict = "majority"


def _check_sources(owner: str, given: tuple[str, ...], *, is_entity: bool) -> None:
    for source in given:
        sheet, dot, columns = source.partition(".")
        if not _SHEET.match(sheet) or (dot and not (columns and _COLUMNS.match(columns))):
            msg = (
                f"class {owner}: source={source!r} names no sheet; write it as in source='visits', "
                "or source='visits.clinic_*' where its columns have a prefix there"
            )
            raise ModelError(msg, table=owner)
        if not is_entity and dot and "*" not in columns:
            msg = (
                f"class {owner}: source={source!r} is one column, and a table takes the rows of a "
                f"sheet; write source={sheet!r}, or derive the class from "
                "aspen_etl.schema.Entity, which has one row for each distinct value"
            )
            raise ModelError(msg, table=owner)
    sheets = [source.partition(".")[0] for source in given]
    if len(set(sheets)) != len(sheets):
        msg = f"class {owner}: source= names the sheet {sheets[0]!r} twice; name each sheet once"
        raise ModelError(msg, table=owner)
    if not given or (len(given) > 1 and not is_entity):
        msg = (
            f"class {owner}: a table has the rows of one sheet, and source= names {len(given)}; "
            "derive the class from aspen_etl.schema.Entity, which several may feed, or name one"
        )
        raise ModelError(msg, table=owner)


def _conflict(owner: str, given: str) -> Conflict:
    known: Mapping[str, Conflict] = {name: name for name in get_args(Conflict)}
    if given not in known:
        msg = (
            f"class {owner}: conflict={given!r} is not known; write one of {', '.join(known)} "
            "(newest= takes the latest value)"
        )
        raise ModelError(msg, table=owner)
    return known[given]


def _newest(owner: str, given: str, sheets: tuple[str, ...]) -> str:
    if not _COLUMN.match(given) or ("." not in given and len(sheets) != 1):
        msg = (
            f"class {owner}: newest={given!r} names no source column; write it as in "
            "newest='visits.visited'"
        )
        raise ModelError(msg, table=owner)
    found = given if "." in given else f"{sheets[0]}.{given}"
    sheet = found.partition(".")[0]
    if sheets and sheet not in sheets:
        msg = (
            f"class {owner}: newest={given!r} is no column of a sheet that feeds the entity; "
            f"{hint(sheet, sheets)}"
        )
        raise ModelError(msg, table=owner)
    return found


# ----------------------------------------------------------------------------- columns


def fill_sources(
    owner: str, own: Mapping[str, ColumnSpec], keywords: Keywords, /
) -> dict[str, ColumnSpec]:
    """Give each column of a table the source columns that its class says.

    A column that refers to another table keeps what it declares: what it follows is known where
    that table is.

    Args:
        owner: What a ``ModelError`` calls the table.
        own: Its own columns by name.
        keywords: The keywords of its class.

    Raises:
        ModelError: A column names a sheet that the class does not, or no sheet at all.
    """
    natural = [name for name, spec in own.items() if spec.natural_key]
    out = {}
    for name, spec in own.items():
        is_given = spec.primary_key and bool(natural)
        is_key = name in natural or spec.primary_key
        if spec.source:
            found = tuple(_qualify(owner, spec, source, keywords) for source in spec.source)
        elif spec.references or is_given:
            found = ()
        else:
            found = _implied(name, keywords, is_key=is_key and len(natural) <= 1)
        out[name] = replace(spec, source=_in_order(owner, spec, found, keywords))
        if keywords.entity is not None and not (is_given or spec.references):
            _check_filled(owner, out[name], keywords, is_key=is_key)
    return out


def _check_filled(owner: str, spec: ColumnSpec, keywords: Keywords, *, is_key: bool) -> None:
    """Refuse a column of an entity that nothing fills, and a sheet without the whole key."""
    if not is_key and not spec.source:
        msg = (
            f"{owner}: nothing fills {spec.name!r}; name the sheet of the class and what its "
            "columns begin with there, as in source='visits.clinic_*', or give it source="
        )
        raise ModelError(msg, column=spec.name)
    if is_key and len(spec.source) < len(keywords.sheets):
        held = {source.partition(".")[0] for source in spec.source}
        lacking = next(sheet for sheet in keywords.sheets if sheet not in held)
        msg = (
            f"{owner}: {spec.name!r} is part of what an entity is known by, and nothing says "
            f"which column of {lacking!r} holds it; give it source=, with one column of each sheet"
        )
        raise ModelError(msg, column=spec.name)


def _implied(name: str, keywords: Keywords, *, is_key: bool) -> tuple[str, ...]:
    """List what a column is called in each sheet; a single column is that of the key."""
    out = []
    for source in keywords.sources:
        _, dot, columns = source.partition(".")
        if not dot:
            out.append(f"{source}.{name}")
        elif "*" in columns:
            out.append(source.replace("*", name))
        elif is_key:
            out.append(source)
    return tuple(out)


def _qualify(owner: str, spec: ColumnSpec, source: str, keywords: Keywords) -> str:
    if "*" in source:
        msg = (
            f"{owner}: {spec.name} has source={source!r}, and no column says what * stands for; "
            "give the column of the type from_name=('home', 'cell'), or name one column"
        )
        raise ModelError(msg, column=spec.name)
    if "." in source:
        return source
    if len(keywords.sheets) != 1:
        where = "several sheets" if keywords.sheets else "no sheet"
        msg = (
            f"{owner}: {spec.name} has source={source!r}, and its class names {where}; write it "
            f"as in source='sheet.{source}'"
            + ("" if keywords.sheets else ", or name the sheet of the class, as in source='sheet'")
        )
        raise ModelError(msg, column=spec.name)
    return f"{keywords.sheets[0]}.{source}"


def _in_order(
    owner: str, spec: ColumnSpec, found: tuple[str, ...], keywords: Keywords
) -> tuple[str, ...]:
    """Bring what feeds a column of an entity to the order of its sheets, one for each."""
    if keywords.entity is None or not keywords.sheets:
        return found
    by_sheet = {source.partition(".")[0]: source for source in found}
    for sheet, source in by_sheet.items():
        if sheet not in keywords.sheets:
            msg = (
                f"{owner}: {spec.name} comes from {source!r}, and its class names no "
                f"sheet {sheet!r}; {hint(sheet, keywords.sheets)}"
            )
            raise ModelError(msg, column=spec.name)
    if len(by_sheet) != len(found):
        msg = (
            f"{owner}: {spec.name} takes several columns of one sheet; an entity takes one column "
            "of each sheet"
        )
        raise ModelError(msg, column=spec.name)
    return tuple(by_sheet[sheet] for sheet in keywords.sheets if sheet in by_sheet)
