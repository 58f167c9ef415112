"""The command line's process uses free memory again, where the C library is glibc."""

from __future__ import annotations

import ctypes
import importlib.util
import platform
import subprocess
import sys

import pytest

from aspen_etl.command_line.program import tune_memory

_CHILD = """
import ctypes
from aspen_etl.command_line.program import tune_memory
tune_memory()
print(ctypes.CDLL(None).prctl(42, 0, 0, 0, 0))  # PR_GET_THP_DISABLE
try:
    import pyarrow
except ImportError:
    print("none")
else:
    print(pyarrow.default_memory_pool().backend_name)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_huge_pages_are_off_and_arrow_takes_memory_from_glibc() -> None:
    command = [sys.executable, "-c", _CHILD]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    pool = "system" if importlib.util.find_spec("pyarrow") else "none"
    assert done.stdout.split() == ["1", pool]


@pytest.mark.parametrize("error", [OSError, TypeError])
def test_another_system_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", fail)
    tune_memory()


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    tune_memory()
