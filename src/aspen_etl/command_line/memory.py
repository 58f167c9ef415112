"""How the process of the command line gets its memory.

A library must not choose how memory is managed; a program may, for its own process.
"""

from __future__ import annotations

import contextlib
import ctypes

__all__ = ["share_free_memory"]

#: The parameter of glibc's ``mallopt`` for the number of arenas: ``M_ARENA_MAX`` in its malloc.h.
_ARENA_MAX = -8


def share_free_memory() -> None:
    """Let all threads take memory from one place, where the C library is glibc.

    By itself glibc gives each thread an arena of its own, and what one has free no other uses: a
    column is then written to memory that the system must find and clear first, while as much as it
    needs lies idle. The columns are few and large, so that threads do not wait for each other.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library, or Windows
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
