"""What a run made, ready to be committed, and what it may keep for the next one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Optional, TypeVar

import pandas as pd

from aspen_etl.normalization import NormalizeResult
from aspen_etl.store.contents import Tables, Whole
from aspen_etl.store.kept import FormName
from aspen_etl.synchronization.report import Result, Way
from aspen_etl.synchronization.touching import Keepable

__all__ = ["Made", "Normalized"]

R_co = TypeVar("R_co", bound=Result, covariant=True)


@dataclass(frozen=True, eq=False)
class Made(Generic[R_co]):
    """Hold what a run made.

    Attributes:
        result: The changes, the rejects and the counts.
        tables: What is committed.
        way: The way that it took.
        sheets: The source, where it is to be kept.
        form: The form in which it is kept.
        stayed: By sheet, of whom each row of before is that stays although it is absent.
        suppressed: How many rows of each sheet were left out, of subjects that are suppressed.
        close: Called when it is committed, or is not: what was made on the way goes.
    """

    result: R_co
    tables: Tables = field(repr=False)
    way: Way
    sheets: Optional[Mapping[str, Keepable]] = field(default=None, repr=False)
    form: FormName = "lines"
    stayed: Mapping[str, pd.Series] = field(default_factory=dict, repr=False)
    suppressed: Mapping[str, int] = field(default_factory=dict)
    close: Callable[[], None] = field(default=lambda: None, repr=False)


class Normalized(NamedTuple):
    """What a look at everything gives; of whom each row is that stays; and what was left out."""

    result: NormalizeResult
    tables: Whole
    stayed: Mapping[str, pd.Series]
    suppressed: Mapping[str, int]
