"""Let the process of the command line give memory back: it does one job and ends.

A library must not choose how memory is managed; a program may, for its own process.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

__all__ = ["give_memory_back"]

#: glibc's name (malloc.h) for the size from which on a block is the system's own again when it
#: is freed. Without it glibc raises the size as it goes and keeps what large columns leave behind.
_M_MMAP_THRESHOLD = -3
_LARGE = 1 << 20


def give_memory_back() -> None:
    """Give what large columns took back to the system as soon as they are gone.

    It changes nothing where the system or pyarrow know no such choice.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
    try:
        import pyarrow as pa
    except ImportError:
        return
    # jemalloc takes a third of the time of Arrow's own choice for the first gigabyte.
    with contextlib.suppress(NotImplementedError):
        pa.set_memory_pool(pa.jemalloc_memory_pool())
