"""A Parquet file that was changed is read, or refused by a clear error, whatever was changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import parquets
from tests.support.confined import run_confined

pytest.importorskip("pyarrow")


def mutants(count: int, seed: int) -> list[parquets.Mutant]:
    return [
        mutant
        for number, data in enumerate(parquets.samples())
        for mutant in parquets.mutants(data, count, seed + number)
    ]


def assert_each_is_read_or_refused(given: list[parquets.Mutant]) -> None:
    outcomes = run_confined(parquets.read_mutant, [mutant.data for mutant in given])
    assert [
        (mutant.change, outcome.ended or outcome.shown)
        for mutant, outcome in zip(given, outcomes)
        if outcome.ended or outcome.error
    ] == []


def test_a_changed_file_is_read_or_refused_in_little_time_and_memory() -> None:
    assert_each_is_read_or_refused(mutants(60, seed=17))


@pytest.mark.exhaustive
def test_thousands_of_changed_files_are_read_or_refused_in_little_time_and_memory() -> None:
    assert_each_is_read_or_refused(mutants(2_000, seed=1_700))


def changed_pages(data: bytes, step: int) -> Iterator[bytes]:
    """Change one bit of each page at some places; what is not in a page has no checksum."""
    for page in parquets.pages(data):
        for place in page[::step]:
            changed = bytearray(data)
            changed[place] ^= 1 << place % 8
            yield bytes(changed)


@pytest.mark.parametrize("step", [31, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_a_bit_of_a_page_with_a_checksum_is_never_read_as_another_value(step: int) -> None:
    for data in parquets.samples():
        whole = parquets.read_mutant(data)
        for changed in changed_pages(data, step):
            found = parquets.read_mutant(changed)
            # Columns in columns are not read: of their pages nothing is told.
            assert found == whole or str(found).startswith("CorruptFileError: x.parquet is damaged")
