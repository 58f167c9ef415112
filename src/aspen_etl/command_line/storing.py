"""Commands on a store: sync, plan, history, status, export, restore, resume, vacuum and so on."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Optional

from aspen_etl.command_line.options import (
    add_choice,
    add_common,
    add_format,
    add_json,
    add_reading,
    new_run,
    open_store,
    options_for,
    read_options,
    reading_options,
)
from aspen_etl.command_line.output import (
    Steps,
    print_json,
    print_rejects,
    print_repairs,
    print_sources,
    progress,
)
from aspen_etl.command_line.parsing import bounded, count
from aspen_etl.command_line.standard_input import source_url
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.commit import Commit
from aspen_etl.io.filesystem import display_url
from aspen_etl.io.status import StoreStatus
from aspen_etl.io.tables import write_valid_tables
from aspen_etl.synchronization import SyncReport, Thresholds, plan, sync

__all__ = ["add_commands"]

FAILED, TOO_OLD = 1, 3

#: The longest time in days that an option takes: a hundred years.
_DAYS = 36_525

#: How many characters of a borrower's id are read: more than any model takes.
_ID_LENGTH = 10_000


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    for name, call, told in (
        ("sync", _sync, "bring a store to the state of a source, as one commit or not at all"),
        ("plan", _plan, "tell what sync would do, and write nothing"),
    ):
        one = commands.add_parser(name, help=told)
        add_reading(one)
        _finish(one, call, writes=True)
        _add_limits(one)
    _add(commands, "history", _history, "list the versions of a store").add_argument(
        "--limit", metavar="N", type=count(1), help="at most so many, the newest first"
    )
    _add(commands, "status", _status, "tell how old the newest commit is").add_argument(
        "--max-age",
        metavar="MINUTES",
        type=bounded("minutes", 60 * 24 * _DAYS),
        help="exit with 3 if no good run looked since",
    )
    export = commands.add_parser("export", help="write the tables of a version to a folder")
    _finish(export, _export)
    export.add_argument("target", metavar="FOLDER", help="the folder to write to")
    export.add_argument("--version", metavar="N", type=count(1), help="by default the newest")
    export.add_argument("--overwrite", action="store_true", help="replace tables that are there")
    add_format(export)
    restore = _add(commands, "restore", _restore, "commit the rows of an old version again")
    restore.add_argument("version", metavar="VERSION", type=count(1))
    _add(commands, "resume", _resume, "let sync go on after restore")
    _add(commands, "vacuum", _vacuum, "let old versions go and delete their files").add_argument(
        "--keep-for",
        metavar="DAYS",
        type=bounded("days", _DAYS),
        default=7.0,
        help="how long versions stay (7)",
    )
    _add(commands, "verify", _verify, "recompute every checksum, key and reference").add_argument(
        "--version", metavar="N", type=count(1), help="by default the newest"
    )
    _add(commands, "purge", _purge, "erase a borrower from every version").add_argument(
        "--id-file", metavar="FILE", help="holds the borrower's id; else standard input does"
    )


def _add(commands: Any, name: str, call: Callable[..., Any], told: str) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = commands.add_parser(name, help=told)
    _finish(one, call)
    return one


def _finish(
    one: argparse.ArgumentParser, call: Callable[..., Any], *, writes: bool = False
) -> None:
    one.add_argument("store", metavar="STORE", help="the store's url or folder")
    one.add_argument("--rejects-url", metavar="URL", help="where the rejects are, if elsewhere")
    add_json(one)
    if writes:
        add_format(one)
    add_common(one)
    one.set_defaults(command=call)


def _add_limits(one: argparse.ArgumentParser) -> None:
    add_choice(
        one,
        "--missing",
        ("delete", "keep"),
        default="delete",
        help="what becomes of absent borrowers (delete)",
    )
    one.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=bounded("seconds", 60 * 60 * 24 * _DAYS),
        help="give up after that time",
    )
    one.add_argument(
        "--model-version", metavar="NAME", help="the state of the functions of your own model"
    )
    for each in fields(Thresholds):
        option = f"--{each.name.replace('_', '-')}"
        if isinstance(each.default, bool):
            one.add_argument(option, action="store_true", help="lift this limit")
        else:
            kind = count() if isinstance(each.default, int) else float
            one.add_argument(
                option, metavar="N", type=kind, default=each.default, help=f"({each.default})"
            )


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
    for refusal in report.refusals:
        print(f"would be refused: {refusal}")


# ----------------------------------------------------------------------------- looking


def _history(arguments: argparse.Namespace) -> None:
    commits = open_store(arguments).history(arguments.limit)
    if arguments.json:
        print_json([commit.to_dict() for commit in commits])
        return
    print(
        f"{'version':>8}  {'kind':8}{'time':26}{'inserted':>10}{'updated':>10}{'deleted':>10}"
        "  actor"
    )
    for commit in commits:
        changed = [
            sum(counts[word] for counts in commit.changes.values())
            for word in ("inserted", "updated", "deleted")
        ]
        print(
            f"{commit.version:8,}  {commit.kind:8}{_time(commit.time):26}"
            + "".join(f"{count:10,}" for count in changed)
            + f"  {commit.actor}"
        )


def _status(arguments: argparse.Namespace) -> int:
    status = open_store(arguments).status(now=dt.datetime.now(dt.timezone.utc))
    if arguments.json:
        print_json(status.to_dict())
    else:
        print(f"store             {status.url}")
        print(f"version           {status.version}")
        print(f"oldest readable   {status.oldest_readable or '-'}")
        print(f"committed         {_age(status.commit_age)}")
        print(f"last run          {_age(status.look_age)}, {status.outcome or '-'}")
        print(f"last good run     {_age(status.good_age)}")
        print(f"refused, failed   {_age(status.failure_age)}{_told_failure(status)}")
        if status.refused is not None:
            print(f"  its rejects     {status.refused['place']}")
        if status.hold is not None:
            print(f"on hold           since version {status.hold}; aspen-etl resume lets it go on")
    limit = arguments.max_age
    alarm = None if limit is None else status.find_alarm(dt.timedelta(minutes=limit))
    if alarm is None:
        return 0
    print(f"aspen-etl: {alarm}", file=sys.stderr)
    return TOO_OLD


def _told_failure(status: StoreStatus) -> str:
    if status.failure is None:
        return ""
    return "".join([f", {status.failure}", *(f"\n  {reason}" for reason in status.reasons)])


def _age(seconds: Optional[float]) -> str:
    if seconds is None:
        return "never"
    minutes = int(seconds // 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    return f"{days} d {hours} h {minutes % 60} min ago" if minutes else "less than a minute ago"


def _verify(arguments: argparse.Namespace) -> int:
    with progress("verifying"):
        found = open_store(arguments).verify(arguments.version)
    if arguments.json:
        print_json(found.to_dict())
    else:
        print(
            f"version {found.version}: {found.files} files, {found.bytes:,} bytes, "
            f"{found.rows:,} rows"
        )
        for problem in found.problems:
            print(f"  {problem.where}: {problem.what} ({problem.count:,})")
        print(f"{len(found.problems)} problems" if found.problems else "whole")
    return FAILED if found.problems else 0


def _export(arguments: argparse.Namespace) -> None:
    store = open_store(arguments)
    with progress("reading"):
        version = store.find(arguments.version).version
        tables, rejects = store.read(version).tables, store.read_rejects(version)
    with progress("writing"):
        written = write_valid_tables(
            tables,
            arguments.target,
            rejects=rejects,
            format=arguments.format,
            overwrite=arguments.overwrite,
            model=store.model,
            storage_options=options_for(arguments.target, read_options(arguments.storage_options)),
        )
    target = display_url(arguments.target)
    told = f"wrote version {version} to {target}: {len(written)} files"
    _tell(arguments, {"version": version, "target": target, "files": written}, told)


# ----------------------------------------------------------------------------- changing


def _restore(arguments: argparse.Namespace) -> None:
    with progress("restoring"):
        commit = open_store(arguments).restore(arguments.version, run=new_run(arguments))
    told = (
        f"version {commit.version} holds the rows of version {arguments.version}; the store is on "
        "hold: sync refuses until aspen-etl resume"
    )
    _tell(arguments, _short(commit), told)


def _resume(arguments: argparse.Namespace) -> None:
    commit = open_store(arguments).resume(run=new_run(arguments))
    _tell(arguments, _short(commit), f"version {commit.version}: sync may go on")


def _vacuum(arguments: argparse.Namespace) -> None:
    keep_for = dt.timedelta(days=arguments.keep_for)
    with progress("deleting"):
        report = open_store(arguments).vacuum(run=new_run(arguments), keep_for=keep_for)
    told = (
        f"deleted {report.files:,} files, {report.bytes:,} bytes; versions "
        f"{report.oldest_readable} to {report.version} can be read; {report.young:,} files that no "
        "version names are too young to go"
    )
    _tell(arguments, report.to_dict(), "\n".join(filter(None, (told, report.advice))))


def _purge(arguments: argparse.Namespace) -> None:
    borrower_id = _read_id(arguments.id_file)
    with progress("erasing"):
        report = open_store(arguments).purge(borrower_id, run=new_run(arguments))
    told = (
        f"erased {sum(report.rows.values()):,} rows from the newest version; {report.files} files "
        f"of {report.versions} versions written anew, {report.deleted} deleted; the store is at "
        f"version {report.version}"
    )
    _tell(arguments, report.to_dict(), "\n".join([told, *report.left]))


def _read_id(path: Optional[str]) -> str:
    """Read a borrower's id, of which no message shows anything."""
    try:
        if path is not None:
            with Path(path).open(encoding="utf-8") as file:
                text = file.read(_ID_LENGTH)
        else:
            text = sys.stdin.readline(_ID_LENGTH) if sys.stdin is not None else ""
    except (OSError, ValueError) as error:
        reason = type(error).__name__
    else:
        if text.strip():
            return text.strip()
        msg = "no borrower's id was given; write it to standard input, or to a file (--id-file)"
        raise NotSupportedError(msg)
    where = "standard input" if path is None else path
    raise NotSupportedError(f"no borrower's id can be read from {where} ({reason})", reason=reason)


def _short(commit: Commit) -> Mapping[str, Any]:
    return {"version": commit.version, "kind": commit.kind, "hold": commit.hold}


def _tell(arguments: argparse.Namespace, values: Mapping[str, Any], told: str) -> None:
    if arguments.json:
        print_json(values)
    else:
        print(told)


def _time(time: dt.datetime) -> str:
    return time.isoformat(sep=" ", timespec="seconds")
