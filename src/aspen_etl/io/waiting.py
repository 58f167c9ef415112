"""How long a storage is waited for: the time of a run holds for every call, answered or not."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Optional, TypeVar, Union

from aspen_etl.errors import ArgumentError, DeadlineError
from aspen_etl.io.urls import is_here

__all__ = ["Deadline", "Seconds", "seconds_of", "until", "wait_for"]

T = TypeVar("T")

#: A span of time, as a number of seconds or as what Python has for it.
Seconds = Union[dt.timedelta, float]


def seconds_of(span: Optional[Seconds], name: str, /) -> Optional[float]:
    """Give a span of time in seconds; none stays none.

    Args:
        span: Seconds, or a ``datetime.timedelta``.
        name: The parameter that it was given as.

    Raises:
        TypeError: It is neither.
        ArgumentError: It is negative, infinite or no number.

    Examples:
        >>> seconds_of(dt.timedelta(minutes=1), "timeout"), seconds_of(60, "timeout")
        (60.0, 60.0)
    """
    if span is None:
        return None
    if isinstance(span, dt.timedelta):
        seconds = span.total_seconds()
    elif isinstance(span, (int, float)) and not isinstance(span, bool):
        seconds = float(span)
    else:
        msg = f"{name} is a {type(span).__name__}; give seconds, or a datetime.timedelta"
        raise TypeError(msg)
    if not (math.isfinite(seconds) and seconds >= 0):
        msg = f"{name} must be a number of seconds from 0 up, and finite"
        raise ArgumentError(msg, problem="timeout", argument=name)
    return seconds


@dataclass(frozen=True)
class Deadline:
    """Say when a run gives up.

    Attributes:
        begun: When it began, by ``time.monotonic``.
        limit: How many seconds it has.
    """

    begun: float
    limit: float

    def left(self) -> float:
        """Give the seconds that are left, at least 0."""
        return max(self.begun + self.limit - time.monotonic(), 0.0)


_DEADLINE: ContextVar[Optional[Deadline]] = ContextVar("aspen_etl_deadline", default=None)


@contextlib.contextmanager
def until(deadline: Optional[Deadline], /) -> Iterator[None]:
    """Let every call of a storage inside end at a deadline; without one, at no time."""
    token = _DEADLINE.set(deadline)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def wait_for(url: str, call: Callable[[], T], /) -> T:
    """Call a storage, and wait for a remote one no longer than the deadline allows.

    A call that is given up goes on in a thread that keeps no process alive, since most storages
    know no way to end one. A disk of this machine is not left behind with a file half-written.

    Args:
        url: What is waited for, as it is shown.
        call: The call.

    Raises:
        DeadlineError: The time is over.
    """
    deadline = _DEADLINE.get()
    if deadline is None or is_here(url):
        return call()
    future: Future[T] = Future()
    threading.Thread(target=_settle, args=(future, call), daemon=True).start()
    wait([future], min(deadline.left(), threading.TIMEOUT_MAX))
    if not future.done():
        seconds = time.monotonic() - deadline.begun
        raise DeadlineError.waiting(url, seconds, deadline.limit)
    return future.result()


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
        future.set_exception(error)
