"""Processes that do items for another one, and what travels to whoever does them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import cycle, islice
from typing import Any, Optional, TypeVar

from aspen_etl.errors import NotSupportedError, UnexpectedError
from aspen_etl.errors.base import instead

__all__ = ["Pool", "call", "pack"]

T = TypeVar("T")
R = TypeVar("R")


class Pool:
    """Processes that are there for several calls; each is started when it is needed.

    Args:
        count: How many.
        module: What each needs, imported once for all while this process goes on.
    """

    def __init__(self, count: int, module: str = __name__) -> None:
        self._executor = _start(count, module)

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        """Give what the function gives for each item."""
        return list(self.each(function, items))

    def each(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Give the same, each when it and those before it are done."""
        from concurrent.futures.process import BrokenProcessPool

        sent = [pack(function, item) for item in items]
        if not sent:
            return
        found = instead(lambda: self._executor.map(call, sent), BrokenProcessPool, _ended)
        for _ in sent:
            yield instead(partial(next, found), BrokenProcessPool, _ended)

    def close(self) -> None:
        """End the processes."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def _start(count: int, module: str) -> Any:
    # Imported here: who works in turn needs none of it.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # What forks while threads run may hang; a server that forks is started before any does.
    methods = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        _preload(context, module)
    cores = instead(context.SimpleQueue, (ImportError, OSError), _no_processes)
    for core in _share_cores(count):
        cores.put(core)
    return ProcessPoolExecutor(count, context, _keep_to_a_core, (cores,))


def _preload(context: Any, module: str) -> None:
    """Let the server that forks import what each process would; one that runs already does not."""
    from multiprocessing import forkserver

    context.set_forkserver_preload(["__main__", module])
    forkserver.ensure_running()


def _no_processes(_: Exception) -> NotSupportedError:
    msg = "this system lets processes share nothing, as that of AWS Lambda; work in turn"
    return NotSupportedError(msg)


def _ended(_: Exception) -> UnexpectedError:
    msg = (
        "a worker ended before its part was done, as one does that the system stops for its "
        "memory; take smaller parts, or fewer workers"
    )
    return UnexpectedError(msg, kind="BrokenProcessPool")


# ----------------------------------------------------------------------------- cores


def _share_cores(count: int) -> list[Optional[int]]:
    """Give each of some workers a core, or none where processes cannot be kept to one."""
    if not hasattr(os, "sched_setaffinity"):
        return [None] * count
    return list(islice(cycle(sorted(os.sched_getaffinity(0))), count))


def _keep_to_a_core(cores: Any) -> None:
    core = cores.get()
    if core is not None:
        os.sched_setaffinity(0, {core})


# ----------------------------------------------------------------------------- what travels


def pack(function: Callable[[T], R], item: T) -> bytes:
    """Pickle a call here, where it can be told from the call's own errors that it does not."""
    return instead(lambda: pickle.dumps((function, item)), Exception, _stuck)


def call(sent: bytes) -> Any:
    """Do what was packed."""
    function, item = instead(lambda: pickle.loads(sent), Exception, _stuck)  # noqa: S301 - our own
    return function(item)


def _stuck(error: Exception) -> NotSupportedError:
    msg = (
        f"what a worker is to do cannot be sent to it ({type(error).__name__}): a function stands "
        "inside of another one, is a lambda, or is written in a notebook; define it at the top "
        "level of a module, or work in turn"
    )
    return NotSupportedError(msg, kind=type(error).__name__)
