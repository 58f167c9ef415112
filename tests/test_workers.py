"""Workers: results in order, errors as they are, and nothing that hangs."""

from __future__ import annotations

import os
from typing import Any

import pytest

from aspen_etl.errors import ArgumentError, ExtractError, NotSupportedError, UnexpectedError
from aspen_etl.workers import InTurn, Processes


def double(number: int) -> int:
    return 2 * number


def cores(_: int) -> list[int]:
    return sorted(os.sched_getaffinity(0))


def end(number: int) -> int:
    os._exit(number)


def refuse(number: int) -> int:
    raise ExtractError("two rows are wrong", count=number)


def test_results_come_in_the_order_of_items() -> None:
    assert InTurn().map(double, iter([3, 1, 2])) == [6, 2, 4]
    assert Processes(2).map(double, iter([3, 1, 2])) == [6, 2, 4]
    assert Processes(2).map(double, []) == []


def test_an_error_of_an_item_comes_as_it_is() -> None:
    with pytest.raises(ExtractError, match="two rows are wrong") as caught:
        Processes(1).map(refuse, [2])
    assert caught.value.details == {"count": 2}


def test_a_worker_that_ends_before_its_item_is_done_is_told() -> None:
    with pytest.raises(UnexpectedError, match="a worker ended before its part was done") as caught:
        Processes(1).map(end, [1])
    assert caught.value.__context__ is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes keep to no core here")
def test_each_process_keeps_to_one_core() -> None:
    before = os.sched_getaffinity(0)
    found = Processes(2).map(cores, range(4))
    assert {len(each) for each in found} == {1}
    assert {core for each in found for core in each} <= before
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("function", [lambda number: number, InTurn().map])
def test_what_does_not_pickle_is_refused(function: Any) -> None:
    with pytest.raises(NotSupportedError, match="what a worker is to do cannot be sent to it"):
        Processes(1).map(function, [lambda: 1])


@pytest.mark.parametrize("count", [0, -1, 1.5])
def test_there_is_at_least_one_process(count: Any) -> None:
    with pytest.raises(ArgumentError, match="without a process does nothing") as caught:
        Processes(count)
    assert caught.value.details == {"problem": "count"}
