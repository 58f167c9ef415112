"""What a model's own functions are: cleaners of a column, builders of a table."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Optional, Union

import pandas as pd

__all__ = ["AnyBuilder", "Builder", "Cleaner", "builders_of"]

#: A cleaner takes the cells of one column, white space already cleaned, and gives them back
#: in the same order; a cell that it empties becomes a reject.
Cleaner = Callable[[pd.Series], pd.Series]


@dataclass(frozen=True)
class Builder:
    """Make one table's rows from source frames, and source columns from the rows.

    Attributes:
        build: Takes frames by the names of its parameters: a source's name for its accepted
            rows, ``<table>_rows`` for the rows of a table built before. Gives one row for
            each row of the table; a reference column holds the row number in the table
            referred to, or the text that a lookup table lists. The index is the row number
            in the source that the table's own ``source=`` columns come from.
        invert: Takes such rows and gives the source columns that they hold, by name, missing
            where a row says nothing. Needed only where a column has several sources or a
            source column is split over several columns.
        frames: The names of the frames that ``build`` takes, where its parameters do not say so.
    """

    build: Callable[..., pd.DataFrame]
    invert: Optional[Callable[[pd.DataFrame], Mapping[str, pd.Series]]] = None
    frames: Optional[tuple[str, ...]] = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The frames that it needs: its parameters without a default."""
        if self.frames is not None:
            return self.frames
        parameters = inspect.signature(self.build).parameters.values()
        return tuple(
            p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD
        )


#: A builder, or a function that makes rows, which is one without an inverse.
AnyBuilder = Union[Builder, Callable[..., pd.DataFrame]]


def builders_of(given: Optional[Mapping[str, AnyBuilder]], /) -> dict[str, Builder]:
    """Make builders of what is given by table; a bare function is one without an inverse."""
    return {
        name: made if isinstance(made, Builder) else Builder(made)
        for name, made in (given or {}).items()
    }
