"""What the commands print: counts, and never a cell."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Optional, TextIO

from aspen_etl.normalization import RejectCount, SourceSummary, Summary

if TYPE_CHECKING:
    from typing_extensions import Self

    from aspen_etl.synchronization.intake import LandingReport

__all__ = [
    "Steps",
    "print_json",
    "print_landing",
    "print_rejects",
    "print_sources",
    "print_summary",
    "progress",
    "take_any_text",
    "tell_age",
]


def take_any_text(*streams: Optional[TextIO]) -> None:
    """Let streams take every text: what they have no letter for is written by its number."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(values: Any) -> None:
    """Print values for machines."""
    print(json.dumps(values, ensure_ascii=True, allow_nan=False))


def print_summary(summary: Summary) -> None:
    """Print what a run read, wrote, repaired and rejected."""
    print_sources(summary.sources)
    print(f"\n{'written':24}{'rows':>12}")
    for name, count in summary.tables.items():
        print(f"  {name:22}{count:12,}")
    print_repairs(summary.sources)
    print_rejects(summary.rejects)


def print_sources(sources: Mapping[str, SourceSummary]) -> None:
    """Print the accounts of each sheet."""
    print(f"{'read':24}{'rows':>12}{'accepted':>12}{'rejected':>12}{'blank':>12}")
    for name, source in sources.items():
        counts = (source.rows, source.accepted, source.rejected, source.blank)
        print(f"  {name:22}" + "".join(f"{count:12,}" for count in counts))


def print_landing(landing: LandingReport) -> None:
    """Print what was taken of a landing folder."""
    waits = f"; {landing.pending:,} wait" if landing.pending else ""
    print(f"taken             {landing.files:,} files, {landing.rows:,} rows{waits}")
    changed = ", ".join(f"{name} {count:,}" for name, count in landing.changed.items())
    print(f"changed keys      {changed or '-'}")
    print(f"watermark         {landing.watermark or '-'}")
    if landing.heard is not None:
        print(f"heartbeat         {landing.heard}")
    for name, found in landing.findings.items():
        told = ", ".join(f"{problem} {count:,}" for problem, count in found.items())
        print(f"counted           {name}: {told}")
    if landing.unknown:
        print(f"unknown names     {landing.unknown:,} files")
    if landing.others:
        print(f"of other tables   {landing.others:,} rows")


def print_repairs(sources: Mapping[str, SourceSummary]) -> None:
    """Print the cells repaired and filled, and what the reader noticed."""
    _print_counts(
        "repaired",
        [
            (f"{name}.{column}", "", count)
            for name, source in sources.items()
            for column, count in source.repairs.items()
        ],
    )
    filled = [
        (f"{name}.{column}", "missing, as other rows have it", count)
        for name, source in sources.items()
        for column, count in source.filled.items()
    ]
    if filled:
        _print_counts("filled", filled)
    noticed = [
        (f"{name}: {note.replace('_', ' ')}", "", count)
        for name, source in sources.items()
        for note, count in source.notes.items()
    ]
    noticed += [
        (f"{name}: rows {word}", "", count)
        for name, source in sources.items()
        for word, count in (("kept", source.kept), ("stayed", source.stayed))
        if count
    ]
    if noticed:
        _print_counts("noticed", noticed)


def print_rejects(rejects: Sequence[RejectCount]) -> None:
    """Print the rejects by column and rule."""
    _print_counts(
        "rejected",
        [
            (f"{reject.source}.{reject.column}", f"{reject.rule} ({reject.scope})", reject.count)
            for reject in rejects
        ],
    )


def _print_counts(title: str, lines: Sequence[tuple[str, str, int]]) -> None:
    if not lines:
        print(f"\n{title}: nothing")
        return
    print(f"\n{title}")
    for where, what, count in lines:
        print(f"  {where:30}{what:34}{count:8,}" if what else f"  {where:30}{count:4,}")


def tell_age(seconds: Optional[float]) -> str:
    """Tell how long ago something was."""
    if seconds is None:
        return "never"
    minutes = int(seconds // 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    return f"{days} d {hours} h {minutes % 60} min ago" if minutes else "less than a minute ago"


@contextmanager
def progress(step: str) -> Iterator[None]:
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


class Steps:
    """Show the steps of a run, each as the one before ends; it is an ``on_step``."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._since = time.perf_counter()
        self._name = ""

    def __call__(self, name: str) -> None:
        """End the line of a step, and begin that of another."""
        self._end()
        self._name, self._since = name, time.perf_counter()
        if self._shown:
            print(f"{name} ...", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], *_: object) -> None:
        """End the line of the last step, whatever became of it."""
        if kind is None:
            self._end()
        elif self._shown and self._name:
            print(file=sys.stderr)

    def _end(self) -> None:
        if self._shown and self._name:
            print(f"\r{self._name} ... {time.perf_counter() - self._since:.1f} s", file=sys.stderr)
        self._name = ""
