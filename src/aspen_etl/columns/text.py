"""What text is: its dtype, its white space, its formats.

Every cell of a source is text or missing, and nothing else; ``columns.conversion`` makes it so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.columns.dtypes import HAS_ARROW

__all__ = [
    "HANDED_TEXT",
    "HELD_BY_ARROW",
    "TEXT",
    "WHITE_SPACE",
    "TextFormat",
    "conform_text",
    "escape",
    "one_missing",
    "split_unencodable",
]

_HAS_TEXT_DTYPE = int(pd.__version__.partition(".")[0]) >= 3  # noqa: PLR2004 - pandas 3


def _held_dtype() -> Any:
    dtype: Any = pd.StringDtype
    if _HAS_TEXT_DTYPE:
        return dtype(na_value=np.nan)
    try:
        if not HAS_ARROW:
            return np.dtype(object)
        return dtype("pyarrow", na_value=np.nan)
    except TypeError:  # pandas 2.2 has a name of its own for it
        return dtype("pyarrow_numpy")
    except ImportError:  # an Arrow that this pandas does not take
        return np.dtype(object)


#: The dtype of text columns inside: ``str`` on pandas 3, where it is the default; on pandas 2 the
#: same, held by Arrow, or ``object`` where Arrow is not there.
TEXT: Any = _held_dtype()

#: The dtype of text columns that a caller sees: what is the default of this pandas.
HANDED_TEXT: Any = TEXT if _HAS_TEXT_DTYPE else np.dtype(object)

#: Whether Arrow holds the cells of a text column, or Python does; who wants to know asks here.
HELD_BY_ARROW = getattr(TEXT, "storage", "python") != "python"

#: The white space of the contract, and no other: tab to carriage return, space, and the
#: Unicode space separators. U+0085 and U+001C to U+001F are control characters instead.
WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)


@dataclass(frozen=True)
class TextFormat:
    r"""Name a form that text must have as a whole.

    Attributes:
        name: The word that its rule uses: text that does not fit is ``invalid_<name>``.
        pattern: A regular expression that the whole text must match, without anchors,
            look-around or classes that depend on Unicode (``[0-9]``, not ``\d``), so that
            Python and Arrow agree on it.
    """

    name: str
    pattern: str

    @property
    def anchored(self) -> str:
        r"""The pattern from the first to the very last character (``\Z``, never ``$``)."""
        return rf"\A(?:{self.pattern})\Z"


# ----------------------------------------------------------------------------- one form of text


def conform_text(values: pd.Series) -> pd.Series:
    """Bring text to the one dtype that it has inside, missing to its one missing value."""
    if isinstance(TEXT, pd.StringDtype):
        return values if values.dtype == TEXT else values.astype(TEXT)
    return one_missing(values.astype(object))


def one_missing(values: pd.Series) -> pd.Series:
    """Bring what is missing in a column of objects to None, whatever the objects are."""
    absent = values.isna()
    return values.mask(absent, None) if absent.any() else values


def escape(text: str) -> str:
    """Give text that any text column can hold: NUL and lone surrogates backslash-escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def split_unencodable(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Part a column into what UTF-8 can hold and the cells, by position, that it cannot.

    Returns:
        The column with those cells missing, and a Series (dtype object) of the cells that
        hold a lone surrogate, indexed by position.
    """
    if _all_encodable(values):
        return values, pd.Series(dtype=object)
    values = values.astype(object)
    broken = np.array(
        [isinstance(value, str) and not _is_encodable(value) for value in values.array]
    )
    positions = np.flatnonzero(broken)
    found = pd.Series([values.array[i] for i in positions], index=positions, dtype=object)
    return values.mask(broken, None), found


def _all_encodable(values: pd.Series) -> bool:
    is_category = isinstance(values.dtype, pd.CategoricalDtype)
    held: Any = values.cat.categories if is_category else values
    if held.dtype != object and getattr(held.dtype, "storage", None) != "python":
        return True
    cells = held.to_numpy(dtype=object)  # which pandas would hand out one by one, slowly
    return _is_encodable("".join([cell for cell in cells if isinstance(cell, str)]))


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
