"""What classes are called: one for each sheet and each entity, no two the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aspen_etl.inference.names import (
    base_of,
    class_name,
    is_generic,
    is_nameless,
    singular,
    table_name,
)
from aspen_etl.inference.study import EntityFound, Study

__all__ = ["ClassNames"]

#: What an entity is called whose key is called by another word.
_ENTITIES = {"sku": "product", "iata": "airport", "icao": "airport", "isin": "security"}


@dataclass(frozen=True)
class ClassNames:
    """The classes of a model.

    Attributes:
        sheets: The class of each sheet's rows, by the sheet.
        entities: Those of the entities, in their order.
        prefixes: What the names of all columns of each entity begin with, or ''.
        fan_outs: The classes of the fan-outs, in their order.
    """

    sheets: Mapping[str, str]
    entities: Sequence[str]
    prefixes: Sequence[str]
    fan_outs: Sequence[str]

    @classmethod
    def of(cls, study: Study, name: str, /) -> ClassNames:
        """Name what was found.

        Args:
            study: What was found.
            name: What the only sheet is called where its own name says nothing.
        """
        taken: set[str] = set()
        sheets: dict[str, str] = {}
        for sheet in study.sheets:
            is_alone = len(study.sheets) == 1 and is_generic(sheet)
            sheets[sheet] = _of_sheet(singular(name if is_alone else sheet), sheet, study, taken)
            taken.add(sheets[sheet])
        entities: list[str] = []
        for entity in study.entities:
            entities.append(_of_entity(entity, taken))
            taken.add(entities[-1])
        prefixes = [_prefix(*each, study) for each in zip(study.entities, entities)]
        fan_outs: list[str] = []
        for each in study.fan_outs:
            stem, one = "year" if each.is_nameless else singular(each.stem), singular(each.sheet)
            told = f"{one}_{stem}" if each.is_nameless or class_name(stem) in taken else stem
            fan_outs.append(class_name(told, taken))
            taken.add(fan_outs[-1])
        return cls(sheets, entities, prefixes, fan_outs)


def _of_sheet(one: str, sheet: str, study: Study, taken: set[str]) -> str:
    """Name a class after its sheet, unless a column is called like the number of its rows."""
    name = class_name(one, taken)
    given = f"{table_name(name)}_id"
    if given in study.sheets[sheet].columns and study.keys[sheet].single != given:
        return class_name(f"{one}_row", taken)
    return name


def _of_entity(entity: EntityFound, taken: set[str]) -> str:
    """Name a class after what its key says; a name that a sheet has becomes ``test_type``."""
    base = _ENTITIES.get(entity.head, base_of(entity.head))
    if base == entity.head:
        one = singular(next(iter(entity.sheets)))
        base = f"{one}_group" if is_nameless(base) else f"{one}_{base}"
    return class_name(f"{base}_type" if class_name(base) in taken else base, taken)


def _prefix(entity: EntityFound, name: str, study: Study) -> str:
    sheet = next(iter(entity.sheets))
    own = [column for column in entity.columns if not study.refers(sheet, column)]
    table = table_name(name)
    for prefix in (f"{table}_", f"{table.removesuffix('_type')}_"):
        if all(column.startswith(prefix) for column in (entity.head, *own)):
            return prefix
    return ""
