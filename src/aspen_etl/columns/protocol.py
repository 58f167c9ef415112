"""What every room asks of columns; whoever holds their text answers.

Text is held by Arrow or by Python. Each has a class of its own, ``Arrow`` and ``Plain``, which
give the same answers; ``COLUMNS`` is the one that fits this environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional, Protocol, Union

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Columns", "Mask", "Moments", "Positions"]

#: Row numbers, from 0; -1 stands for no row.
Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
#: Moments to the millisecond, NaT where there is none.
Moments = npt.NDArray[np.datetime64]


class Columns(Protocol):
    """Look at whole columns, gather and compare them; no column that is given is changed.

    A column is text, as ``conform_text`` makes it. ``take``, ``concat``, ``differ`` and
    ``is_constant`` take columns of every other type, too. What they give is no mask
    and no positions, its index is new, unless a verb says that it stays.
    """

    # ------------------------------------------------------------------------- gathering

    def take(self, values: pd.Series, at: Positions, /) -> pd.Series:
        """Gather rows; -1 gives a missing cell, and -1 again where whole numbers know none.

        Booleans that know no missing cell become such that do, where there is a -1.

        Rows that stand one behind the other are a view of the column, not a copy.
        """

    def concat(self, columns: Sequence[pd.Series], /) -> pd.Series:
        """Put columns of one dtype one after the other, in one piece; one alone, too."""

    def repeat(self, text: Optional[str], length: int, /) -> pd.Series:
        """Make a text column that holds one value throughout."""

    def keep(self, values: pd.Series, rows: Mask, /) -> pd.Series:
        """Keep the cells of some rows, and make the others missing; the index stays."""

    # ------------------------------------------------------------------------- comparing

    def differ(
        self,
        one: pd.Series,
        two: pd.Series,
        /,
        rows: Optional[Positions] = None,
        at: Optional[Positions] = None,
    ) -> Mask:
        """Tell in which rows two columns of one dtype differ; null equals null.

        Args:
            one: A column.
            two: Another one.
            rows: Which rows of the first are compared, none of them -1; without them, all.
            at: With which row of the second each is compared, none of them -1; if and only if
                there are ``rows``.
        """

    def is_constant(self, values: pd.Series, /) -> bool:
        """Tell whether all cells of a column are the same, or all missing; none at all are."""

    # ------------------------------------------------------------------------- order and lookup

    def order(self, values: pd.Series, /) -> tuple[Positions, bool]:
        """Give the stable order of text by code point; missing cells come last.

        Returns:
            The order, and whether it is known that no cell stands twice.
        """

    def find(self, values: pd.Series, keys: pd.Series, /) -> Positions:
        """Give the row of ``keys`` in which each value stands, or -1.

        Args:
            values: Text, in which a missing cell is found nowhere.
            keys: Text, each present, none twice.
        """

    # ------------------------------------------------------------------------- looking at cells

    def matches(self, values: pd.Series, pattern: str, /) -> Mask:
        """Tell which cells have the form of a ``TextFormat`` as a whole; a missing cell has it."""

    def longer(self, values: pd.Series, length: int, /) -> Mask:
        """Tell which cells have more characters (code points) than ``length``."""

    def suspects(self, values: pd.Series, /) -> Positions:
        """Find the rows that may hold white space to clean or a control character.

        A superset: what is not found has no white space but single inner spaces, and no
        character below U+0020, nor any that is not ASCII.
        """

    # ------------------------------------------------------------------------- parting cells

    def first_space(self, values: pd.Series, /) -> tuple[pd.Series, pd.Series]:
        """Split each cell at its first space: before, and after or ''; the index stays."""

    def join_words(self, first: pd.Series, rest: pd.Series, /) -> pd.Series:
        """Undo ``first_space``: put a space between, or nothing where the rest is ''."""

    def integers(self, values: pd.Series, /) -> Positions:
        """Turn text into whole numbers of 64 bits, a missing cell into 0.

        Raises:
            ValueError: A cell is no whole number.
            OverflowError: A number has more than 64 bits.
        """

    def moments(self, values: pd.Series, /) -> Moments:
        """Turn text such as ``2020-01-31 14:05:00.000``, with a Z or without, into moments."""

    # ------------------------------------------------------------------------- writing cells

    def replace(self, values: pd.Series, pattern: str, template: str, /) -> pd.Series:
        r"""Write each cell that has a form as a whole anew; the index is new.

        Args:
            values: Text.
            pattern: The form, as of ``matches``, with groups.
            template: What to write; ``\g<1>`` stands for what the first group holds, or nothing.
        """

    def spell(
        self, numbers: Union[Positions, Moments], absent: Mask, /, *, end: str = ""
    ) -> pd.Series:
        """Write whole numbers, or moments of the years 1 to 9999, as ``integers`` and so on read.

        Args:
            numbers: The numbers or moments.
            absent: Where text is missing.
            end: What stands behind each.
        """

    def pack(self, columns: Sequence[pd.Series], /) -> tuple[Positions, memoryview]:
        """Write the cells of each row one behind the other, so that no two rows look alike.

        A cell is the number of its characters (code points), a colon, and its text in UTF-8; a
        missing one is ``-``.

        Args:
            columns: Columns of text of one length, at least one.

        Returns:
            Where the rows begin, and the last one ends; and the bytes.
        """
