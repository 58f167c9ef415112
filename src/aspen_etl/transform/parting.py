"""What a part is: some subjects and all that is theirs, by a range of what they are known by.

A subject is a row of the one sheet that refers to no other. Rules across rows (duplicates, unknown
references, rows of before that stay) look within one subject, so a part of them can be normalized
alone; ``merging`` says what has to be settled among parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import Positions
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ArgumentError, NotSupportedError, ProofError
from aspen_etl.errors.base import instead
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.types import TYPES

#: Beyond how many bounds it pays to make keys into objects, and search.
_MANY = 12

__all__ = [
    "Owner",
    "Partitioning",
    "can_part",
    "check_range",
    "choose_bounds",
    "number_parts",
    "order_keys",
    "read_bounds",
    "split_positions",
]


@dataclass(frozen=True)
class Owner:
    """Say which column of a table leads from a row to its subject.

    Attributes:
        column: A column of its natural key.
        table: The table whose given key it holds; none where it holds the subject's own key.
    """

    column: str
    table: Optional[str] = None


@dataclass(frozen=True)
class Partitioning:
    """Say how a model is partitioned: by ranges of the key of its subjects.

    Attributes:
        model: The model.
        root: The sheet that has a row for each subject.
        key: What subjects are known by: a column of a table, with its type.
        columns: By sheet, the column that holds the subject's key.
        owners: By table, in reference order, how a row leads to its subject.
        lookups: The tables whose rows are nobody's; each part has them whole.
    """

    model: Model = field(repr=False)
    root: str
    key: ColumnSpec
    columns: Mapping[str, str]
    owners: Mapping[str, Owner]
    lookups: tuple[str, ...]

    @property
    def numbered(self) -> tuple[str, ...]:
        """The tables of subjects whose keys are given, in reference order."""
        return tuple(name for name in self.owners if self.model.tables[name].has_surrogate_key)


# ----------------------------------------------------------------------------- what can be parted


def can_part(model: Model, /) -> Partitioning:
    """Say how a model is partitioned, or why it cannot be.

    Cleaners, builders and rules of the model's own are not looked into: they must go row by row, or
    look within one subject.

    Raises:
        NotSupportedError: It cannot be; the text names the sheet or the table.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> how = can_part(BORROWER_MODEL)
        >>> how.root, how.columns["role_profile"], how.owners["email"]
        ('borrower', 'borrower_id', Owner(column='role_profile_id', table='role_profile'))
    """
    for name in model.tables:
        if name in model.lineage.entities:
            why = "which rows it has, and what they hold, is settled among the rows of all parts"
            raise _refused(f"the entity {name!r}", why, table=name)
    columns = _find_columns(model)
    root = next(iter(columns))
    owners: dict[str, Owner] = {}
    lookups = []
    for name in model.lineage.table_order:
        if model.lineage.tables[name].is_lookup:
            lookups.append(name)
            continue
        owner = _find_owner(model.tables[name], owners, columns, model)
        if owner is None:
            why = f"no column of its natural key leads each of its rows to one row of {root!r}"
            raise _refused(f"the table {name!r}", why, table=name)
        owners[name] = owner
    key = model.lineage.cells[f"{root}.{columns[root]}"]
    return Partitioning(model, root, key, columns, owners, tuple(lookups))


def _refused(what: str, why: str, **details: Any) -> NotSupportedError:
    msg = f"the model cannot be parted by {what}: {why}; normalize it whole"
    return NotSupportedError(msg, reason=why, **details)


def _find_columns(model: Model) -> dict[str, str]:
    """Find the column of each sheet that holds the subject's key; the subjects' sheet is first."""
    lineage = model.lineage.sources
    root, *others = (name for name in model.sources if not lineage[name].references)
    if others:
        why = f"it refers to no other sheet, as {root!r}, so nothing says what goes together"
        raise _refused(f"the sheet {others[0]!r}", why, source=others[0])
    key = lineage[root].key
    if len(key) > 1:
        why = f"its rows are known by {' and '.join(key)}, and a part is a range of one column"
        raise _refused(f"the sheet {root!r}", why, source=root)
    out = {root: key[0]}
    for name in model.sources:
        if name == root:
            continue
        references = lineage[name].references
        if list(references.values()) != [root]:
            why = f"it refers to other rows than one of {root!r}, by {', '.join(references)}"
            raise _refused(f"the sheet {name!r}", why, source=name)
        (column,) = references
        if column not in lineage[name].key:
            why = f"its rows are known without {column!r}, so two parts may have rows of one key"
            raise _refused(f"the sheet {name!r}", why, source=name)
        out[name] = column
    return out


def _find_owner(
    table: TableSpec, owners: Mapping[str, Owner], columns: Mapping[str, str], model: Model
) -> Optional[Owner]:
    """Find the first column of a natural key that leads each row to its subject."""
    sheet = model.lineage.tables[table.name].source
    held = (f"{sheet}.{columns[sheet]}",) if sheet is not None else None
    for name in table.natural_key:
        spec = table.columns[name]
        if spec.references in owners and not spec.nullable:
            parent = model.tables[str(spec.references)]
            return Owner(name, parent.name if parent.has_surrogate_key else None)
        if spec.references is None and spec.source == held:
            return Owner(name)
    return None


# ----------------------------------------------------------------------------- ranges


def read_bounds(bounds: Sequence[str], how: Partitioning, /) -> pd.Series:
    """Give the first keys of all parts but the first, as values of their type.

    Args:
        bounds: The keys as they stand clean in the root sheet, rising; one may stand twice, and
            leaves a part empty.
        how: How the model is partitioned.

    Raises:
        ArgumentError: One is no key, or they do not rise.
    """
    spec = replace(how.key, nullable=False)
    texts = conform_text(pd.Series(list(bounds), dtype=object))

    def explain(_: Exception) -> ArgumentError:
        msg = f"a bound of parts is no {spec.type}; give keys of {how.root!r} in canonical form"
        return ArgumentError(msg, problem="bounds")

    values = instead(lambda: TYPES[spec.type].parse(texts, spec), ValueError, explain)
    ordered = _sortable(values)
    falls = np.flatnonzero(ordered[1:] < ordered[:-1])
    if len(falls):
        msg = f"bound {falls[0] + 2} of {len(values)} is below the one before; give them in order"
        raise ArgumentError(msg, problem="bounds")
    return values


def number_parts(keys: pd.Series, bounds: pd.Series, /) -> Positions:
    """Give the part of each key, from 0: how many bounds are not above it; of a missing one, 0.

    Args:
        keys: Keys of subjects, as values of their type.
        bounds: As ``read_bounds`` gives them.
    """
    out = np.zeros(len(keys), dtype=np.int64)
    if len(bounds) > _MANY or keys.dtype == object:
        held = keys.notna().to_numpy(dtype=bool)
        out[held] = np.searchsorted(_sortable(bounds), _sortable(keys[held]), side="right")
        return out
    for bound in bounds:
        out += (keys >= bound).fillna(value=False).to_numpy(dtype=bool)
    return out


def order_keys(keys: pd.Series, /) -> pd.Series:
    """Give keys of subjects in the order in which ranges are cut; text by code point."""
    held = keys[keys.notna().to_numpy(dtype=bool)].reset_index(drop=True)
    return held.iloc[np.argsort(_sortable(held), kind="stable")].reset_index(drop=True)


def choose_bounds(keys: pd.Series, count: int, /) -> pd.Series:
    """Choose the first keys of all parts but the first, so that parts are of about one size.

    Args:
        keys: Keys of some subjects, as ``order_keys`` gives them.
        count: How many parts there should be; where few keys are known, there are fewer.

    Examples:
        >>> choose_bounds(pd.Series([1, 2, 3, 4, 5, 6]), 3).tolist()
        [3, 5]
    """
    at = np.arange(1, max(count, 1)) * len(keys) // max(count, 1)
    found = keys.iloc[at] if len(keys) else keys
    held = _sortable(found)
    first = (
        np.r_[True, held[1:] != held[:-1]] & (held > _sortable(keys.iloc[:1])) if len(at) else at
    )
    return found[np.asarray(first, dtype=bool)].reset_index(drop=True)


def _sortable(values: pd.Series) -> Any:
    """Give keys as an array in which text is in the order of code points."""
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.to_numpy(dtype=np.int64)
    is_time = pd.api.types.is_datetime64_any_dtype(values.dtype)
    return values.to_numpy() if is_time else values.to_numpy(dtype=object)


def split_positions(parts: Positions, count: int, /) -> list[Positions]:
    """Give the rows of each part, in their order.

    Examples:
        >>> [rows.tolist() for rows in split_positions(np.array([0, 2, 0]), 3)]
        [[0, 2], [], [1]]
    """
    order = np.argsort(parts, kind="stable")
    return np.split(order, np.searchsorted(parts[order], np.arange(1, count)))


def check_range(
    tables: Mapping[str, pd.DataFrame], part: int, bounds: pd.Series, how: Partitioning, /
) -> None:
    """Check that what was made of a part is of subjects in its range.

    Args:
        tables: The tables that were made of it.
        part: Which part it is, from 0.
        bounds: As ``read_bounds`` gives them.
        how: How the model is partitioned.

    Raises:
        ProofError: It is not, as where a cleaner does not go row by row.
    """
    ends, mine = bounds.iloc[max(part - 1, 0) : part + 1], min(part, 1)
    for name, owner in how.owners.items():
        if owner.table is not None:
            continue
        count = int((number_parts(tables[name][owner.column], ends) != mine).sum())
        if count:
            msg = (
                f"{count} rows of {name!r} belong to another part than the one they were made of; "
                "nothing may be committed: a cleaner or builder does not look at each row alone"
            )
            raise ProofError(msg, table=name, column=owner.column, count=count)
