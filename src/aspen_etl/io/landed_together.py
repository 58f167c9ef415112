"""Many small landed files read at once: what a file costs by itself is paid once for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Optional

import numpy as np

from aspen_etl.errors import AspenETLError
from aspen_etl.io.landed_names import LandedName
from aspen_etl.io.landed_rows import read_changes
from aspen_etl.io.reading import ReadLimits
from aspen_etl.schema.landing import Landing
from aspen_etl.transform.changing import SourceChanges

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model

__all__ = ["count_lines", "read_together"]

#: The bytes of a file from which on it is read alone.
_LARGE = 1 << 20


def count_lines(data: bytes, name: LandedName, landing: Landing, /) -> Optional[int]:
    """Count the rows of a file that may be read with others, each of which is a line.

    Returns:
        How many there are below the header; none where the file must be read alone: it is large,
        has quotes or blank lines, or the place of its rows in the order is that of the file.
    """
    is_headed = name.source is not None and landing.tables[name.source].headers is None
    if landing.order != "sequence" or not (is_headed and name.is_text):
        return None
    if len(data) > _LARGE or not data.endswith(b"\n") or data.startswith(b"\n"):
        return None
    if any(odd in data for odd in (b'"', b"\r", b"\n\n", b"\0")):
        return None
    return data.count(b"\n") - 1


def read_together(
    files: Sequence[tuple[LandedName, bytes]],
    told: tuple[Landing, Model],
    limits: ReadLimits,
    /,
) -> list[SourceChanges]:
    """Read files of one source and kind, of one header, whose lines can be counted.

    Args:
        files: Their names and bytes.
        told: The landing and the model.
        limits: How much to take in.

    Raises:
        ExtractError: A file is not what it should be; it is named.
    """
    source = files[0][0].source or ""
    if len(files) > 1:
        joined = _join(files, told, limits)
        if joined is not None:
            return [joined]
    found = [read_changes(data, name, told, limits).changes for name, data in files]
    return [each[source] for each in found if source in each]


def _join(
    files: Sequence[tuple[LandedName, bytes]], told: tuple[Landing, Model], limits: ReadLimits
) -> Optional[SourceChanges]:
    """Read files as one; nothing where that says another thing, or that something is wrong."""
    name, first = files[0]
    start = first.index(b"\n") + 1
    data = b"".join([first[:start], *(each[start:] for _, each in files)])
    try:
        found = read_changes(data, name, told, limits).changes.get(name.source or "")
    except AspenETLError:  # which names the wrong file
        return None
    counts = np.array([each.count(b"\n") - 1 for _, each in files], dtype=np.int64)
    if found is None or len(found) != counts.sum():
        return None
    starts = np.cumsum(counts) - counts
    return replace(
        found,
        files=np.repeat(np.arange(len(files)), counts),
        rows=found.rows - np.repeat(starts, counts),
        names=tuple(each.path for each, _ in files),
    )
