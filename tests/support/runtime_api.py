"""The other side of a Lambda function: a Runtime API that the real runtime client talks to.

It hands out events and takes answers, as Lambda does it (AWS Lambda developer guide, "Using
the Lambda runtime API"), and looks at the process from outside: how long until it asked for its
first event, how much memory it took.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

ARN = "arn:aws:lambda:us-east-1:123456789012:function:aspen-sync"

#: How long a process may take to begin, on a machine that has much else to do.
READY_SECONDS = 300
#: The most that Lambda gives to one event.
LONGEST_SECONDS = 900


@dataclass(frozen=True)
class Answer:
    """What an invocation came to.

    Attributes:
        kind: ``response``, or ``error``.
        body: What the handler returned, or what Lambda is told of the error.
        seconds: From the event to the answer.
    """

    kind: Literal["response", "error"]
    body: Any
    seconds: float


@dataclass
class RuntimeApi:
    """A function that runs, and the API that it asks for events."""

    events: queue.Queue[tuple[str, bytes, int] | None] = field(default_factory=queue.Queue)
    answers: queue.Queue[tuple[str, str, Any]] = field(default_factory=queue.Queue)
    ready: threading.Event = field(default_factory=threading.Event)
    started: float = 0.0
    init_seconds: float = 0.0
    pid: int = 0
    log: Path = Path()

    def invoke(self, event: Any, *, seconds: float = LONGEST_SECONDS) -> Answer:
        """Send an event with so much time to answer it, and wait for the answer."""
        request, begin = str(uuid.uuid4()), time.monotonic()
        self.events.put((request, json.dumps(event).encode(), int(seconds * 1000)))
        try:
            answered, kind, body = self.answers.get(timeout=seconds + READY_SECONDS)
        except queue.Empty:
            raise AssertionError(self.log.read_text("utf-8")[-3000:]) from None
        assert answered in {request, "init"}, answered
        assert kind in {"response", "error"}
        return Answer("response" if kind == "response" else "error", body, time.monotonic() - begin)

    def peak_megabytes(self) -> float:
        """Tell the most memory that the process has held at once."""
        status = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024

    def cpu_seconds(self) -> float:
        """Tell how long the process has computed."""
        stat = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    @contextlib.contextmanager
    def slowed_to(self, share: float) -> Iterator[None]:
        """Give the process such a share of a core, as a small memory does on Lambda.

        It is stopped for the rest of every 20 ms.
        """
        over = threading.Event()

        def halt() -> None:
            while not over.is_set():
                os.kill(self.pid, signal.SIGSTOP)
                time.sleep(0.02 * (1 - share))
                os.kill(self.pid, signal.SIGCONT)
                time.sleep(0.02 * share)

        thread = threading.Thread(target=halt)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def lines(self) -> list[dict[str, Any]]:
        """Give the lines of JSON that the function has written."""
        text = self.log.read_text("utf-8")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            if not api.ready.is_set():
                api.init_seconds = time.monotonic() - api.started
                api.ready.set()
            event = api.events.get()  # it waits, as the real one does
            if event is None:
                self.close_connection = True
                return
            request, body, milliseconds = event
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", request)
            deadline = int(time.time() * 1000) + milliseconds
            self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", ARN)
            self._send(body)

        def do_POST(self) -> None:
            body = json.loads(self._body())
            *_, request, kind = self.path.split("/")  # .../{id}/response, .../init/error
            self.send_response(202)
            self._send(b"{}")
            api.answers.put((request, kind, body))

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def _send(self, body: bytes) -> None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: the process was killed while it waited for an event."""


@contextlib.contextmanager
def running(
    handler: str,
    *,
    python: Path,
    client: Path,
    package: Path,
    environment: Mapping[str, str],
    log: Path,
) -> Iterator[RuntimeApi]:
    """Run a handler under the real runtime client; nothing but the package is on its path.

    Args:
        handler: As the function is configured, ``module.function``.
        python: The interpreter; its site-packages are not looked at.
        client: The folder with awslambdaric, which the real runtime brings.
        package: The unpacked package, as /var/task.
        environment: All that the process is told.
        log: Where its output goes.
    """
    api = RuntimeApi(log=log)
    server = _Server(("127.0.0.1", 0), _handler(api))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": ARN.rpartition(":")[2],
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "LAMBDA_TASK_ROOT": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",  # /var/task is read-only
        "PYTHONPATH": f"{package}:{client}",
        "_HANDLER": handler,
        "TZ": ":UTC",
        **environment,
    }
    with log.open("wb") as output:
        api.started = time.monotonic()
        process = subprocess.Popen(
            [str(python), "-S", "-s", "-m", "awslambdaric", handler],
            cwd=package,
            env=told,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        api.pid = process.pid
        try:
            yield api
        finally:
            process.kill()
            process.wait()
            api.events.put(None)
            server.shutdown()
            server.server_close()
