"""The dtypes of columns that hold no text."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["HAS_ARROW", "decimal_dtype"]

#: Whether Arrow is there to hold decimals, whoever holds text.
HAS_ARROW = find_spec("pyarrow") is not None


def decimal_dtype(precision: int, scale: int, /) -> Any:
    """Give the dtype of decimals: of Arrow, or objects of ``decimal.Decimal`` without it."""
    if not HAS_ARROW:
        return np.dtype(object)
    import pyarrow as pa

    return pd.ArrowDtype(pa.decimal128(precision, scale))
