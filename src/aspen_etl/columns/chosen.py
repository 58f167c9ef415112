"""Who holds text here: asked once, when the package is imported, and nowhere else."""

from __future__ import annotations

from aspen_etl.columns.plain import Plain
from aspen_etl.columns.protocol import Columns
from aspen_etl.columns.text import HELD_BY_ARROW

__all__ = ["COLUMNS"]


def _choose() -> Columns:
    if not HELD_BY_ARROW:
        return Plain()
    from aspen_etl.columns.arrow import Arrow

    return Arrow()


#: What answers for the columns of this environment.
COLUMNS: Columns = _choose()
