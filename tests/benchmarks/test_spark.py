"""What parts on Spark take beside parts in turn: core-seconds of all processes, Java's apart.

Run alone, on a machine that does nothing else::

    ASPEN_ETL_BENCHMARK_ROWS=1000000 python -m pytest -m benchmark tests/benchmarks/test_spark.py -s
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Optional

import pytest

import aspen_etl as ae
from aspen_etl.columns.frames import equal_frames
from tests.benchmarks.test_yardstick import CHECKOUT, YARDSTICK, generated
from tests.support.spark.cluster import make_environment, run_driver

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not YARDSTICK.is_dir(), reason="the yardstick is not here"),
]

ACCOUNTING = Path(__file__).parents[1] / "support" / "spark" / "accounting.py"
SAMPLE = str(CHECKOUT / "src" / "aspen_etl" / "samples" / "borrowers.xlsx")
LENIENT = {"max_rejected_rows": "0.2", "max_rejected_cells": "0.5"}
RUNS: dict[str, tuple[dict[str, str], Optional[str]]] = {
    "in one piece": ({}, None),
    "in turn": ({"parts": "125000"}, None),
    "by processes": ({"parts": "125000", "workers": "2"}, None),
    "on Spark": ({"parts": "125000", "workers": "spark"}, None),
    "a sample on Spark": ({"parts": "5", "workers": "spark", "source": SAMPLE, **LENIENT}, None),
    "on Spark, one lost": ({"parts": "125000", "workers": "spark"}, "normalizing"),
}


def test_parts_on_spark_beside_parts_in_turn(tmp_path: Path) -> None:
    source, python = generated(tmp_path / "in"), make_environment(tmp_path)
    told: dict[str, Any] = {}
    for place, (name, (more, lost)) in enumerate(RUNS.items()):
        home = tmp_path / f"{place}"
        given = {"source": str(source), "store": str(home / "store"), "format": "parquet", **more}
        words = [word for pair in given.items() for word in (f"--{pair[0]}", pair[1])]
        run = {"arguments": words, "day": 1, "lost": lost}
        out = tmp_path / f"{place}.json"
        under = [sys.executable, str(ACCOUNTING), str(out)]
        left = run_driver(python, home, "syncs", {"runs": {name: run}}, under=under)
        assert left[name]["report"]["outcome"] == "committed"
        told[name] = {
            **json.loads(out.read_text("utf-8")),
            "seconds": left[name]["report"]["seconds"],
        }
    for name, each in told.items():
        java, others, memory = each["java"], each["others"], [round(m) for m in each["memory"][:4]]
        alone, all_in_all = (cpu / told["in turn"]["others"] for cpu in (others, others + java))
        print(f"\n{name}: wall {each['wall']:.1f} s, CPU {others:.1f} s, Java's {java:.1f} s")
        print(f"{alone:.2f}, with Java {all_in_all:.2f}; {memory} MiB; {each['seconds']}")
    places = [place for place, name in enumerate(RUNS) if "sample" not in name]
    stores = [ae.SnapshotStore(tmp_path / f"{place}/store") for place in places]
    wanted = stores[0].read()
    for store in stores[1:]:
        found = store.read()
        assert all(equal_frames(found.tables[n], wanted.tables[n]) for n in wanted.tables)
