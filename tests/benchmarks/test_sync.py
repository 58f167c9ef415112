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

import numpy as np
import pandas as pd
import pytest

ROWS = int(os.environ.get("ASPEN_ETL_BENCHMARK_ROWS", "100000"))

_CHILD = """
import datetime as dt, json, resource, sys, time
began = time.perf_counter()
import aspen_etl as ae
run = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="benchmark")
store = ae.SnapshotStore(sys.argv[2], format=sys.argv[3])
report = ae.sync(sys.argv[1], store, run=run)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
seconds = round(time.perf_counter() - began, 2)
print(json.dumps([report.outcome, seconds, peak, report.bytes_written, report.seconds]))
"""


def write_source(folder: Path, changed: int) -> None:
    """Write borrowers by number; ``changed`` of them have another phone, all others are alike."""
    folder.mkdir(exist_ok=True)
    numbers = pd.Series(np.arange(ROWS)).astype(str).str.zfill(9)
    phones = ("555" + numbers.str[-7:]).where(np.arange(ROWS) >= changed, "5550000000")
    borrower = pd.DataFrame(
        {
            "id": "id-" + numbers,
            "full_name": "Ada Number" + numbers,
            "street": numbers + " Main Street",
            "city": "Providence",
            "state": "RI",
            "zip_code": "02903",
            "phone_home": phones,
            "phone_cell": "556" + numbers.str[-7:],
            "email": "a" + numbers + "@example.org",
        }
    )
    borrower.to_csv(folder / "borrower.csv", index=False)
    roles = pd.DataFrame({"borrower_id": borrower["id"], "role_profile": "borrower"})
    roles.to_csv(folder / "role_profile.csv", index=False)


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
            write_source(source, changed)
        command = [sys.executable, "-c", _CHILD, str(source), str(store), file_format]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        outcome, seconds, peak, written, steps = json.loads(done.stdout)
        first = first or seconds
        print(
            f"{name:12}{outcome:10}{seconds:8.2f} s {seconds / first:6.2f} x {peak:6,} MiB "
            f"{written:12,} bytes  {steps}"
        )
        assert outcome == ("unchanged" if name == "unchanged" else "committed")
