"""How http sources are read: no redirect to a stranger, and no waiting for one who is silent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["HTTP", "AnswerError", "RedirectError", "web_options"]

#: The protocols.
HTTP = frozenset({"http", "https"})

#: For how many seconds a server may be silent, before its answer and in it.
SILENCE = 60.0

#: The storage option that names the origins, beside its own, to which a server may redirect.
ALLOWED = "allow_redirects_to"


class RedirectError(Exception):
    """A server redirects to another one; ``to`` is its origin, and shows no more of it."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.to = to


class AnswerError(Exception):
    """A server answers neither with what was asked for nor with an error."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def web_options(url: str, options: Mapping[str, Any], /) -> dict[str, Any]:
    """Give the options of fsspec's http filesystem.

    Args:
        url: The url, whose origin may redirect to itself.
        options: The caller's options. Those in ``client_kwargs`` go before ours.

    Raises:
        ImportError: aiohttp is not installed.
        TypeError: The origins are no list of texts.
        ValueError: One of them is no origin.
    """
    import aiohttp
    import yarl

    given = dict(options)
    origins = given.pop(ALLOWED, ())
    if isinstance(origins, str) or not all(isinstance(each, str) for each in origins):
        raise TypeError(ALLOWED)
    allowed = {_origin(yarl.URL(each)) for each in (url, *origins)}
    client = dict(given.pop("client_kwargs", None) or {})
    client.setdefault(
        "timeout", aiohttp.ClientTimeout(total=None, connect=SILENCE, sock_read=SILENCE)
    )
    client["trace_configs"] = [*client.get("trace_configs", ()), _watching(allowed)]
    return {**given, "client_kwargs": client}


def _origin(url: Any) -> str:
    """Give scheme, host and port of a url, and nothing else of it."""
    return str(url.origin())


def _watching(allowed: Collection[str]) -> Any:
    import aiohttp
    import yarl

    async def redirected(_session: Any, _context: Any, sent: Any) -> None:
        headers = sent.response.headers
        try:
            place = yarl.URL(headers.get("Location") or headers.get("URI") or "")
            to = _origin(sent.url.join(place))
        except ValueError:
            to = "no server"
        if to not in allowed:
            sent.response.close()
            raise RedirectError(to)

    async def answered(_session: Any, _context: Any, sent: Any) -> None:
        status = sent.response.status
        if status < 400 and status not in (200, 206):  # noqa: PLR2004 - of http
            sent.response.close()
            raise AnswerError(status)

    watch = aiohttp.TraceConfig()
    watch.on_request_redirect.append(redirected)
    watch.on_request_end.append(answered)
    return watch
