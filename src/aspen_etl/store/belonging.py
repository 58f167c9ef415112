"""Which rows are a subject's: its own, those that refer to it, and what nobody else refers to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.rows import find_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ArgumentError, NotSupportedError
from aspen_etl.schema.column import hint
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.subject import Way, find_roots, find_ways
from aspen_etl.schema.types import TYPES
from aspen_etl.store.likeness import Naming, Subject, clean_id
from aspen_etl.transform.subjects import join_key

__all__ = [
    "Frames",
    "Root",
    "are_among",
    "find_root",
    "find_rows_to_erase",
    "is_entity",
    "read_subject",
]

#: The kinds of tables whose rows are nobody's own: many rows share them.
_SHARED = frozenset({"lookup", "entity"})


class Frames(NamedTuple):
    """What all readable versions hold of a table.

    Attributes:
        tables: The table, as each version holds it.
        keys: The keys that it gave, as each version remembers those whose row is gone.
    """

    tables: list[pd.DataFrame]
    keys: list[pd.DataFrame]


@dataclass(frozen=True)
class Root:
    """Say what a subject is.

    Attributes:
        table: The table of the subjects, one row for each.
        sheet: The sheet of their rows.
        key: The columns of the sheet that a subject is known by.
    """

    table: TableSpec
    sheet: str
    key: tuple[str, ...]

    def columns_in(self, table: TableSpec, /) -> list[str]:
        """Name the columns of a table that hold a subject's key; none where one lacks."""
        held = {
            spec.source[0]: spec.name
            for spec in table.own_columns
            if len(spec.source) == 1 and not spec.references
        }
        found = [held[name] for part in self.key if (name := f"{self.sheet}.{part}") in held]
        return found if len(found) == len(self.key) else []


def find_root(model: Model, named: Optional[str], /) -> Root:
    """Tell what the subjects of a model are.

    Args:
        model: The model.
        named: The table that a caller names; without one, the model's own.

    Raises:
        ArgumentError: That is no table of rows, or none is named where the model has several.
        NotSupportedError: The subjects are known by a reference to something else.
    """
    known = [name for name in model.tables if model.lineage.tables[name].source is not None]
    name = named or model.subject
    if name is None:
        roots = find_roots(model.tables, model.lineage)
        msg = (
            f"whose rows go is not said: {', '.join(roots)} refer to no other table of rows; name "
            "one, by subject= (--subject) or once and for all by Model.of(subject=...)"
        )
        raise ArgumentError(msg, problem="subject", tables=roots)
    if name not in known:
        msg = f"subject={name!r} names no table of rows of the model; {hint(name, known)}"
        raise ArgumentError(msg, problem="subject", tables=tuple(known))
    table, sheet = model.tables[name], str(model.lineage.tables[name].source)
    root = Root(table, sheet, model.lineage.sources[sheet].key)
    if not root.columns_in(table):
        msg = (
            f"the rows of {name} are known by a reference, so that no id of theirs alone says "
            "which one goes; name the table that it refers to, by subject= (--subject)"
        )
        raise NotSupportedError(msg, table=name)
    return root


def is_entity(table: TableSpec, /) -> bool:
    """Tell whether a table has one row for each distinct key, which goes with the last that has it.

    A lookup table keeps what it listed once.
    """
    return table.entity is not None


def read_subject(model: Model, root: Root, subject_id: str, /) -> Subject:
    """Read an id as the tables spell it: a text, or a JSON list of texts for a key of several.

    Raises:
        ArgumentError: It is no such list.
    """
    texts = [subject_id] if len(root.key) == 1 else _read_list(subject_id, root)
    specs = [root.table.columns[name] for name in root.columns_in(root.table)]
    parts = tuple(_canonical(clean_id(text), spec) for text, spec in zip(texts, specs))
    ways = find_ways(model.subject, model.tables, model.lineage)
    return Subject(parts, {sheet: _naming(sheet, way, root, model) for sheet, way in ways.items()})


def _read_list(text: str, root: Root) -> list[str]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, list) and len(found) == len(root.key):
        return [str(part) for part in found]
    msg = (
        f"a row of {root.table.name} is known by {' and '.join(root.key)}; give the id as a JSON "
        f"list of {len(root.key)} texts"
    )
    raise ArgumentError(msg, problem="subject", columns=root.key)


def _canonical(text: str, spec: ColumnSpec) -> str:
    """Spell a part of an id as its type does; what is no value of it stays as it is."""
    given = conform_text(pd.Series([text], dtype=object))
    found = TYPES[spec.type].canonical(given, spec)
    return text if found.faults else str(found.text.iloc[0])


