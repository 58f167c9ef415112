"""Spark does parts as tasks, and one again whose executor is lost: all as in one piece."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.store.commit import Commit
from tests.laws.test_parted_stores import differences
from tests.support.many import write_many
from tests.support.s3 import BUCKET, seaweed
from tests.support.spark import losing
from tests.support.spark.cluster import run_driver

pytestmark = pytest.mark.slow

ROWS = 800
PARTS = 250
BLOCK = 40_000
FORMATS = ("csv", "parquet")
LENIENT = dict.fromkeys(("max_rejected_rows", "max_rejected_cells", "max_deleted_rows"), "1")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spark")


# ------------------------------------------------------------------------------------- tasks


@pytest.fixture(scope="module")
def told(spark_python: Path, home: Path) -> dict[str, Any]:
    """Run all of it in one Spark, which takes its time to start."""
    return run_driver(spark_python, home / "tasks", "tasks")


def test_results_come_in_order_though_an_executor_is_lost(told: dict[str, Any]) -> None:
    assert told["order"] == [6, 2, 4]
    assert told["nothing"] == []


def test_a_task_works_on_one_core(told: dict[str, Any]) -> None:
    assert told["cores"] == [1, 1]


def test_an_error_of_an_item_comes_as_it_is(told: dict[str, Any]) -> None:
    assert told["refuse"] == ["ExtractError", "two rows are wrong"]


def test_an_error_that_is_not_ours_comes_without_its_text(told: dict[str, Any]) -> None:
    kind, text = told["fail"]
    assert kind == "UnexpectedError"
    assert text.startswith("ValueError in tests.support.spark.tasks, line ")
    assert "Ada" not in text


@pytest.mark.parametrize("how", ["end", "interrupt"])
def test_a_task_that_is_lost_in_each_try_is_told(told: dict[str, Any], how: str) -> None:
    kind, text = told[how]
    assert kind == "UnexpectedError"
    assert text.startswith("Spark gave up on a part")
    assert "Ada" not in text


def test_what_does_not_pickle_is_refused(told: dict[str, Any]) -> None:
    assert told["stuck"][0] == "NotSupportedError"


def test_parts_on_spark_give_what_one_piece_gives(told: dict[str, Any]) -> None:
    assert told["equal"]
    assert told["equal, one lost"]


# ---------------------------------------------------------------------------------- the job


def spoil(frame: pd.DataFrame, column: str, row: int, text: Optional[str]) -> None:
    """Put one text into five rows."""
    frame.loc[frame.index[row : row + 5], column] = text


def write_days(folder: Path) -> list[str]:
    """Write a source as it is on two days, with rows of many faults, and one that is broken."""
    folder.mkdir()
    write_many(folder / "1", ROWS)
    people, roles = (
        pd.read_csv(folder / f"1/{name}.csv", dtype=str) for name in ("borrower", "role_profile")
    )
    spoil(people, "email", 10, "no mail")
    spoil(people, "id", 20, people["id"][19])
    spoil(people, "id", 30, None)
    spoil(people, "state", 40, "Nowhere")
    spoil(people, "full_name", 50, 'Ada "the\n" Lee')
    spoil(roles, "borrower_id", 60, "nobody")
    spoil(roles, "role_profile", 70, "Guarantor")
    later = people.sample(frac=1, random_state=1).iloc[: ROWS - 50]
    later = pd.concat([later, later.iloc[:40].assign(id="new-" + later["id"].iloc[:40])])
    later = later.reset_index(drop=True)
    spoil(later, "phone_home", 100, "5559999999")
    for day, frame in (("1", people), ("2", later), ("broken", people)):
        (folder / day).mkdir(exist_ok=True)
        frame.to_csv(folder / day / "borrower.csv", index=False)
        roles.to_csv(folder / day / "role_profile.csv", index=False)
    broken = folder / "broken/borrower.csv"
    data = bytearray(broken.read_bytes())
    data[len(data) // 2] = 0xFF
    broken.write_bytes(data)
    return [str(folder / day) for day in ("1", "2", "broken")]


def a_run(store: object, source: str, day: int = 1, **more: str) -> dict[str, Any]:
    """Give what the driver is told of a run of the job in one piece."""
    told = {"store": str(store), "source": source, **LENIENT, **more}
    words = [word for name, value in told.items() for word in (f"--{name}", value)]
    return {"arguments": words, "day": day, "lost": None}


def in_parts(store: object, source: str, day: int = 1, **more: str) -> dict[str, Any]:
    """Give what the driver is told of a run of the job on Spark."""
    return a_run(store, source, day, parts=str(PARTS), workers="spark", **more)


@pytest.fixture(scope="module")
def left(spark_python: Path, home: Path) -> dict[str, Any]:
    """Run the job many times in one Spark."""
    first, second, broken = write_days(home / "in")
    runs: dict[str, Any] = {}
    for form in FORMATS:
        for day, source in enumerate((first, second), 1):
            whole, parts = (home / kind / form for kind in ("whole", "parts"))
            runs[f"whole {form} {day}"] = a_run(whole, source, day, format=form)
            runs[f"parts {form} {day}"] = in_parts(parts, source, day, format=form)
    for place in losing.PLACES:
        runs[f"lost {place}"] = {**in_parts(home / "lost" / place, first), "lost": place}
    runs["broken whole"] = a_run(home / "broken whole", broken)
    runs["broken parts"] = in_parts(home / "broken parts", broken)
    return run_driver(spark_python, home / "job", "syncs", {"block": BLOCK, "runs": runs})


def pieces_of(store: ae.SnapshotStore) -> list[str]:
    """Name what is left of what workers left for each other."""
    place = store.place.root.child("_aspen/exchange")
    # NOTE: SeaweedFS keeps a folder that was not empty once; S3 has none.
    return [path for path in place.filesystem.find(place.path) if "/exchange/" in path]


def files_of(commit: Commit) -> dict[str, str]:
    """Give the checksums of the files of tables and keys."""
    held = [*commit.tables.values(), *(entry.retired for entry in commit.keys.values())]
    return {file.path: file.sha256 for stored in held for file in stored.files}


@pytest.mark.parametrize("form", FORMATS)
def test_the_job_on_spark_leaves_what_one_piece_leaves(
    left: dict[str, Any], home: Path, form: str
) -> None:
    for day in (1, 2):
        one, two = (left[f"{kind} {form} {day}"]["report"] for kind in ("whole", "parts"))
        assert (two["outcome"], two["version"]) == ("committed", day)
        for figures in ("tables", "sources"):
            assert two[figures] == one[figures]
    whole, parts = (ae.SnapshotStore(home / kind / form) for kind in ("whole", "parts"))
    assert differences(whole, parts) == []
    assert parts.verify().problems == ()
    assert parts.find().parts >= ROWS // PARTS
    assert pieces_of(parts) == []


@pytest.mark.parametrize("place", losing.PLACES)
def test_an_executor_that_is_lost_changes_nothing(
    left: dict[str, Any], home: Path, place: str
) -> None:
    found, store = left[f"lost {place}"], ae.SnapshotStore(home / "lost" / place)
    assert found["report"]["outcome"] == "committed"
    # What a try wrote that was lost, another one wrote again: under these names, these bytes.
    assert bool(found["made"]) == (place == "written")
    assert found["made"].items() <= files_of(store.find()).items()
    whole = ae.SnapshotStore(home / "whole/csv")
    assert store.read().tables.equals(whole.read(version=1).tables)
    assert store.read_rejects().equals(whole.read_rejects(version=1))
    assert store.verify().problems == ()
    assert pieces_of(store) == []


def test_what_a_task_finds_wrong_is_told_as_in_one_piece(left: dict[str, Any]) -> None:
    assert left["broken parts"] == left["broken whole"]
    assert left["broken parts"]["error"] == "FileFormatError"


def test_the_job_on_spark_with_source_and_store_on_s3(spark_python: Path, home: Path) -> None:
    (source, *_) = write_days(home / "for s3")
    with seaweed() as server:
        url, options = f"s3://{BUCKET}", server.options()
        whole = ae.SnapshotStore(f"{url}/whole", storage_options=options)
        bucket = whole.place.root.filesystem
        bucket.put(source, f"{BUCKET}/in", recursive=True)
        key, secret = server.owner
        environ = {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_ENDPOINT_URL": server.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        runs = {
            "whole": a_run(f"{url}/whole", f"{url}/in"),
            "lost": {**in_parts(f"{url}/parts", f"{url}/in"), "lost": "writing"},
        }
        found = run_driver(
            spark_python, home / "s3", "syncs", {"block": BLOCK, "runs": runs}, environ=environ
        )
        assert found["lost"]["report"]["outcome"] == "committed"
        parts = ae.SnapshotStore(f"{url}/parts", storage_options=options)
        assert differences(whole, parts) == []
        assert parts.verify().problems == ()
        assert pieces_of(parts) == []
