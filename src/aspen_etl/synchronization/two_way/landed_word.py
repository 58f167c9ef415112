"""What a landing folder says of the side that it is of: the row that a push wrote there, as landed.

What lands is older than the database. A push is part of what lands, so the landed copy of its row
tells whether a reading has come as far.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Optional

from aspen_etl.io.reading import ReadLimits
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.synchronization.landing import read_landing

__all__ = ["LandedWord", "read_word"]

_COLUMNS = ("id", "version", "token", "deletes")


class LandedWord(NamedTuple):
    """Say which version was written to a side, as far as it landed."""

    version: Optional[int]
    token: Optional[str]


def read_word(
    landing: Landing,
    until: dt.datetime,
    limits: ReadLimits,
    storage_options: Optional[Mapping[str, Any]],
    /,
) -> Optional[LandedWord]:
    """Read the row that a push wrote, as it landed; nothing where none did.

    Raises:
        AspenETLError: What reading a landing raises.
    """
    if landing.side is None:
        return None
    from aspen_etl.synchronization.two_way.side_model import SIDE_MODEL  # which loads pandera

    without = any(table.headers is not None for table in landing.tables.values())
    table = LandedTable(landing.side, headers=_COLUMNS if without else None)
    alone = replace(landing, tables={"side": table}, side=None, heartbeat=None, loaded="declared")
    found = read_landing(
        alone, model=SIDE_MODEL, until=until, limits=limits, storage_options=storage_options
    )
    rows = found.extract["side"].astype(object).to_dict("records")
    if not rows:
        return None
    return LandedWord(int(rows[0]["version"]), str(rows[0]["token"]))
