"""The command around AWS DMS: dms makes the documents of a task, and lints those that there are."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aspen_etl.command_line.models import load_model
from aspen_etl.command_line.options import (
    add_debug,
    add_json,
    add_model,
    add_switch,
    add_value,
)
from aspen_etl.command_line.output import print_json
from aspen_etl.errors import ArgumentError, NotSupportedError
from aspen_etl.errors.base import instead
from aspen_etl.io.filesystem import display_url
from aspen_etl.io.landing_declared import read_declared
from aspen_etl.io.options import Word

if TYPE_CHECKING:
    from aspen_etl.derive.dms import Finding
    from aspen_etl.schema.landing import Landing

__all__ = ["add_commands"]

FAILED = 1

#: How many characters of a document are read: more than any has.
_LENGTH = 10_000_000


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    dms = commands.add_parser(
        "dms", help="make the documents of a task that lands files, or lint those of one"
    )
    told = f"one of {', '.join(WORK)}"
    add_value(dms, "form", Word(tuple(WORK)), metavar="WORK", help=told)
    told = (
        "the landing (JSON or TOML); lint, landing: documents of a task; preflight: its result, too"
    )
    dms.add_argument("files", metavar="FILE", nargs="*", help=told)
    told = "lint: what should land (JSON or TOML)"
    dms.add_argument("--landing", metavar="FILE", help=told)
    told = "landing: where the files are read; by default where the endpoint writes them"
    dms.add_argument("--url", metavar="URL", help=told)
    told = "lint: a task at AWS, whose settings are read by describe calls"
    dms.add_argument("--task-arn", metavar="ARN", help=told)
    told = "template: of two tasks that keep two databases of one shape alike, both ways"
    add_switch(dms, "--pair", told)
    add_model(dms)
    add_json(dms)
    add_debug(dms)
    dms.set_defaults(command=_dms)


def _dms(arguments: argparse.Namespace) -> int:
    return WORK[arguments.form](arguments) or 0


# ----------------------------------------------------------------------------- making


def _document(
    make: Callable[[argparse.Namespace, Landing], Any],
) -> Callable[[argparse.Namespace], None]:
    def call(arguments: argparse.Namespace) -> None:
        made = make(arguments, read_declared(_one_file(arguments)))
        print(json.dumps(made, indent=None if arguments.json else 2))

    return call


def _mappings(arguments: argparse.Namespace, landing: Landing) -> Any:
    from aspen_etl.derive.dms import dms_mappings

    return dms_mappings(load_model(arguments.model), landing)


def _settings(arguments: argparse.Namespace, landing: Landing) -> Any:
    from aspen_etl.derive.dms import dms_task_settings

    model = load_model(arguments.model)
    landing.check(model)
    return dms_task_settings("landing", model=model)


def _endpoint(_: argparse.Namespace, landing: Landing) -> Any:
    from aspen_etl.derive.dms import dms_endpoint

    return dms_endpoint(landing)


def _template(arguments: argparse.Namespace, landing: Landing) -> Any:
    from aspen_etl.derive.dms import dms_pair_template, dms_template

    make = dms_pair_template if arguments.pair else dms_template
    return make(load_model(arguments.model), landing)


def _landing_of(arguments: argparse.Namespace) -> None:
    from aspen_etl.derive.dms import landing_from_dms

    documents = {path: _json(path) for path in arguments.files}
    made = landing_from_dms(documents, model=load_model(arguments.model), url=arguments.url)
    print(json.dumps(made.to_dict(), indent=None if arguments.json else 2))


# ----------------------------------------------------------------------------- linting


def _lint(arguments: argparse.Namespace) -> int:
    from aspen_etl.derive.dms import lint_dms, read_documents

    found = {path: _json(path) for path in arguments.files}
    if arguments.task_arn is not None:
        from aspen_etl.aws.dms import describe_task

        found |= describe_task(arguments.task_arn)
    if not found:
        msg = "dms lint needs the documents of a task: FILE..., or --task-arn ARN"
        raise NotSupportedError(msg)
    landing = None if arguments.landing is None else read_declared(arguments.landing)
    model = load_model(arguments.model)
    if landing is not None:
        landing.check(model)
    documents = read_documents(found.items())
    findings = lint_dms(documents, landing, model=None if landing is None else model)
    lands = not documents.tasks or not all(task.fills_database for task in documents.tasks)
    missing = [*documents.missing, *(["landing"] if landing is None and lands else [])]
    _tell(arguments, findings, missing)
    return _code(findings)


def _tell(arguments: argparse.Namespace, findings: tuple[Finding, ...], missing: list[str]) -> None:
    if arguments.json:
        print_json({"findings": [each.to_dict() for each in findings], "not_given": missing})
        return
    for each in findings:
        print(f"{each.severity}: {each.rule}: {each.where}")
        print(f"  found {each.found}; wanted {each.wanted}")
        print(f"  {each.why}")
    _count(findings)
    if missing:
        print(f"not given, so not looked at: {', '.join(missing)}")


# ----------------------------------------------------------------------------- preflight


def _preflight(arguments: argparse.Namespace) -> int:
    from aspen_etl.derive.dms import dms_preflight, judge_preflight, rows_loaded

    landing_file, *results = arguments.files or [""]
    if not landing_file or len(results) > 1:
        msg = "dms preflight takes the landing, and then the result of what it printed, as CSV"
        raise NotSupportedError(msg)
    landing = read_declared(landing_file)
    if not results:
        print(dms_preflight(landing), end="")
        return 0
    rows = [*csv.DictReader(io.StringIO(_text(results[0])))]
    model = load_model(arguments.model)
    findings = judge_preflight(rows, landing, model=model)
    loaded = rows_loaded(rows, landing)
    if arguments.json:
        print_json({"findings": [each.to_dict() for each in findings], "rows": loaded})
    else:
        for each in findings:
            print(f"{each.severity}: {each.check}: {each.where}")
            print(f"  found {each.found}; wanted {each.wanted}; else: {each.prevents}")
        _count(findings)
        for source, count in loaded.items():
            print(f"rows of {source}: {count:,}")
    return _code(findings)


def _count(findings: Sequence[Any]) -> None:
    errors = sum(each.severity == "error" for each in findings)
    print(f"{errors} errors, {len(findings) - errors} warnings")


def _code(findings: Sequence[Any]) -> int:
    return FAILED if any(each.severity == "error" for each in findings) else 0


# ----------------------------------------------------------------------------- files


def _one_file(arguments: argparse.Namespace) -> str:
    if len(arguments.files) != 1:
        msg = f"dms {arguments.form} takes one file, the landing; {len(arguments.files)} were given"
        raise NotSupportedError(msg)
    path: str = arguments.files[0]
    return path


def _json(path: str) -> Any:
    text = _text(path)
    told = f"{display_url(path)} is no JSON; give what DMS takes, or what a describe call printed"
    return instead(
        lambda: json.loads(text),
        (ValueError, RecursionError),
        lambda _: ArgumentError(told, problem="document"),
    )


def _text(path: str) -> str:
    def read() -> str:
        with Path(path).open(encoding="utf-8") as file:
            return file.read(_LENGTH)

    def say(error: Exception) -> NotSupportedError:
        told = f"{display_url(path)} could not be read ({type(error).__name__}); name a file"
        return NotSupportedError(told)

    return instead(read, (OSError, ValueError), say)


#: What the command does, by the word for it.
WORK: Mapping[str, Callable[[argparse.Namespace], Any]] = {
    "mappings": _document(_mappings),
    "settings": _document(_settings),
    "endpoint": _document(_endpoint),
    "template": _document(_template),
    "landing": _landing_of,
    "lint": _lint,
    "preflight": _preflight,
}
