"""The handler: what it answers, logs, measures and lets fail."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.aws.lambda_handler import make_handler, make_vacuum_handler
from aspen_etl.errors import (
    DeadlineError,
    EventError,
    LandingOrderError,
    OutdatedSourceError,
    SettingsError,
    ThresholdError,
    UnexpectedError,
)
from tests.aws.events import SCHEDULE, Context, created, logged
from tests.support.borrowers import check_ours, write_borrowers
from tests.support.landed import NOON, Landed

FACTS = {"request_id": "r-1"}
CANARY = "Zebulon Quackenbush"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Give an environment with a source of two borrowers, of which any part may go."""
    return {
        "ASPEN_ETL_SOURCE": write_borrowers(tmp_path / "in", ["Ada Ek", CANARY]),
        "ASPEN_ETL_STORE": str(tmp_path / "store"),
        "ASPEN_ETL_MAX_DELETED_ROWS": "1",
    }


def test_a_schedule_commits_and_the_next_one_finds_nothing_new(
    settings: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = make_handler(environment=settings)
    first = handler(SCHEDULE, Context())
    assert (first["outcome"], first["version"]) == ("committed", 1)
    assert json.loads(json.dumps(first))["tables"]["user"]["inserted"] == 2
    printed = capsys.readouterr().out
    assert CANARY not in printed
    lines = logged(printed)
    steps = [line["step"] for line in lines if line.get("message") == "step"]
    assert steps == ["looking", "reading", "normalizing", "writing"]
    assert all(line["request_id"] == "r-1" for line in lines)
    metrics = lines[-1]
    told = metrics["_aws"]["CloudWatchMetrics"][0]
    assert told["Namespace"] == "aspen_etl"
    assert told["Dimensions"] == [["FunctionName"]]
    assert metrics["FunctionName"] == "aspen-sync"
    assert {each["Name"] for each in told["Metrics"]} <= metrics.keys()
    assert (metrics["Runs"], metrics["Failures"], metrics["Committed"]) == (1, 0, 1)
    assert metrics["RowsInserted"] == sum(t["inserted"] for t in first["tables"].values())

    second = make_handler(environment=settings)({}, Context())
    assert (second["outcome"], second["source_read"]) == ("unchanged", False)
    assert logged(capsys.readouterr().out)[-1]["Committed"] == 0
    assert ae.SnapshotStore(settings["ASPEN_ETL_STORE"]).find().actor == "aspen-sync"


def test_settings_come_from_the_process_at_each_event(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("ASPEN_ETL_"):
            monkeypatch.delenv(name)
    handler = make_handler()
    with pytest.raises(SettingsError, match="ASPEN_ETL_STORE is missing"):
        handler({}, Context())
    for name, text in settings.items():
        monkeypatch.setenv(name, text)
    assert handler({}, Context())["outcome"] == "committed"
    monkeypatch.setenv("ASPEN_ETL_KEEP_DAYS", "0")
    from aspen_etl.aws.lambda_handler import vacuum_handler

    assert vacuum_handler({}, Context())["version"] == 1


@pytest.mark.parametrize(
    ("event", "context", "change", "kind"),
    [
        ({"Records": []}, Context(), {}, EventError),
        ({}, Context(milliseconds=1), {}, DeadlineError),
        ({}, Context(), {"ASPEN_ETL_FORMAT": "orc"}, SettingsError),
        ({}, Context(), {"ASPEN_ETL_MAX_REJECTED_CELLS": "0"}, ThresholdError),
    ],
)
def test_an_error_of_ours_fails_the_invocation(
    event: Any,
    context: Context,
    change: dict[str, str],
    kind: type[Exception],
    settings: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = Path(settings["ASPEN_ETL_SOURCE"], "borrower.csv")
    bad.write_text(bad.read_text("utf-8").replace("512-555-0101", "no phone at all"), "utf-8")
    with pytest.raises(kind) as caught:
        make_handler(environment={**settings, **change})(event, context)
    check_ours(caught.value, CANARY)
    printed = capsys.readouterr().out
    assert CANARY not in printed
    line, metrics = logged(printed)[-2:]
    assert (line["level"], line["error"]) == ("ERROR", kind.__name__)
    assert line["message"] == str(caught.value)
    assert metrics["Failures"] == 1
    assert ae.SnapshotStore(settings["ASPEN_ETL_STORE"]).newest() is None
    if kind is ThresholdError:
        assert Path(line["place"]).is_file()
        assert [count["rule"] for count in line["rejects"]] == ["invalid_phone"]


def test_an_error_that_nobody_expected_keeps_its_text_to_itself(
    settings: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError(CANARY)

    monkeypatch.setattr("aspen_etl.aws.running.sync", fail)
    with pytest.raises(UnexpectedError, match=r"^ZeroDivisionError in tests.*, line \d+; ") as got:
        make_handler(environment=settings)({}, Context())
    check_ours(got.value, CANARY)
    assert CANARY not in capsys.readouterr().out


def test_too_little_memory_is_said_to_be_that(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("aspen_etl.aws.running.sync", fail)
    with pytest.raises(UnexpectedError, match=r"^MemoryError in .*more memory$"):
        make_handler(environment=settings)({}, Context())


def test_an_event_that_comes_late_changes_nothing_and_fails_nothing(
    settings: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_handler(environment=settings)({}, Context())
    late = write_borrowers(tmp_path / "late", ["Ada Ek"])
    for file in Path(late).iterdir():
        os.utime(file, (1_000_000_000, 1_000_000_000))
    capsys.readouterr()
    # The disk stands in for S3 here: an event can only name an object of S3.
    monkeypatch.setattr("aspen_etl.aws.lambda_handler.find_source", lambda *_, **__: late)
    handler = make_handler(environment=settings)
    assert handler(created("raw", "late.xlsx"), Context()) == {"outcome": "outdated"}
    warning, metrics = logged(capsys.readouterr().out)[-2:]
    assert warning["level"] == "WARNING"
    assert "allow_older" in warning["message"]
    assert (metrics["Runs"], metrics["Failures"], metrics["Outdated"]) == (1, 0, 1)
    with pytest.raises(OutdatedSourceError, match="older than the state"):
        handler(SCHEDULE, Context())
    assert ae.SnapshotStore(settings["ASPEN_ETL_STORE"]).find().version == 1


def test_an_object_of_no_concern_is_no_run(
    settings: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = make_handler(environment=settings)
    assert handler(created("raw", "other.txt"), Context()) == {"outcome": "ignored"}
    assert [line["level"] for line in logged(capsys.readouterr().out)] == ["INFO"]


def test_vacuum_keeps_what_it_is_told_to_keep(
    settings: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = make_handler(environment=settings)
    for names in (["A B"], ["A B", "C D"], ["E F", "C D"]):
        write_borrowers(Path(settings["ASPEN_ETL_SOURCE"]), names)
        handler({}, Context())
    capsys.readouterr()
    assert make_vacuum_handler(environment=settings)({}, Context())["oldest_readable"] == 1
    gone = make_vacuum_handler(environment={**settings, "ASPEN_ETL_KEEP_DAYS": "0"})
    assert gone(SCHEDULE, Context())["oldest_readable"] == 3
    assert logged(capsys.readouterr().out)[-1]["Vacuums"] == 1


def test_a_landing_is_read_by_its_file_and_measured(
    settings: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    landed = Landed(tmp_path / "landed", heartbeat="dbo.beat")
    landed.load("Ada Ek", CANARY)
    told = {**settings, "ASPEN_ETL_SOURCE": str(landed.file)}
    handler = make_handler(environment=told)
    assert handler({}, Context())["landing"]["files"] == 2
    first = logged(capsys.readouterr().out)[-1]
    assert (first["LandingFiles"], first["LandingRows"], first["LandingPending"]) == (2, 2, 0)
    assert "LandingAgeSeconds" not in first  # neither a change nor a heartbeat came
    landed.change(5, ("D", "b2", None))
    landed.change(6, ("U", "b2", f"{CANARY}-Ek"))
    with pytest.raises(LandingOrderError) as caught:
        handler({}, Context())
    check_ours(caught.value, CANARY)
    capsys.readouterr()
    counting = make_handler(environment={**told, "ASPEN_ETL_ON_GAP": "report"})
    assert counting({}, Context())["outcome"] == "committed"
    second = logged(capsys.readouterr().out)[-1]
    assert (second["LandingFiles"], second["LandingGaps"]) == (2, 1)
    beat = landed.put_text("dbo/beat/20260131-120000000.csv", "x")
    os.utime(beat, (NOON.timestamp() + 3600, NOON.timestamp() + 3600))
    assert counting({}, Context())["outcome"] == "unchanged"
    third = logged(capsys.readouterr().out)[-1]
    age = (dt.datetime.now(dt.timezone.utc) - NOON).total_seconds() - 3600
    assert (third["LandingFiles"], third["LandingGaps"]) == (0, 0)
    assert third["LandingAgeSeconds"] == pytest.approx(age, abs=60)
    units = {
        each["Name"]: each["Unit"] for each in third["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }
    assert (units["LandingAgeSeconds"], units["LandingFiles"]) == ("Seconds", "Count")


def test_a_model_of_ones_own(settings: dict[str, str]) -> None:
    model = ae.BORROWER_MODEL.replace(cleaners={"borrower.full_name": lambda s: s.str.upper()})
    # Functions have no name that lasts, so a version stands for them.
    handler = make_handler(model=model, environment={**settings, "ASPEN_ETL_MODEL_VERSION": "1"})
    assert handler({}, Context())["outcome"] == "committed"
    assert handler({}, Context())["source_read"] is False
    profile = ae.SnapshotStore(settings["ASPEN_ETL_STORE"], model=model).read().tables
    assert "ADA" in set(profile["user_profile"]["first_name"])
