"""Runs a function on inputs that may hurt: in forked processes with little memory and a deadline.

A process is made ahead of any thread, imports what is needed and forks a worker, which takes one
input after the other; only if it dies is another one forked. So an input costs what the function
costs, and neither a crash nor a memory bomb reaches the tests::

    for outcome in run_confined(read_mutant, mutants):
        assert not outcome.ended, outcome.ended

The function is one of a module (not a lambda, not a method): it is found by its name. What it
prints goes to the standard error.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]

#: How much memory a worker may take beyond what it has when it is forked.
MEMORY = 1 << 30

#: How long one input may take.
SECONDS = 10.0

#: Imported before the fork: a worker neither waits for it nor pays for it out of its memory.
_HEAVY = (
    "pandas",
    "pandera.pandas",
    "pyarrow.parquet",
    "python_calamine",
    "fsspec",
    "aspen_etl.synchronization",
)

#: No thread at the fork, and no address space taken in stock, which the limit would count.
_FRUGAL = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Outcome:
    """What became of one input.

    Attributes:
        value: What the function returned.
        error: The class of what it raised, as ``module.Class``; else empty.
        text: What that says.
        shown: Its traceback, with all that stands behind it.
        ended: ``out of memory``, ``more than 10 s``, ``killed by SIGABRT`` or ``exit status 1``;
            else empty.
        seconds: How long it took.
    """

    value: Any = None
    error: str = ""
    text: str = ""
    shown: str = ""
    ended: str = ""
    seconds: float = 0.0


def run_confined(
    function: Callable[[Any], Any],
    inputs: Iterable[Any],
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
) -> list[Outcome]:
    """Call a function with each input, apart from this process.

    Args:
        function: Takes one input. It, what it takes and what it gives can be pickled.
        inputs: What it is called with, in this order.
        seconds: How long one call may take.
        memory: How many bytes the process may take beyond what it has when it is forked.

    Returns:
        What became of each input, in their order.
    """
    # The function is pickled apart: its module is imported when the heavy ones are.
    job = (pickle.dumps(function), list(inputs), seconds, memory)
    done = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import _main; _main()"],
        cwd=CHECKOUT,
        env={**os.environ, **_FRUGAL},
        input=pickle.dumps(job),
        stdout=subprocess.PIPE,
        check=True,
    )
    outcomes: list[Outcome] = pickle.loads(done.stdout)  # noqa: S301 - our own
    return outcomes


# ---------------------------------------------------------------------- the process that forks


def _main() -> None:
    job, inputs, seconds, memory = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        for name in _HEAVY:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        function = pickle.loads(job)  # noqa: S301 - our own
        pickle.dump(list(_supervise(function, inputs, seconds, memory)), answers)


def _supervise(
    function: Callable[[Any], Any], inputs: list[Any], seconds: float, memory: int
) -> Iterator[Outcome]:
    worker = None
    for each in inputs:
        worker = worker or _Worker(function, memory)
        outcome = worker.ask(each, seconds)
        if outcome.ended:
            worker.end()
            worker = None
        yield outcome
    if worker is not None:
        worker.end()


class _Worker:
    """A forked process that answers."""

    def __init__(self, function: Callable[[Any], Any], memory: int) -> None:
        context = multiprocessing.get_context("fork")
        self._connection, far = context.Pipe()
        self._process = context.Process(
            target=_work, args=(far, self._connection, function, memory), daemon=True
        )
        self._process.start()
        far.close()

    def ask(self, value: Any, seconds: float) -> Outcome:
        """Give what becomes of one input."""
        begun = time.monotonic()
        self._connection.send(value)
        if not self._connection.poll(seconds):
            return Outcome(ended=f"more than {seconds:g} s", seconds=seconds)
        took = time.monotonic() - begun
        try:
            answer: Outcome = self._connection.recv()
        except EOFError:
            self._process.join()
            return Outcome(ended=_reason(self._process.exitcode or 0), seconds=took)
        return replace(answer, seconds=took)

    def end(self) -> None:
        """End the process, whatever it does."""
        self._connection.close()
        self._process.join(1)
        self._process.kill()
        self._process.join()


def _reason(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


# ------------------------------------------------------------------------------- the worker


def _work(
    connection: Connection, near: Connection, function: Callable[[Any], Any], memory: int
) -> None:
    near.close()
    _limit_memory(memory)
    warnings.simplefilter("error")
    with contextlib.suppress(EOFError):
        while True:
            connection.send(_call(function, connection.recv()))


def _limit_memory(more: int) -> None:
    import resource

    statm = Path("/proc/self/statm")
    if statm.exists():  # Linux, where the limit holds
        used = int(statm.read_text("ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + more, used + more))


def _call(function: Callable[[Any], Any], value: Any) -> Outcome:
    try:
        given = function(value)
        pickle.dumps(given)  # what cannot travel is the function's error
        return Outcome(value=given)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
        return Outcome(
            error=f"{type(error).__module__}.{type(error).__qualname__}",
            text=str(error),
            shown="".join(traceback.format_exception(type(error), error, error.__traceback__)),
            ended="out of memory" if isinstance(error, MemoryError) else "",
        )
