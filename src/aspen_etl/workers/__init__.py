"""Who does the work on parts: this process in turn, or others side by side.

What a worker is given must travel: a function that can be found by name, and items that pickle.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, Union

from aspen_etl.errors import (
    ArgumentError,
    AspenETLError,
    MissingDependencyError,
    UnexpectedError,
)
from aspen_etl.errors.base import instead
from aspen_etl.workers.pool import Pool, call, pack

__all__ = ["InTurn", "Processes", "Spark", "Workers", "kept_open", "results", "workers_of"]

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

    def each(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Give the same, each when it is done."""
        return map(function, items)


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
    def open(self, module: str = __name__) -> Iterator[Workers]:
        """Give the processes for several calls; they end with the context.

        Args:
            module: What each of them needs, such as where the functions stand.
        """
        pool = Pool(self.count, module)
        try:
            yield pool
        finally:
            pool.close()


def results(
    workers: Workers, function: Callable[[T], R], items: Sequence[T], done: Callable[[int], None], /
) -> list[R]:
    """Do items, and tell how many are done, where the workers tell before all are.

    Args:
        workers: Who does them.
        function: A function that stands at the top level of a module.
        items: The items.
        done: Called with how many are done; it may raise to give up.
    """
    each = getattr(workers, "each", workers.map)
    found = []
    for result in each(function, items):
        found.append(result)
        done(len(found))
    return found


@contextmanager
def kept_open(workers: Workers, module: str, /) -> Iterator[Workers]:
    """Give workers that, where they are processes, are started once for several calls.

    Args:
        workers: The workers.
        module: What each of them needs.
    """
    if not isinstance(workers, Processes):
        yield workers
        return
    with workers.open(module) as pool:
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
        sent = [pack(function, item) for item in items]
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
        return pickle.dumps((True, call(sent)))
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
