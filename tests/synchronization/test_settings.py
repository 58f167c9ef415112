"""Settings: each declared once, and what is made from them fits what takes them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.command_line.program import make_parser
from aspen_etl.io.options import options_of
from aspen_etl.io.reading import Reading
from aspen_etl.schema.landing import Landing
from aspen_etl.synchronization.settings import OPTIONS, Settings
from tests.support.landed import Landed


def defaults(call: Callable[..., Any]) -> dict[str, Any]:
    """Give the defaults of a function's parameters."""
    told = inspect.signature(call).parameters.values()
    return {each.name: each.default for each in told if each.default is not each.empty}


def test_every_option_has_a_name_of_its_own() -> None:
    names = [o.name for holder in (Settings, ae.Thresholds, Reading) for o in options_of(holder)]
    assert names == list(OPTIONS)
    assert len(set(names)) == len(names)


def test_a_source_is_read_by_default_as_read_extract_does() -> None:
    told = defaults(ae.read_extract)
    del told["model"]
    usual = Reading()
    assert {each.name for each in fields(Reading)} == told.keys()
    assert {name: getattr(usual, name) or None for name in told} == {
        name: default or None for name, default in told.items()
    }


@pytest.mark.parametrize("door", [ae.sync, ae.plan])
def test_a_run_is_told_by_default_what_its_settings_are(door: Callable[..., Any]) -> None:
    told = {name: value for name, value in defaults(door).items() if hasattr(Settings(), name)}
    assert {"thresholds", "missing", "timeout"} <= told.keys()
    assert {name: getattr(Settings(), name) for name in told} == told


def test_what_is_passed_on_is_what_a_run_takes() -> None:
    settings = Settings()
    assert settings.sync_keywords("a").keys() <= defaults(ae.sync).keys()
    assert settings.plan_keywords("a").keys() <= defaults(ae.plan).keys()


def test_settings_are_made_from_the_values_of_their_options() -> None:
    told = {"store": "s", "min_deleted_rows": 3, "na_values": ["-"], "header_row": 2, "timeout": 9}
    made = Settings.of(told)
    assert made == Settings(
        store="s",
        thresholds=ae.Thresholds(min_deleted_rows=3),
        reading=Reading(na_values=("-",), header_row=2),
        timeout=9,
    )
    assert made.sync_keywords("memory://in") == {
        "thresholds": made.thresholds,
        "missing": "delete",
        "on_gap": "refuse",
        "suppress_secret": None,
        "timeout": 9,
        "read_options": {"na_values": ("-",), "header_row": 2, "storage_options": {}},
        "model_version": None,
        "keep_source": None,
        "whole_every": 96,
    }


def test_a_source_gets_the_storage_options_of_its_protocol() -> None:
    options = {"s3": {"anon": True}, "file": {"auto_mkdir": True}}
    settings = Settings.of({"storage_options": options})
    assert settings.reading_of("s3://a/b").storage_options == options["s3"]
    assert settings.reading_of("a/b").storage_options == options["file"]
    assert settings.reading_of("https://a/b").storage_options == {}


def test_a_landing_is_read_by_the_options_of_its_folder(tmp_path: Path) -> None:
    landed = Landed(tmp_path)
    values = {**landed.landing.to_dict(), "url": "s3://raw/dms"}
    landed.file.write_text(json.dumps(values), encoding="utf-8")
    options = {"s3": {"anon": True}, "file": {"auto_mkdir": True}}
    settings = Settings.of({"storage_options": options})
    found = settings.open_source(str(landed.file))
    assert isinstance(found, Landing)
    assert settings.plan_keywords(found)["read_options"] == {"storage_options": options["s3"]}
    assert settings.open_source("borrowers.xlsx") == "borrowers.xlsx"


def test_what_can_be_gone_through_once_is_kept() -> None:
    once: dict[str, Any] = {"na_values": iter("-?"), "ignore_columns": iter("ab")}
    reading = Reading(**once)
    assert (reading.na_values, reading.ignore_columns) == (("-", "?"), ("a", "b"))
    assert reading == Reading(na_values=["-", "?"], ignore_columns=["a", "b"])


def test_no_secret_stands_in_a_repr() -> None:
    secret = {"s3": {"secret": "hush"}}
    assert "hush" not in repr(Settings(storage_options=secret))
    assert "hush" not in repr(Reading(storage_options=secret["s3"]))


def test_sync_takes_every_option_that_has_a_flag() -> None:
    taken = {action.dest for action in make_parser().commands["sync"]._actions}
    assert {name for name, each in OPTIONS.items() if each.flag is not None} <= taken
