"""Digests of rows, and their sums by bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random
from typing import Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.columns.text import conform_text
from aspen_etl.transform import digesting
from aspen_etl.transform.digesting import BUCKETS, Buckets, digest_rows, find_buckets
from tests.columns.forms import TEXTS

ROWS = st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS), max_size=6)


def columns(rows: Sequence[tuple[Optional[str], ...]]) -> list[pd.Series]:
    width = len(rows[0]) if rows else 2
    cells = list(zip(*rows)) or [()] * width
    return [conform_text(pd.Series(list(each), dtype=object)) for each in cells]


def numbers(
    rows: Sequence[tuple[Optional[str], ...]], kind: str = "k", key: bytes = b""
) -> list[int]:
    found = digest_rows(columns(rows), kind, key)
    return [sum(int(word) << (32 * (3 - i)) for i, word in enumerate(row)) for row in found]


def test_a_digest_is_the_blake2b_of_the_cells_with_their_lengths() -> None:
    person = hashlib.blake2b(b"borrower", digest_size=16).digest()
    wanted = hashlib.blake2b("1:é-0:".encode(), digest_size=16, person=person).digest()
    assert numbers([("é", None, "")], "borrower") == [int.from_bytes(wanted, "big")]


@given(ROWS)
def test_rows_have_one_digest_if_and_only_if_they_are_equal(
    rows: list[tuple[Optional[str], ...]],
) -> None:
    found = numbers(rows)
    assert [[a == b for b in found] for a in found] == [[a == b for b in rows] for a in rows]


def test_a_digest_depends_on_the_kind_and_the_secret() -> None:
    row = [("a", "b")]
    assert len({*numbers(row), *numbers(row, "other"), *numbers(row, key=b"secret")}) == 3


@given(ROWS, st.randoms(use_true_random=False))
def test_a_sum_knows_no_order_and_counts_each_row(
    rows: list[tuple[Optional[str], ...]], random: Random
) -> None:
    rows = [(first or "", second) for first, second in rows]
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, two = (
        Buckets.of(find_buckets(columns(each)[0]), digest_rows(columns(each), "k"))
        for each in (rows, shuffled)
    )
    assert not one.differ(two).any()
    assert one.digest == two.digest == f"{sum(numbers(rows)) % 2**128:032x}"
    assert one.counts.sum() == len(rows)
    assert (one + two).sums == tuple(2 * each % 2**128 for each in one.sums)
    if rows:  # a row that stands twice is seen in its bucket alone
        again = [*rows, rows[0]]
        more = Buckets.of(find_buckets(columns(again)[0]), digest_rows(columns(again), "k"))
        (place,) = find_buckets(columns(rows[:1])[0])
        assert np.flatnonzero(one.differ(more)).tolist() == [place]


def test_sums_carry_where_32_bits_are_full() -> None:
    digests = np.full((5, 4), 2**32 - 1, dtype=np.uint64)
    found = Buckets.of(np.array([7] * 5), digests)
    assert found.sums[7] == 5 * (2**128 - 1) % 2**128
    assert found.counts[7] == 5


def test_a_bucket_is_the_first_twelve_bits_of_the_hash_of_an_id() -> None:
    (found,) = find_buckets(columns([("b1",)])[0])
    person = bytes(16)
    wanted = hashlib.blake2b(b"2:b1", digest_size=2, person=person).digest()
    assert found == int.from_bytes(wanted, "big") >> 4
    many = find_buckets(conform_text(pd.Series([str(n) for n in range(30_000)], dtype=object)))
    assert [int(many.min()), int(many.max())] == [0, BUCKETS - 1]


def test_rows_are_digested_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[tuple[Optional[str], ...]] = [(str(n), None) for n in range(7)]
    whole = numbers(rows)
    monkeypatch.setattr(digesting, "_ROWS", 3)
    assert numbers(rows) == whole
