"""What Ctrl-C does to the command line: one line and status 130, at any time."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["INTERRUPTED", "TOLD", "leave_at_once", "unwind_first"]

INTERRUPTED = 130
TOLD = "aspen-etl: interrupted"

#: For how many seconds a command may undo what it began: a thread may wait for a storage that never
#: answers. What is left is as if the process had been killed, which harms no store.
_GRACE = 3.0


def leave_at_once() -> None:
    """End the process when it is interrupted, without an exception.

    While modules are imported there is nothing to undo, and an exception may be swallowed, or shown
    with a traceback, wherever it arises.
    """
    _handle(_leave)


def unwind_first() -> None:
    """Raise ``KeyboardInterrupt``, so that half-written files go; a second one does not wait."""
    _handle(_unwind)


def _handle(handler: Callable[..., Any]) -> None:
    # A process that was started with SIGINT ignored, as by nohup, goes on ignoring it.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def _leave(*_: object) -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(2, f"{TOLD}\n".encode())
    os._exit(INTERRUPTED)


def _unwind(*_: object) -> NoReturn:
    signal.signal(signal.SIGINT, _leave)
    last = threading.Timer(_GRACE, _leave)
    last.daemon = True
    last.start()
    raise KeyboardInterrupt
