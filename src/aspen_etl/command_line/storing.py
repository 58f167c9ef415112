"""Commands on a store: history, status, export, restore, resume, vacuum, verify, purge."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aspen_etl.command_line.ids import read_id
from aspen_etl.command_line.options import (
    add_format,
    add_options,
    add_overwrite,
    add_store,
    add_value,
    add_version,
    new_run,
    open_store,
    settings_of,
)
from aspen_etl.command_line.output import print_json, progress, tell_age
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.filesystem import display_url, locate
from aspen_etl.io.options import MAX_DAYS, Count, Span
from aspen_etl.io.tables import write_valid_tables

if TYPE_CHECKING:
    from aspen_etl.store.commit import Commit
    from aspen_etl.store.status import StoreStatus

__all__ = ["MINUTES", "TOO_OLD", "add_commands"]

FAILED, TOO_OLD = 1, 3

#: How long ago, and for how long.
MINUTES, _DAYS = Span("minutes", 60 * 24 * MAX_DAYS), Span("days", MAX_DAYS)


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    history = _add(commands, "history", _history, "list the versions of a store")
    told = "list at most so many, the newest ones"
    add_value(history, "--limit", Count(1), metavar="N", help=told)
    status = _add(commands, "status", _status, "tell how old the newest commit is")
    told = "exit with 3 if no good run looked since"
    add_value(status, "--max-age", MINUTES, metavar="MINUTES", help=told)
    told = "with --max-age: also if no run looked at every row of the source since"
    add_value(status, "--max-proof-age", MINUTES, metavar="MINUTES", help=told)
    export = commands.add_parser("export", help="write the tables of a version to a folder")
    add_store(export, _export)
    export.add_argument("target", metavar="FOLDER", help="the folder to write to")
    add_version(export)
    add_overwrite(export)
    add_format(export)
    restore = _add(commands, "restore", _restore, "commit the rows of an old version again")
    told = "the version whose rows come back"
    add_value(restore, "version", Count(1), metavar="VERSION", help=told)
    _add(commands, "resume", _resume, "let sync go on after restore")
    vacuum = _add(commands, "vacuum", _vacuum, "let old versions go and delete their files")
    told = "for how long an older version can be read (7)"
    add_value(vacuum, "--keep-for", _DAYS, metavar="DAYS", default=7.0, help=told)
    add_version(_add(commands, "verify", _verify, "recompute every checksum, key and reference"))
    purge = _add(commands, "purge", _purge, "erase a subject from every version")
    told = "a file that holds the subject's id (standard input does)"
    purge.add_argument("--id-file", metavar="FILE", help=told)
    told = "the table whose rows the subjects are (the model's own)"
    purge.add_argument("--subject", metavar="TABLE", help=told)
    told = "leave the subject out of each later run, too, under --suppress-secret"
    purge.add_argument("--suppress", action="store_true", help=told)
    again = _add(commands, "unsuppress", _unsuppress, "let an erased subject be read again")
    told = "a file that holds the subject's id (standard input does)"
    again.add_argument("--id-file", metavar="FILE", help=told)
    for one in (purge, again):
        add_options(one, "suppress_secret")


def _add(commands: Any, name: str, call: Callable[..., Any], told: str) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = commands.add_parser(name, help=told)
    add_store(one, call)
    return one


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
        print(f"committed         {tell_age(status.commit_age)}")
        print(f"last run          {tell_age(status.look_age)}, {status.outcome or '-'}")
        print(f"last good run     {tell_age(status.good_age)}")
        print(f"refused, failed   {tell_age(status.failure_age)}{_told_failure(status)}")
        if status.refused is not None:
            print(f"  its rejects     {status.refused['place']}")
        if status.short_runs is not None:
            print(
                f"all rows seen     {tell_age(status.proof_age)}, "
                f"{status.short_runs} short runs since"
            )
        if status.hold is not None:
            print(f"on hold           since version {status.hold}; aspen-etl resume lets it go on")
        for name, side in (status.sides or {}).items():
            written = f"version {side['version']}" if side["version"] else "nothing"
            waiting = f"{side['conflicts']:,} conflicts wait"
            print(f"{name + ' side':18}{written} was written to it, {waiting}")
        if status.cutover is not None:
            told = f"version {status.cutover['version']} was green at {status.cutover['time']}"
            print(f"cut-over          {told} ({status.cutover['actor']})")
    limits = [
        None if limit is None else dt.timedelta(minutes=limit)
        for limit in (arguments.max_age, arguments.max_proof_age)
    ]
    alarm = None if limits[0] is None else status.find_alarm(limits[0], limits[1])
    if alarm is None:
        return 0
    print(f"aspen-etl: {alarm}", file=sys.stderr)
    return TOO_OLD


def _told_failure(status: StoreStatus) -> str:
    if status.failure is None:
        return ""
    return "".join([f", {status.failure}", *(f"\n  {reason}" for reason in status.reasons)])


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
        if found.unsealed:
            print(f"not sealed: {found.unsealed:,} commits of format 1; only their form is known")
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
            locate(arguments.target, settings_of(arguments).options_for(arguments.target)),
            rejects=rejects,
            format=arguments.format,
            overwrite=arguments.overwrite,
            model=store.model,
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
    erased = read_id(arguments.id_file)
    with progress("erasing"):
        report = open_store(arguments).purge(
            erased,
            run=new_run(arguments),
            subject=arguments.subject,
            suppress=arguments.suppress,
            suppress_secret=settings_of(arguments).read_secret(),
        )
    told = (
        f"erased {sum(report.rows.values()):,} rows from the newest version; {report.files} files "
        f"of {report.versions} versions written anew, {report.deleted} deleted; the store is at "
        f"version {report.version}"
    )
    _tell(arguments, report.to_dict(), "\n".join([told, *report.left]))


def _unsuppress(arguments: argparse.Namespace) -> None:
    subject, secret = read_id(arguments.id_file), settings_of(arguments).read_secret()
    if secret is None:
        msg = "the secret under which the subject is suppressed is missing; give --suppress-secret"
        raise NotSupportedError(msg)
    commit = open_store(arguments).unsuppress(
        subject, run=new_run(arguments), suppress_secret=secret
    )
    left = 0 if commit.suppressed is None else len(commit.suppressed.subjects)
    told = f"{left:,} subjects are left out; the store is at version {commit.version}"
    _tell(arguments, {"version": commit.version, "suppressed": left}, told)


def _short(commit: Commit) -> Mapping[str, Any]:
    return {"version": commit.version, "kind": commit.kind, "hold": commit.hold}


def _tell(arguments: argparse.Namespace, values: Mapping[str, Any], told: str) -> None:
    if arguments.json:
        print_json(values)
    else:
        print(told)


def _time(time: dt.datetime) -> str:
    return time.isoformat(sep=" ", timespec="seconds")
