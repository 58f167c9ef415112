"""A landing folder on a disk, of borrowers and their roles, and the file that declares it."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any, Optional

from aspen_etl.schema.landing import LandedTable, Landing

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc)
TABLES = {
    "borrower": LandedTable("dbo.borrower"),
    "role_profile": LandedTable("dbo.role_profile", ("rp_id",)),
}
#: What is known of a borrower beside the name, which stands where it may: one good row.
HEADER = "Op,dms_time,id,full_name,street,city,state,zip_code,phone_home,phone_cell,email"
REST = "1 Elm St,Austin,TX,73301,,512-555-0101,"


class Landed:
    """A landing folder on a disk."""

    def __init__(self, folder: Path, **told: Any) -> None:
        self.root = folder / "dms"
        self.root.mkdir(parents=True)
        given = {"tables": TABLES, "loaded": "declared", **told}
        self.landing = Landing(str(self.root), **given)
        self.file = folder / "landing.json"
        values = {**self.landing.to_dict(), "url": "dms"}
        self.file.write_text(json.dumps(values), encoding="utf-8")

    def load(self, *names: str) -> Path:
        """Write a full load of borrowers b1, b2, and so on, and of no role."""
        rows = [("I", f"b{n}", name, None) for n, name in enumerate(names, start=1)]
        roles = "Op,dms_time,rp_id,borrower_id,role_profile,dms_seq,BI_rp_id\n"
        self.put_text("dbo/role_profile/LOAD00000001.csv", roles)
        return self.put("LOAD00000001", *rows)

    def change(self, second: int, *rows: tuple[str, str, Optional[str]]) -> Path:
        """Write a file of changes of one second, each an operation, a key and a name."""
        time = NOON + dt.timedelta(seconds=second)
        return self.put(f"{time:%Y%m%d-%H%M%S}000", *((*row, second) for row in rows))

    def put(self, name: str, *rows: tuple[str, str, Optional[str], Optional[int]]) -> Path:
        """Write a file of borrowers."""
        lines = [f"{HEADER},dms_seq,BI_id"]
        for place, (operation, key, who, second) in enumerate(rows):
            time = NOON + dt.timedelta(seconds=second or 0)
            sequence = "" if second is None else f"{time:%Y%m%d%H%M%S}00{place:019}"
            before = key if operation == "U" else ""
            cells = [operation, f"{time:%F %T.%f}", key, who or "", REST, sequence, before]
            lines.append(",".join(cells))
        return self.put_text(f"dbo/borrower/{name}.csv", "".join(f"{line}\n" for line in lines))

    def put_text(self, path: str, text: str) -> Path:
        """Write a file, as old as the full load."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        os.utime(place, (NOON.timestamp(), NOON.timestamp()))
        return place
