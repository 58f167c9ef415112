"""The job as Glue runs it: Python 3.9, what the constraints name, a script, 1 GB of memory.

Memory is held in two ways. ``RLIMIT_DATA`` makes a job fail that wants more memory of its own
(``RLIMIT_AS`` would also count what Arrow's allocator reserves and never touches: twice as
much); it does not count the pages of libraries, so it is set 250 MB below 1 GB, and the largest
resident size, which counts all, is measured and compared with 1 GB.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.derive.formats import FormatName
from tests.aws.events import logged
from tests.support.borrowers import RUN, write_borrowers
from tests.support.environments import CHECKOUT, clean_environ
from tests.support.many import write_many
from tests.support.s3 import BUCKET, S3Server, seaweed

pytestmark = pytest.mark.slow

SCRIPT = CHECKOUT / "docs" / "deploy" / "glue" / "job.py"
MEMORY = 1_000_000_000
LIBRARIES = 250_000_000
ROWS = 100_000

#: What Glue passes beside our arguments; the first has no value.
GLUE = [
    "--enable-metrics",
    *("--library-set", "none", "--job-bookmark-option", "job-bookmark-disable"),
    *("--extra-py-files", "s3://artifacts/aspen_etl-0.7.0-py3-none-any.whl"),
    *("--additional-python-modules", "pandas==2.3.2,numpy==2.0.2", "--python-version", "3.9"),
    *("--scriptLocation", "s3://artifacts/job.py", "--job-language", "python"),
    *("--job-name", "nightly", "--JOB_ID", "j_1", "--JOB_RUN_ID", "jr_7"),
]

#: Runs a script with a limit and tells what it needed, however it ended.
LAUNCHER = """
import atexit, json, resource, runpy, sys
limit, told = int(sys.argv[1]), sys.argv[2]
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
@atexit.register
def tell():
    with open("/proc/self/status") as status, open(told, "w") as out:
        peak = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
        out.write(str(int(peak) * 1024))
sys.argv = sys.argv[3:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True)
class Ended:
    """How a job ended: its status, what it printed, the most memory it held, its metrics."""

    status: int
    lines: list[dict[str, Any]]
    errors: str
    peak: int

    @property
    def metrics(self) -> dict[str, Any]:
        """The last line: CloudWatch's metrics."""
        return self.lines[-1]


@dataclass(frozen=True)
class Shell:
    """A place where the job runs."""

    python: Path
    folder: Path

    def run(
        self,
        *arguments: object,
        script: Path = SCRIPT,
        limit: int = MEMORY - LIBRARIES,
        environ: Optional[Mapping[str, str]] = None,
    ) -> Ended:
        """Run the job's script."""
        launcher, told = self.folder / "launcher.py", self.folder / "peak"
        launcher.write_text(LAUNCHER, encoding="utf-8")
        command = [self.python, "-W", "error", launcher, limit, told, script, *GLUE, *arguments]
        done = subprocess.run(
            [str(part) for part in command],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=clean_environ(**(environ or {})),
        )
        peak = int(told.read_text("utf-8"))
        ended = Ended(done.returncode, logged(done.stdout), done.stderr, peak)
        if ended.lines:
            print(f"\n{peak / 1e6:,.0f} MB, {ended.metrics.get('Seconds')} s: {arguments}")
        return ended


@pytest.fixture(scope="module")
def python(environment_of: Callable[[str], Path]) -> Path:
    return environment_of("glue-python-shell-3.9.txt")


@pytest.fixture
def shell(python: Path, tmp_path: Path) -> Shell:
    folder = tmp_path / "job"
    folder.mkdir()
    return Shell(python, folder)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with seaweed() as running:
        yield running


def without_audit(tables: ae.Tables) -> dict[str, pd.DataFrame]:
    """Give frames without the columns that tell when and by whom."""
    audit = ["created", "created_by", "updated", "updated_by"]
    return {
        name: frame.drop(columns=[column for column in audit if column in frame]).astype(object)
        for name, frame in tables.items()
    }


def check_holds(store: ae.SnapshotStore, source: Path) -> None:
    """Make sure that a store holds what this process makes of the source, with its own pandas."""
    wanted = ae.normalize(ae.read_extract(source), run=RUN).tables
    held = without_audit(store.read().tables)
    for name, frame in without_audit(wanted).items():
        pd.testing.assert_frame_equal(held[name], frame)
    assert store.verify().problems == ()


