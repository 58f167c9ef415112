"""Who does the work on parts: this process in turn, or others side by side.

What a worker is given must travel: a function that can be found by name, and items that pickle.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Optional, Protocol, TypeVar, Union

from aspen_etl.errors import (
    ArgumentError,
    AspenETLError,
    MissingDependencyError,
    NotSupportedError,
    UnexpectedError,
)
from aspen_etl.errors.base import instead

__all__ = ["InTurn", "Processes", "Spark", "Workers", "kept_open", "workers_of"]

T = TypeVar("T")
R = TypeVar("R")


class Workers(Protocol):
    """Call a function on each of some items, wherever that is done."""

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        """Give what the function gives for each item, in the order of the items.

        Args:
            function: A function that stands at the top level of a module.
            items: The items; they and what the function gives pickle.
        """


@dataclass(frozen=True)
class InTurn:
    """Do one item after the other, in this process; nothing has to pickle.

    Examples:
        >>> InTurn().map(abs, [-1, 2])
        [1, 2]
    """

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        """Give what the function gives for each item."""
        return [function(item) for item in items]


@dataclass(frozen=True)
class Processes:
    """Do items side by side, in processes of this machine that are started for it.

    Each keeps to one core where the system lets it, so that they are not in each other's way. A
    script that uses them begins with ``if __name__ == "__main__":``, since each imports it.

    Args:
        count: How many processes.

    Raises:
        ArgumentError: There would be none.
    """

    count: int

    def __post_init__(self) -> None:
        """Look at the number."""
        if not isinstance(self.count, int) or self.count < 1:
            msg = "Processes() without a process does nothing; give how many, from 1 on"
            raise ArgumentError(msg, problem="count")

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        """Give what the function gives for each item.

        Raises:
            NotSupportedError: The function or an item does not pickle.
            UnexpectedError: A process ended before its item was done.
        """
        with self.open() as pool:
            return pool.map(function, items)

    @contextmanager
    def open(self) -> Iterator[Workers]:
        """Give the processes for several calls; they end with the context."""
        pool = _Pool(self.count)
        try:
            yield pool
        finally:
            pool.close()


@contextmanager
def kept_open(workers: Workers, /) -> Iterator[Workers]:
    """Give workers that, where they are processes, are started once for several calls."""
    if not isinstance(workers, Processes):
        yield workers
        return
    with workers.open() as pool:
        yield pool


@dataclass(frozen=True)
class Spark:
    """Do items as tasks of a Spark cluster, which does one again where an executor is lost.

    This package and what it needs are installed on the executors, as is the module of a model of
    your own. Each task of a job in ``local-cluster`` or on a cluster is tried four times; one in
    ``local[2]`` once. What the tasks give comes to the driver: mind
    ``spark.driver.maxResultSize``.

    Args:
        context: The ``SparkContext``, as ``spark.sparkContext`` gives it.
    """

    context: Any

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        """Give what the function gives for each item.

        Raises:
            NotSupportedError: The function or an item does not pickle.
            UnexpectedError: Spark gave up: executors were lost too often; or an error of the
                function is none of ours.
        """
        sent = [_pack(function, item) for item in items]
        if not sent:
            return []
        tasks = self.context.parallelize(sent, len(sent)).map(_answer)
        answers = instead(tasks.collect, self._failures(), _given_up)
        return [_take(answer) for answer in answers]

    @staticmethod
    def _failures() -> tuple[type[Exception], ...]:
        from py4j.protocol import Py4JError  # Spark's own way to its driver
        from pyspark.errors import PySparkException  # what a SparkSession makes of some of these

        return Py4JError, PySparkException


def _given_up(error: Exception) -> UnexpectedError:
    msg = (
        "Spark gave up on a part, whose executor was lost in each try, as one is that the system "
        "stops for its memory, or that lacks this package; take smaller parts, and see Spark's log"
    )
    return UnexpectedError(msg, kind=type(error).__name__)


def _answer(sent: bytes) -> bytes:
    """Call in a task; an error is an answer, since to try again gives it again.

    Spark logs what a task raises: the text of an error that is not ours could hold a cell.
    """
    try:
        return pickle.dumps((True, _call(sent)))
    except AspenETLError as error:
        return pickle.dumps((False, error))
    except Exception as error:  # noqa: BLE001 - whatever it is
        return pickle.dumps((False, UnexpectedError.of(error)))


def _take(answer: bytes) -> Any:
    is_done, found = pickle.loads(answer)  # noqa: S301 - our own
    if not is_done:
        raise found
    return found


def workers_of(told: Union[int, str, None], /) -> Workers:
    """Give the workers that an option names: a number of processes, ``spark``, or none.

    Args:
        told: How many processes; ``spark`` for the tasks of the Spark session that runs here, or
            is begun here.

    Raises:
        MissingDependencyError: There is no Spark.
    """
    if told is None or told == 1:
        return InTurn()
    if told != "spark":
        return Processes(int(told))

    def session() -> Any:
        from pyspark import SparkContext

        return SparkContext.getOrCreate()

    def missing(_: Exception) -> MissingDependencyError:
        return MissingDependencyError.for_package("pyspark", "a run on Spark")

    return Spark(instead(session, ImportError, missing))


class _Pool:
    """Processes that are there for several calls; they are started when they are needed."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._executor: Any = None

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        """Give what the function gives for each item."""
        from concurrent.futures.process import BrokenProcessPool

        sent = [_pack(function, item) for item in items]
        if not sent:
            return []
        if self._executor is None:
            self._executor = _start(self._count)
        found: list[R] = instead(
            lambda: list(self._executor.map(_call, sent)), BrokenProcessPool, _ended
        )
        return found

    def close(self) -> None:
        """End the processes."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)


def _start(count: int) -> Any:
    # Imported here: who works in turn needs none of it.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # What forks while threads run may hang; a server that forks is started before any does.
    methods = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    cores = instead(context.SimpleQueue, (ImportError, OSError), _no_processes)
    for core in _share_cores(count):
        cores.put(core)
    return ProcessPoolExecutor(count, context, _keep_to_a_core, (cores,))


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


def _pack(function: Callable[[T], R], item: T) -> bytes:
    """Pickle a call here, where it can be told from the call's own errors that it does not."""
    return instead(lambda: pickle.dumps((function, item)), Exception, _stuck)


def _call(sent: bytes) -> Any:
    function, item = instead(lambda: pickle.loads(sent), Exception, _stuck)  # noqa: S301 - our own
    return function(item)


def _stuck(error: Exception) -> NotSupportedError:
    msg = (
        f"what a worker is to do cannot be sent to it ({type(error).__name__}): a function stands "
        "inside of another one, is a lambda, or is written in a notebook; define it at the top "
        "level of a module, or work in turn"
    )
    return NotSupportedError(msg, kind=type(error).__name__)
