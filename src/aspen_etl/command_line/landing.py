"""The command around a landing folder: landing tells how it is, replays it, or shows one."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aspen_etl.command_line.options import (
    add_common,
    add_json,
    add_options,
    add_switch,
    add_value,
    new_run,
    open_store,
    settings_of,
)
from aspen_etl.command_line.output import print_json, progress, tell_age
from aspen_etl.command_line.storing import MINUTES, TOO_OLD
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.filesystem import display_url
from aspen_etl.io.landing_declared import read_declared
from aspen_etl.io.options import Word

if TYPE_CHECKING:
    from aspen_etl.schema.landing import Landing
    from aspen_etl.store.snapshot_store import SnapshotStore
    from aspen_etl.synchronization.landing_replay import LandingReplay
    from aspen_etl.synchronization.landing_status import LandingStatus
    from aspen_etl.synchronization.settings import Settings

__all__ = ["add_commands"]

FAILED = 1

#: What status and replay are told.
_WORDS = ("LANDING", "STORE")


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    landing = commands.add_parser(
        "landing", help="tell how a folder is that AWS DMS lands files in, replay it, or show one"
    )
    told = f"one of {', '.join(WORK)}"
    add_value(landing, "form", Word(tuple(WORK)), metavar="WORK", help=told)
    told = "the landing (JSON or TOML), and the store; demo: a new folder"
    landing.add_argument("words", metavar=" ".join(_WORDS), nargs="*", help=told)
    told = "status: exit with 3 if no heartbeat came since, or no run took what waits"
    add_value(landing, "--max-age", MINUTES, metavar="MINUTES", help=told)
    told = "status: the task at AWS whose counts of rows are held against those that landed"
    landing.add_argument("--task-arn", metavar="ARN", help=told)
    add_switch(landing, "--from-start", "replay: from the first file on; it must be said")
    add_options(landing, "missing", "rejects_url")
    add_json(landing)
    add_common(landing)
    landing.set_defaults(command=_landing)


def _landing(arguments: argparse.Namespace) -> int:
    return WORK[arguments.form](arguments)


def _opened(arguments: argparse.Namespace) -> tuple[Landing, SnapshotStore, Settings]:
    """Read the landing and open the store that a command names."""
    given: list[str] = arguments.words
    file, store = given if len(given) == len(_WORDS) else ("", "")
    if not store:
        msg = f"landing {arguments.form} takes the landing and the store, as in landing.json store"
        raise NotSupportedError(msg)
    arguments.store = store
    settings = settings_of(arguments)
    landing = read_declared(file, settings.options_for(file))
    return landing, open_store(arguments), settings


# ----------------------------------------------------------------------------- status


def _status(arguments: argparse.Namespace) -> int:
    from aspen_etl.synchronization.landing_status import landing_status

    landing, store, settings = _opened(arguments)
    statistics = None
    if arguments.task_arn is not None:
        from aspen_etl.aws.dms import describe_statistics

        statistics = describe_statistics(arguments.task_arn)
    status = landing_status(
        landing,
        store,
        now=dt.datetime.now(dt.timezone.utc),
        statistics=statistics,
        storage_options=settings.options_for(landing.url),
    )
    if arguments.json:
        print_json(status.to_dict())
    else:
        _print_status(status)
    if status.differences:
        return FAILED
    most = arguments.max_age
    alarm = None if most is None else status.find_alarm(dt.timedelta(minutes=most))
    if alarm is None:
        return 0
    print(f"aspen-etl: {alarm}", file=sys.stderr)
    return TOO_OLD


def _print_status(status: LandingStatus) -> None:
    heard = tell_age(status.heard_age) if status.heartbeat else "none is declared"
    expired = f", {status.expired:,} of them expired" if status.expired else ""
    since = f" since {tell_age(status.ready_age)}" if status.ready_age is not None else ""
    print(f"landing           {status.url}")
    print(f"epoch             {status.epoch}")
    print(f"last change       {tell_age(status.watermark_age)} ({status.watermark or '-'})")
    print(f"heartbeat         {heard}")
    print(f"taken             {status.taken:,} files{expired}")
    print(f"wait              {status.ready:,} for a run{since}, {status.young:,} for the lag")
    print(f"unknown names     {status.unknown:,} files")
    print(f"\n{'rows taken':24}{'loaded':>12}{'inserted':>12}{'updated':>12}{'deleted':>12}")
    for source, counts in status.landed.items():
        print(f"  {source:22}" + "".join(f"{count:12,}" for count in astuple(counts)))
    for each in status.differences:
        print(f"{each.table}: {each.kind}: {each.landed:,} landed, the task says {each.told:,}")
        print(f"  {each.why}")


# ----------------------------------------------------------------------------- replay


def _replay(arguments: argparse.Namespace) -> int:
    from aspen_etl.synchronization.landing_replay import replay_landing

    landing, store, settings = _opened(arguments)
    if not arguments.from_start:
        raise NotSupportedError("landing replay reads every file again: say so with --from-start")
    with progress("replaying"):
        found = replay_landing(
            landing,
            store,
            run=new_run(arguments),
            missing=settings.missing,
            suppress_secret=settings.read_secret(),
            storage_options=settings.options_for(landing.url),
        )
    if arguments.json:
        print_json(found.to_dict())
    else:
        _print_replay(found, display_url(arguments.store))
    return 0 if found.is_equal else FAILED


def _print_replay(found: LandingReplay, store: str) -> None:
    if found.missing:
        print(f"{found.missing_count:,} of {found.files:,} files that were taken are gone:")
        print("\n".join(f"  {name}" for name in found.missing))
        print("without them nothing can be rebuilt; version", found.version, "stays as it is")
        return
    if found.changed:
        print("files have another content than the one that was taken:")
        print("\n".join(f"  {name}" for name in found.changed))
        return
    print(f"{'replayed':24}{'keys':>12}{'store alone':>14}{'replay alone':>14}{'other':>12}")
    for name, keys in found.keys.items():
        counts = astuple(found.sources[name]) if name in found.sources else (0, 0, 0)
        print(f"  {name:22}{keys:12,}{counts[0]:14,}{counts[1]:14,}{counts[2]:12,}")
    for name, table in found.tables.items():
        print(
            f"table {name}: {table.inserted:,} to insert, {table.updated:,} to update, "
            f"{table.deleted:,} to delete"
        )
    told = "equal" if found.is_equal else "not equal"
    print(f"{told}: {found.files:,} files, and version {found.version} of {store}")


# ----------------------------------------------------------------------------- demo


def _demo(arguments: argparse.Namespace) -> int:
    from aspen_etl.command_line.landing_demo import show_landing

    if len(arguments.words) != 1:
        raise NotSupportedError("landing demo takes a folder to write to, which is not there yet")
    folder = Path(arguments.words[0])
    with progress("landing"):
        found = show_landing(folder, new_run(arguments))
    if arguments.json:
        print_json(found)
    else:
        _print_demo(found, folder)
    return 0 if found["equal"] else FAILED


def _print_demo(found: Mapping[str, Any], folder: Path) -> None:
    for number, run in enumerate(found["runs"], start=1):
        changed = ", ".join(f"{name} {count:,}" for name, count in run["changed"].items())
        took = f"{run['files']:3,} files, {run['rows']:3,} rows"
        print(f"run {number}   version {run['version']}   {took}   changed keys: {changed or '-'}")
        if run["told"]:
            print(f"        {run['told']}")
    rows = ", ".join(f"{name} {count:,} rows" for name, count in found["rows"].items())
    print(f"the state {'equals' if found['equal'] else 'DIFFERS FROM'} SQLite: {rows}")
    landing, store = folder / "landing.json", folder / "store"
    print("\nGo on from here:")
    print(f"  aspen-etl landing status {landing} {store}")
    print(f"  aspen-etl landing replay {landing} {store} --from-start")
    print(f"  aspen-etl sync {landing} {store}")


#: What the command does, by the word for it.
WORK: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "status": _status,
    "replay": _replay,
    "demo": _demo,
}
