"""Digests of rows, and their sums by bucket: what is equal on two sides shows without a look at it.

The sum of the digests of a bucket's rows does not depend on their order, and a row that stands
twice counts twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions

__all__ = ["BUCKETS", "Buckets", "Digests", "digest_rows", "find_buckets"]

#: One digest a row: four numbers of 32 bits, the highest first.
Digests = npt.NDArray[np.uint64]

#: How many bits of an id's hash name its bucket, and how many buckets that makes.
_BITS = 12
BUCKETS = 1 << _BITS

#: The bytes of a digest, and how many numbers they are taken as.
_SIZE, _WORDS = 16, 4
_MODULUS = 1 << (8 * _SIZE)

#: How many rows are written as bytes at once.
_ROWS = 1 << 16


def digest_rows(columns: Sequence[pd.Series], kind: str, /, key: bytes = b"") -> Digests:
    """Give the BLAKE2b of each row, of 128 bits: of all its cells, each with its length.

    Args:
        columns: The columns of text, at least one.
        kind: What the rows are of; equal rows of two kinds have other digests.
        key: A secret of at most 64 bytes, without which nobody can guess at a digest.
    """
    person = hashlib.blake2b(kind.encode(), digest_size=hashlib.blake2b.PERSON_SIZE).digest()
    data = _hash(columns, _SIZE, person, key)
    return np.frombuffer(data, dtype=">u4").reshape(-1, _WORDS).astype(np.uint64)


def find_buckets(ids: pd.Series, /) -> Positions:
    """Give the bucket of each id: the first bits of its hash, whatever order a database knows."""
    found = np.frombuffer(_hash([ids], 2, b"", b""), dtype=">u2")
    return found.astype(np.int64) >> (16 - _BITS)


def _hash(columns: Sequence[pd.Series], size: int, person: bytes, key: bytes) -> bytes:
    start = partial(hashlib.blake2b, digest_size=size, person=person, key=key)
    digests: list[bytes] = []
    for first in range(0, len(columns[0]), _ROWS):
        edges, data = COLUMNS.pack([values.iloc[first : first + _ROWS] for values in columns])
        ends = edges.tolist()
        digests += [start(data[low:high]).digest() for low, high in zip(ends, ends[1:])]
    return b"".join(digests)


@dataclass(frozen=True, eq=False)
class Buckets:
    """Hold how many rows each bucket has, and the sum of their digests, modulo 2 to the 128.

    Attributes:
        counts: By bucket, its rows.
        sums: By bucket, the sum.
    """

    counts: Positions = field(repr=False)
    sums: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, buckets: Positions, digests: Digests, /) -> Buckets:
        """Sum digests by bucket."""
        counts = np.bincount(buckets, minlength=BUCKETS)
        order = np.argsort(buckets, kind="stable")
        held = np.flatnonzero(counts)
        sums = np.zeros((BUCKETS, _WORDS), dtype=object)
        if len(held):  # 32 bits of each number are free to carry
            starts = np.cumsum(counts)[held] - counts[held]
            sums[held] = np.add.reduceat(digests[order], starts, axis=0).astype(object)
        shifts = [1 << (32 * place) for place in reversed(range(_WORDS))]
        return cls(counts, tuple(int(each) % _MODULUS for each in (sums * shifts).sum(axis=1)))

    def __add__(self, other: Buckets) -> Buckets:
        sums = tuple((one + two) % _MODULUS for one, two in zip(self.sums, other.sums))
        return Buckets(self.counts + other.counts, sums)

    def differ(self, other: Buckets, /) -> Mask:
        """Tell which buckets hold other rows."""
        other_sums = [one != two for one, two in zip(self.sums, other.sums)]
        found: Mask = (self.counts != other.counts) | np.array(other_sums, dtype=bool)
        return found

    @property
    def digest(self) -> str:
        """The sum over all buckets, as 32 hexadecimal digits."""
        return f"{sum(self.sums) % _MODULUS:032x}"
