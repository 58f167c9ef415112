"""What a process costs before it does anything, beside ``import pandas``.

Run alone, on a machine that does nothing else: ``python -m pytest -m benchmark
tests/benchmarks/test_start.py -s``. Each line is the median of what the kernel counted for a
process of its own (user and system seconds, the peak of its memory), the processes in turn; a
ratio is taken round by round. ``ASPEN_ETL_BENCHMARK_ROUNDS`` says how many rounds count.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.many import write_many

ROUNDS = int(os.environ.get("ASPEN_ETL_BENCHMARK_ROUNDS", "9"))
#: As many rows as the smallest extract that anybody would put on a schedule.
SMALL = 1_000

NAMES = "from aspen_etl import normalize, read_extract, sync, BORROWER_MODEL"
SAMPLE = str(files("aspen_etl") / "samples/borrowers.xlsx")
#: The sample is bad on purpose; a store takes it all the same.
LIMITS = ("--max-rejected-rows", "1", "--max-rejected-cells", "1")

Prepare = Callable[[], object]


#: A small process between us and what is measured: a child's peak begins with what its parent has.
_BETWEEN = """
import os, sys
quiet = [(os.POSIX_SPAWN_OPEN, each, os.devnull, os.O_WRONLY, 0o600) for each in (1, 2)]
child = os.posix_spawn(sys.executable, sys.argv[1:], os.environ, file_actions=quiet)
_, status, used = os.wait4(child, 0)
assert status == 0, sys.argv
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


class Cost(NamedTuple):
    """What a process took: seconds of a core, and MiB at its peak."""

    seconds: float
    peak: float


def run(arguments: Sequence[str]) -> Cost:
    """Run Python as a process of its own, which may write compiled modules."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-S", "-c", _BETWEEN, sys.executable, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return Cost(*map(float, done.stdout.split()))


def ours(*words: str) -> list[str]:
    return ["-m", "aspen_etl", *words]


@pytest.mark.benchmark
def test_start(tmp_path: Path) -> None:
    out, store, small = tmp_path / "out", tmp_path / "store", tmp_path / "small"
    write_many(small, SMALL)
    normalize = ("normalize", "--overwrite")
    commands: dict[str, tuple[list[str], Prepare]] = {
        "import pandas": (["-c", "import pandas"], int),
        "import pandera.pandas": (["-c", "import pandera.pandas"], int),
        "import of four names": (["-c", NAMES], int),
        "the same, and its model": (["-c", f"{NAMES}; BORROWER_MODEL.tables"], int),
        "--help": (ours("--help"), int),
        "normalize, the sample": (ours(*normalize, SAMPLE, str(out)), int),
        f"normalize, {SMALL:,} rows": (ours(*normalize, str(small), str(out)), int),
        "sync, a new store": (
            ours("sync", SAMPLE, str(store), *LIMITS),
            lambda: shutil.rmtree(store, ignore_errors=True),
        ),
        "sync, again": (ours("sync", SAMPLE, str(store), *LIMITS), int),
    }
    rounds: dict[str, list[Cost]] = {name: [] for name in commands}
    for turn in range(ROUNDS + 1):
        for name, (arguments, prepare) in commands.items():
            prepare()
            cost = run(arguments)
            if turn:  # the first round writes compiled modules
                rounds[name].append(cost)
    base = rounds["import pandas"]
    print(f"\n{'median of ' + str(ROUNDS):28}{'core s':>8}{'ratio':>7}{'MiB':>7}")
    for name, costs in rounds.items():
        ratio = statistics.median(a.seconds / b.seconds for a, b in zip(costs, base))
        seconds, peak = (statistics.median(each) for each in zip(*costs))
        print(f"{name:28}{seconds:8.3f}{ratio:7.2f}{peak:7.0f}")
