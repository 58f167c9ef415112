"""What all tests share: how hard Hypothesis tries, what is fast, the real workbook, S3 servers."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import pytest
from hypothesis import HealthCheck, settings

from tests.support.effort import BRIEF, SCANT, THOROUGH
from tests.support.s3 import S3Server, moto, seaweed
from tests.support.spark.cluster import make_environment

CHECKOUT = Path(__file__).resolve().parents[1]

#: The folders whose tests are marked `fast`: what is pure, and takes no second.
FAST = ("architecture", "borrower", "columns", "schema", "transform")
#: ... but for those that say of themselves what they are.
OWN_MARKS = ("benchmark", "exhaustive", "slow", "smoke")

# A run must not fail because a machine is busy, so no example has a deadline. `brief` tries
# the same few examples on every run: a red run is about the change, not about luck. `quick` tries
# more of them: CI has it in one suite. `scant` tries next to none, where only the Python differs.
# By hand, `thorough` takes each case there is, and `deep` looks for what is rare.
settings.register_profile(
    "common",
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
_COMMON = settings.get_profile("common")
settings.register_profile("quick", _COMMON, derandomize=True, max_examples=12)
settings.register_profile("brief", _COMMON, derandomize=True, max_examples=BRIEF)
settings.register_profile("scant", _COMMON, derandomize=True, max_examples=SCANT)
settings.register_profile("thorough", _COMMON, max_examples=THOROUGH)
settings.register_profile("deep", _COMMON, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "brief"))


def pytest_configure() -> None:
    """Take Ctrl-C, and let what tests start take it, also where a script runs them behind `&`."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val: object, argname: str) -> Optional[str]:
    """Name files by their number: what is packed holds the time, and workers must agree."""
    return argname if isinstance(val, bytes) and not val.isascii() else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> Optional[bool]:
    """Import no file that names none of the marks asked for: to import all takes 15 seconds."""
    if not collection_path.name.startswith("test_") or collection_path.suffix != ".py":
        return None
    asked = config.getoption("markexpr").split(" or ")
    if not {"fast", *OWN_MARKS}.issuperset(asked):
        return None
    place = collection_path.relative_to(Path(__file__).parent)
    if "fast" in asked and place.parts[0] in FAST:
        return None
    text = collection_path.read_text(encoding="utf-8")
    return None if any(f"mark.{name}" in text for name in asked) else True


@pytest.hookimpl(tryfirst=True)  # before those are left out that have not the mark asked for
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is fast, by its folder."""
    folders = [Path(__file__).parent / name for name in FAST]
    for item in items:
        inside = any(folder in item.path.parents for folder in folders)
        if inside and not any(item.get_closest_marker(name) for name in OWN_MARKS):
            item.add_marker("fast")


@pytest.fixture(scope="session")
def workbook() -> Path:
    """Give the path of the real workbook; it lies beside the checkout, never in it."""
    default = CHECKOUT.parent / "shared" / "data" / "data_engineer_raw_data.xlsx"
    path = Path(os.environ.get("ASPEN_ETL_WORKBOOK", default))
    if not path.is_file():
        pytest.skip(f"the real workbook is not there (ASPEN_ETL_WORKBOOK names it): {path}")
    return path


@pytest.fixture(scope="session")
def seaweed_server() -> Iterator[S3Server]:
    """Run SeaweedFS, if s3fs is there to talk to it."""
    if importlib.util.find_spec("s3fs") is None:
        pytest.skip("the extra s3 is not installed")
    with seaweed() as running:
        yield running


@pytest.fixture(scope="session")
def moto_server() -> Iterator[S3Server]:
    """Run moto, which answers as AWS where SeaweedFS does not."""
    if importlib.util.find_spec("s3fs") is None:
        pytest.skip("the extra s3 is not installed")
    pytest.importorskip("moto.server", reason="moto is not installed")
    with moto() as running:
        yield running


@pytest.fixture(scope="session")
def spark_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the interpreter of an environment of Spark, which takes half a minute to make."""
    return make_environment(tmp_path_factory.mktemp("spark"))
