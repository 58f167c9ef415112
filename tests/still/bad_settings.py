"""What the Lambda handler and the Glue job refuse: settings and events, before they touch AWS."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.still.cases import NEWEST
from tests.still.failing import Failing

__all__ = ["SETTING"]

SETTING = Failing("bad_settings")

_CONTEXT: Any = SimpleNamespace(
    aws_request_id="request", function_name="function", get_remaining_time_in_millis=lambda: 60_000
)

_VALUES: dict[str, Mapping[str, str]] = {
    "nothing is there": {},
    "MODEL": {"MODEL": "x"},
    "MISSING": {"MISSING": "kep"},
    "FORMAT": {"FORMAT": "orc"},
    "MAX_REJECTED_ROWS": {"MAX_REJECTED_ROWS": "2"},
    "MAX_DELETED_ROWS": {"MAX_DELETED_ROWS": "many"},
    "MIN_DELETED_ROWS": {"MIN_DELETED_ROWS": "-1"},
    "ALLOW_EMPTY": {"ALLOW_EMPTY": "yes"},
    "NA_VALUES": {"NA_VALUES": "-"},
    "SHEETS": {"SHEETS": "[]"},
    "COLUMNS": {"COLUMNS": '{"Mail": 7}'},
    "HEADER_ROW": {"HEADER_ROW": "0"},
    "IGNORE_COLUMNS": {"IGNORE_COLUMNS": '["a", 7]'},
    "STORAGE_OPTIONS": {"STORAGE_OPTIONS": '{"s3": {"key": "x", "secret": "y"}}'},
    "STORAGE_OPTIONS as text": {"STORAGE_OPTIONS": "secret"},
    "KEEP_FOR_DAYS": {"KEEP_FOR_DAYS": "never"},
    "ACTOR": {"ACTOR": " "},
    "MODEL_VERSION": {"MODEL_VERSION": ""},
    "CATALOG_DATABASE": {"CATALOG_DATABASE": "As-Pen"},
    "REJECTS_URL": {"REJECTS_URL": "nonsense://x"},
    "a near name": {"MAX_REJECTED_ROW": "1"},
    "no such name": {"COLOUR": "red"},
    "an empty store": {"STORE": ""},
}
_EVENTS: dict[str, Any] = {
    "a text": "x",
    "a list": [],
    "a record of S3": {"Records": [{"s3": {"object": {"key": "x"}}}]},
    "another detail": {"detail-type": "Object Deleted", "detail": {}},
    "no object": {"detail-type": "Object Created", "detail": {}},
    "another object": {
        "detail-type": "Object Created",
        "source": "aws.s3",
        "detail": {"bucket": {"name": "b"}, "object": {"key": "k"}},
    },
}


def _handled(values: Mapping[str, str], event: Any, folder: Path, *, vacuum: bool = False) -> Any:
    from aspen_etl.aws import lambda_handler

    good = {"ASPEN_ETL_SOURCE": "memory://none", "ASPEN_ETL_STORE": str(folder / "store")}
    environment = {**good, **{f"ASPEN_ETL_{name}": text for name, text in values.items()}}
    make = lambda_handler.make_vacuum_handler if vacuum else lambda_handler.make_handler
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return make(environment=environment)(event, _CONTEXT)


def _job(words: list[str], folder: Path) -> Any:
    from aspen_etl.aws import glue_job

    del folder
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return glue_job.main(["job.py", "--JOB_NAME", "nightly", *words])


for _name, _values in _VALUES.items():
    SETTING.of(f"lambda/{_name}", partial(_handled, _values, {}), NEWEST)
for _name, _event in _EVENTS.items():
    SETTING.of(f"event/{_name}", partial(_handled, {}, _event), NEWEST)
SETTING.of("vacuum/no store", partial(_handled, {}, {}, vacuum=True), NEWEST)
_WORDS = {
    "nothing": [],
    "no store": ["--source", "memory://none"],
    "a share": ["--source", "a", "--store", "b", "--max_rejected_rows", "2"],
    "a near name": ["--source", "a", "--store", "b", "--max_rejectd_rows", "1"],
    "a word without a name": ["a", "b"],
}
for _name, _line in _WORDS.items():
    SETTING.of(f"glue/{_name}", partial(_job, _line), NEWEST)
