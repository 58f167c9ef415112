"""Commands that bring a store to the state of a source: sync, plan."""

from __future__ import annotations

import argparse
import datetime as dt
from dataclasses import fields
from typing import Any

from aspen_etl.command_line.options import (
    MAX_DAYS,
    add_choice,
    add_reading,
    add_store,
    new_run,
    open_store,
    read_options,
    reading_options,
)
from aspen_etl.command_line.output import (
    Steps,
    print_json,
    print_rejects,
    print_repairs,
    print_sources,
)
from aspen_etl.command_line.parsing import bounded, count
from aspen_etl.command_line.standard_input import source_url
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.filesystem import display_url
from aspen_etl.synchronization import SyncReport, Thresholds, plan, sync

__all__ = ["add_commands"]

FAILED = 1

#: What each limit of a run says.
_LIMITS = {
    "max_rejected_rows": "the share of a sheet's rows that may be rejected, from 0 to 1",
    "max_rejected_cells": "the share of a column's cells that may be rejected, from 0 to 1",
    "max_deleted_rows": "the share of a table's rows that may be deleted, from 0 to 1",
    "min_deleted_rows": "how many rows of a table must go for that share to count",
    "allow_empty": "let an extract without rows follow one with rows",
    "allow_older": "let an older source follow a newer one",
}


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    for name, call, told in (
        ("sync", _sync, "bring a store to the state of a source, as one commit or not at all"),
        ("plan", _plan, "tell what sync would do, and write nothing"),
    ):
        one = commands.add_parser(name, help=told)
        add_reading(one)
        add_store(one, call, writes=True)
        _add_limits(one)


def _add_limits(one: argparse.ArgumentParser) -> None:
    add_choice(
        one,
        "--missing",
        ("delete", "keep"),
        default="delete",
        help="what becomes of borrowers that are not in the source any more (delete)",
    )
    one.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=bounded("seconds", 60 * 60 * 24 * MAX_DAYS),
        help="give up, before the commit, after that time",
    )
    one.add_argument(
        "--model-version",
        metavar="NAME",
        help="the state of your own model's functions, so that an unchanged source is passed over",
    )
    for each in fields(Thresholds):
        option = f"--{each.name.replace('_', '-')}"
        if isinstance(each.default, bool):
            one.add_argument(option, action="store_true", help=_LIMITS[each.name])
        else:
            kind = count() if isinstance(each.default, int) else float
            told = f"{_LIMITS[each.name]} ({each.default})"
            one.add_argument(option, metavar="N", type=kind, default=each.default, help=told)


# ----------------------------------------------------------------------------- runs


def _run_options(arguments: argparse.Namespace) -> dict[str, Any]:
    timeout = arguments.timeout
    limits = {each.name: getattr(arguments, each.name) for each in fields(Thresholds)}
    try:
        thresholds = Thresholds(**limits)
    except ValueError as error:
        reason = str(error)
    else:
        return {
            "run": new_run(arguments),
            "thresholds": thresholds,
            "missing": arguments.missing,
            "timeout": None if timeout is None else dt.timedelta(seconds=timeout),
            "read_options": reading_options(arguments, read_options(arguments.storage_options)),
        }
    raise NotSupportedError(reason)


def _sync(arguments: argparse.Namespace) -> None:
    options, store = _run_options(arguments), open_store(arguments)
    source = source_url(arguments.source)
    with Steps() as steps:
        report = sync(
            source, store, on_step=steps, model_version=arguments.model_version, **options
        )
    _print_report(arguments, report)


def _plan(arguments: argparse.Namespace) -> int:
    options, store = _run_options(arguments), open_store(arguments)
    source = source_url(arguments.source)
    with Steps() as steps:
        report = plan(source, store, on_step=steps, **options)
    _print_report(arguments, report)
    return FAILED if report.refusals else 0


def _print_report(arguments: argparse.Namespace, report: SyncReport) -> None:
    if arguments.json:
        print_json(report.to_dict())
        return
    if report.source_read:
        print_sources(report.sources)
        print()
    print(f"{'tables':24}{'rows':>12}{'inserted':>12}{'updated':>12}{'deleted':>12}")
    for name, table in report.tables.items():
        counts = (table.rows, table.inserted, table.updated, table.deleted)
        print(f"  {name:22}" + "".join(f"{count:12,}" for count in counts))
    if report.source_read:
        print_repairs(report.sources)
        print_rejects(report.rejects)
    told = {
        "committed": f"committed version {report.version}, {report.bytes_written:,} bytes",
        "unchanged": f"unchanged: version {report.version} holds this state",
        "planned": f"planned on version {report.version}; nothing was written",
    }
    print(f"\n{told[report.outcome]}: {display_url(arguments.store)}")
    if report.format != report.format_before and report.format_before is not None:
        anew = "are" if report.outcome == "committed" else "would be"
        print(f"all tables {anew} written anew as {report.format} ({report.format_before} before)")
    for refusal in report.refusals:
        print(f"would be refused: {refusal}")
