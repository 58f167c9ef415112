"""How the process of the command line gets its memory.

A library must not choose how memory is managed; a program may, for its own process.
"""

from __future__ import annotations

import contextlib
import ctypes

__all__ = ["tune_memory"]

#: Parameters of glibc's ``mallopt``, by their names in its malloc.h, and the values to try in turn.
_MALLOC = {
    -8: (1,),  # M_ARENA_MAX: by itself each thread has an arena; what one has free no other uses
    -3: (1 << 30, 1 << 25),  # M_MMAP_THRESHOLD: what is smaller is used again when it is free
    -1: ((1 << 31) - 1,),  # M_TRIM_THRESHOLD: and is not given back meanwhile
}

#: ``PR_SET_THP_DISABLE`` of Linux's ``prctl``.
_NO_HUGE_PAGES = 41


def tune_memory() -> None:
    """Let memory that is free be used again, by Arrow, numpy and all threads, where glibc is.

    A new page costs more than what a column's work writes to it. Huge pages, which numpy asks for,
    cost a virtual machine five times more still, if it gives free memory back to its host.
    """
    try:
        system = ctypes.CDLL(None)
        for parameter, values in _MALLOC.items():
            any(system.mallopt(parameter, value) for value in values)  # an old glibc takes less
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return
    system.prctl(_NO_HUGE_PAGES, 1, 0, 0, 0)
    with contextlib.suppress(ImportError):
        import pyarrow as pa

        pa.set_memory_pool(pa.system_memory_pool())
