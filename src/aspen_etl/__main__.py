"""The command line: parse, call, report."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Optional

from aspen_etl.errors import AspenETLError, ModelError, StorageOptionsError
from aspen_etl.io import read_extract, write_tables
from aspen_etl.io.codec import FORMATS
from aspen_etl.io.filesystem import display_url
from aspen_etl.normalization import Summary, normalize
from aspen_etl.schema import Model, Run
from aspen_etl.transform import BORROWER_MODEL

__all__ = ["main"]

#: The workbook that the package ships, made for it, with some faulty rows.
SAMPLE = "samples/borrowers.xlsx"

DONE, FAILED, INTERRUPTED = 0, 1, 130


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command line.

    Returns:
        0 when done, 1 on an error, 130 when interrupted; wrong usage exits with 2.
    """
    arguments = _parser().parse_args(argv)
    try:
        arguments.command(arguments)
    except AspenETLError as error:
        if arguments.debug:
            raise
        print(f"aspen-etl: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("aspen-etl: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if arguments.debug:
            raise
        # The text of a foreign error may hold a cell; its kind does not.
        kind = type(error).__name__
        print(f"aspen-etl: unexpected {kind}; --debug shows where", file=sys.stderr)
        return FAILED
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aspen-etl",
        description="Turn a flat borrower extract into nine related tables, losing nothing.",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--format", choices=FORMATS, default="csv", help="of the tables (csv)")
    common.add_argument("--debug", action="store_true", help="show where an error arose")

    _add_normalize(commands, common)
    demo = commands.add_parser(
        "demo", parents=[common], help="normalize a small workbook that comes with the package"
    )
    demo.add_argument("target", metavar="FOLDER", nargs="?", default="aspen-etl-demo")
    demo.set_defaults(command=_demo)
    return parser


def _add_normalize(commands: Any, common: argparse.ArgumentParser) -> None:
    one = commands.add_parser(
        "normalize", parents=[common], help="read an extract, write its tables and rejects"
    )
    one.add_argument("source", metavar="SOURCE", help="a workbook, or a folder with a file a sheet")
    one.add_argument("target", metavar="TARGET", help="the folder to write to")
    one.add_argument(
        "--actor", metavar="NAME", default="aspen-etl", help="who stands in created_by"
    )
    one.add_argument(
        "--na-values", metavar="T", action="append", default=[], help="text that means missing"
    )
    one.add_argument(
        "--model", metavar="MODULE:NAME", help="a model of your own, such as acme.loans:MODEL"
    )
    one.add_argument(
        "--sheet",
        metavar="SOURCE=SHEET",
        action=_Pairs,
        default={},
        help="a sheet's or file's name",
    )
    one.add_argument(
        "--column", metavar="HEADER=COLUMN", action=_Pairs, default={}, help="rename a header"
    )
    one.add_argument(
        "--ignore-column", metavar="HEADER", action="append", default=[], help="leave it out"
    )
    one.add_argument("--header-row", metavar="N", type=int, help="the row number of the header")
    one.add_argument(
        "--storage-options",
        metavar="FILE",
        help="JSON by protocol: credentials, endpoint, encryption",
    )
    one.add_argument("--overwrite", action="store_true", help="replace tables that are there")
    one.set_defaults(command=_normalize)


class _Pairs(argparse.Action):
    """Collect NAME=VALUE arguments."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        name, separator, value = str(values).partition("=")
        if not (name and separator and value):
            parser.error(f"argument {option}: write it as {self.metavar}")
        setattr(namespace, self.dest, {**getattr(namespace, self.dest), name: value})


def _version() -> str:
    try:
        return metadata.version("aspen-etl")
    except metadata.PackageNotFoundError:
        return "not installed: run from its sources"


# ----------------------------------------------------------------------------- commands


def _demo(arguments: argparse.Namespace) -> None:
    run = Run(time=dt.datetime.now(dt.timezone.utc), actor="demo")
    with resources.as_file(resources.files("aspen_etl").joinpath(SAMPLE)) as workbook:
        result = normalize(read_extract(workbook), run=run)
    write_tables(
        result.tables,
        arguments.target,
        rejects=result.rejects,
        format=arguments.format,
        overwrite=True,
    )
    _report(result.summary)
    rejects = Path(arguments.target) / f"rejects.{arguments.format}"
    print(f"\nWritten to {arguments.target}")
    print(f"Every rejected cell, its row and the rule it broke: {rejects}")


def _normalize(arguments: argparse.Namespace) -> None:
    run = Run(time=dt.datetime.now(dt.timezone.utc), actor=arguments.actor)
    options = _read_options(arguments.storage_options)
    model = _load_model(arguments.model)
    with _progress("reading"):
        extract = read_extract(
            arguments.source,
            model=model,
            storage_options=_options_for(arguments.source, options),
            na_values=arguments.na_values,
            sheets=arguments.sheet,
            columns=arguments.column,
            header_row=arguments.header_row,
            ignore_columns=arguments.ignore_column,
        )
    with _progress("normalizing"):
        result = normalize(extract, run=run, model=model)
    with _progress("writing"):
        write_tables(
            result.tables,
            arguments.target,
            rejects=result.rejects,
            format=arguments.format,
            overwrite=arguments.overwrite,
            model=model,
            storage_options=_options_for(arguments.target, options),
        )
    _report(result.summary)
    print(f"\nWritten to {display_url(arguments.target)}")


def _load_model(name: Optional[str]) -> Model:
    """Import a model by the name of its module and its own; the working folder is looked in."""
    if name is None:
        return BORROWER_MODEL
    module, _, attribute = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        model = getattr(importlib.import_module(module), attribute or "MODEL")
    except (ImportError, AttributeError) as error:
        reason = str(error)
    else:
        if isinstance(model, Model):
            return model
        reason = f"it is {type(model).__name__}"
    finally:
        sys.path.pop(0)
    msg = f"--model {name} names no model ({reason}); write it as in acme.loans:MODEL"
    raise ModelError(msg, model=name)


def _read_options(path: Optional[str]) -> dict[str, dict[str, Any]]:
    """Read storage options by protocol; they hold secrets, so no message shows their text."""
    if path is None:
        return {}
    try:
        options = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        reason = type(error).__name__
    except ValueError:
        reason = "it is no JSON"
    else:
        if isinstance(options, dict) and all(isinstance(held, dict) for held in options.values()):
            return options
        reason = "it is no object of objects"
    raise StorageOptionsError.at(path, reason)


def _options_for(url: str, options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return options.get(url.partition("://")[0] if "://" in url else "file", {})


# ----------------------------------------------------------------------------- report


def _report(summary: Summary) -> None:
    print(f"{'read':24}{'rows':>12}{'accepted':>12}{'rejected':>12}{'blank':>12}")
    for name, source in summary.sources.items():
        counts = (source.rows, source.accepted, source.rejected, source.blank)
        print(f"  {name:22}" + "".join(f"{count:12,}" for count in counts))
    print(f"\n{'written':24}{'rows':>12}")
    for name, count in summary.tables.items():
        print(f"  {name:22}{count:12,}")
    _report_counts(
        "repaired",
        [
            (f"{name}.{column}", "", count)
            for name, source in summary.sources.items()
            for column, count in source.repairs.items()
        ],
    )
    noticed = [
        (f"{name}: {note.replace('_', ' ')}", "", count)
        for name, source in summary.sources.items()
        for note, count in source.notes.items()
    ]
    if noticed:
        _report_counts("noticed", noticed)
    _report_counts(
        "rejected",
        [
            (f"{reject.source}.{reject.column}", f"{reject.rule} ({reject.scope})", reject.count)
            for reject in summary.rejects
        ],
    )


def _report_counts(title: str, lines: Sequence[tuple[str, str, int]]) -> None:
    if not lines:
        print(f"\n{title}: nothing")
        return
    print(f"\n{title}")
    for where, what, count in lines:
        print(f"  {where:30}{what:34}{count:8,}" if what else f"  {where:30}{count:4,}")


@contextmanager
def _progress(step: str) -> Iterator[None]:
    """Show a step and its seconds while it runs, where somebody is looking."""
    if not sys.stderr.isatty():
        yield
        return
    start = time.perf_counter()
    print(f"{step} ...", end="", file=sys.stderr, flush=True)
    try:
        yield
        print(f"\r{step} ... {time.perf_counter() - start:.1f} s", file=sys.stderr)
    except BaseException:
        print(file=sys.stderr)
        raise


if __name__ == "__main__":
    sys.exit(main())
