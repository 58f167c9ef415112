"""What a run is told, by environment variables on Lambda and by arguments on Glue."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aspen_etl.errors import SettingsError
from aspen_etl.io.filesystem import locate
from aspen_etl.io.options import Option, UnusableTextError
from aspen_etl.synchronization import settings
from aspen_etl.synchronization.settings import Settings
from aspen_etl.synchronization.side_settings import SIDE_OPTIONS, SideSettings

__all__ = [
    "OPTIONS",
    "PREFIX",
    "Settings",
    "from_arguments",
    "from_environment",
    "sides_from_arguments",
    "sides_from_environment",
]

#: What the name of each environment variable begins with.
PREFIX = "ASPEN_ETL_"

#: A variable that the command line knows and that is none of these settings.
_OTHERS = {"ASPEN_ETL_DATABASE_URL"}

#: Every setting that can be told: all but the time of a run, which the service itself limits.
OPTIONS: Mapping[str, Option] = {
    name: option for name, option in settings.OPTIONS.items() if name != "timeout"
}

_WITH_SIDES: Mapping[str, Option] = {**OPTIONS, **SIDE_OPTIONS}

#: What no storage option may hold: the role's credentials are the only ones.
_CREDENTIALS = ("key", "secret", "token", "password", "username", "profile")
_HARMLESS = ("kms", "kwargs")


def from_environment(environment: Mapping[str, str], /) -> Settings:
    """Read the settings of a Lambda function from its environment.

    Raises:
        SettingsError: One is missing, unknown, or its value cannot be used; or there are to be
            ``workers``.

    Examples:
        >>> from_environment({"ASPEN_ETL_STORE": "s3://bucket/store"}).missing
        'delete'
    """
    return _settings(_variables(environment, OPTIONS), OPTIONS, _variable)


def sides_from_environment(environment: Mapping[str, str], /) -> tuple[Settings, SideSettings]:
    """Read the settings of a function that keeps two sides in step.

    Raises:
        SettingsError: As of ``from_environment``.
    """
    return _sides(_variables(environment, _WITH_SIDES), _variable)


def from_arguments(argv: Iterable[str], /) -> Settings:
    """Read the settings of a Glue job from its arguments; those that are Glue's are passed over.

    Raises:
        SettingsError: One is missing, misspelt, or its value cannot be used.

    Examples:
        >>> from_arguments(["job.py", "--JOB_ID", "j_1", "--store", "s3://bucket/store"]).store
        's3://bucket/store'
    """
    return _settings(_arguments(argv, OPTIONS), OPTIONS, _argument)


def sides_from_arguments(argv: Iterable[str], /) -> tuple[Settings, SideSettings]:
    """Read the settings of a job that keeps two sides in step.

    Raises:
        SettingsError: As of ``from_arguments``.
    """
    return _sides(_arguments(argv, _WITH_SIDES), _argument)


def _variables(environment: Mapping[str, str], options: Mapping[str, Option]) -> dict[str, str]:
    """Give the texts of the variables that are ours."""
    given = {}
    for name, text in environment.items():
        if name.startswith(PREFIX) and name not in _OTHERS and text != "":
            given[name[len(PREFIX) :].lower()] = text
    _refuse_unknown(given, options, _variable)
    if "workers" in given:
        reason = "cannot be told: on AWS Lambda processes share nothing; parts are done in turn"
        raise SettingsError.of(_variable("workers"), reason)
    return given


def _arguments(argv: Iterable[str], options: Mapping[str, Option]) -> dict[str, str]:
    """Give the texts of the arguments that are ours."""
    given: dict[str, str] = {}
    others: dict[str, str] = {}
    name = ""
    for word in argv:
        if word.startswith("--") and not (name and name in options and name not in given):
            name, equals, value = word[2:].partition("=")
            if not equals:
                continue
        else:
            value = word
        if name:
            (given if name in options else others)[name] = value
        name = ""
    if name in options:
        raise SettingsError.of(_argument(name), "stands without a value")
    misspelt = {
        n: t for n, t in others.items() if difflib.get_close_matches(n, options, cutoff=0.8)
    }
    _refuse_unknown(misspelt, options, _argument)
    return {n: text for n, text in given.items() if text != ""}


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _argument(name: str) -> str:
    return f"--{name}"


def _refuse_unknown(
    given: Iterable[str], options: Mapping[str, Option], shown: Callable[[str], str]
) -> None:
    for name in sorted(given):
        if name not in options:
            close = difflib.get_close_matches(name, options, n=1)
            hint = f"; did you mean {shown(close[0])}?" if close else ""
            raise SettingsError.of(shown(name), f"is no setting{hint}")


def _settings(
    given: Mapping[str, str], options: Mapping[str, Option], shown: Callable[[str], str]
) -> Settings:
    values = {name: _value(options[name], text, shown(name)) for name, text in given.items()}
    if "store" not in values:
        raise SettingsError.of(shown("store"), "is missing; give the url of the store")
    for name in ("source", "store", "rejects_url"):
        if name in values:
            locate(values[name])
    return Settings.of(values)


def _sides(given: Mapping[str, str], shown: Callable[[str], str]) -> tuple[Settings, SideSettings]:
    mine = {name: text for name, text in given.items() if name in SIDE_OPTIONS}
    values = {name: _value(SIDE_OPTIONS[name], text, shown(name)) for name, text in mine.items()}
    rest = {name: text for name, text in given.items() if name not in mine}
    return _settings(rest, OPTIONS, shown), SideSettings(**values)


def _value(option: Option, text: str, shown: str) -> Any:
    """Read a value; whatever is wrong with its text, no message shows it."""
    try:
        value = option.kind.read(text)
    except UnusableTextError as error:
        reason = error.reason
    else:
        if option.name != "storage_options" or not any(map(_holds_credential, value.values())):
            return value
        reason = "holds a credential; give the role what it needs, and leave it out"
    raise SettingsError.of(shown, reason)


def _holds_credential(options: Mapping[str, Any]) -> bool:
    for name, value in options.items():
        lowered = name.lower()
        harmless = any(word in lowered for word in _HARMLESS)
        if not harmless and any(word in lowered for word in _CREDENTIALS):
            return True
        if isinstance(value, Mapping) and _holds_credential(value):
            return True
    return False
