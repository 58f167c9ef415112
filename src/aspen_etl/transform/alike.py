"""Keys that are one and the same but for letter case or outer white space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.rows import number_rows
from aspen_etl.columns.text import WHITE_SPACE, conform_text

__all__ = ["count_alike", "fold_keys"]

#: What makes two spellings of a key one, by the word of ``LandedTable.fold``.
_FOLDS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "case": str.casefold,
        "space": lambda text: text.strip(WHITE_SPACE),
        "both": lambda text: text.strip(WHITE_SPACE).casefold(),
    }
)

#: Text that is itself, however it is folded.
_PLAIN = r"[!-@\[-~]*"


def fold_keys(keys: Sequence[pd.Series], how: Optional[str], /) -> list[pd.Series]:
    """Give columns of keys as they are compared.

    Args:
        keys: Text.
        how: ``case``, ``space`` or ``both``; without it text is compared as it is.

    Examples:
        >>> fold_keys([pd.Series(["a1", " A1"])], "both")[0].tolist()
        ['a1', 'a1']
    """
    return list(keys) if how is None else [_folded(values, _FOLDS[how]) for values in keys]


def _folded(values: pd.Series, fold: Callable[[str], str]) -> pd.Series:
    texts = conform_text(values.reset_index(drop=True))
    rows = np.flatnonzero(~COLUMNS.matches(texts, _PLAIN))
    if not len(rows):
        return texts
    after = [fold(text) for text in COLUMNS.take(texts, rows).to_numpy(dtype=object)]
    at = np.arange(len(texts), dtype=np.int64)
    at[rows] = len(texts) + np.arange(len(rows))
    return COLUMNS.take(COLUMNS.concat([texts, conform_text(pd.Series(after, dtype=object))]), at)


def count_alike(keys: Sequence[pd.Series], fresh: Mask, /) -> int:
    """Count the keys that are another one's but for letter case or outer white space.

    Args:
        keys: The columns of the key, none missing, no key twice.
        fresh: Which of them were not looked at before.

    Returns:
        How many keys have a double; only groups in which one is fresh count.
    """
    if not fresh.any():
        return 0
    found, count = number_rows(fold_keys(keys, "both"))
    held = np.bincount(found, minlength=count)
    news = np.bincount(found, weights=fresh, minlength=count)
    return int(held[(held > 1) & (news > 0)].sum())
