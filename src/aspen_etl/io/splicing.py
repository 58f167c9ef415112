"""Bytes of rows that are put together anew from the bytes of old rows and of new ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from aspen_etl.columns.protocol import Positions
from aspen_etl.io.writing import Data

__all__ = ["Rows", "in_blocks", "join_rows", "splice"]

#: From how many bytes on a stretch is written as it is, and up to how many shorter ones are
#: joined: that takes less than to digest and to write each.
_LONG, _BLOCK = 1 << 17, 1 << 20


class Rows(NamedTuple):
    """Rows as bytes.

    Attributes:
        data: The bytes: what stands above the rows, and the rows.
        bounds: The offset of each row, and behind the last one.
    """

    data: bytes
    bounds: Positions

    def __len__(self) -> int:
        return len(self.bounds) - 1


def splice(old: Rows, new: Rows, gone: Positions, at: Positions) -> Iterator[memoryview]:
    """Take rows out and put others in.

    Args:
        old: The rows before.
        new: The rows that come in.
        gone: Which of the old rows are left out, each once.
        at: Before which old row each new one is put, in ascending order; the number of the old
            rows stands for their end.

    Yields:
        What stands above the old rows, then all rows: stretches of the bytes given, as long as
        they can be, none empty.
    """
    cuts = np.unique(np.concatenate([[0, len(old)], gone, gone + 1, at]))
    is_gone = np.zeros(len(old) + 1, dtype=bool)
    is_gone[gone] = True
    ends = np.where(is_gone[cuts], cuts, np.append(cuts[1:], len(old)))
    # Before each old stretch, the new rows that are put there.
    first, last = (np.searchsorted(at, cuts, side=side) for side in ("left", "right"))
    starts = np.column_stack([new.bounds[first], old.bounds[cuts]]).ravel()
    stops = np.column_stack([new.bounds[last], old.bounds[ends]]).ravel()
    is_new = np.tile([True, False], len(cuts))
    yield from _stretches(
        (old.data, new.data),
        np.append(False, is_new).astype(np.int64),
        np.append(0, starts),
        np.append(old.bounds[0], stops),
    )


def in_blocks(parts: Iterable[memoryview]) -> Iterator[Data]:
    """Join short stretches of bytes that follow each other; a long one is not copied."""
    held: list[memoryview] = []
    size = 0
    for part in parts:
        if len(part) >= _LONG:
            yield from _joined(held)
            yield part
            held, size = [], 0
            continue
        held.append(part)
        size += len(part)
        if size >= _BLOCK:
            yield from _joined(held)
            held, size = [], 0
    yield from _joined(held)


def _joined(parts: list[memoryview]) -> list[Data]:
    return [b"".join(parts)] if len(parts) > 1 else [*parts]


def join_rows(rows: Rows, at: Positions) -> bytes:
    """Give what stands above rows, and some of them, in the order told."""
    sources = np.zeros(len(at) + 1, dtype=np.int64)
    starts, stops = np.append(0, rows.bounds[at]), np.append(rows.bounds[0], rows.bounds[at + 1])
    return b"".join(_stretches((rows.data,), sources, starts, stops))


def _stretches(
    data: tuple[bytes, ...], sources: Positions, starts: Positions, stops: Positions
) -> Iterator[memoryview]:
    """Give stretches of bytes, those that follow each other in one piece."""
    views = [memoryview(each) for each in data]
    held = starts < stops
    sources, starts, stops = sources[held], starts[held], stops[held]
    follows = (sources[1:] == sources[:-1]) & (starts[1:] == stops[:-1])
    heads = np.flatnonzero(np.append(True, ~follows)[: len(starts)])
    tails = np.append(heads[1:], len(starts)) - 1
    found = zip(sources[heads].tolist(), starts[heads].tolist(), stops[tails].tolist())
    for source, start, stop in found:
        yield views[source][start:stop]
