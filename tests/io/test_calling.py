"""A step is done again while its error says so, and the last try raises its own."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from aspen_etl.errors import AspenETLError, ConflictError, ReadError, SourceNotFoundError
from aspen_etl.io.calling import attempt, jitter, retry

Step = Callable[[], str]


def failing(*errors: Exception) -> tuple[Step, list[int]]:
    """Make a step that fails with one error after the other, and then comes out."""
    left, calls = list(errors), [0]

    def step() -> str:
        calls[0] += 1
        if left:
            raise left.pop(0)
        return "done"

    return step, calls


def is_conflict(error: AspenETLError) -> bool:
    return isinstance(error, ConflictError)


@pytest.mark.parametrize("failures", range(4))
def test_a_step_is_tried_until_it_comes_out(failures: int) -> None:
    step, calls = failing(*[ConflictError(str(number)) for number in range(failures)])
    assert retry(step, tries=4, again=is_conflict) == "done"
    assert calls == [failures + 1]


@pytest.mark.parametrize(("tries", "told"), [(3, "2"), (1, "0"), (0, "0"), (-1, "0")])
def test_the_last_try_raises_its_own_error(tries: int, told: str) -> None:
    step, calls = failing(*[ConflictError(str(number)) for number in range(9)])
    with pytest.raises(ConflictError, match=f"^{told}$") as caught:
        retry(step, tries=tries, again=is_conflict)
    assert calls == [max(1, tries)]
    assert caught.value.__context__ is None


@pytest.mark.parametrize("error", [ReadError("a"), KeyError("a"), KeyboardInterrupt()])
def test_another_error_is_raised_at_once(error: BaseException) -> None:
    step, calls = failing(ConflictError("a"), error)  # type: ignore[arg-type]
    with pytest.raises(type(error)) as caught:
        retry(step, tries=9, again=is_conflict)
    assert caught.value is error
    assert calls == [2]


def test_it_waits_between_two_tries_and_after_none(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    step, _ = failing(*[ConflictError("a")] * 9)
    with pytest.raises(ConflictError):
        retry(step, tries=4, again=is_conflict, pause=lambda number: number / 10)
    assert waited == [0.1, 0.2, 0.3]


def test_a_pause_by_chance_is_within_its_bounds() -> None:
    assert all(0 <= jitter(0.1) <= 0.1 for _ in range(100))
    assert len({jitter(0.1) for _ in range(100)}) > 1


def test_what_a_storage_raises_becomes_ours_without_its_text() -> None:
    step, _ = failing(FileNotFoundError("canary"), OSError("canary"), MemoryError())
    with pytest.raises(SourceNotFoundError) as missing:
        attempt("s3://a/b", step)
    with pytest.raises(ReadError) as failed:
        attempt("s3://a/b", step)
    for error in (missing.value, failed.value):
        assert (error.__context__, error.__cause__) == (None, None)
        assert "canary" not in f"{error} {error.details}"
    with pytest.raises(MemoryError):
        attempt("s3://a/b", step)
    assert attempt("s3://a/b", step) == "done"
