"""What the library costs beside the same tables written by hand, with no check at all.

The yardstick lies beside the checkout (``ASPEN_ETL_YARDSTICK`` names another place): scripts for
Polars, DuckDB and pandas, and ``measure.py``, which runs commands in turn and prints ratios to
the first. Run alone, on a machine that does nothing else::

    pip install polars duckdb openpyxl
    export ASPEN_ETL_BENCHMARK_ROWS=1000000
    python -m pytest -m benchmark tests/benchmarks/test_yardstick.py -s

Without pyarrow, only what runs without it is measured.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.test_sync import ROWS

CHECKOUT = Path(__file__).resolve().parents[2]
YARDSTICK = Path(os.environ.get("ASPEN_ETL_YARDSTICK", CHECKOUT.parent / "shared" / "yardstick"))
ROUNDS = os.environ.get("ASPEN_ETL_BENCHMARK_ROUNDS", "5")
#: As many rows as the workbook of the yardstick has.
SHEET_ROWS = min(ROWS, 200_000)

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not YARDSTICK.is_dir(), reason="the yardstick is not here"),
]


def there(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) for package in packages)


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True)


def measure(title: str, *commands: str) -> None:
    print(f"\n{title}", flush=True)
    run(sys.executable, YARDSTICK / "measure.py", "-n", ROUNDS, *commands)


def command(name: str, *parts: object) -> str:
    return f"{name}={sys.executable} {' '.join(map(str, parts))}"


def ours(*parts: object) -> str:
    return command("aspen_etl", "-m", "aspen_etl", *parts)


def generated(folder: Path, form: str = "csv", rows: int = ROWS) -> Path:
    run(
        sys.executable,
        "-W",
        "ignore",
        YARDSTICK / "generate.py",
        rows,
        folder,
        "--format",
        form,
        "--changed",
        1,
    )
    return folder


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_normalize_beside_polars_duckdb_and_pandas(tmp_path: Path, form: str) -> None:
    if not there("pyarrow"):
        pytest.skip("without pyarrow, the test beside pandas alone is the one")
    source, target = generated(tmp_path / "in", form), tmp_path / "out"
    scripts = {
        "polars": "polars_frames.py",
        "duckdb": "duckdb_sql.py",
        "pandas": "pandas_frames.py",
    }
    others = [
        command(name, YARDSTICK / script, source, target / name, form)
        for name, script in scripts.items()
        if there(name)
    ]
    mine = ours("normalize", source, target / "ours", "--overwrite", "--format", form)
    measure(f"{ROWS:,} borrowers, {form} to {form}", *others, mine)


def test_normalize_without_pyarrow_beside_pandas(tmp_path: Path) -> None:
    if there("pyarrow"):
        pytest.skip("pyarrow is here")
    if "ASPEN_ETL_BENCHMARK_SOURCE" not in os.environ:
        pytest.skip("the generator needs pyarrow: name what it made in ASPEN_ETL_BENCHMARK_SOURCE")
    source = os.environ["ASPEN_ETL_BENCHMARK_SOURCE"]
    measure(
        f"{source}, CSV to CSV, without pyarrow",
        command("pandas", YARDSTICK / "pandas_frames.py", source, tmp_path / "pandas", "csv"),
        ours("normalize", source, tmp_path / "ours", "--overwrite"),
    )


def test_a_workbook_beside_read_excel(tmp_path: Path) -> None:
    import pandas as pd

    openpyxl = pytest.importorskip("openpyxl")
    if not there("pyarrow"):
        pytest.skip("the generator needs pyarrow")
    source = generated(tmp_path / "in", rows=SHEET_ROWS)
    book = openpyxl.Workbook(write_only=True)
    for name in ("borrower", "role_profile"):
        frame = pd.read_csv(source / f"{name}.csv", dtype=str, keep_default_na=False)
        sheet = book.create_sheet(name)
        sheet.append(list(frame.columns))
        for row in frame.itertuples(index=False):
            sheet.append([cell or None for cell in row])
    book.save(tmp_path / "big.xlsx")
    script = tmp_path / "read.py"
    script.write_text(
        "import sys, pandas as pd\npd.read_excel(sys.argv[1], sheet_name=None, engine='calamine')\n"
    )
    measure(
        f"a workbook of {SHEET_ROWS:,} rows in each of two sheets",
        command("read_excel", script, tmp_path / "big.xlsx"),
        ours("normalize", tmp_path / "big.xlsx", tmp_path / "out", "--overwrite"),
    )


def test_the_sample_in_a_cold_process(tmp_path: Path) -> None:
    workbook = os.environ.get("ASPEN_ETL_WORKBOOK")
    source = ("normalize", workbook) if workbook else ("demo",)
    options = ["--overwrite"] if workbook else []
    script = tmp_path / "import_pandas.py"
    script.write_text("import pandas\n")
    measure(
        "a workbook of 1,000 rows" if workbook else "the sample of the package",
        command("import_pandas", script),
        ours(*source, tmp_path / "out", *options),
    )


def test_sync_again(tmp_path: Path) -> None:
    if not there("pyarrow"):
        pytest.skip("the generator needs pyarrow")
    source = generated(tmp_path / "in")
    kept = tmp_path / "kept"
    run(sys.executable, "-m", "aspen_etl", "sync", source, kept)
    script = tmp_path / "sync.py"
    script.write_text(_SYNC)
    commands = [
        command(name, script, source / changed, tmp_path / name, kept if again else "-")
        for name, changed, again in (
            ("first", "", False),
            ("changed", "changed", True),
            ("unchanged", "", True),
        )
    ]
    measure(f"{ROWS:,} borrowers, sync: first, 1 % changed, unchanged", *commands)
    shutil.rmtree(kept)


#: Sync to a new store, or to one where the first run is done: linked, since files never change.
_SYNC = """
import os, shutil, sys
source, store, kept = sys.argv[1:]
shutil.rmtree(store, ignore_errors=True)
if kept != "-":
    shutil.copytree(kept, store, copy_function=os.link)
from aspen_etl.__main__ import run
sys.argv[1:] = ["sync", source, store]
run()
"""
