"""How the library is called: the signatures of all public names, and the help of all commands."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aspen_etl as ae
from tests.still.cases import NEWEST, Cases
from tests.still.commands import COMMANDS, run_command
from tests.still.rendering import Masks, show_signature

__all__ = ["HELP", "SIGNATURES"]

#: The public modules. The names of each are those of its ``__all__``, and those that are recorded
#: and that it still answers to, if only with a warning.
ROOMS = (
    "aspen_etl",
    "aspen_etl.aws.catalog",
    "aspen_etl.aws.glue_job",
    "aspen_etl.aws.lambda_handler",
    "aspen_etl.changes",
    "aspen_etl.derive",
    "aspen_etl.errors",
    "aspen_etl.io",
    "aspen_etl.normalization",
    "aspen_etl.schema",
    "aspen_etl.sql",
    "aspen_etl.synchronization",
    "aspen_etl.testing",
    "aspen_etl.transform",
)

#: What no page names, and what others of the library alone call.
INNER = {
    "aspen_etl.changes": {"part"},
    "SnapshotStore": {
        *("append", "attempt", "begin", "check_model", "check_places", "claim_rejects", "frame"),
        *("find_older", "format_after", "load_old", "lost", "next_commit", "retrying", "root_of"),
    },
    "Tables": {"deferred"},
}

SIGNATURES = Cases("signatures")
HELP = Cases("help")


def _show_room(name: str, folder: Path) -> str:
    module = importlib.import_module(name)
    recorded = Path(__file__).with_name("recorded") / "signatures.txt"
    known = _recorded_names(recorded.read_text("utf-8") if recorded.exists() else "", name)
    lines: list[str] = []
    for each in sorted({*module.__all__, *known} - INNER.get(name, set())):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an old path may say so
            value = getattr(module, each, None)
        if each in module.__all__ or value is not None:
            first, *more = _show(value)
            lines += [f"{each} = {first}", *more]
    text = "\n".join(lines).replace(repr(ae.BORROWER_MODEL), "BORROWER_MODEL")
    return Masks(folder)(text)


def _recorded_names(text: str, room: str) -> list[str]:
    section = f"\n{text}".partition(f"\n=== signatures/{room}\n")[2].partition("\n=== ")[0]
    lines = [line for line in section.splitlines() if not line.startswith(" ")]
    return [line.partition(" = ")[0] for line in lines if " = " in line]


def _show(value: Any) -> Iterator[str]:
    if not inspect.isclass(value):
        yield f"{type(value).__name__}{show_signature(value)}" if callable(value) else repr(value)
        return
    ours = [base for base in value.__mro__ if base.__module__.startswith("aspen_etl")]
    shown = value.__mro__[1:] if issubclass(value, BaseException) else ()
    bases = [base.__name__ for base in shown if base is not object]
    yield f"class({', '.join(bases)}){show_signature(value)}"
    held = {name for base in ours for name in vars(base) if not name.startswith("_")}
    if is_dataclass(value):
        names = [each.name for each in fields(value)]
        yield f"    fields: {', '.join(names)}"
        held -= set(names)
    for name in sorted(held - INNER.get(value.__name__, set())):
        # What makes an error is for those who raise it.
        if not (shown and isinstance(vars(value).get(name), classmethod)):
            yield f"    .{name}{_show_member(value, name)}"


def _show_member(owner: type, name: str) -> str:
    held = inspect.getattr_static(owner, name)
    if isinstance(held, property):
        return " (property)"
    signature = show_signature(getattr(owner, name))
    kind = type(held).__name__
    return f"{signature} ({kind})" if kind in {"classmethod", "staticmethod"} else signature


for _room in ROOMS:
    SIGNATURES.add(_room, partial(_show_room, _room), NEWEST)


def _show_help(words: list[str], folder: Path) -> str:
    return run_command([*words, "--help"], Masks(folder))


HELP.add("aspen-etl", partial(_show_help, []), NEWEST)
for _command in COMMANDS:
    HELP.add(_command, partial(_show_help, [_command]), NEWEST)