# ------------------------------------------------------------------------------- what it does


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_the_real_workbook(
    shell: Shell, workbook: Path, tmp_path: Path, file_format: FormatName
) -> None:
    if file_format == "parquet":
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    arguments = ("--source", workbook, "--store", tmp_path / "store", "--format", file_format)
    first = shell.run(*arguments)
    assert (first.status, first.errors) == (0, "")
    assert first.peak < MEMORY
    assert first.metrics["RowsInserted"] == 6_149
    assert (first.metrics["Committed"], first.metrics["JobName"]) == (1, "nightly")
    assert {line["job_run_id"] for line in first.lines} == {"jr_7"}
    store = ae.SnapshotStore(tmp_path / "store", format=file_format)
    assert store.find().actor == "nightly"
    check_holds(store, workbook)
    again = shell.run(*arguments)
    assert (again.status, again.metrics["Committed"], again.metrics["Version"]) == (0, 0, 1)


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_100_000_rows(shell: Shell, tmp_path: Path, file_format: str) -> None:
    write_many(tmp_path / "in", ROWS)
    arguments = ("--source", tmp_path / "in", "--store", tmp_path / "store")
    for changed, expected in ((0, ROWS), (ROWS // 100, 0), (ROWS // 100, 0)):
        write_many(tmp_path / "in", ROWS, changed=changed)
        ended = shell.run(*arguments, "--format", file_format)
        assert (ended.status, ended.errors) == (0, "")
        assert ended.peak < MEMORY
        assert ended.metrics["RowsInserted"] >= expected
    assert ended.metrics["Version"] == 2  # the third run found nothing new


def test_from_s3_to_s3(shell: Shell, workbook: Path, server: S3Server) -> None:
    key, secret = server.owner
    environ = {
        "AWS_ENDPOINT_URL_S3": server.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
    s3fs = pytest.importorskip("s3fs", reason="the extra s3 is not installed")
    files = s3fs.S3FileSystem(**server.options(), skip_instance_cache=True)
    files.pipe_file(f"{BUCKET}/shell/in.xlsx", workbook.read_bytes())
    url = f"s3://{BUCKET}/shell/store"
    arguments = ("--source", f"s3://{BUCKET}/shell/in.xlsx", "--store", url)
    for committed in (1, 0):
        ended = shell.run(*arguments, environ=environ)
        assert (ended.status, ended.errors) == (0, "")
        assert (ended.metrics["Committed"], ended.metrics["Version"]) == (committed, 1)
        assert ended.peak < MEMORY
    check_holds(ae.SnapshotStore(url, storage_options=server.options()), workbook)


def test_a_model_of_ones_own(shell: Shell, tmp_path: Path) -> None:
    source = write_borrowers(tmp_path / "in", ["Ada Ek"])
    script = tmp_path / "job.py"
    script.write_text(
        "import aspen_etl as ae\n"
        "from aspen_etl.aws.glue_job import main\n\n"
        "upper = {'borrower.city': lambda city: city.str.upper()}\n"
        "main(model=ae.BORROWER_MODEL.replace(cleaners=upper))\n",
        encoding="utf-8",
    )
    ended = shell.run("--source", source, "--store", tmp_path / "store", script=script)
    assert (ended.status, ended.errors) == (0, "")
    address = tmp_path.joinpath("store").glob("address/*/*.csv")
    assert ["AUSTIN" in path.read_text("utf-8") for path in address] == [True]


# ----------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (["--source", "in"], "SettingsError", "--store is missing"),
        (["--store", "st"], "SettingsError", "--source is missing"),
        (["--store", "st", "--source", "in", "--format", "orc"], "SettingsError", "--format"),
        (["--store", "st", "--sorce", "in"], "SettingsError", "--source?"),
        (["--store", "st", "--source", "nothing"], "SourceNotFoundError", "nothing"),
    ],
)
def test_what_is_wrong_is_one_error_and_a_failed_job(
    shell: Shell, arguments: list[str], error: str, text: str
) -> None:
    ended = shell.run(*arguments)
    assert ended.status == 1
    assert ended.errors.count("Traceback (most recent call last)") == 1
    last = ended.errors.splitlines()[-1]
    assert last.startswith("aspen_etl.errors.")
    assert f"{error}: " in last
    assert text in last
    told = [line for line in ended.lines if line.get("level") == "ERROR"]
    assert [line["error"] for line in told] == [error]
    assert ended.metrics["Failures"] == 1
    assert list(shell.folder.glob("st/_aspen/commits/*")) == []


def test_a_job_that_wants_more_memory_than_there_is_fails_and_commits_nothing(
    shell: Shell, tmp_path: Path
) -> None:
    write_many(tmp_path / "in", ROWS)
    ended = shell.run(
        *("--source", tmp_path / "in", "--store", tmp_path / "store"), limit=250_000_000
    )
    assert ended.status != 0
    assert list(tmp_path.glob("store/_aspen/commits/*")) == []


def test_the_limit_is_one(shell: Shell, tmp_path: Path) -> None:
    script = tmp_path / "large.py"
    script.write_text(f"bytearray({MEMORY - LIBRARIES})\n", encoding="utf-8")
    ended = shell.run(script=script)
    assert (ended.status, ended.errors.splitlines()[-1]) == (1, "MemoryError")
