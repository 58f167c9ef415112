"""A storage that fails at the n-th call: before it took effect, after it, or half-way.

It stands around the filesystems that ``aspen_etl.io.filesystem.locate`` makes, and around the
raw calls by which files are written to a local disk. It counts what it is asked, so that a
test can run once to learn how many calls there are, and then fail each of them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from unittest import mock

import fsspec
from fsspec.implementations.local import LocalFileSystem

from aspen_etl.io import regular, writing
from aspen_etl.store import vacuuming

#: What stands in the text of a fault, and must stand in no traceback of ours.
CANARY = "https://key:s3cr3t@storage/?X-Amz-Signature=canary"

Kind = Literal["before", "after", "half"]

_READS = ("cat_file", "info", "exists", "find", "ls", "open")
_CHANGES = ("pipe_file", "rm_file", "makedirs")
_RAW_CHANGES = ("replace", "link", "unlink", "rmdir", "fsync")
_RAW_READS = ("open", "close")


class StorageFault(Exception):  # noqa: N818 - as foreign as a storage's own exceptions
    """Be what an object store raises: neither an OSError nor one of ours."""


@dataclass(frozen=True)
class Call:
    """One call of a storage: its name, and in which kinds it can fail."""

    name: str
    kinds: tuple[Kind, ...]


@dataclass
class Faults:
    """Count the calls of a storage, and fail one of them.

    Attributes:
        at: The number of the call that fails, from 1; 0 for none.
        kind: How it fails.
        dead: Whether each call after it fails too, as for a process that lost its network.
        calls: The calls, in their order.
    """

    at: int = 0
    kind: Kind = "before"
    dead: bool = False
    calls: list[Call] = field(default_factory=list)
    _inside: threading.local = field(default_factory=threading.local)
    _lock: Any = field(default_factory=threading.Lock)

    def cases(self) -> Iterator[tuple[int, Kind]]:
        """Give every call and every way in which it can fail."""
        for number, call in enumerate(self.calls, start=1):
            for kind in call.kinds:
                yield number, kind

    def call(
        self,
        name: str,
        work: Callable[[], Any],
        *,
        kinds: tuple[Kind, ...],
        half: Callable[[], Any] | None = None,
        local: bool = False,
    ) -> Any:
        """Make a call, or fail it. A call that a storage makes of itself is not counted."""
        if getattr(self._inside, "call", False):
            return work()
        with self._lock:  # two files may be read side by side
            self.calls.append(Call(name, kinds))
            number = len(self.calls)
        error = OSError(errno.EIO, CANARY) if local else StorageFault(CANARY)
        self._inside.call = True
        try:
            if self.at and number > self.at and self.dead:
                raise error
            if number != self.at:
                return work()
            if self.kind == "after":
                work()
            elif self.kind == "half" and half is not None:
                half()
            raise error
        finally:
            self._inside.call = False


@contextlib.contextmanager
def faulty(faults: Faults) -> Iterator[Faults]:
    """Put a fault injector around every filesystem that is made inside."""
    url_to_fs = fsspec.core.url_to_fs

    def wrapped(url: str, **options: Any) -> tuple[Any, str]:
        filesystem, path = url_to_fs(url, **options)
        _wrap(filesystem, faults)
        return filesystem, path

    raw = _raw_calls(faults)
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(fsspec.core, "url_to_fs", wrapped))
        stack.enter_context(mock.patch.object(writing, "os", raw))
        stack.enter_context(mock.patch.object(vacuuming, "os", raw))
        stack.enter_context(mock.patch.object(regular, "os", raw))
        opening = mock.patch.object(writing, "open", _opening(faults), create=True)
        stack.enter_context(opening)
        yield faults


def _wrap(filesystem: Any, faults: Faults) -> None:
    local = isinstance(filesystem, LocalFileSystem)
    for name in (*_READS, *_CHANGES):
        method = getattr(filesystem, name)
        setattr(filesystem, name, _method(faults, name, method, local=local))


def _method(faults: Faults, name: str, method: Callable[..., Any], *, local: bool) -> Any:
    def call(*args: Any, **options: Any) -> Any:
        kinds: tuple[Kind, ...] = ("before", "after") if name in _CHANGES else ("before",)
        half = None
        # NOTE: what an object store is told to create exclusively comes whole or not at all.
        if name == "pipe_file" and options.get("mode") != "create":
            path, data = args
            kinds = (*kinds, "half")

            def half() -> None:
                method(path, data[: len(data) // 2], **options)

        return faults.call(
            name, lambda: method(*args, **options), kinds=kinds, half=half, local=local
        )

    return call


# ----------------------------------------------------------------------------- a local disk


def _raw_calls(faults: Faults) -> Any:
    """Give a module ``os`` whose calls can fail."""
    names = {name: getattr(os, name) for name in dir(os) if not name.startswith("__")}
    for name in (*_RAW_CHANGES, *_RAW_READS):
        names[name] = _raw(faults, name, names[name])
    return types.SimpleNamespace(**names)


def _raw(faults: Faults, name: str, function: Callable[..., Any]) -> Any:
    def call(*args: Any) -> Any:
        if name == "close":
            return function(*args)
        kinds: tuple[Kind, ...] = ("before", "after") if name in _RAW_CHANGES else ("before",)
        return faults.call(f"os.{name}", lambda: function(*args), kinds=kinds, local=True)

    return call


def _opening(faults: Faults) -> Any:
    def call(path: str, mode: str) -> _File:
        made: list[Any] = []

        def work() -> _File:
            made.append(open(path, mode))  # noqa: PTH123, SIM115 - what the library calls
            return _File(made[0], faults)

        try:
            opened: _File = faults.call("open", work, kinds=("before", "after"), local=True)
        except OSError:
            for each in made:
                each.close()
            raise
        return opened

    return call


class _File:
    """A file that is written to, whose writing can fail."""

    def __init__(self, file: Any, faults: Faults) -> None:
        self._file, self._faults = file, faults

    def __enter__(self) -> _File:  # noqa: PYI034 - Self is not there on Python 3.9
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> Any:
        def half() -> None:
            self._file.write(data[: len(data) // 2])

        return self._faults.call(
            "write",
            lambda: self._file.write(data),
            kinds=("before", "half", "after"),
            half=half,
            local=True,
        )

    def writelines(self, parts: Iterable[bytes]) -> None:
        for part in parts:
            self.write(part)

    def flush(self) -> None:
        self._file.flush()

    def fileno(self) -> int:
        return int(self._file.fileno())
