"""Text: any text is canonical."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.text import TEXT, conform_text
from aspen_etl.schema.types.base import Canonical, Facts, Type, always

__all__ = ["TEXT_TYPE"]


def _dtype(_spec: Facts) -> Any:
    return TEXT


def _canonical(values: pd.Series, _spec: Facts) -> Canonical:
    return Canonical(
        conform_text(values.reset_index(drop=True)), {}, np.zeros(len(values), dtype=bool)
    )


def _same(values: pd.Series, _spec: Facts) -> pd.Series:
    return conform_text(values.reset_index(drop=True))


def _check(_spec: Facts) -> Optional[str]:
    return None


TEXT_TYPE = Type(
    name="text",
    dtype=_dtype,
    canonical=_canonical,
    parse=_same,
    convert=_same,
    text=_same,
    check=_check,
    rules=always(),
)