def _naming(sheet: str, way: Way, root: Root, model: Model) -> Naming:
    """Say where the rejects of a sheet name the subject: in ``subject``, or in cells of the row."""
    by_subject = way.table in (None, root.table.name)
    references = model.lineage.sources[sheet].references
    columns: list[tuple[str, ...]] = [
        (name,) for name, parent in references.items() if parent == root.sheet
    ]
    if by_subject:
        columns = [each for each in columns if each != way.columns]
    elif sheet == root.sheet:
        columns.append(root.key)
    return Naming(by_subject, tuple(columns))


# ----------------------------------------------------------------------------- rows


@dataclass
class _Shared:
    """Keys of entities: those that rows that go refer to, and those that others do."""

    gone: dict[str, list[pd.Series]] = field(default_factory=dict)
    left: dict[str, list[pd.Series]] = field(default_factory=dict)

    def note(
        self, frames: Frames, table: TableSpec, erased: pd.Series, entities: list[str]
    ) -> None:
        """Take down which entities the rows of a table refer to."""
        references = {c: target for c, target in table.references.items() if target in entities}
        for frame in frames.tables if references else ():
            goes = are_among(frame[table.primary_key], erased)
            for column, target in references.items():
                for rows, held in ((goes, self.gone), (~goes, self.left)):
                    keys = COLUMNS.take(frame[column], np.flatnonzero(rows)).dropna()
                    held.setdefault(target, []).append(keys.drop_duplicates())

    def orphans(self, table: TableSpec) -> pd.Series:
        """Give the keys of an entity that rows that go refer to, and no others."""
        keys, left = (_joined(held.get(table.name, []), table) for held in (self.gone, self.left))
        return keys[~are_among(keys, left)].reset_index(drop=True)


def find_rows_to_erase(
    model: Model, root: Root, subject: Subject, read: Callable[[TableSpec], Frames], /
) -> dict[str, pd.Series]:
    """Find the keys, in any version, of the rows that go.

    A row goes that holds the subject's id or refers to a row that goes. A row of an entity, which
    many share, goes where rows referred to it and all of them go, in all versions.

    Args:
        model: The model.
        root: What the subject is.
        subject: Whose rows go.
        read: Gives what all versions hold of a table.

    Returns:
        By table, the keys of its rows that go.
    """
    out: dict[str, pd.Series] = {}
    shared = _Shared()
    entities = [name for name, table in model.tables.items() if is_entity(table)]
    for name, table in model.tables.items():
        frames = read(table)
        owners = {
            column: out[target]
            for column, target in table.references.items()
            if model.lineage.tables[target].kind not in _SHARED
        }
        parts = [
            _find_own(frame, table, root, subject, owners)
            for frame in (*frames.tables, *frames.keys)
        ]
        out[name] = _joined(parts, table)
        if name not in entities:
            shared.note(frames, table, out[name], entities)
    for name in reversed(entities):  # after those that refer to it
        table = model.tables[name]
        out[name] = _joined([out[name], shared.orphans(table)], table)
        shared.note(read(table), table, out[name], entities)
    return out


def _find_own(
    frame: pd.DataFrame,
    table: TableSpec,
    root: Root,
    subject: Subject,
    owners: Mapping[str, pd.Series],
) -> pd.Series:
    """Give the keys of the rows that hold the subject's id, or refer to a row that goes."""
    mine = np.zeros(len(frame), dtype=bool)
    columns = root.columns_in(table)
    if columns and set(columns) <= set(frame.columns):
        mine |= subject.is_named(_key_text(frame, table, columns))
    for column, keys in owners.items():
        if column in frame.columns:
            mine |= are_among(frame[column], keys)
    return COLUMNS.take(frame[table.primary_key], np.flatnonzero(mine))


def _key_text(frame: pd.DataFrame, table: TableSpec, columns: list[str]) -> pd.Series:
    specs = [table.columns[name] for name in columns]
    texts = [TYPES[spec.type].text(frame[spec.name], spec) for spec in specs]
    if len(texts) == 1:
        return texts[0]
    return conform_text(pd.Series(join_key([text.to_numpy(dtype=object) for text in texts])))


def _joined(parts: list[pd.Series], table: TableSpec) -> pd.Series:
    dtype = table.columns[table.primary_key].dtype
    found = [part.astype(dtype) for part in parts if len(part)]
    if not found:
        return pd.Series(dtype=object).astype(dtype)
    return pd.concat(found, ignore_index=True).drop_duplicates().reset_index(drop=True)


def are_among(values: pd.Series, keys: pd.Series, /) -> Mask:
    """Tell which values are keys; a missing one is none."""
    if not len(keys) or not len(values):
        return np.zeros(len(values), dtype=bool)
    return (find_rows([values], [keys]) >= 0) & values.notna().to_numpy(dtype=bool)
