"""Which ids may be the same one, written in another form."""

from __future__ import annotations

import decimal
import json
import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.columns.text import WHITE_SPACE

__all__ = ["Subject", "clean_id", "form_of"]

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


class Subject:
    """Tell whose a reject is: the subject's, under any form of the id that is no other's.

    Attributes:
        id: The id.
        others: Ids like it that stand in the tables.
        left: How many rejects of those were seen.
    """

    def __init__(self, subject_id: str) -> None:
        self.id, self._form = subject_id, form_of(subject_id)
        self.forget()

    def forget(self) -> None:
        """Forget what was seen, to begin anew."""
        self.others: set[str] = set()
        self.left = 0

    def is_named(self, ids: pd.Series) -> Any:
        """Tell which ids are the subject's, and remember those that are like it."""
        like = _find_like(ids, self._form)
        mine = (ids == self.id).fillna(value=False).to_numpy(dtype=bool)
        self.others |= set(ids[like & ~mine])
        return mine

    def judge(self, rejects: pd.DataFrame) -> Any:
        """Tell which rejects are the subject's, as a mask."""
        ids = rejects["subject"]
        like = _find_like(ids, self._form)
        unnamed = np.flatnonzero(ids.isna().to_numpy(dtype=bool))
        like[unnamed] = _names_like(rejects["record"].iloc[unnamed], self._form)
        other = ids.isin(self.others).to_numpy(dtype=bool)
        self.left += int(other.sum())
        return like & ~other


def _find_like(values: pd.Series, form: str) -> Any:
    """Tell which ids have a form, as a mask."""
    like = [value for value in values.dropna().unique() if form_of(str(value)) == form]
    return values.isin(like).to_numpy(dtype=bool, copy=True)


def _names_like(records: pd.Series, form: str) -> Any:
    """Tell which records of rejects, as JSON objects, have a cell of a form, as a mask."""
    return np.array([_has(str(record), form) for record in records.array], dtype=bool)


def _has(record: str, form: str) -> bool:
    cells = json.loads(record).values()
    return any(isinstance(cell, str) and form_of(cell) == form for cell in cells)
