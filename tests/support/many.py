"""Extracts of as many borrowers as one asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def write_many(folder: Path, rows: int, *, changed: int = 0) -> None:
    """Write borrowers by number; ``changed`` of them have another phone, all others are alike."""
    folder.mkdir(exist_ok=True)
    numbers = pd.Series(np.arange(rows)).astype(str).str.zfill(9)
    phones = ("555" + numbers.str[-7:]).where(np.arange(rows) >= changed, "5550000000")
    borrower = pd.DataFrame(
        {
            "id": "id-" + numbers,
            "full_name": "Ada Number" + numbers,
            "street": numbers + " Main Street",
            "city": "Providence",
            "state": "RI",
            "zip_code": "02903",
            "phone_home": phones,
            "phone_cell": "556" + numbers.str[-7:],
            "email": "a" + numbers + "@example.org",
        }
    )
    borrower.to_csv(folder / "borrower.csv", index=False)
    roles = pd.DataFrame({"borrower_id": borrower["id"], "role_profile": "borrower"})
    roles.to_csv(folder / "role_profile.csv", index=False)
