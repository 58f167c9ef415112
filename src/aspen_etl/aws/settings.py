"""What a run is told, by environment variables on Lambda and by arguments on Glue."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Optional

from aspen_etl import Model, SnapshotStore, Thresholds
from aspen_etl.errors import SettingsError
from aspen_etl.io.codec import FORMATS, Format
from aspen_etl.io.filesystem import locate

__all__ = ["OPTIONS", "PREFIX", "Settings", "from_arguments", "from_environment"]

#: What the name of each environment variable begins with.
PREFIX = "ASPEN_ETL_"

#: A variable that the command line knows and that is none of these settings.
_OTHERS = {"ASPEN_ETL_DATABASE_URL"}

#: What no storage option may hold: the role's credentials are the only ones.
_CREDENTIALS = ("key", "secret", "token", "password", "username", "profile")
_HARMLESS = ("kms", "kwargs")

#: No row or count is larger.
_LARGEST = 10**18


class _UnusableError(ValueError):
    """Say why the text of a setting cannot be used; the text itself is not shown."""


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise _UnusableError("is no share; give a number from 0 to 1")
    return value


def _count(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) <= len(str(most))
        if not (digits and least <= int(text) <= most):
            raise _UnusableError(f"is no count; give a whole number from {least} to {most}")
        return int(text)

    return read


def _flag(text: str) -> bool:
    try:
        return {"true": True, "false": False}[text.lower()]
    except KeyError:
        raise _UnusableError("is neither true nor false") from None


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise _UnusableError(f"is none of {', '.join(words)}")
        return text

    return read


def _texts(text: str) -> tuple[str, ...]:
    value = _json(text)
    if not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        raise _UnusableError('is no JSON list of texts, such as ["-", "n/a"]')
    return tuple(value)


def _names(text: str) -> dict[str, str]:
    value = _json(text)
    if not (isinstance(value, dict) and all(isinstance(each, str) for each in value.values())):
        raise _UnusableError('is no JSON object of texts, such as {"borrower": "Sheet1"}')
    return value


def _row(text: str) -> Any:
    value = _json(text)
    rows = list(value.values()) if isinstance(value, dict) else [value]
    if not all(type(row) is int and 1 <= row <= _LARGEST for row in rows):
        raise _UnusableError(
            'is neither a whole number from 1 on nor a JSON object such as {"borrower": 3}'
        )
    return value


def _storage(text: str) -> dict[str, dict[str, Any]]:
    value = _json(text)
    if not (isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())):
        raise _UnusableError('is no JSON object by protocol, such as {"s3": {...}}')
    if any(_holds_credential(options) for options in value.values()):
        raise _UnusableError("holds a credential; give the role what it needs, and leave it out")
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _holds_credential(options: Mapping[str, Any]) -> bool:
    for name, value in options.items():
        lowered = name.lower()
        harmless = any(word in lowered for word in _HARMLESS)
        if not harmless and any(word in lowered for word in _CREDENTIALS):
            return True
        if isinstance(value, Mapping) and _holds_credential(value):
            return True
    return False


#: Every setting and how its text is read.
OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "source": str,
    "event_prefix": str,
    "store": str,
    "rejects_url": str,
    "format": _one_of(*FORMATS),
    "missing": _one_of("delete", "keep"),
    "actor": str,
    "max_rejected_rows": _share,
    "max_rejected_cells": _share,
    "max_deleted_rows": _share,
    "min_deleted_rows": _count(0, _LARGEST),
    "allow_empty": _flag,
    "allow_older": _flag,
    "na_values": _texts,
    "sheets": _names,
    "columns": _names,
    "ignore_columns": _texts,
    "header_row": _row,
    "storage_options": _storage,
    "model_version": str,
    "catalog_database": str,
    "athena_workgroup": str,
    "athena_output": str,
    "keep_days": _count(0, 36_525),  # a hundred years
}
_READING = ("na_values", "sheets", "columns", "ignore_columns", "header_row")


@dataclass(frozen=True)
class Settings:
    """Hold what a run is told.

    Attributes:
        store: The url of the snapshot store.
        source: What a scheduled run reads: a workbook, or a folder with a file per sheet.
        event_prefix: The url prefix below which a new workbook is itself the source of a run.
        rejects_url: Where the rejects go, if elsewhere.
        format: The format of what is written, ``csv`` or ``parquet``; by default the store's own.
        missing: ``delete`` or ``keep`` borrowers that are absent.
        actor: Who stands in ``created_by``; by default the name of the function or job.
        thresholds: How much may be rejected and deleted.
        reading: What ``read_extract`` takes beside the model.
        storage_options: What the filesystems take, by protocol.
        model_version: A name for the state of the model's functions.
        catalog_database: The Glue database to keep in step with the store.
        athena_workgroup: The workgroup that makes the views over CSV.
        athena_output: Where Athena leaves what those statements print.
        keep_days: How long vacuum leaves versions readable.
    """

    store: str
    source: Optional[str] = None
    event_prefix: Optional[str] = None
    rejects_url: Optional[str] = None
    format: Optional[Format] = None
    missing: Literal["delete", "keep"] = "delete"
    actor: Optional[str] = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    reading: Mapping[str, Any] = field(default_factory=dict)
    storage_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    model_version: Optional[str] = None
    catalog_database: Optional[str] = None
    athena_workgroup: Optional[str] = None
    athena_output: Optional[str] = None
    keep_days: int = 30

    def open_store(self, model: Model) -> SnapshotStore:
        """Open the store."""
        return SnapshotStore(
            self.store,
            model=model,
            format=self.format,
            storage_options=self.options_for(self.store),
            rejects_url=self.rejects_url,
            rejects_storage_options=self.options_for(self.rejects_url),
        )

    def read_options(self, source: str) -> dict[str, Any]:
        """Give what ``read_extract`` takes for a source."""
        return {**self.reading, "storage_options": self.options_for(source)}

    def exists(self, url: str) -> bool:
        """Tell whether there is a file or a folder at a url."""
        return locate(url, self.options_for(url)).kind() != "absent"

    def options_for(self, url: Optional[str]) -> Mapping[str, Any]:
        """Give the storage options of a url."""
        protocol = url.partition("://")[0] if url is not None and "://" in url else "file"
        return self.storage_options.get(protocol, {})


def from_environment(environment: Mapping[str, str], /) -> Settings:
    """Read the settings of a Lambda function from its environment.

    Raises:
        SettingsError: One is missing, unknown, or its value cannot be used.

    Examples:
        >>> from_environment({"ASPEN_ETL_STORE": "s3://bucket/store"}).missing
        'delete'
    """
    given = {}
    for name, text in environment.items():
        if name.startswith(PREFIX) and name not in _OTHERS and text != "":
            given[name[len(PREFIX) :].lower()] = text
    _refuse_unknown(given, _variable)
    return _settings(given, _variable)


def from_arguments(argv: Iterable[str], /) -> Settings:
    """Read the settings of a Glue job from its arguments; those that are Glue's are passed over.

    Raises:
        SettingsError: One is missing, misspelt, or its value cannot be used.

    Examples:
        >>> from_arguments(["job.py", "--JOB_ID", "j_1", "--store", "s3://bucket/store"]).store
        's3://bucket/store'
    """
    given: dict[str, str] = {}
    others: dict[str, str] = {}
    name = ""
    for word in argv:
        if word.startswith("--") and not (name and name in OPTIONS and name not in given):
            name, equals, value = word[2:].partition("=")
            if not equals:
                continue
        else:
            value = word
        if name:
            (given if name in OPTIONS else others)[name] = value
        name = ""
    if name in OPTIONS:
        raise SettingsError.of(_argument(name), "stands without a value")
    misspelt = {
        n: t for n, t in others.items() if difflib.get_close_matches(n, OPTIONS, cutoff=0.8)
    }
    _refuse_unknown(misspelt, _argument)
    return _settings({n: text for n, text in given.items() if text != ""}, _argument)


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _argument(name: str) -> str:
    return f"--{name}"


def _refuse_unknown(given: Iterable[str], shown: Callable[[str], str]) -> None:
    for name in sorted(given):
        if name not in OPTIONS:
            close = difflib.get_close_matches(name, OPTIONS, n=1)
            hint = f"; did you mean {shown(close[0])}?" if close else ""
            raise SettingsError.of(shown(name), f"is no setting{hint}")


def _settings(given: Mapping[str, str], shown: Callable[[str], str]) -> Settings:
    values: dict[str, Any] = {}
    for name, text in given.items():
        failure = None
        try:
            values[name] = OPTIONS[name](text)
        except _UnusableError as error:
            failure = SettingsError.of(shown(name), str(error))
        if failure is not None:
            raise failure
    if "store" not in values:
        raise SettingsError.of(shown("store"), "is missing; give the url of the store")
    for name in ("source", "store", "rejects_url"):
        if name in values:
            locate(values[name])
    limits = {each.name for each in fields(Thresholds)}
    thresholds = Thresholds(**{name: values.pop(name) for name in limits & values.keys()})
    reading = {name: values.pop(name) for name in _READING if name in values}
    return Settings(thresholds=thresholds, reading=reading, **values)
