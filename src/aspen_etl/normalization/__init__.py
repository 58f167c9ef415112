"""Normalize an extract into the tables of a model, losing nothing, and turn it back.

``whole`` does it in one piece, ``parted`` in parts, with the same result.
"""

from aspen_etl.normalization.whole import (
    NormalizeResult,
    RejectCount,
    SourceSummary,
    Summary,
    conclude,
    denormalize,
    normalize,
    verify,
)

__all__ = [
    "NormalizeResult",
    "RejectCount",
    "SourceSummary",
    "Summary",
    "conclude",
    "denormalize",
    "normalize",
    "verify",
]
