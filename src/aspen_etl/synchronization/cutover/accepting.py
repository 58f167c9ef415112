"""The signed list of rejects that somebody takes the loss of, held against those that there are."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ArgumentError
from aspen_etl.errors.base import instead
from aspen_etl.schema.side_frames import ACCEPTED

__all__ = ["AcceptedList", "read_accepted"]

#: One reject, by what the list names it by.
Key = tuple[str, ...]


@dataclass(frozen=True)
class AcceptedList:
    """Hold a list of accepted rejects.

    Attributes:
        sha256: The checksum of its bytes.
        keys: What it accepts: source, subject, column and rule.
    """

    sha256: str
    keys: frozenset[Key] = field(repr=False)

    def frame(self) -> pd.DataFrame:
        """Give its rows, each once, in order, with the columns of ``ACCEPTED``."""
        rows = sorted(self.keys)
        columns = {
            name: conform_text(pd.Series([row[at] or None for row in rows], dtype=object))
            for at, name in enumerate(ACCEPTED)
        }
        return pd.DataFrame(columns)


def read_accepted(data: bytes, /) -> AcceptedList:
    """Read a list: CSV in UTF-8 with a header, and with the columns of ``ACCEPTED`` among others.

    So what ``export`` writes as rejects is such a list, once somebody has read and signed it.

    Args:
        data: Its bytes.

    Raises:
        ArgumentError: It is no such file; the text says in which line, and shows no cell.
    """

    def refused(why: str) -> ArgumentError:
        wanted = ", ".join(ACCEPTED)
        msg = f"accepted= {why}; give a CSV in UTF-8 with the columns {wanted}, as rejects have"
        return ArgumentError(msg, problem="accepted")

    def parse() -> list[list[str]]:
        return [*csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)]

    lines = instead(parse, (ValueError, csv.Error), lambda _: refused("is no CSV"))
    header = lines[0] if lines else []
    if any(header.count(name) != 1 for name in ACCEPTED):
        raise refused("has no header with each column once")
    at = [header.index(name) for name in ACCEPTED]
    keys = set()
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise refused(f"has a row {number} of another length than its header")
        keys.add(tuple(line[each] for each in at))
    return AcceptedList(hashlib.sha256(data).hexdigest(), frozenset(keys))


def keys_of(rejects: pd.DataFrame, /) -> Counter[Key]:
    """Count rejects by what a list names them by."""
    told = rejects[list(ACCEPTED)].astype(object)
    told = told.where(told.notna(), "")
    return Counter(zip(*(map(str, told[name].tolist()) for name in ACCEPTED)))


def count_by_rule(keys: Iterable[Key], /) -> Mapping[str, int]:
    """Count rejects by rule, in order."""
    counts = Counter(key[-1] for key in keys)
    return {rule: counts[rule] for rule in sorted(counts)}
