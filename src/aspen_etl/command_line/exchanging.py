"""The commands that keep two sides in step: pull, push, and conflicts that wait."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aspen_etl.command_line.database_urls import is_database
from aspen_etl.command_line.ids import read_ids
from aspen_etl.command_line.leasing import add_lease, leased
from aspen_etl.command_line.options import (
    add_common,
    add_json,
    add_options,
    add_store,
    add_value,
    new_run,
    open_store,
    settings_of,
)
from aspen_etl.command_line.output import Steps, print_json, progress
from aspen_etl.command_line.sources import add_source, flat_database, opened, opened_engine
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.options import Word
from aspen_etl.schema.policy import SIDES
from aspen_etl.synchronization.side_settings import SideSettings

if TYPE_CHECKING:
    from aspen_etl.store import SnapshotStore
    from aspen_etl.synchronization.two_way import ConflictCount, PullReport, PushReport

__all__ = ["WAITING", "add_commands"]

#: The exit status while conflicts wait.
WAITING = 4


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    pull = commands.add_parser("pull", help="take what changed on a side into a two-way store")
    add_source(
        pull, "the old side (files, a landing, a database), or the database of the new", "SIDE"
    )
    pull.add_argument("store", metavar="STORE", help="a two-way store")
    _add_side(pull)
    add_options(pull, "policy", "policy_for")
    add_options(
        pull, "rejects_url", "suppress_secret", "on_gap", "max_rejected_rows", "max_rejected_cells"
    )
    add_options(pull, "max_deleted_rows", "min_deleted_rows", "allow_empty")
    add_lease(pull)
    add_json(pull)
    add_common(pull)
    pull.set_defaults(command=_pull)
    push = commands.add_parser("push", help="write to a side what it lacks of a two-way store")
    push.add_argument("store", metavar="STORE", help="a two-way store")
    add_source(push, "the url of a database: the side that is written to", "SIDE")
    _add_side(push)
    add_options(push, "deletes", "defaults")
    add_options(push, "rejects_url")
    add_lease(push)
    add_json(push)
    add_common(push)
    push.set_defaults(command=_push)
    _add_conflicts(commands.add_parser("conflicts", help="list, show or decide conflicts"))


def _add_side(parser: argparse.ArgumentParser) -> None:
    told = "of a database: whether it is the old, flat side or the new one, with the tables"
    add_value(parser, "--side", Word(SIDES), help=told)


def _add_conflicts(conflicts: argparse.ArgumentParser) -> None:
    told = f"one of {', '.join(WORK)}"
    add_value(conflicts, "form", Word(tuple(WORK)), metavar="WORK", help=told)
    add_store(conflicts, _conflicts)
    told = "show: a new file (.csv, .parquet) for each conflict, with ids and values, as rejects"
    conflicts.add_argument("--details", metavar="URL", help=told)
    told = "resolve: the side whose cells are taken"
    add_value(conflicts, "--take", Word(SIDES), help=told)
    told = "resolve: a file that holds the ids of subjects, one a line (standard input does)"
    conflicts.add_argument("--id-file", metavar="FILE", help=told)


# ----------------------------------------------------------------------------- pull and push


@contextlib.contextmanager
def _opened(arguments: argparse.Namespace, store: SnapshotStore) -> Iterator[Any]:
    """Give the side that a command names."""
    settings = settings_of(arguments)
    if not is_database(arguments.source):
        if arguments.side == "new":
            msg = "the new side is a database; give its url, and let files be of the old side"
            raise NotSupportedError(msg)
        with opened(arguments, store.model, settings.reading) as given:
            yield settings.open_source(given)
        return
    if arguments.side is None:
        msg = "say which side the database is: --side old (flat) or --side new (with the tables)"
        raise NotSupportedError(msg)
    with opened_engine(arguments, settings.reading) as engine:
        if arguments.side == "new":
            from aspen_etl.sql import TableDatabase

            if arguments.table or settings.reading.columns:
                msg = "--table and --columns are of the old side; leave them out"
                raise NotSupportedError(msg)
            yield TableDatabase(engine, store.model, arguments.schema)
            return
        yield flat_database(engine, store.model, arguments, settings.reading)


def _pull(arguments: argparse.Namespace) -> int:
    from aspen_etl.synchronization.two_way import pull

    run, settings, store = new_run(arguments), settings_of(arguments), open_store(arguments)
    policy = SideSettings(policy=arguments.policy, policy_for=arguments.policy_for).declared()
    with contextlib.ExitStack() as stack:
        side = stack.enter_context(_opened(arguments, store))
        if not stack.enter_context(leased(arguments, store, arguments.side or "old")):
            return 0
        steps = stack.enter_context(Steps())
        report = pull(
            side,
            store,
            run=run,
            policy=policy,
            thresholds=settings.thresholds,
            read_options=settings.reading_of(side).keywords(),
            suppress_secret=settings.read_secret(),
            on_gap=settings.on_gap,
            timeout=arguments.lease,
            on_step=steps,
        )
    if arguments.json:
        print_json(report.to_dict())
    else:
        _print_pull(report)
    return WAITING if report.held else 0


def _push(arguments: argparse.Namespace) -> int:
    from aspen_etl.synchronization.two_way import push

    run, store = new_run(arguments), open_store(arguments)
    if not is_database(arguments.source):
        msg = "push writes to a database; give its url"
        raise NotSupportedError(msg)
    with contextlib.ExitStack() as stack:
        side = stack.enter_context(_opened(arguments, store))
        if not stack.enter_context(leased(arguments, store, arguments.side)):
            return 0
        steps = stack.enter_context(Steps())
        report = push(
            store,
            side,
            run=run,
            deletes=arguments.deletes,
            defaults=arguments.defaults,
            timeout=arguments.lease,
            on_step=steps,
        )
    if arguments.json:
        print_json(report.to_dict())
    else:
        _print_push(report)
    return WAITING if report.held else 0


def _print_pull(report: PullReport) -> None:
    print(f"{'taken':24}{'inserted':>12}{'updated':>12}{'deleted':>12}")
    _print_rows(report.taken)
    _print_conflicts(report.conflicts)
    _tell_recovered(recovered=report.recovered)
    if report.nameless:
        print(
            f"\nrows without an id that can be read: {report.nameless:,}; none is taken as deleted"
        )
    told = {
        "committed": f"committed version {report.version}",
        "unchanged": f"nothing to take: the store stays at version {report.version}",
    }
    print(f"\n{told[report.outcome]} (the {report.side} side)")
    _tell_held(report.held)


def _print_push(report: PushReport) -> None:
    print(f"{'written':24}{'inserted':>12}{'updated':>12}{'deleted':>12}")
    _print_rows(report.written)
    _tell_recovered(recovered=report.recovered)
    told = {
        "pushed": f"the {report.side} side has version {report.pushed} now",
        "unchanged": f"nothing to write: the {report.side} side lacks nothing",
    }
    print(f"\n{told[report.outcome]}")
    if report.held_deletes:
        print(f"left there: {report.held_deletes:,} subjects that are gone (--deletes allow)")
    _tell_held(report.held)


def _print_rows(counts: Mapping[str, Mapping[str, int]]) -> None:
    for name, found in counts.items():
        words = ("inserted", "updated", "deleted")
        print(f"  {name:22}" + "".join(f"{found[word]:12,}" for word in words))


def _print_conflicts(conflicts: Sequence[ConflictCount]) -> None:
    if not conflicts:
        return
    print(f"\n{'conflicts':24}{'where':34}{'decision':12}{'count':>8}")
    for each in conflicts:
        where = ".".join(filter(None, (each.sheet, each.column)))
        print(f"  {each.kind:22}{where:34}{each.decision:12}{each.count:8,}")


def _tell_recovered(*, recovered: bool) -> None:
    if recovered:
        print("\na push before had died; what it wrote to the side is accounted for now")


def _tell_held(held: int) -> None:
    if held:
        print(f"{held:,} subjects wait for a decision: aspen-etl conflicts list")


# ----------------------------------------------------------------------------- conflicts


def _conflicts(arguments: argparse.Namespace) -> int:
    return WORK[arguments.form](arguments)


def _list(arguments: argparse.Namespace) -> int:
    from aspen_etl.synchronization.two_way import count_conflicts, read_conflicts

    found = read_conflicts(open_store(arguments))
    counts = {name: count_conflicts(found[found["of"] == name]) for name in SIDES}
    subjects = int(found["subject"].nunique())
    if arguments.json:
        told = {name: [asdict(each) for each in held] for name, held in counts.items()}
        print_json({"subjects": subjects, "conflicts": told})
    else:
        for name, held in counts.items():
            if held:
                print(f"met at the {name} side")
            _print_conflicts(held)
        print(f"{subjects:,} subjects wait" if subjects else "no conflict waits")
    return WAITING if subjects else 0


def _show(arguments: argparse.Namespace) -> int:
    from aspen_etl.synchronization.two_way import write_conflicts

    if arguments.details is None:
        msg = "conflicts show writes ids and values to a file, and to no terminal; give --details"
        raise NotSupportedError(msg)
    options = settings_of(arguments).options_for(arguments.details)
    url = write_conflicts(open_store(arguments), arguments.details, options)
    if arguments.json:
        print_json({"details": url})
    else:
        print(f"wrote the conflicts that wait to {url}")
    return 0


def _resolve(arguments: argparse.Namespace) -> int:
    from aspen_etl.synchronization.two_way import resolve

    if arguments.take is None:
        raise NotSupportedError("say whose cells are taken: --take old or --take new")
    ids = read_ids(arguments.id_file)
    with progress("deciding"):
        commit = resolve(open_store(arguments), ids, take=arguments.take, run=new_run(arguments))
    if arguments.json:
        print_json({"version": commit.version, "subjects": len(ids), "take": arguments.take})
    else:
        print(
            f"decided for {len(ids):,} subjects: the {arguments.take} side; the next pull does it "
            f"(version {commit.version})"
        )
    return 0


WORK: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "resolve": _resolve,
}
