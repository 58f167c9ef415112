"""Write a folder with one CSV file of orders, as many as one asks for.

``python -m tests.benchmarks.typed_orders 1000000 FOLDER``; then, for each of the three models,
``aspen-etl normalize FOLDER OUT --overwrite --model tests.benchmarks.typed_models:ENTITY`` (or
``TYPES``, or ``TEXTS``), in turn, as with a program that runs commands and compares them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

#: How many rows share a clinic, and how many of a thousand rows misspell its city.
_SHARED, _MISSPELT = 500, 2


def write_orders(folder: Path, rows: int, *, seed: int = 7) -> None:
    """Write orders of two decimals, two dates, a flag and a clinic of three columns."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    cents = pd.Series(random.integers(-(10**9), 10**9, rows))
    days = pd.Series(np.datetime64("1990-01-01") + random.integers(0, 12_000, rows))
    paid = days + pd.to_timedelta(random.integers(0, 60, rows), unit="D")
    clinic = pd.Series(random.integers(0, max(rows // _SHARED, 1), rows)).astype(str)
    typo = random.integers(0, 1_000, rows) < _MISSPELT
    orders = pd.DataFrame(
        {
            "order_no": "O" + pd.Series(np.arange(rows)).astype(str).str.zfill(9),
            "amount": (cents / 100).map("{:.2f}".format),
            "tax": (cents / 10_000).map("{:.4f}".format).where(random.random(rows) < 0.9),
            "ordered": days.dt.strftime("%Y-%m-%d"),
            "paid": paid.dt.strftime("%m/%d/%Y").where(random.random(rows) < 0.8),
            "express": np.where(random.random(rows) < 0.3, "Y", "N"),
            "clinic_code": "C" + clinic,
            "clinic_name": ("Clinic number " + clinic).where(random.random(rows) < 0.95),
            "clinic_city": ("City " + clinic.str[-2:]).where(~typo, "Ctiy"),
        }
    )
    orders.to_csv(folder / "orders.csv", index=False)


if __name__ == "__main__":
    write_orders(Path(sys.argv[2]), int(sys.argv[1]))
