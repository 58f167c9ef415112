"""A process apart takes hostile inputs: what it gives, and that it always gives something."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.confined import run_confined

pytest.importorskip("resource", reason="limits of memory are POSIX's")


def _act(job: tuple[str, Any]) -> Any:
    acts: dict[str, Callable[[Any], Any]] = {
        "sleep": time.sleep,
        "take": lambda size: len(bytearray(size)),
        "abort": lambda _: os.abort(),
        "exit": os._exit,
        "pid": lambda _: os.getpid(),
        "print": print,
        "raise": _raise,
    }
    name, value = job
    return acts[name](value)


def _raise(text: str) -> None:
    try:
        {"": 0}[text]
    except KeyError as error:
        message = "later"
        raise ValueError(message) from error


def test_what_each_input_came_to_is_told_in_order() -> None:
    outcomes = run_confined(
        _act,
        [
            ("pid", None),
            ("print", "text that is no answer"),
            ("raise", "first"),
            ("pid", None),
            ("abort", None),
            ("exit", 3),
            ("take", 1 << 20),
            ("take", 2 << 30),
            ("sleep", 60),
            ("pid", None),
        ],
        seconds=1,
    )
    pids = [outcomes[i].value for i in (0, 3, 9)]
    assert pids[0] == pids[1] != pids[2]
    assert os.getpid() not in pids
    assert [(outcome.error, outcome.text, outcome.ended) for outcome in outcomes] == [
        ("", "", ""),
        ("", "", ""),
        ("builtins.ValueError", "later", ""),
        ("", "", ""),
        ("", "", "killed by SIGABRT"),
        ("", "", "exit status 3"),
        ("", "", ""),
        ("builtins.MemoryError", "", "out of memory"),
        ("", "", "more than 1 s"),
        ("", "", ""),
    ]
    assert "KeyError: 'first'" in outcomes[2].shown
    assert outcomes[6].value == 1 << 20
