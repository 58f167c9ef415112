"""Changed in any way, a file of the store's state is told as damaged, at once and by name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from tests.support.commit_mutations import Mutant, look, mutants, original, verify
from tests.support.confined import Outcome, run_confined

pytest.importorskip("resource", reason="limits of memory are POSIX's")

OLDER, NEWEST = (f"_aspen/commits/{version:020d}.json" for version in (1, 2))

DAMAGE = "aspen_etl.errors.storage.CorruptStoreError"
#: A higher number of the format is a newer version's.
NEWER = "aspen_etl.errors.storage.StoreFormatError"
#: What is sealed anew, or was never sealed, can be of another model.
OTHER_MODEL = "aspen_etl.errors.running.ModelMismatchError"


def outcomes(name: str, count: int, *, store_format: int = 3) -> Iterator[tuple[Mutant, Outcome]]:
    """Look at mutants of a file of a store: an error of ours, or what the store held before."""
    held = original(store_format)
    MemoryFileSystem.store.clear()
    given = list(mutants(name, held.files[name], count, seed=count))
    for mutant, outcome in zip(given, run_confined(partial(look, held), given)):
        assert not outcome.ended, (mutant, outcome.ended)
        if outcome.error:
            assert outcome.error in {DAMAGE, NEWER, OTHER_MODEL}, (mutant, outcome.shown)
            assert outcome.shown.count("Traceback") == 1, outcome.shown
            assert len(outcome.text) < 1_000
        else:
            assert outcome.value == "same", mutant
        yield mutant, outcome


def test_a_mutated_commit_is_damaged() -> None:
    for mutant, outcome in outcomes(NEWEST, 700):
        if not mutant.sealed and outcome.error != NEWER:
            assert outcome.error == DAMAGE, mutant
            assert "commit 2 is damaged" in outcome.text


def test_a_mutated_commit_of_format_1_is_damaged_or_holds_the_same_tables() -> None:
    found = [outcome for _, outcome in outcomes(NEWEST, 300, store_format=1)]
    damaged = [each for each in found if "commit 2 is damaged" in each.text]
    assert len(damaged) > len(found) * 0.8


@pytest.mark.parametrize("name", [OLDER, NEWEST])
def test_verify_finds_a_mutated_commit(name: str) -> None:
    held = original(3)
    MemoryFileSystem.store.clear()
    given = list(mutants(name, held.files[name], 20, seed=3))
    named = {f"commit {int(name[-6])}", "commit 2"}  # the one after it names its checksum
    for mutant, outcome in zip(given, run_confined(partial(verify, held), given, seconds=60)):
        assert not outcome.ended, (mutant, outcome.ended)
        if outcome.error:
            assert outcome.error in {NEWER, OTHER_MODEL}, outcome.shown
        elif name == OLDER or not mutant.sealed:
            assert named & set(outcome.value), mutant


@pytest.mark.parametrize("name", ["store.json", "last_run.json", "newest.json", "pins/loader.json"])
def test_any_other_file_of_its_state_is_damaged_or_does_no_harm(name: str) -> None:
    for mutant, outcome in outcomes(f"_aspen/{name}", 60):
        assert name == "last_run.json" or outcome.error or mutant.sealed or "newest" in name
