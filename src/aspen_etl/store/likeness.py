"""Which ids may be the same one, written in another form."""

from __future__ import annotations

import decimal
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import Mask, Positions
from aspen_etl.columns.text import WHITE_SPACE, conform_text
from aspen_etl.transform.subjects import join_key

__all__ = ["Naming", "Subject", "clean_id", "form_of"]

_WHITE = re.compile(f"[{WHITE_SPACE}]+")
_NUMBER = re.compile(r"[+-]?[0-9]{1,60}(?:\.[0-9]{1,60})?(?:e[+-]?[0-9]{1,2})?\Z", re.ASCII)
#: Enough digits for any number that matches, so that none is rounded.
_EXACT = decimal.Context(prec=300)


def clean_id(text: str, /) -> str:
    """Give an id as it stands in tables: white space trimmed, inner runs one space."""
    return _WHITE.sub(" ", text).strip(" ")


def form_of(text: str, /) -> str:
    """Give one form to ids that a reader may take for the same.

    Letter case, widths of letters, white space and characters that do not show count for nothing,
    and numbers go by their value.

    Examples:
        >>> form_of(" aB 1") == form_of("Ab1")
        True
        >>> form_of("0041.0") == form_of("4.1E1") == form_of("41")
        True
    """
    if text.isascii() and text.isprintable():  # as nearly all are, of which there may be millions
        shown = text.replace(" ", "").lower()
    else:
        folded = unicodedata.normalize("NFKC", text).casefold()
        shown = "".join(c for c in folded if unicodedata.category(c)[0] not in "CZ")
    if not _NUMBER.match(shown):
        return shown or text
    return format(_EXACT.normalize(_EXACT.create_decimal(shown)), "f")


class Naming(NamedTuple):
    """Where the rejects of a sheet name whose they are.

    Attributes:
        subject: Whether their ``subject`` does.
        columns: What cells of the row do, each an id by itself.
    """

    subject: bool = True
    columns: tuple[tuple[str, ...], ...] = ()


@dataclass
class Subject:
    """Tell whose a reject is: the subject's, under any form of the id that is no other's.

    Attributes:
        parts: The id: a text, or several where a subject is known by several columns.
        named_by: Says by sheet where its rejects name whose they are; those of another sheet do in
            ``subject``.
        others: Ids like it that stand in the tables.
        left: How many rejects of those were seen.
    """

    parts: tuple[str, ...]
    named_by: Mapping[str, Naming] = field(default_factory=dict)
    others: set[str] = field(default_factory=set, init=False)
    left: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Work out the id's one text, and its form."""
        (self.id,) = join_key([np.array([part], dtype=object) for part in self.parts])
        self._form = self._form_of(self.id)

    def forget(self) -> None:
        """Forget what was seen, to begin anew."""
        self.others, self.left = set(), 0

    def is_named(self, ids: pd.Series) -> Mask:
        """Tell which ids are the subject's, and remember those that are like it."""
        like = self._find_like(ids)
        mine: Mask = (ids == self.id).fillna(value=False).to_numpy(dtype=bool)
        self.others |= set(ids[like & ~mine])
        return mine

    def find_own(self, ids: pd.Series) -> Mask:
        """Tell which ids are the subject's as they were read: like it, and no other's own."""
        return self._find_like(ids) & ~ids.isin(self.others).to_numpy(dtype=bool)

    def judge(self, rejects: pd.DataFrame) -> Mask:
        """Tell which rejects are the subject's, as a mask."""
        mine = np.zeros(len(rejects), dtype=bool)
        other = np.zeros(len(rejects), dtype=bool)
        for sheet in rejects["source"].unique():
            rows = np.flatnonzero((rejects["source"] == sheet).to_numpy(dtype=bool))
            naming = self.named_by.get(str(sheet), Naming())
            part = rejects.iloc[rows]
            if naming.subject:
                self._judge_subjects(part, rows, mine, other)
            for columns in naming.columns:
                ids = _cells(part["record"], columns)
                mine[rows] |= self.find_own(ids)
        self.left += int((other & ~mine).sum())
        return mine

    def _judge_subjects(
        self, rejects: pd.DataFrame, rows: Positions, mine: Mask, other: Mask
    ) -> None:
        """Mark the rejects that name the subject, or nobody while a cell does, and another's."""
        ids = rejects["subject"]
        like = self._find_like(ids)
        unnamed = np.flatnonzero(ids.isna().to_numpy(dtype=bool))
        forms = [form_of(part) for part in self.parts]
        like[unnamed] = _names_like(rejects["record"].iloc[unnamed], forms)
        of_another = ids.isin(self.others).to_numpy(dtype=bool)
        other[rows] |= of_another
        mine[rows] |= like & ~of_another

    def _find_like(self, values: pd.Series) -> Mask:
        """Tell which ids have the form of the subject's, as a mask."""
        like = [v for v in values.dropna().unique() if self._form_of(str(v)) == self._form]
        found: Mask = values.isin(like).to_numpy(dtype=bool, copy=True)
        return found

    def _form_of(self, text: str) -> str:
        return form_of(text) if len(self.parts) == 1 else _form_of_parts(text)


def _form_of_parts(text: str) -> str:
    """Give one form to ids of several parts, each part in its own."""
    try:
        parts = json.loads(text)
    except ValueError:
        return text
    return json.dumps([form_of(str(part)) for part in parts] if isinstance(parts, list) else text)


def _cells(records: pd.Series, columns: Sequence[str]) -> pd.Series:
    """Give what records of rejects, as JSON objects, hold in some columns, as ids are written."""
    read = [json.loads(str(record)) for record in records.array]
    cells = [
        np.array([clean_id(cell) if isinstance(cell, str) else None for cell in column], object)
        for column in ([row.get(name) for row in read] for name in columns)
    ]
    return conform_text(pd.Series(join_key(cells), dtype=object))


def _names_like(records: pd.Series, forms: Sequence[str]) -> Mask:
    """Tell which records of rejects, as JSON objects, have a cell of each form, as a mask."""
    return np.array([_has(str(record), forms) for record in records.array], dtype=bool)


def _has(record: str, forms: Sequence[str]) -> bool:
    found = {form_of(cell) for cell in json.loads(record).values() if isinstance(cell, str)}
    return found.issuperset(forms)
