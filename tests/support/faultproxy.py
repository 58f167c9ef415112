"""A reverse proxy before an S3 server, that fails as networks and object stores do.

It runs in a thread on loopback. Requests go on as they came, with their ``Host`` header, since
the signature covers it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal[
    "slow_down",  # 503 SlowDown
    "error",  # 500 InternalError
    "conflict",  # 409 ConditionalRequestConflict
    "reset",  # the connection is reset before the server hears of the request
    "reset_after",  # ... after the server did what it was asked: the answer is lost
    "truncate",  # half of the body, then the connection ends
    "flip",  # one bit of the body is another
    "delay",  # the answer is late
]

#: More often than anything is asked: a fault for good.
ALWAYS = 1_000_000

_ANSWERS = {
    "slow_down": (503, "SlowDown"),
    "error": (500, "InternalError"),
    "conflict": (409, "ConditionalRequestConflict"),
}
_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding",
        "upgrade",
    }
)  # fmt: skip
_SECONDS = 300
_RESET = b"\x01\0\0\0\0\0\0\0"  # struct linger: on, no seconds; closing then sends RST


@dataclass
class Fault:
    """Say which requests fail, and how.

    Attributes:
        action: What happens.
        method: A regular expression for the whole method.
        path: A regular expression for a part of the path.
        times: How often.
        skip: How many such requests go through before.
        seconds: How late an answer is.
    """

    action: Action
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    skip: int = 0
    seconds: float = 0.0

    def takes(self, method: str, path: str) -> bool:
        """Tell whether this request fails, and count it."""
        if not (re.fullmatch(self.method, method) and re.search(self.path, path)):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


@dataclass
class FaultProxy:
    """A proxy that is running.

    Attributes:
        upstream: The server behind it.
        url: Where it listens.
        faults: What fails; the first that takes a request counts.
        requests: What was asked: method, path, and the fault or an empty text.
    """

    upstream: str
    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    _session: Any = None
    _runner: Any = None

    def clear(self) -> None:
        """Fail no more, and forget what was asked."""
        self.faults.clear()
        self.requests.clear()

    def failed(self) -> list[tuple[str, str, str]]:
        """Give the requests that failed."""
        return [request for request in self.requests if request[2]]

    async def start(self) -> None:
        """Listen on a free port."""
        from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

        self._session = ClientSession(
            connector=TCPConnector(limit=0),
            timeout=ClientTimeout(total=_SECONDS),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Listen no more."""
        await self._session.close()
        await self._runner.cleanup()

    async def _answer(self, request: Any) -> Any:
        from aiohttp import web

        method, path = request.method, request.raw_path
        fault = next((each for each in self.faults if each.takes(method, path)), None)
        action = fault.action if fault else ""
        self.requests.append((method, path, action))
        if action == "reset":
            return _reset(request)
        body = await request.read()
        if action in _ANSWERS:
            status, code = _ANSWERS[action]
            text = f"<Error><Code>{code}</Code><Message>a fault</Message></Error>"
            return web.Response(status=status, text=text, content_type="application/xml")
        if fault is not None and action == "delay":
            await asyncio.sleep(fault.seconds)
        return await self._forward(request, body, action)

    async def _forward(self, request: Any, body: bytes, action: str) -> Any:
        from aiohttp import web

        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        async with self._session.request(
            request.method,
            self.upstream + request.raw_path,
            headers=headers,
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=("Content-Type", "User-Agent", "Accept"),
        ) as answer:
            data = await answer.read()
        if action == "reset_after":
            return _reset(request)
        if action == "flip" and data:
            data = bytes([data[0] ^ 1]) + data[1:]
        headers = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
        out = web.StreamResponse(status=answer.status, headers=headers)
        if request.method == "HEAD":
            await out.prepare(request)
            return out
        out.content_length = len(data)
        await out.prepare(request)
        if action == "truncate":
            await out.write(data[: len(data) // 2])
            request.transport.close()
            return out
        await out.write(data)
        await out.write_eof()
        return out


def _reset(request: Any) -> Any:
    from aiohttp import web

    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    request.transport.abort()
    return web.Response()


@contextlib.contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """Run a proxy before a server."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    proxy = FaultProxy(upstream)
    try:
        asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(_SECONDS)
        try:
            yield proxy
        finally:
            asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(_SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_SECONDS)
        loop.close()
