"""The formats that AWS DMS lands files in, and what goes with each.

Source: the DMS user guide, "S3 as a target": ``DataFormat``, ``CompressionType``, ``CdcPath``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LANDED_FORMS", "LandedForm"]


@dataclass(frozen=True)
class LandedForm:
    """Say what a format of landing files can do.

    Attributes:
        name: The word of ``DataFormat``.
        compressions: What ``CompressionType`` may be; Parquet compresses by itself.
        is_text: Whether null, quotes and headers are a matter of settings.
        has_transactions: Whether transaction files may be of it.
    """

    name: str
    compressions: tuple[str, ...]
    is_text: bool
    has_transactions: bool


#: By name.
LANDED_FORMS: Mapping[str, LandedForm] = {
    "csv": LandedForm("csv", ("none", "gzip"), is_text=True, has_transactions=True),
    "parquet": LandedForm("parquet", ("none",), is_text=False, has_transactions=False),
}
