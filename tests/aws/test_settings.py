"""Settings: read by name from environment or arguments, refused by name, never shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

import aspen_etl as ae
from aspen_etl.aws.settings import (
    OPTIONS,
    Settings,
    from_arguments,
    from_environment,
    sides_from_arguments,
    sides_from_environment,
)
from aspen_etl.errors import AspenETLError, NotSupportedError, SettingsError
from aspen_etl.io.reading import Reading
from aspen_etl.schema.policy import Policy
from aspen_etl.synchronization.side_settings import SIDE_OPTIONS, SideSettings

ALL = {
    "source": "memory://in",
    "event_prefix": "s3://bucket/raw/",
    "store": "memory://store",
    "rejects_url": "memory://rejects",
    "format": "csv",
    "missing": "keep",
    "on_gap": "report",
    "suppress_secret": "memory://secret",
    "actor": "nightly",
    "max_rejected_rows": "0.1",
    "max_rejected_cells": "0.2",
    "max_deleted_rows": "1",
    "min_deleted_rows": "0",
    "allow_empty": "true",
    "allow_older": "False",
    "na_values": '["-", "n/a"]',
    "sheets": '{"borrower": "Sheet1"}',
    "columns": '{"Name": "full_name"}',
    "ignore_columns": '["note"]',
    "header_row": "2",
    "storage_options": '{"memory": {}, "s3": {"s3_additional_kwargs": {"SSEKMSKeyId": "k"}}}',
    "model_version": "abc",
    "keep_source": "false",
    "whole_every": "9",
    "parts": "125000",
    "max_memory": "512",
    "workers": "spark",
    "catalog_database": "aspen",
    "athena_workgroup": "primary",
    "athena_output": "s3://bucket/athena/",
    "keep_days": "7",
}


def variables(given: dict[str, str]) -> dict[str, str]:
    return {f"ASPEN_ETL_{name.upper()}": text for name, text in given.items()}


def test_every_setting_is_read_the_same_from_both() -> None:
    assert ALL.keys() == OPTIONS.keys()
    expected = Settings(
        store="memory://store",
        source="memory://in",
        event_prefix="s3://bucket/raw/",
        rejects_url="memory://rejects",
        format="csv",
        missing="keep",
        on_gap="report",
        suppress_secret="memory://secret",  # noqa: S106 - a url
        actor="nightly",
        thresholds=ae.Thresholds(
            max_rejected_rows=0.1,
            max_rejected_cells=0.2,
            max_deleted_rows=1.0,
            min_deleted_rows=0,
            allow_empty=True,
        ),
        reading=Reading(
            na_values=("-", "n/a"),
            sheets={"borrower": "Sheet1"},
            columns={"Name": "full_name"},
            ignore_columns=("note",),
            header_row=2,
        ),
        storage_options={"memory": {}, "s3": {"s3_additional_kwargs": {"SSEKMSKeyId": "k"}}},
        model_version="abc",
        keep_source=False,
        whole_every=9,
        parts=125_000,
        max_memory=512,
        workers="spark",
        catalog_database="aspen",
        athena_workgroup="primary",
        athena_output="s3://bucket/athena/",
        keep_days=7,
    )
    here = {name: text for name, text in ALL.items() if name != "workers"}
    told = from_environment({**variables(here), "PATH": "/bin"})
    assert told == replace(expected, workers=None)
    spaced = [word for name, text in ALL.items() for word in (f"--{name}", text)]
    assert from_arguments(["job.py", *spaced]) == expected
    assert from_arguments([f"--{name}={text}" for name, text in ALL.items()]) == expected


def test_what_is_empty_is_not_given() -> None:
    assert from_environment({"ASPEN_ETL_STORE": "memory://s", "ASPEN_ETL_SOURCE": ""}) == Settings(
        store="memory://s"
    )


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("format", "orc", "is none of csv, parquet"),
        ("missing", "forget", "is none of delete, keep"),
        ("on_gap", "forget", "is none of refuse, report"),
        ("max_deleted_rows", "20", "is no share"),
        ("max_deleted_rows", "many", "is no share"),
        ("min_deleted_rows", "-1", "is no count"),
        ("keep_days", "1.5", "is no count"),
        ("keep_days", "36526", "is no count; give a whole number from 0 to 36525"),
        ("keep_days", "9" * 5_000, "is no count"),
        ("header_row", "9" * 20, "is neither a whole number from 1 on nor"),
        ("min_deleted_rows", "9" * 5_000, "is no count"),
        ("max_deleted_rows", "nan", "is no share"),
        ("max_rejected_rows", "inf", "is no share"),
        ("max_rejected_cells", "1e400", "is no share"),
        ("storage_options", "[" * 100_000, "is no JSON object by protocol"),
        ("allow_empty", "yes", "is neither true nor false"),
        ("parts", "-7", "is no count"),
        ("max_memory", "255", "is no count"),
        ("na_values", "none", "is no JSON list"),
        ("na_values", "[1]", "is no JSON list"),
        ("sheets", "[]", "is no JSON object of texts"),
        ("storage_options", '{"s3": 1}', "is no JSON object by protocol"),
        ("storage_options", '{"s3": {"key": "AKIA"}}', "holds a credential"),
        ("storage_options", '{"s3": {"client_kwargs": {"aws_secret_access_key": "S"}}}', "holds"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_not_shown(name: str, text: str, match: str) -> None:
    given = {"store": "memory://s", name: text}
    with pytest.raises(SettingsError, match=f"^ASPEN_ETL_{name.upper()} {match}") as by_variable:
        from_environment(variables(given))
    with pytest.raises(SettingsError, match=f"^--{name} {match}") as by_argument:
        from_arguments([f"--{n}={t}" for n, t in given.items()])
    for caught in (by_variable, by_argument):
        assert text not in str(caught.value)
        assert caught.value.__context__ is None


def test_lambda_has_no_workers() -> None:
    with pytest.raises(SettingsError, match="ASPEN_ETL_WORKERS cannot be told: on AWS Lambda"):
        from_environment(variables({"store": "memory://s", "workers": "2"}))


@pytest.mark.parametrize(("text", "found"), [("spark", "spark"), ("4", 4)])
def test_glue_has_workers(text: str, found: object) -> None:
    assert from_arguments(["--store", "memory://s", "--workers", text]).workers == found
    with pytest.raises(SettingsError, match="--workers is no count"):
        from_arguments(["--store", "memory://s", "--workers", "flink"])


def test_what_is_missing_or_misspelt_is_named() -> None:
    with pytest.raises(SettingsError, match="ASPEN_ETL_STORE is missing"):
        from_environment({})
    with pytest.raises(SettingsError, match="--store is missing"):
        from_arguments(["--JOB_ID", "j_1"])
    with pytest.raises(SettingsError, match=r"ASPEN_ETL_SOURSE is no setting.*ASPEN_ETL_SOURCE"):
        from_environment({"ASPEN_ETL_STORE": "memory://s", "ASPEN_ETL_SOURSE": "x"})
    with pytest.raises(SettingsError, match=r"--alow_empty is no setting.*--allow_empty"):
        from_arguments(["--store", "memory://s", "--alow_empty", "true"])
    with pytest.raises(SettingsError, match="--store stands without a value"):
        from_arguments(["--store"])


def test_the_arguments_that_glue_adds_are_passed_over() -> None:
    argv = ["script.py", "--job-name", "nightly", "--JOB_ID", "j_1", "--store", "memory://s"]
    argv += ["--job-bookmark-option", "job-bookmark-disable", "--library-set", "none"]
    argv += ["--scriptLocation", "s3://x/job.py", "--enable-job-insights", "--format", "csv"]
    assert from_arguments(argv) == Settings(store="memory://s", format="csv")


def test_a_value_may_begin_with_dashes() -> None:
    argv = ["--store", "memory://s", "--model_version", "--odd"]
    assert from_arguments(argv).model_version == "--odd"


def test_a_url_that_no_storage_takes_is_refused_at_once() -> None:
    with pytest.raises(NotSupportedError, match="knows no protocol 'nowhere'"):
        from_environment({"ASPEN_ETL_STORE": "nowhere://x"})
    assert issubclass(NotSupportedError, AspenETLError)


@pytest.mark.parametrize("text", ["0", "-1", '{"borrower": 0}', '{"borrower": true}'])
def test_a_row_is_counted_from_one(text: str) -> None:
    with pytest.raises(SettingsError, match="HEADER_ROW is neither a whole number from 1 on nor"):
        from_environment(variables({"store": "memory://s", "header_row": text}))


def test_each_sheet_may_have_its_header_in_a_row_of_its_own() -> None:
    text = '{"borrower": 3, "role_profile": 1}'
    made = from_environment(variables({"store": "memory://s", "header_row": text}))
    assert made.reading == Reading(header_row={"borrower": 3, "role_profile": 1})


SIDES = {
    "work": "pull push",
    "old": "postgresql+psycopg://host/loans",
    "old_secret": "lender/old",
    "old_schema": "dbo",
    "old_tables": '{"borrower": "borrowers"}',
    "landing": "s3://bucket/landing.json",
    "new": "mysql+pymysql://host/loans",
    "new_secret": "lender/new",
    "new_schema": "lender",
    "policy": "hold",
    "policy_for": '{"borrower.email": "new", "invalid": "refuse"}',
    "deletes": "allow",
    "defaults": '{"borrower.note": "ours"}',
    "lease": "600",
    "wait": "30",
    "confirm_after": "60",
    "tries": "3",
    "details": "memory://details",
}


def test_every_setting_of_sides_is_read_the_same_from_both() -> None:
    assert SIDES.keys() == SIDE_OPTIONS.keys()
    given = {"store": "memory://s", "actor": "nightly", **SIDES}
    expected = SideSettings(
        work=("pull", "push"),
        old="postgresql+psycopg://host/loans",
        old_secret="lender/old",  # noqa: S106 - its id
        old_schema="dbo",
        old_tables={"borrower": "borrowers"},
        landing="s3://bucket/landing.json",
        new="mysql+pymysql://host/loans",
        new_secret="lender/new",  # noqa: S106 - its id
        new_schema="lender",
        policy="hold",
        policy_for={"borrower.email": "new", "invalid": "refuse"},
        deletes="allow",
        defaults={"borrower.note": "ours"},
        lease=600,
        wait=30,
        confirm_after=60,
        tries=3,
        details="memory://details",
    )
    settings = Settings(store="memory://s", actor="nightly")
    assert sides_from_environment(variables(given)) == (settings, expected)
    words = [word for name, text in given.items() for word in (f"--{name}", text)]
    assert sides_from_arguments(["job.py", "--JOB_ID", "j", *words]) == (settings, expected)
    policy = Policy("hold", {"borrower.email": "new"}, {"invalid": "refuse"})
    assert expected.declared() == policy


def test_a_run_over_one_source_knows_no_sides() -> None:
    with pytest.raises(SettingsError, match="ASPEN_ETL_POLICY is no setting"):
        from_environment(variables({"store": "memory://s", "policy": "hold"}))


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("work", "dance", "is none of load, pull, push, reconcile, landing_status, nor some"),
        ("work", " ", "is none of load"),
        ("policy", "maybe", "is none of refuse, hold, old, new, newest"),
        ("deletes", "all", "is none of hold, allow"),
        ("lease", "86401", "is no number of seconds"),
        ("tries", "0", "is no count"),
        ("old_tables", "[]", "is no JSON object of texts"),
    ],
)
def test_a_value_of_sides_that_cannot_be_is_refused(name: str, text: str, match: str) -> None:
    given = {"store": "memory://s", name: text}
    with pytest.raises(SettingsError, match=f"^ASPEN_ETL_{name.upper()} {match}"):
        sides_from_environment(variables(given))
    with pytest.raises(SettingsError, match=f"^--{name} {match}"):
        sides_from_arguments([f"--{n}={t}" for n, t in given.items()])
