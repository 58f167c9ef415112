"""Columns whose text Python holds, and all columns of numbers and times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Optional, Union

import numpy as np
import pandas as pd

from aspen_etl.columns.positions import gather, is_range
from aspen_etl.columns.protocol import Mask, Moments, Positions
from aspen_etl.columns.text import TEXT, conform_text, one_missing

__all__ = ["Plain", "alike", "neighbours"]

#: How many cells are looked at in one go.
_CELLS = 1 << 12

#: How many cells are looked at first: what is not in order mostly shows at once.
_FIRST = 1_000

#: As many characters as a moment has before its Z.
_MOMENT_TEXT = f"U{len('2020-01-31 14:05:00.000')}"

#: What cleaning may change: white space at an end, two in a row, or any odd character.
_ODD = re.compile(r"[^ -~]|\A | \Z|  |\A\Z")


class Plain:
    """Do all that ``Columns`` names without Arrow."""

    # ------------------------------------------------------------------------- gathering

    def take(self, values: pd.Series, at: Positions, /) -> pd.Series:
        """Gather rows."""
        together = neighbours(values, at)
        if together is not None:
            return together
        if values.dtype == np.int64:
            return pd.Series(gather(values.to_numpy(), at), name=values.name, copy=False)
        has_gaps = bool((at < 0).any())
        if values.dtype == bool and has_gaps:
            values = values.astype("boolean")
        if not len(values):
            taken = values.reset_index(drop=True).reindex(pd.RangeIndex(len(at)))
        else:
            cells = values.array.take(at, allow_fill=has_gaps)
            taken = pd.Series(cells, name=values.name, copy=False)
        return one_missing(taken) if values.dtype == object else taken

    def concat(self, columns: Sequence[pd.Series], /) -> pd.Series:
        """Put columns one after the other."""
        if len(columns) == 1:
            return columns[0].reset_index(drop=True)
        if any(column.dtype == TEXT for column in columns):  # text that another gave may be objects
            columns = [conform_text(each) if each.dtype == object else each for each in columns]
        joined = pd.concat(columns, ignore_index=True)
        return one_missing(joined) if joined.dtype == object else joined

    def repeat(self, text: Optional[str], length: int, /) -> pd.Series:
        """Make a text column of one value."""
        return conform_text(pd.Series(np.full(length, text, dtype=object)))

    def keep(self, values: pd.Series, rows: Mask, /) -> pd.Series:
        """Keep the cells of some rows."""
        return conform_text(values.where(rows, None))

    # ------------------------------------------------------------------------- comparing

    def differ(
        self,
        one: pd.Series,
        two: pd.Series,
        /,
        rows: Optional[Positions] = None,
        at: Optional[Positions] = None,
    ) -> Mask:
        """Tell in which rows two columns differ."""
        if rows is not None and at is not None:
            one, two = self.take(one, rows), self.take(two, at)
        if one is two:
            return np.zeros(len(one), dtype=bool)
        if pd.api.types.is_string_dtype(one.dtype):
            left, right = one.to_numpy(dtype=object), two.to_numpy(dtype=object)
            out: Mask = (left != right).astype(bool)
            held = np.flatnonzero(out)  # null is unequal to null by itself
            out[held[pd.isna(left[held]) & pd.isna(right[held])]] = False
            return out
        absent, other = one.isna().to_numpy(dtype=bool), two.isna().to_numpy(dtype=bool)
        out = absent != other
        held = np.flatnonzero(~(absent | other))
        out[held] = np.asarray(one.array[held] != two.array[held], dtype=bool)
        return out

    def is_constant(self, values: pd.Series, /) -> bool:
        """Tell whether all cells are the same."""
        if len(values) < 2:  # noqa: PLR2004 - nothing to compare
            return True
        first = values.iloc[0]
        if not alike(first, values.iloc[-1]):
            return False  # mostly it shows at once
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            ticks = values.to_numpy(dtype="datetime64[ms]").view(np.int64)
            return bool((ticks == ticks[0]).all())
        if pd.isna(first):
            return bool(values.isna().all())
        if not isinstance(first, str):
            return not values.hasnans and bool((values == first).all())
        cells = values.tolist()
        return bool(cells.count(first) == len(cells))  # at no cost where they are one object

    # ------------------------------------------------------------------------- order and lookup

    def order(self, values: pd.Series, /) -> tuple[Positions, bool]:
        """Give the stable order of text."""
        present = values.notna().to_numpy(dtype=bool)
        held = np.flatnonzero(present)
        cells = values.to_numpy(dtype=object)[present]
        if len(held) == len(values) and _rises(cells):
            return held, True
        order = held[np.argsort(cells, kind="stable")]
        return np.concatenate([order, np.flatnonzero(~present)]), False

    def find(self, values: pd.Series, keys: pd.Series, /) -> Positions:
        """Give the row of each value among keys."""
        known = pd.Index(keys.astype(object))
        return known.get_indexer(values.astype(object)).astype(np.int64)  # type: ignore[no-any-return]

    # ------------------------------------------------------------------------- looking at cells

    def matches(self, values: pd.Series, pattern: str, /) -> Mask:
        """Tell which cells have a form."""
        out = np.ones(len(values), dtype=bool)
        held, texts = _held(values)
        out[held] = [found is not None for found in map(re.compile(pattern).fullmatch, texts)]
        return out

    def longer(self, values: pd.Series, length: int, /) -> Mask:
        """Tell which cells are longer."""
        out = np.zeros(len(values), dtype=bool)
        held, texts = _held(values)
        out[held] = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) > length
        return out

    def suspects(self, values: pd.Series, /) -> Positions:
        """Find what may be to clean."""
        held, texts = _held(values)
        found = np.empty(0, dtype=np.int64)
        for start in range(0, len(texts), _CELLS):
            part = texts[start : start + _CELLS]
            line = " ".join(["", *part, ""])  # in which a space at an end of a cell is the second
            if not (line.isascii() and line.isprintable() and "  " not in line):
                odd = [place for place, text in enumerate(part, start) if _ODD.search(text)]
                found = np.concatenate([found, held[odd]])
        return found

    # ------------------------------------------------------------------------- parting cells

    def first_space(self, values: pd.Series, /) -> tuple[pd.Series, pd.Series]:
        """Split each cell at its first space."""
        held, texts = _held(values)
        parted = [text.partition(" ") for text in texts]
        first, rest = (_texts(values, held, [part[i] for part in parted]) for i in (0, 2))
        return first, rest

    def join_words(self, first: pd.Series, rest: pd.Series, /) -> pd.Series:
        """Put a space between two."""
        joined: pd.Series = (first + " " + rest).where(rest != "", first)
        return joined

    def integers(self, values: pd.Series, /) -> Positions:
        """Turn text into whole numbers."""
        numbers = np.zeros(len(values), dtype=np.int64)
        present = values.notna().to_numpy(dtype=bool)
        numbers[present] = values[present].to_numpy(dtype=object).astype(np.int64)
        return numbers

    def moments(self, values: pd.Series, /) -> Moments:
        """Turn text into moments."""
        out = np.full(len(values), np.datetime64("NaT", "ms"))
        held, texts = _held(values)
        out[held] = np.array(texts, dtype=_MOMENT_TEXT).astype("datetime64[ms]")  # without the Z
        return out

    # ------------------------------------------------------------------------- writing cells

    def replace(self, values: pd.Series, pattern: str, template: str, /) -> pd.Series:
        """Write each cell of a form anew."""
        held, texts = _held(values)
        form = re.compile(rf"\A(?:{pattern})\Z")
        return _texts(values.reset_index(drop=True), held, [form.sub(template, t) for t in texts])

    def spell(
        self, numbers: Union[Positions, Moments], absent: Mask, /, *, end: str = ""
    ) -> pd.Series:
        """Write numbers or moments."""
        out = np.full(len(numbers), None, dtype=object)
        held = numbers[~absent]
        if held.dtype == np.int64:
            out[~absent] = [f"{number}{end}" for number in held.tolist()]
        else:
            texts: Any = np.datetime_as_string(held.astype("datetime64[ms]"), unit="ms").tolist()
            out[~absent] = [f"{text[:10]} {text[11:]}{end}" for text in texts]
        return conform_text(pd.Series(out, dtype=object))

    def pack(self, columns: Sequence[pd.Series], /) -> tuple[Positions, memoryview]:
        """Write the cells of each row one behind the other."""
        written = [
            ["-" if cell is None else f"{len(cell)}:{cell}" for cell in _cells(values)]
            for values in columns
        ]
        rows = [row.encode() for row in map("".join, zip(*written))]
        edges = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, rows), dtype=np.int64, count=len(rows)), out=edges[1:])
        return edges, memoryview(b"".join(rows))


# ----------------------------------------------------------------------------- helpers


def neighbours(values: pd.Series, at: Positions, /) -> Optional[pd.Series]:
    """Give rows that stand one behind the other, without a copy; none where they do not."""
    first = int(at[0]) if len(at) else 0
    if first < 0 or not is_range(at, first):
        return None
    return values.iloc[first : first + len(at)].reset_index(drop=True)


def alike(one: Any, two: Any, /) -> bool:
    """Tell whether two cells are the same, or both are missing."""
    return bool(pd.isna(two)) if pd.isna(one) else not pd.isna(two) and bool(one == two)


def _rises(cells: Any) -> bool:
    return all(bool((part[:-1] < part[1:]).all()) for part in (cells[:_FIRST], cells))


def _held(values: pd.Series) -> tuple[Positions, list[str]]:
    """Give the rows that are not missing, and their texts."""
    held = np.flatnonzero(values.notna().to_numpy(dtype=bool))
    texts: list[str] = values.to_numpy(dtype=object)[held].tolist()
    return held, texts


def _texts(values: pd.Series, held: Positions, texts: list[str]) -> pd.Series:
    out = np.full(len(values), None, dtype=object)
    out[held] = texts
    return conform_text(pd.Series(out, index=values.index))


def _cells(values: pd.Series) -> list[Optional[str]]:
    cells = values.to_numpy(dtype=object, copy=True)
    cells[values.isna().to_numpy(dtype=bool)] = None
    found: list[Optional[str]] = cells.tolist()
    return found
