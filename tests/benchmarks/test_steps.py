"""Where time and memory go, step by step.

Run alone: ``python -m pytest -m benchmark tests/benchmarks/test_steps.py -s``. The number of
borrowers comes from ``ASPEN_ETL_BENCHMARK_ROWS``; by default it is 100,000.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.test_sync import PEAK, ROWS
from tests.support.many import write_many

#: Read, normalize and write in a process of its own, with a clock around each step. Steps that
#: run side by side share what they take; the proof stands for the validation beside it.
_CHILD = """
import datetime as dt, resource, sys, time
def now():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime, used.ru_minflt
last = now()
def mark(name):
    global last
    here = now()
    wall, cpu, faults = (a - b for a, b in zip(here, last))
    print(f"{name:22}{wall:8.2f} s{cpu:8.2f} s{peak():8,} MiB{faults:10,} page faults")
    last = now()
import aspen_etl as ae
from aspen_etl.normalization import whole as normalization
from aspen_etl.command_line.program import tune_memory
from aspen_etl.io.filesystem import locate
from aspen_etl.io.tables import write_valid_tables
tune_memory()
mark("import")
def timed(name):
    function = getattr(normalization, name)
    def call(*args, **options):
        result = function(*args, **options)
        mark("  " + name)
        return result
    setattr(normalization, name, call)
for name in ("settle", "assemble", "number", "check", "part"):
    timed(name)
extracts = [ae.read_extract(sys.argv[1])]
mark("read")
run = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="benchmark")
result = ae.normalize(extracts.pop(), run=run)
mark("rest of normalize")
write_valid_tables(result.tables, locate(sys.argv[2]), rejects=result.rejects, format=sys.argv[3])
mark("write")
"""


@pytest.mark.benchmark
def test_steps(tmp_path: Path) -> None:
    write_many(tmp_path / "in", ROWS)
    print(f"\n{ROWS:,} borrowers, CSV to CSV: wall, CPU, peak memory so far, page faults")
    command = [
        sys.executable,
        "-c",
        PEAK + _CHILD,
        str(tmp_path / "in"),
        str(tmp_path / "out"),
        "csv",
    ]
    subprocess.run(command, check=True)
