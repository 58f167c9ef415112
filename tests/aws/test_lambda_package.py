"""The package of the Lambda functions, as built, run by the real runtime client and nothing else.

`pytest -m slow -s tests/aws/test_lambda_package.py` prints what docs/how-to/lambda.md tells.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from tests.aws.events import SCHEDULE, created
from tests.support.borrowers import write_borrowers
from tests.support.landed import Landed
from tests.support.runtime_api import READY_SECONDS, RuntimeApi, running
from tests.support.s3 import BUCKET, S3Server, moto, seaweed
from tests.support.services import require_service

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPT = CHECKOUT / "docs" / "deploy" / "lambda" / "build.py"
OWN = [CHECKOUT / "tests/composing/src/acme_loans", CHECKOUT / "tests/aws/acme_lambda.py"]

FLAVOURS = ["parquet", "small"]
HERE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "x86_64")
ARCHITECTURES = ["x86_64", "arm64"]
#: The one that is packed, and run from what was packed: to pack all takes a minute.
ZIPPED = f"small-{HERE}"
MACHINES = {"x86_64": ("x86_64", 62), "arm64": ("aarch64", 183)}  # the wheels' word, ELF's number

LIMIT = 262_144_000  # bytes unzipped
#: What the first pipeline asked for.
MEGABYTES, SECONDS = 256, 20
#: The memory in MB with which a function has one core; with less it has the same share of it.
WHOLE_CORE = 1_769
#: What the yardstick takes on the machine for which the seconds are told.
YARDSTICK_SECONDS = 0.34


def find_uv() -> str:
    """Give uv: the wheels of another platform come with it in seconds."""
    found = shutil.which("uv")
    require_service("uv", found, "pip install uv")
    return str(found)


@pytest.fixture(scope="module")
def python() -> str:
    """Give the Python of the runtime."""
    folders = [Path(sys.executable).parent]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], check=True, capture_output=True, text=True)
        folders += sorted(Path(root.stdout.strip()).glob("versions/3.13.*/bin"), reverse=True)
    path = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
    found = shutil.which("python3.13", path=path)
    require_service("Python 3.13", found, "it compiles and runs the package")
    return str(found)


def build(python: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run the build script as a user does."""
    find_uv()
    command = [sys.executable, str(SCRIPT), "--python", python, *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@dataclass(frozen=True)
class Package:
    """What was built: the folder, and what a function runs from: it, or its zip unpacked."""

    folder: Path
    task: Path
    printed: str


@pytest.fixture(scope="module")
def packages(python: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    """Build both flavours for both architectures, with a module of the user's."""
    if not (CHECKOUT / "pyproject.toml").is_file():
        pytest.skip("the sources are not here, so no wheel can be built of them")
    root = tmp_path_factory.mktemp("lambda")
    wheel = subprocess.run(
        [find_uv(), "build", "--quiet", "--wheel", "--out-dir", str(root), str(CHECKOUT)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    require_service("a package registry", wheel.returncode == 0, wheel.stderr[-500:])
    (library,) = root.glob("*.whl")
    made = {}
    for flavour in FLAVOURS:
        for architecture in ARCHITECTURES:
            name = f"{flavour}-{architecture}"
            words: list[object] = ["--flavour", flavour, "--architecture", architecture]
            words += ["--package", library, "--folder", root / name]
            words += [word for path in OWN for word in ("--include", path)]
            done = build(python, *words, *([] if name == ZIPPED else ["--no-zip"]))
            assert done.returncode == 0, done.stderr
            print(f"\n{name}\n{done.stdout}")
            task = root / name
            if name == ZIPPED:
                task = root / f"{name}-task"
                with zipfile.ZipFile(root / f"{name}.zip") as archive:
                    archive.extractall(task)
            made[name] = Package(root / name, task, done.stdout)
    return made


@pytest.fixture(params=[f"{f}-{a}" for f in FLAVOURS for a in ARCHITECTURES])
def package(request: pytest.FixtureRequest, packages: dict[str, Package]) -> Package:
    """Give each package in turn."""
    return packages[request.param]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """Give the build script as a module."""
    spec = importlib.util.spec_from_file_location("lambda_build", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ------------------------------------------------------------------------------ what is built


def test_the_package_fits(package: Package) -> None:
    size = sum(path.stat().st_size for path in package.folder.rglob("*") if path.is_file())
    assert size < LIMIT
    assert f"{size / 2**20:8.1f}  MB unzipped\n" in package.printed
    assert re.search(r"^ +\d+\.\d  numpy$", package.printed, flags=re.MULTILINE)


def test_pyarrow_is_in_one_flavour_alone(packages: dict[str, Package]) -> None:
    held = {name for name, each in packages.items() if (each.folder / "pyarrow").is_dir()}
    assert held == {"parquet-x86_64", "parquet-arm64"}


def test_all_wheels_are_of_the_platform(package: Package) -> None:
    word, number = MACHINES[package.folder.name.partition("-")[2]]
    for metadata in package.folder.glob("*.dist-info/WHEEL"):
        tags = re.findall(r"^Tag: (\S+)$", metadata.read_text("utf-8"), flags=re.MULTILINE)
        assert any(tag.endswith("-none-any") or word in tag for tag in tags), metadata
    libraries = [path for path in package.folder.rglob("*.so*") if path.is_file()]
    assert len(libraries) > 30
    for library in libraries:
        head = library.read_bytes()[:20]
        assert (head[:4], int.from_bytes(head[18:20], "little")) == (b"\x7fELF", number), library


def test_every_library_that_another_asks_for_is_there(package: Package) -> None:
    readelf = shutil.which("readelf")
    require_service("readelf", readelf, "it comes with binutils")
    libraries = [str(path) for path in package.folder.rglob("*.so*") if path.is_file()]
    printed = subprocess.run(
        [str(readelf), "--dynamic", *libraries], check=True, capture_output=True, text=True
    ).stdout
    asked = set(re.findall(r"\(NEEDED\).*\[(.+)\]", printed))
    missing = asked - {Path(each).name for each in libraries}
    system = r"(ld-linux-[\w-]+|lib(c|m|dl|pthread|rt|util|gcc_s|stdc\+\+))\.so(\.\d+)*"
    assert {name for name in missing if not re.fullmatch(system, name)} == set()


def test_every_module_is_compiled_and_never_checked_against_its_source(package: Package) -> None:
    sources = list(package.folder.rglob("*.py"))
    assert len(sources) > 1_000
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        # PEP 552: flag 1 for a hash in the place of a time, flag 2 for checking it.
        assert int.from_bytes(compiled.read_bytes()[4:8], "little") == 1, source


def test_the_constraints_are_what_the_package_holds(packages: dict[str, Package]) -> None:
    for flavour, name in (("parquet", "lambda-3.13.txt"), ("small", "lambda-3.13-small.txt")):
        text = (SCRIPT.parents[1] / "constraints" / name).read_text("utf-8")
        assert "uv pip compile pyproject.toml" in text.splitlines()[1]
        pinned = {line.replace("-", "_") for line in text.splitlines() if "==" in line}
        folder = packages[f"{flavour}-{HERE}"].folder
        held = {
            "==".join(path.name[: -len(".dist-info")].rsplit("-", 1))
            for path in folder.glob("*.dist-info")
        }
        assert {name for name in held if not name.startswith("aspen_etl==")} == pinned


def test_what_is_too_large_is_refused(python: str, tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("six==1.17.0\n", encoding="utf-8")
    (tmp_path / "large.py").write_bytes(b"#" * 2_000_000)
    words = ["--constraints", tmp_path / "constraints.txt", "--include", tmp_path / "large.py"]
    words += ["--folder", tmp_path / "package", "--architecture", "x86_64"]
    done = build(python, *words, "--limit", "2")
    assert done.returncode == 1
    assert re.search(r"build\.py: the package has \d\.\d MB unzipped and Lambda takes 2 MB at most",
                     done.stderr), done.stderr  # fmt: skip
    assert "large.py" in done.stdout
    assert not (tmp_path / "package.zip").exists()


@pytest.mark.parametrize("faults", [["--include", "nowhere"], ["--package", "nowhere"]])
def test_what_cannot_be_built_is_said(python: str, tmp_path: Path, faults: list[str]) -> None:
    (tmp_path / "constraints.txt").write_text("six==1.17.0\n", encoding="utf-8")
    words = ["--constraints", tmp_path / "constraints.txt", "--folder", tmp_path / "package"]
    done = build(python, *words, *faults)
    assert done.returncode == 1
    assert done.stderr.startswith("build.py: ")
    assert "nowhere" in done.stderr


def test_another_python_is_refused_to_compile(script: ModuleType) -> None:
    if sys.version_info[:2] == (3, 13):
        pytest.skip("this is the runtime's")
    with pytest.raises(script.BuildError, match=r"no Python 3\.13"):
        script.find_python(sys.executable)


def test_equal_folders_give_equal_zips(script: ModuleType, tmp_path: Path) -> None:
    for name, age in (("one", 1_000_000_000), ("two", 1_700_000_000)):
        (tmp_path / name / "deep").mkdir(parents=True)
        for inner in ("b.py", "a.py", "deep/c.py"):
            path = tmp_path / name / inner
            path.write_text(inner, encoding="utf-8")
            os.utime(path, (age, age))
        script.write_zip(tmp_path / name, tmp_path / f"{name}.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


@pytest.mark.parametrize("flavour", ["small"])
def test_sam_builds_it_without_docker(python: str, tmp_path: Path, flavour: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    sam = shutil.which("sam", path=path)
    require_service("SAM", sam, "uv pip install --group aws")
    done = subprocess.run(
        [str(sam), "build", "VacuumFunction", "--build-dir", str(tmp_path / "built")],
        check=False, capture_output=True, text=True, cwd=SCRIPT.parent,
        env={
            **os.environ, "PATH": os.pathsep.join([str(Path(python).parent), path]),
            "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1",
            "FLAVOUR": flavour, "ARCHITECTURE": "x86_64",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    handler = tmp_path / "built/VacuumFunction/aspen_etl/aws/lambda_handler.py"
    assert handler.is_file()


# ------------------------------------------------------------------------------ what it does


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, python: str) -> Path:
    """Install the real runtime client into a folder of its own, as the runtime brings it."""
    folder = tmp_path_factory.mktemp("runtime")
    done = subprocess.run(
        [find_uv(), "pip", "install", "--quiet", "--python", python, "--compile-bytecode",
         "--target", str(folder), "awslambdaric"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    require_service("a package registry", done.returncode == 0, done.stderr[-500:])
    return folder


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """Run the storage, which checks every signature."""
    with seaweed() as server:
        yield server


@pytest.fixture(scope="module")
def aws() -> Iterator[S3Server]:
    """Run what answers as Glue and Athena."""
    with moto() as server:
        yield server


def files_of(server: S3Server) -> Any:
    """Give the storage as a filesystem."""
    import s3fs

    return s3fs.S3FileSystem(**server.options(), skip_instance_cache=True, use_listings_cache=False)


@dataclass(frozen=True)
class Functions:
    """What starts functions of one flavour over one storage."""

    flavour: str
    package: Path
    python: Path
    client: Path
    s3: S3Server
    aws: S3Server
    folder: Path

    @property
    def base(self) -> str:
        """Give a folder of the bucket that no other test uses."""
        return f"{self.flavour}/{self.folder.name}"

    def put(self, name: str, data: bytes) -> str:
        """Put a file there; give its url."""
        files_of(self.s3).pipe_file(f"{BUCKET}/{self.base}/{name}", data)
        return f"s3://{BUCKET}/{self.base}/{name}"

    def put_folder(self, name: str, folder: Path) -> str:
        """Put a folder's files there; give its url."""
        for path in folder.iterdir():
            self.put(f"{name}/{path.name}", path.read_bytes())
        return f"s3://{BUCKET}/{self.base}/{name}"

    def start(
        self, handler: str = "aspen_etl.aws.lambda_handler.handler", **settings: str
    ) -> AbstractContextManager[RuntimeApi]:
        """Start a function, with a store of its own."""
        key, secret = self.s3.owner
        environment = {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_ENDPOINT_URL_S3": self.s3.endpoint,
            "AWS_ENDPOINT_URL_GLUE": self.aws.endpoint,
            "AWS_ENDPOINT_URL_ATHENA": self.aws.endpoint,
            "ASPEN_ETL_STORE": f"s3://{BUCKET}/{self.base}/store",
            "ASPEN_ETL_FORMAT": "parquet" if self.flavour == "parquet" else "csv",
            **{f"ASPEN_ETL_{name.upper()}": text for name, text in settings.items()},
        }
        return running(
            handler,
            python=self.python,
            client=self.client,
            package=self.package,
            environment=environment,
            log=self.folder / f"{handler}.log",
        )

    def store(self, model: ae.Model = ae.BORROWER_MODEL) -> ae.SnapshotStore:
        """Open the store from outside."""
        url = f"s3://{BUCKET}/{self.base}/store"
        return ae.SnapshotStore(url, model=model, storage_options=self.s3.options())


@pytest.fixture(params=FLAVOURS)
def functions(
    request: pytest.FixtureRequest,
    packages: dict[str, Package],
    python: str,
    client: Path,
    s3: S3Server,
    aws: S3Server,
    tmp_path: Path,
) -> Functions:
    """Give each flavour's functions."""
    task = packages[f"{request.param}-{HERE}"].task
    return Functions(request.param, task, Path(python), client, s3, aws, tmp_path)


def compute_yardstick(python: Path) -> float:
    """Tell how many seconds a core of this machine computes on what is always the same."""
    work = "import time; sum(i * i % 7 for i in range(5_000_000)); print(time.process_time())"
    command = [str(python), "-S", "-s", "-c", work]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(5)]
    return min(float(done.stdout) for done in runs)


def test_the_real_workbook_within_256_megabytes_and_20_seconds(
    functions: Functions, workbook: Path
) -> None:
    source = functions.put("in/borrowers.xlsx", workbook.read_bytes())
    with functions.start(source=source) as function:
        assert function.ready.wait(READY_SECONDS)
        begun, empty = function.cpu_seconds(), function.peak_megabytes()
        first = function.invoke(SCHEDULE)
        computed, peak = function.cpu_seconds() - begun, function.peak_megabytes()
        assert (first.kind, first.body["outcome"]) == ("response", "committed"), first.body
        again = function.invoke({})
        assert (again.body["outcome"], again.body["source_read"]) == ("unchanged", False)
        functions.put("in/borrowers.xlsx", workbook.read_bytes() + b"\0")
        warm = function.invoke(SCHEDULE)
        assert warm.kind == "response", warm.body
        assert warm.body["source_read"]
        unchanged = min(function.invoke({}).seconds for _ in range(5))
        after = function.peak_megabytes()
    slowness = max(1.0, compute_yardstick(functions.python) / YARDSTICK_SECONDS)
    print(
        f"\n{functions.flavour}: start {function.init_seconds:.1f} s and {empty:.0f} MB, "
        f"first {first.seconds:.1f} s ({computed:.1f} s computing) and {peak:.0f} MB, "
        f"on a machine {slowness:.1f} times as slow; "
        f"read again {warm.seconds:.1f} s, unchanged {unchanged:.2f} s, then {after:.0f} MB"
    )
    assert len(functions.store().read().tables["user"]) == 1_000
    metrics = [line for line in function.lines() if "_aws" in line]
    assert [(line["Runs"], line["Committed"]) for line in metrics[:2]] == [(1, 1), (1, 0)]
    assert {line["FunctionName"] for line in metrics} == {"aspen-sync"}
    if functions.flavour == "small":
        assert after < MEGABYTES
        # What the function computes takes so much longer with the share that comes with 256 MB.
        assert computed / slowness / (MEGABYTES / WHOLE_CORE) < SECONDS


def test_it_works_with_the_processor_that_comes_with_its_memory(
    functions: Functions, workbook: Path
) -> None:
    source = functions.put("in/borrowers.xlsx", workbook.read_bytes())
    memory = {"small": 256, "parquet": 512}[functions.flavour]
    with functions.start(source=source) as function:
        assert function.ready.wait(READY_SECONDS)
        with function.slowed_to(memory / WHOLE_CORE):
            first = function.invoke(SCHEDULE)
            assert (first.kind, first.body["outcome"]) == ("response", "committed"), first.body
            again = function.invoke(SCHEDULE)
            assert again.body["outcome"] == "unchanged"
    print(
        f"\n{functions.flavour} at {memory} MB: first {first.seconds:.0f} s, "
        f"unchanged {again.seconds:.1f} s"
    )


def test_new_objects_and_events_that_are_none(functions: Functions, tmp_path: Path) -> None:
    source = write_borrowers(tmp_path / "source", ["Ada Ek", "Bo Ash"])
    sheets = {p.stem: pd.read_csv(p, dtype=str) for p in Path(source).iterdir()}
    book = io.BytesIO()
    with pd.ExcelWriter(book, engine="openpyxl") as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    prefix = f"s3://{BUCKET}/{functions.base}/inbox/"
    functions.put("inbox/new file.xlsx", book.getvalue())
    functions.put("inbox/bad.xlsx", book.getvalue()[:2_000])
    with functions.start(event_prefix=prefix) as function:
        new = function.invoke(created(BUCKET, f"{functions.base}/inbox/new+file.xlsx"))
        assert (new.kind, new.body["outcome"]) == ("response", "committed"), new.body
        other = function.invoke(created(BUCKET, f"{functions.base}/store/user/part.csv"))
        assert other.body == {"outcome": "ignored"}
        failures = {
            "EventError": {"detail-type": "EC2 Instance State-change Notification"},
            "SettingsError": {},
            "SourceNotFoundError": created(BUCKET, f"{functions.base}/inbox/gone.xlsx"),
            "CorruptFileError": created(BUCKET, f"{functions.base}/inbox/bad.xlsx"),
        }
        for kind, event in failures.items():
            failed = function.invoke(event)
            assert (failed.kind, failed.body["errorType"]) == ("error", kind), failed.body
            assert "Ada Ek" not in json.dumps(failed.body)
        after = function.invoke(created(BUCKET, f"{functions.base}/inbox/new+file.xlsx"))
        assert after.body["outcome"] == "unchanged"
    counted = [line["Failures"] for line in function.lines() if "_aws" in line]
    assert counted == [0, 1, 1, 1, 1, 0]
    assert len(functions.store().read().tables["user"]) == 2


def test_a_run_gives_up_before_it_is_cut_off(functions: Functions, tmp_path: Path) -> None:
    source = functions.put_folder("in", Path(write_borrowers(tmp_path / "source", ["Ada Ek"])))
    with functions.start(source=source) as function:
        late = function.invoke(SCHEDULE, seconds=0.05)
        assert (late.kind, late.body["errorType"]) == ("error", "DeadlineError"), late.body
        assert functions.store().newest() is None
        again = function.invoke(SCHEDULE)
        assert again.body["outcome"] == "committed"


def test_a_model_of_the_users(functions: Functions, tmp_path: Path) -> None:
    folder = Path(write_borrowers(tmp_path / "source", ["Ada Ek", "Bo Ash"]))
    borrower = pd.read_csv(folder / "borrower.csv", dtype=str).assign(employer=["Acme", ""])
    borrower.to_csv(folder / "borrower.csv", index=False)
    (folder / "loan.csv").write_text("number,borrower_id\nL1,100\nL2,101\n", encoding="utf-8")
    source = functions.put_folder("in", folder)
    started = functions.start("acme_lambda.handler", source=source, model_version="1")
    with started as function:
        first = function.invoke(SCHEDULE)
        assert (first.kind, first.body["outcome"]) == ("response", "committed"), first.body
        assert first.body["tables"]["loan"]["inserted"] == 2
        assert function.invoke(SCHEDULE).body["source_read"] is False


def test_the_catalogue_follows(functions: Functions, tmp_path: Path) -> None:
    from botocore.session import get_session

    database = f"aspen_{functions.flavour}"
    glue = get_session().create_client(
        "glue", endpoint_url=functions.aws.endpoint, region_name="us-east-1",
        aws_access_key_id="a", aws_secret_access_key="b",  # noqa: S106 - of a fake
    )  # fmt: skip
    glue.create_database(DatabaseInput={"Name": database})
    settings = {"catalog_database": database, "max_deleted_rows": "1"}
    if functions.flavour == "small":
        settings |= {"athena_workgroup": "primary", "athena_output": f"s3://{BUCKET}/athena/"}
    names = ["Ada Ek", "Bo Ash"]
    source = functions.put_folder("in", Path(write_borrowers(tmp_path / "source", names)))
    with functions.start(source=source, **settings) as function:
        first = function.invoke(SCHEDULE)
        assert first.kind == "response", first.body
        assert set(first.body["catalog"]["tables"].values()) == {"created"}
        again = function.invoke(SCHEDULE)
        assert set(again.body["catalog"]["tables"].values()) == {"unchanged"}
        write_borrowers(tmp_path / "source", ["Ada Ek", "Bo Oak"])
        functions.put_folder("in", tmp_path / "source")
        moved = function.invoke(SCHEDULE)
        assert (moved.kind, moved.body["version"]) == ("response", 2), moved.body
        assert moved.body["catalog"]["tables"]["user_profile"] == "moved"
        peak = function.peak_megabytes()
    print(f"\n{functions.flavour}: with the catalogue {peak:.0f} MB")
    tables = glue.get_tables(DatabaseName=database)["TableList"]
    assert len(tables) == 9
    if functions.flavour == "small":
        assert peak < MEGABYTES


def test_vacuum_is_a_function_of_its_own(functions: Functions, tmp_path: Path) -> None:
    source = functions.put_folder("in", Path(write_borrowers(tmp_path / "source", ["Ada Ek"])))
    with functions.start(source=source) as function:
        assert function.invoke(SCHEDULE).body["outcome"] == "committed"
    handler = "aspen_etl.aws.lambda_handler.vacuum_handler"
    with functions.start(handler, keep_days="1") as function:
        done = function.invoke(SCHEDULE)
        assert (done.kind, done.body["oldest_readable"]) == ("response", 1), done.body
    assert [line["Vacuums"] for line in function.lines() if "_aws" in line] == [1]


def test_a_landing_is_synced_by_its_file(functions: Functions, tmp_path: Path) -> None:
    landed = Landed(tmp_path / "landed", lag=dt.timedelta(0))
    landed.load("Ada Lee", "Bo Ek")

    def put() -> str:
        for path in landed.root.rglob("*.csv"):
            functions.put(f"in/dms/{path.relative_to(landed.root).as_posix()}", path.read_bytes())
        return functions.put("in/landing.json", landed.file.read_bytes())

    with functions.start(source=put(), max_deleted_rows="1") as function:
        first = function.invoke(SCHEDULE)
        assert (first.kind, first.body["outcome"]) == ("response", "committed"), first.body
        assert first.body["landing"]["files"] == 2
        landed.change(5, ("U", "b1", "Ann Lee"))
        for path in landed.root.rglob("2026*.csv"):
            functions.put(f"in/dms/dbo/borrower/{path.name}", path.read_bytes())
        second = function.invoke({})
        assert second.body["landing"]["changed"] == {"borrower": 1}
        assert function.invoke({}).body["outcome"] == "unchanged"
    assert "Ann" in set(functions.store().read().tables["user_profile"]["first_name"])
    metrics = [line for line in function.lines() if "_aws" in line]
    assert [line["LandingFiles"] for line in metrics] == [2, 1, 0]
    assert [line["LandingGaps"] for line in metrics] == [0, 0, 0]
    assert "LandingAgeSeconds" not in metrics[0]  # no change came yet, and there is no heartbeat
    assert metrics[2]["LandingAgeSeconds"] > 0
