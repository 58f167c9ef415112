"""How long a first run, an unchanged one and one with 1 % changed take, and what they need.

Run alone: ``python -m pytest -m benchmark tests/benchmarks/test_sync.py -s``. The number of
borrowers comes from ``ASPEN_ETL_BENCHMARK_ROWS``; by default it is 100,000.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.many import write_many

ROWS = int(os.environ.get("ASPEN_ETL_BENCHMARK_ROWS", "100000"))

#: Linux's own count: that of ``getrusage`` begins with what the parent has.
PEAK = """
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024
"""

_CHILD = f"""{PEAK}
import datetime as dt, json, sys, time
began = time.perf_counter()
import aspen_etl as ae
run = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="benchmark")
store = ae.SnapshotStore(sys.argv[2], format=sys.argv[3])
report = ae.sync(sys.argv[1], store, run=run)
seconds = round(time.perf_counter() - began, 2)
print(json.dumps([report.outcome, seconds, peak(), report.bytes_written, report.seconds]))
"""


@pytest.mark.benchmark
@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_three_runs(tmp_path: Path, file_format: str) -> None:
    if file_format == "parquet" and importlib.util.find_spec("pyarrow") is None:
        pytest.skip("the extra parquet is not installed")
    source, store = tmp_path / "source", tmp_path / "store"
    first = None
    print(f"\n{ROWS:,} borrowers, {file_format}")
    for name, changed in (("first", 0), ("unchanged", 0), ("1 % changed", ROWS // 100)):
        if name != "unchanged":
            write_many(source, ROWS, changed=changed)
        command = [sys.executable, "-c", _CHILD, str(source), str(store), file_format]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        outcome, seconds, peak, written, steps = json.loads(done.stdout)
        first = first or seconds
        print(
            f"{name:12}{outcome:10}{seconds:8.2f} s {seconds / first:6.2f} x {peak:6,} MiB "
            f"{written:12,} bytes  {steps}"
        )
        assert outcome == ("unchanged" if name == "unchanged" else "committed")
