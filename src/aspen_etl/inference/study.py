"""Study sheets as a whole: keys, references, and the entities that they hold together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Optional

from aspen_etl.errors import ExtractError
from aspen_etl.errors.base import listing
from aspen_etl.inference.columns import Column, Sheet, joined_cells, study_sheet
from aspen_etl.inference.dependencies import find_groups
from aspen_etl.inference.fan_outs import FanOut, find_fan_outs
from aspen_etl.inference.keys import Key, find_key, given_key, no_key
from aspen_etl.inference.names import base_of
from aspen_etl.inference.references import find_references, share_found
from aspen_etl.schema.values import Extract

__all__ = ["EntityFound", "Study", "study"]

#: So many of the keys of one sheet are those of another, if both speak of the same entities.
_SHARED = 0.5
#: So many cells of a column are keys of an entity, if it speaks of them without saying more.
_MOST = 0.95


@dataclass(frozen=True)
class EntityFound:
    """An entity that rows of sheets repeat.

    Attributes:
        head: The column that it is known by.
        columns: What else is known of it, by the names of the columns.
        sheets: The sheets that hold it, each with those of these columns that it has.
    """

    head: str
    columns: tuple[str, ...]
    sheets: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Study:
    """What was found in sheets.

    Attributes:
        sheets: The sheets by name.
        keys: The key of each.
        references: The sheet that a column refers to, by sheet and column.
        entities: The entities, each in one sheet at the least.
        fan_outs: Columns that become rows of a table of their own.
    """

    sheets: Mapping[str, Sheet]
    keys: Mapping[str, Key]
    references: Mapping[tuple[str, str], str]
    entities: Sequence[EntityFound]
    fan_outs: Sequence[FanOut] = ()

    def entity_of(self, sheet: str, head: str, /) -> Optional[EntityFound]:
        """Give the entity whose key a column holds."""
        found = (each for each in self.entities if each.head == head and sheet in each.sheets)
        return next(found, None)

    def refers(self, sheet: str, column: str, /) -> bool:
        """Tell whether a column holds the keys of another sheet, or of an entity."""
        return (sheet, column) in self.references or self.entity_of(sheet, column) is not None

    def owner_of(self, sheet: str, column: str, /) -> Optional[EntityFound]:
        """Give the entity that a column says something of, beside being its key."""
        found = (each for each in self.entities if column in each.sheets.get(sheet, ()))
        return next(found, None)


def study(extract: Extract, keys: Mapping[str, Sequence[str]], /) -> Study:
    """Study the sheets of an extract.

    Args:
        extract: The sheets.
        keys: The keys that the caller names, by sheet.

    Raises:
        ExtractError: Nothing tells the rows of a sheet apart, or it has no such column.
    """
    for name in keys:
        if name not in extract:
            msg = f"keys= names {name!r}, which is no sheet; there are {listing(tuple(extract))}"
            raise ExtractError(msg, sheet=name)
    sheets = {name: study_sheet(name, frame) for name, frame in extract.items()}
    found = {name: _key(sheet, keys.get(name)) for name, sheet in sheets.items()}
    references = find_references(sheets, found)
    entities: list[EntityFound] = []
    for name, sheet in sheets.items():
        refers = {column for at, column in references if at == name}
        for group in find_groups(sheet, found[name], refers):
            _add(entities, EntityFound(group.head, group.columns, {name: group.columns}), sheets)
    everywhere = [_spread(entity, sheets, found, references, entities) for entity in entities]
    whole = Study(sheets, found, references, everywhere)
    fan_outs = [each for sheet in sheets.values() for each in _fan_outs(whole, sheet)]
    return replace(whole, fan_outs=fan_outs)


def _fan_outs(study: Study, sheet: Sheet) -> list[FanOut]:
    taken = {
        column
        for column in sheet.columns
        if column in study.keys[sheet.name].columns
        or study.refers(sheet.name, column)
        or study.owner_of(sheet.name, column) is not None
    }
    return find_fan_outs(sheet, taken)


def _key(sheet: Sheet, given: Optional[Sequence[str]]) -> Key:
    if given is not None:
        return given_key(sheet, given)
    key = find_key(sheet)
    if key is None:
        raise no_key(sheet)
    return key


# ----------------------------------------------------------------------------- across sheets


def _add(entities: list[EntityFound], new: EntityFound, sheets: Mapping[str, Sheet]) -> None:
    """Join an entity with one of the same key, or put it behind the others."""
    for place, entity in enumerate(entities):
        if entity.head == new.head and base_of(new.head) != new.head:
            mine, theirs = _heads(entity, sheets), _heads(new, sheets)
            if max(share_found(mine, theirs), share_found(theirs, mine)) >= _SHARED:
                columns = tuple(dict.fromkeys((*entity.columns, *new.columns)))
                joined = {**entity.sheets, **new.sheets}
                entities[place] = EntityFound(entity.head, columns, joined)
                return
    entities.append(new)


def _heads(entity: EntityFound, sheets: Mapping[str, Sheet]) -> Column:
    """Give the keys of an entity in all its sheets as one column, each once."""
    cells = joined_cells([sheets[name][entity.head] for name in entity.sheets])
    return Column.of_cells(entity.head, cells)


def _spread(
    entity: EntityFound,
    sheets: Mapping[str, Sheet],
    keys: Mapping[str, Key],
    references: Mapping[tuple[str, str], str],
    entities: Sequence[EntityFound],
) -> EntityFound:
    """Find the entity in the sheets that name its key and say nothing of it."""
    heads = _heads(entity, sheets)
    others = {
        name: ()
        for name, sheet in sheets.items()
        if name not in entity.sheets
        and entity.head in sheet.columns
        and base_of(entity.head) != entity.head
        and keys[name].single != entity.head
        and (name, entity.head) not in references
        and not any(entity.head in each.sheets.get(name, ()) for each in entities)
        and share_found(sheet[entity.head], heads) >= _MOST
    }
    return replace(entity, sheets={**entity.sheets, **others})
