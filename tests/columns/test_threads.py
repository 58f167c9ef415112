"""Work on many rows is shared among the cores, and gives what it would give one by one."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Iterator

import pytest

from aspen_etl.columns import threads
from aspen_etl.columns.threads import map_ahead, map_threads

MANY = 10**6
CORES = threads._cores
SETTING: contextvars.ContextVar[str] = contextvars.ContextVar("SETTING", default="none")


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_cores", lambda: 2)
    monkeypatch.setattr(threads, "_MANY_ROWS", 20_000)  # as where Arrow holds text


def test_what_comes_back_is_in_the_order_of_the_items() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.02 if number == 0 else 0)
        return number * 2

    assert map_threads(slow_first, range(9), rows=MANY) == [2 * n for n in range(9)]
    assert map_threads(slow_first, [], rows=MANY) == []


def test_two_calls_run_side_by_side() -> None:
    both = threading.Barrier(2, timeout=60)
    assert map_threads(lambda _: both.wait() >= 0, range(2), rows=MANY) == [True, True]


@pytest.mark.parametrize("rows", [0, 100])
def test_few_rows_stay_in_the_callers_thread(rows: int) -> None:
    found = map_threads(lambda _: threading.get_ident(), range(3), rows=rows)
    assert set(found) == {threading.get_ident()}


def test_a_worker_hands_nothing_on() -> None:
    def nested(_: int) -> bool:
        mine = threading.get_ident()
        return set(map_threads(lambda _: threading.get_ident(), range(3), rows=MANY)) == {mine}

    assert map_threads(nested, range(2), rows=MANY) == [True, True]


def test_each_call_has_the_callers_settings() -> None:
    token = SETTING.set("mine")
    try:
        assert map_threads(lambda _: SETTING.get(), range(3), rows=MANY) == ["mine"] * 3
    finally:
        SETTING.reset(token)


def test_the_error_of_the_first_item_comes_out() -> None:
    def fail(number: int) -> None:
        if number:
            raise ValueError(str(number))

    with pytest.raises(ValueError, match="1"):
        map_threads(fail, range(4), rows=MANY)


def test_no_more_is_done_ahead_than_asked_for() -> None:
    begun: list[int] = []
    results: Iterator[int] = map_ahead(lambda n: begun.append(n) or n, range(9), rows=MANY)  # type: ignore[func-returns-value]
    assert next(results) == 0
    assert len(begun) <= 3
    assert list(results) == list(range(1, 9))


def test_work_begins_before_a_result_is_asked_for() -> None:
    begun = threading.Event()
    found = map_ahead(lambda _: begun.set(), range(2), rows=MANY)
    assert begun.wait(60)
    assert list(found) == [None, None]


def test_one_worker_is_ahead_by_as_much_as_it_is_told() -> None:
    begun: list[int] = []

    def note(number: int) -> int:
        begun.append(number)
        return threading.get_ident()

    found = map_ahead(note, range(9), rows=MANY, ahead=1, workers=1)
    workers = {next(found)}
    time.sleep(0.02)
    assert len(begun) <= 2
    assert len(workers | set(found)) == 1
    assert begun == list(range(9))


def test_where_python_holds_text_only_what_waits_is_handed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "_MANY_ROWS", threads.UNKNOWN_ROWS)
    mine = {threading.get_ident()}
    assert set(map_threads(lambda _: threading.get_ident(), range(3), rows=MANY)) == mine
    both = threading.Barrier(2, timeout=60)
    assert (
        map_threads(lambda _: both.wait() >= 0, range(2), rows=threads.UNKNOWN_ROWS) == [True] * 2
    )


@pytest.mark.parametrize(("told", "cores"), [("1", 1), ("64", 3), ("", 3), ("0", 3), ("2,1", 3)])
def test_no_more_cores_are_used_than_arrow_is_told(
    monkeypatch: pytest.MonkeyPatch, told: str, cores: int
) -> None:
    monkeypatch.setattr(threads, "_cores_there", lambda: 3)
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert CORES() == cores
