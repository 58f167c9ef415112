"""How a frame is stored that grows by little: what changed is put over what is there, for a while.

Frames of which each is larger than twice the one behind it are few, whatever was put over them, and
each row is written as often as there are frames: so what is written grows with the change.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["count_kept"]

#: The share of all rows from which on everything is written anew.
_MOST = 0.2


def count_kept(sizes: Sequence[int], changed: int, /) -> int:
    """Say how many frames stay as they are; those behind them go into the new one.

    Args:
        sizes: The rows of each frame: of all, and of what was put over it since, in this order.
        changed: How many rows are to be put over them.

    Returns:
        The number of frames that stay; 0 where all rows are written as one frame.

    Examples:
        >>> count_kept([1000, 40, 10], 4)
        3
        >>> count_kept([1000, 40, 10], 5)
        2
        >>> count_kept([1000, 180, 10], 10)
        0
    """
    kept, rows = len(sizes), changed
    while kept > 1 and sizes[kept - 1] <= 2 * rows:
        kept -= 1
        rows += sizes[kept]
    return kept if kept and sum(sizes[1:kept]) + rows < _MOST * sizes[0] else 0
