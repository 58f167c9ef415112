"""Commands that bring a store to the state of a source: sync, plan."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from aspen_etl.command_line.models import load_model
from aspen_etl.command_line.options import (
    LIMITS,
    PARTED,
    SHORT,
    add_options,
    add_store,
    new_run,
    settings_of,
)
from aspen_etl.command_line.output import (
    Steps,
    print_json,
    print_landing,
    print_rejects,
    print_repairs,
    print_sources,
)
from aspen_etl.command_line.sources import add_source, opened
from aspen_etl.io.filesystem import display_url

if TYPE_CHECKING:
    from aspen_etl.synchronization import SyncReport

__all__ = ["add_commands"]

FAILED = 1


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    for name, call, told in (
        ("sync", _sync, "bring a store to the state of a source, as one commit or not at all"),
        ("plan", _plan, "tell what sync would do, and write nothing"),
    ):
        one = commands.add_parser(name, help=told)
        add_source(one)
        add_store(one, call, writes=True)
        add_options(one, *LIMITS, *((*SHORT, *PARTED) if call is _sync else ()))


def _sync(arguments: argparse.Namespace) -> None:
    from aspen_etl.synchronization import sync

    run, settings = new_run(arguments), settings_of(arguments)
    store = settings.open_store(load_model(arguments.model))
    with opened(arguments, store.model, settings.reading) as given, Steps() as steps:
        source = settings.open_source(given)
        report = sync(source, store, run=run, on_step=steps, **settings.sync_keywords(source))
    _print_report(arguments, report)


def _plan(arguments: argparse.Namespace) -> int:
    from aspen_etl.synchronization import plan

    run, settings = new_run(arguments), settings_of(arguments)
    store = settings.open_store(load_model(arguments.model))
    with opened(arguments, store.model, settings.reading) as given, Steps() as steps:
        source = settings.open_source(given)
        report = plan(source, store, run=run, on_step=steps, **settings.plan_keywords(source))
    _print_report(arguments, report)
    return FAILED if report.refusals else 0


def _print_taken(report: SyncReport) -> None:
    """Print what was taken of a landing folder, and what was left out."""
    if report.landing is not None:
        print_landing(report.landing)
    if report.suppressed:
        left = ", ".join(f"{name} {count:,}" for name, count in report.suppressed.items())
        print(f"left out          {left} (suppressed subjects)")
    if report.landing is not None or report.suppressed:
        print()


def _print_report(arguments: argparse.Namespace, report: SyncReport) -> None:
    if arguments.json:
        print_json(report.to_dict())
        return
    _print_taken(report)
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
    if report.way is not None and report.way.kind == "short":
        print(
            f"looked at what changed alone (subjects: {report.way.touched:,}), for the last time "
            f"at everything {report.way.proved or 'before'}"
        )
    if report.parts:
        largest = max(part.subjects for part in report.parts)
        seconds = max(part.seconds for part in report.parts)
        print(
            f"in {len(report.parts):,} parts, of at most {largest:,} subjects and {seconds:.1f} s"
        )
    if report.format != report.format_before and report.format_before is not None:
        anew = "are" if report.outcome == "committed" else "would be"
        print(f"all tables {anew} written anew as {report.format} ({report.format_before} before)")
    for refusal in report.refusals:
        print(f"would be refused: {refusal}")
