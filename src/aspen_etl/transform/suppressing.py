"""Subjects that were erased and must not come back: known by an HMAC of their id, and left out."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.rows import codes
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ArgumentError, NotSupportedError
from aspen_etl.schema.lineage import Lineage
from aspen_etl.schema.model import Model
from aspen_etl.schema.subject import find_ways
from aspen_etl.schema.values import Extract
from aspen_etl.transform.cleaning import clean_column
from aspen_etl.transform.subjects import join_key

__all__ = ["Suppression", "are_hidden", "check_suppressible", "count_up", "leave_out"]


@dataclass(frozen=True)
class Suppression:
    """Tell which subjects are left out, for whoever has the secret.

    Attributes:
        secret: The caller's; without it nobody can tell of whom a digest is.
        store: The id of the store, so that no digest is of use for another one.
        digests: Those of the ids of the subjects that are left out.
    """

    secret: bytes = field(repr=False)
    store: str
    digests: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def check(self) -> str:
        """What tells this secret from another one."""
        return self._digest("secret")

    def digest(self, subject: str, /) -> str:
        """Give the digest of a subject's id, as it stands clean in the tables."""
        return self._digest(f"subject\0{subject}")

    def _digest(self, text: str) -> str:
        message = f"{self.store}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()

    def hides(self, subjects: pd.Series, /) -> Mask:
        """Tell which rows are of a subject that is left out, by the ids of their subjects."""
        found, distinct = codes(subjects)
        hidden = np.array(
            [isinstance(text, str) and self.digest(text) in self.digests for text in distinct],
            dtype=bool,
        )
        return np.append(hidden, False)[np.where(found < 0, len(hidden), found)]


def leave_out(
    extract: Extract, model: Model, suppression: Optional[Suppression], /
) -> tuple[Extract, dict[str, int]]:
    """Leave the rows of suppressed subjects out of an extract.

    Args:
        extract: The source sheets, or some of their rows.
        model: The model.
        suppression: Who is left out; nobody, if it is none.

    Returns:
        The extract without them, and how many rows of each sheet went.

    Raises:
        ModelFunctionError: A cleaner of the model failed.
    """
    if suppression is None or not suppression.digests:
        return extract, {}
    work = _Subjects(extract, model)
    frames, counts, faults = {}, {}, extract.faults
    for name in model.sources:
        frame = extract[name]
        hidden = suppression.hides(work.of(name))
        frames[name] = frame if not hidden.any() else frame[~hidden]
        counts[name] = int(hidden.sum())
        gone = (faults["source"] == name) & faults["row"].isin(frame.index[hidden])
        faults = faults[~gone.to_numpy(dtype=bool)]
    left = {name: count for name, count in counts.items() if count}
    if not left:
        return extract, {}
    faults = faults.reset_index(drop=True)
    return Extract.from_frames(frames, faults=faults, notes=extract.notes), left


def are_hidden(frame: pd.DataFrame, source: str, model: Model, suppression: Suppression, /) -> Mask:
    """Tell which rows of one sheet are of a subject that is left out.

    Args:
        frame: Rows of the sheet, in the columns of the model.
        source: The sheet.
        model: The model.
        suppression: Who is left out.

    Raises:
        NotSupportedError: The rows lead to their subject over rows of other sheets.
        ModelFunctionError: A cleaner of the model failed.
    """
    way = find_ways(model.subject, model.tables, model.lineage)[source]
    if len(way.columns) > 1:
        msg = (
            f"rows of {source!r} lead to their subject over rows of other sheets, so landed "
            "changes of them cannot be left out; unsuppress the subjects, and purge at the source"
        )
        raise NotSupportedError(msg, source=source)
    return suppression.hides(_Subjects(Extract.from_frames({source: frame}), model).of(source))


def check_suppressible(model: Model, /) -> None:
    """Check that a model says whose its rows are.

    Raises:
        ArgumentError: It does not.
    """
    if model.subject is None:
        msg = "the model names no subject, so nobody can be suppressed; give Model.of(subject=...)"
        raise ArgumentError(msg, problem="subject")


class _Subjects:
    """Say whose the rows of each sheet are, as ``list_subjects`` does of clean ones."""

    def __init__(self, extract: Extract, model: Model) -> None:
        self.extract, self.model = extract, model
        self.lineage: Lineage = model.lineage
        self._known: dict[str, pd.Series] = {}

    def of(self, name: str) -> pd.Series:
        """Give the id of each row's subject, missing where it leads to none."""
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> pd.Series:
        way = find_ways(self.model.subject, self.model.tables, self.lineage)[name]
        if way.table is None:
            return COLUMNS.repeat(None, len(self.extract[name]))
        if not way.columns:
            return _joined(self._clean(name, column) for column in way.key)
        parent = self.lineage.sources[name].references[way.columns[0]]
        held = self._clean(name, way.columns[0])
        if len(way.columns) == 1:
            return held
        keys = self._clean(parent, self.lineage.sources[parent].key[0])
        once = np.flatnonzero((keys.notna() & ~keys.duplicated()).to_numpy(dtype=bool))
        found = COLUMNS.find(held, COLUMNS.take(keys, once))
        return COLUMNS.take(self.of(parent), np.append(once, -1)[found])

    def _clean(self, name: str, column: str) -> pd.Series:
        return clean_column(self.extract, name, column, self.model)


def _joined(parts: Iterable[pd.Series]) -> pd.Series:
    columns = list(parts)
    if len(columns) == 1:
        return columns[0]
    texts = [part.astype(object).where(part.notna(), None).to_numpy() for part in columns]
    return conform_text(pd.Series(join_key(texts), dtype=object))


def count_up(one: Mapping[str, int], two: Mapping[str, int], /) -> dict[str, int]:
    """Add up how many rows of each sheet were left out."""
    return {name: one.get(name, 0) + two.get(name, 0) for name in {**one, **two}}
