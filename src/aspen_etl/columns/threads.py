"""Share work on large columns among the cores.

Arrow and numpy work outside of the interpreter's lock, so that two columns or two tables take
little longer than one. Small work stays in the caller's thread: handing it over costs more. So does
all work on text where Python holds it; only files are waited for side by side there.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Optional, TypeVar

from aspen_etl.columns.text import HELD_BY_ARROW

__all__ = ["UNKNOWN_ROWS", "map_ahead", "map_threads"]

T = TypeVar("T")
R = TypeVar("R")

#: How many rows a file has before it is read: many, since a storage takes its time.
UNKNOWN_ROWS = 2**31

#: From how many rows on it pays to hand work over: where Python holds text, its lock is never free.
_MANY_ROWS = 20_000 if HELD_BY_ARROW else UNKNOWN_ROWS

_INSIDE = threading.local()


def map_threads(function: Callable[[T], R], items: Iterable[T], /, *, rows: int) -> list[R]:
    """Call a function on each item, side by side where there are many rows.

    Args:
        function: What to do with one item; it changes nothing that another call reads.
        items: The items; the long ones first, so that the cores end together.
        rows: How many rows an item has, about.

    Returns:
        What the function gave, in the order of the items.

    Raises:
        Exception: What the function raised for the first item for which it did.
    """
    return list(map_ahead(function, items, rows=rows, ahead=None))


def map_ahead(
    function: Callable[[T], R],
    items: Iterable[T],
    /,
    *,
    rows: int,
    ahead: Optional[int] = 1,
    workers: Optional[int] = None,
) -> Iterator[R]:
    """Call a function on each item while the caller works on what it gave for those before.

    Where work is handed over, it begins at once, not when the first result is asked for.

    Args:
        function: As for ``map_threads``.
        items: The items.
        rows: How many rows an item has, about.
        ahead: How many items are done or being done beyond one a worker, since what they give
            takes memory; with none, all.
        workers: How many items are done at once, at most; with none, one a core.

    Returns:
        What the function gave, in the order of the items.
    """
    held = list(items)
    cores = min(_cores(), len(held))
    if cores < 2 or not _pays(rows):  # noqa: PLR2004
        return map(function, held)
    workers = workers or cores
    pool = ThreadPoolExecutor(workers)
    jobs = (partial(_submit, pool, partial(function, item)) for item in held)
    begun = deque(job() for job in islice(jobs, None if ahead is None else workers - 1 + ahead))
    return _results(pool, begun, jobs)


def _results(
    pool: ThreadPoolExecutor,
    begun: deque[Future[R]],
    jobs: Iterator[Callable[[], Future[R]]],
) -> Iterator[R]:
    """Give what was begun, and begin one more for each."""
    with pool:
        try:
            while begun:
                found = begun.popleft().result()
                begun.extend(job() for job in islice(jobs, 1))
                yield found
        finally:
            for future in begun:
                future.cancel()


def _pays(rows: int) -> bool:
    return rows >= _MANY_ROWS and not getattr(_INSIDE, "worker", False)


def _submit(pool: ThreadPoolExecutor, job: Callable[[], R]) -> Future[R]:
    """Hand a call over with what the caller set for its own context, such as pandera's."""
    context = contextvars.copy_context()

    def work() -> R:
        _INSIDE.worker = True  # a worker hands nothing on: its own pool would wait for a core
        return context.run(job)

    return pool.submit(work)


def _cores() -> int:
    told = os.environ.get("OMP_NUM_THREADS", "")  # Arrow keeps to it; Spark sets it for its tasks
    return min(_cores_there(), int(told)) if told.isdigit() and int(told) else _cores_there()


def _cores_there() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
