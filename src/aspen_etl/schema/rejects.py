"""What the columns of the rejects were called in files that a release before wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Optional

import pandas as pd

from aspen_etl.errors import ArgumentError
from aspen_etl.errors.base import listing
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.snapshot import REJECTS

__all__ = ["FORMER", "WRITTEN", "check_named", "columns_as_named", "has_former_names", "rename"]

#: What each column is now, by its name until release 0.3: until then there was one subject.
FORMER: Mapping[str, str] = MappingProxyType({"borrower_id": "subject"})

_OLD = {new: name for name, new in FORMER.items()}

#: The columns that files of rejects have: as they are written now, and until release 0.3.
WRITTEN = (tuple(REJECTS), tuple(_OLD.get(name, name) for name in REJECTS))


def columns_as_named(names: Iterable[str], /) -> dict[str, ColumnSpec]:
    """Say what the columns of rejects are that any release wrote, by the names in its files."""
    specs = {name: REJECTS.get(FORMER.get(name, name)) for name in names}
    return {name: replace(spec, name=name) for name, spec in specs.items() if spec is not None}


def rename(rejects: pd.DataFrame, /) -> pd.DataFrame:
    """Give rejects that any release wrote the names that their columns have now."""
    return rejects.rename(columns=FORMER)


def has_former_names(names: Iterable[str], /) -> bool:
    """Tell whether columns of rejects have the names of a release before."""
    return not FORMER.keys().isdisjoint(names)


def check_named(rejects: Optional[pd.DataFrame], /) -> Optional[pd.DataFrame]:
    """Check that rejects have the columns that rejects have, if there are any.

    Raises:
        ArgumentError: One is missing; that is so under the names until release 0.3, too.
    """
    missing = [] if rejects is None else [name for name in REJECTS if name not in rejects.columns]
    if missing:
        msg = f"the rejects have no column {listing(missing)}; give those of normalize"
        raise ArgumentError(msg, problem="rejects", columns=tuple(missing))
    return rejects
