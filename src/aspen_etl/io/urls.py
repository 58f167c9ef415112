"""What a url says: whether it names a place on this machine, and what of it may be shown."""

from __future__ import annotations

import inspect
import os
import re
from typing import Optional, Union
from urllib.parse import unquote_to_bytes

import fsspec
from fsspec.implementations.local import LocalFileSystem

from aspen_etl.errors import NotSupportedError

__all__ = ["Url", "display_url", "is_here", "is_in_memory", "local_path", "resolve_chain"]

#: What names a file or folder: an fsspec url, or a local path.
Url = Union[str, "os.PathLike[str]"]

#: The protocols whose urls hold a path and nothing else.
_LOCAL = frozenset({"file", "local", "memory"})

#: The protocols of fsspec that need a package and lie in a file of another storage.
_ARCHIVES = frozenset({"libarchive"})


# ----------------------------------------------------------------------------- shown


def display_url(url: Url, /) -> str:
    """Show a url without what may be secret: user information, query and fragment.

    Examples:
        >>> display_url("https://me:secret@host/a.csv?X-Amz-Signature=abc")
        'https://host/a.csv'
        >>> display_url("/data/50% of #1.csv")
        '/data/50% of #1.csv'
    """
    shown, *parts = os.fspath(url).split("::")
    protocol, separator, _ = shown.partition("://")
    shown = _display(shown)
    # NOTE: two colons may stand in a password or a signature: what follows is shown of a chain
    # alone, and of a path.
    lies_within = bool(parts) and _lies_in_another(protocol) is True
    if parts and separator and protocol.lower() not in _LOCAL and not lies_within:
        return f"{shown}::..."
    return "::".join([shown, *map(_display, parts)])


def _display(url: str) -> str:
    if url[:5].lower() == "data:":
        return "data:"
    protocol, separator, rest = url.partition("://")
    if not separator or protocol.lower() in _LOCAL:
        return url
    rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    host = rest.partition("/")[0]
    # NOTE: a secret key may hold a slash, so `user:ab/cd@bucket` has no @ in its first part.
    if "@" in host or re.search(r":(?![0-9]*\Z)", host):
        host = rest.rpartition("@")[0]
        rest = rest[len(host) :].lstrip("@") if "@" in rest else "..."
    return f"{protocol}://{rest}"


# ----------------------------------------------------------------------------- on this machine


def is_in_memory(url: Url, /) -> bool:
    """Tell whether a url is of this process alone, so that what is written there goes with it.

    Examples:
        >>> is_in_memory("memory://x"), is_in_memory("simplecache::memory://x"), is_in_memory("x")
        (True, True, False)
    """
    text = os.fspath(url)
    last = text.rpartition("::")[2]
    return local_path(text) is None and last.partition("://")[0].lower() == "memory"


def is_here(url: str, /) -> bool:
    """Tell whether a url, as it is shown, is of a disk or the memory of this machine.

    Examples:
        >>> is_here("memory://x"), is_here("/data/x"), is_here("https://host/x")
        (True, True, False)
    """
    head = url.split("::", maxsplit=1)[0]
    return head.partition("://")[0].lower() in _LOCAL or not _is_url(head, chained="::" in url)


def local_path(url: Url, /) -> Optional[str]:
    """Give the absolute path of a place on this machine, in fsspec's form; else none.

    A path is what it says, two colons included, but that ``~`` at its beginning is the home
    folder. A ``file:`` url is read as RFC 8089 has it: ``%20`` is a space, and its host is empty
    or ``localhost``.

    Raises:
        NotSupportedError: It is a ``file:`` url that names another host, or no path at all.

    Examples:
        >>> local_path("file://localhost/data/first%20run")
        '/data/first run'
        >>> local_path("/data/q3::final")
        '/data/q3::final'
        >>> local_path("s3://bucket/key") is None
        True
    """
    text = os.fspath(url)
    if "\0" in text:
        raise _refused(text, "holds a NUL", "no path does")
    if text[:6].lower() == "file:/":
        return LocalFileSystem._strip_protocol(_path_of_file_url(text))  # type: ignore[no-any-return]  # noqa: SLF001 - what each of fsspec's own callers takes
    if text[:8].lower() == "local://":  # fsspec's own word: letters, no escapes
        return LocalFileSystem._strip_protocol(text[8:])  # type: ignore[no-any-return]  # noqa: SLF001
    if _is_url(text.split("::")[0], chained="::" in text):
        return None
    if text.startswith(("file:", "local:")):  # letters of a name, which fsspec would take away
        text = f"./{text}"
    return LocalFileSystem._strip_protocol(text)  # type: ignore[no-any-return]  # noqa: SLF001


def _is_url(head: str, *, chained: bool) -> bool:
    if "://" in head or head[:5].lower() == "data:":
        return True
    return chained and head in fsspec.available_protocols()


def _path_of_file_url(url: str) -> str:
    rest = url[5:]
    if rest.startswith("//"):
        host, _, path = rest[2:].partition("/")
        if host.lower() not in {"", "localhost"}:
            hint = "write file:/// and an absolute path, or the path alone"
            raise _refused(url, "names a host that is not this one (RFC 8089)", hint)
        rest = f"/{path}"
    if re.search("%2f|%00", rest, re.IGNORECASE):
        raise _refused(url, "holds an escaped slash or NUL", "no name of a file does")
    path = os.fsdecode(unquote_to_bytes(rest))
    if path != rest and os.path.lexists(rest) and not os.path.lexists(path):
        hint = "escapes are read now: rename it, or give its path without file://"
        raise _refused(url, "was made with the escape as letters of its name", hint)
    return path


def _refused(url: str, what: str, hint: str) -> NotSupportedError:
    shown = display_url(url).replace("\0", "\\0")
    return NotSupportedError(f"{shown} {what}; {hint}", url=shown)


# ----------------------------------------------------------------------------- chains


def resolve_chain(url: str, /) -> str:
    """Give a url as fsspec is to take it: a chain is one of files that lie inside of others.

    fsspec takes a name with two colons for a chain, and writes to the part before them.

    Raises:
        NotSupportedError: What stands before two colons is no kind of file that lies in another.

    Examples:
        >>> resolve_chain("zip://borrower.csv::/data/x.zip")
        'zip://borrower.csv::/data/x.zip'
    """
    *inner, last = url.split("::")
    if not inner:
        return url
    for part in inner:
        protocol = part.partition("://")[0]
        if not (_is_url(part, chained=True) and _lies_in_another(protocol) is not False):
            raise _refused(
                url,
                f"holds '::', as zip://visits.csv::x.zip does, but {protocol!r} lies in no file",
                "choose a name without '::'",
            )
    path = local_path(last)
    return "::".join([*inner, last if path is None else path])


def _lies_in_another(protocol: str) -> Optional[bool]:
    """Tell whether a filesystem is made of a file of another one, as fsspec's own are.

    Returns:
        None where nobody knows such a filesystem: to open it tells so.
    """
    try:
        kind = fsspec.get_filesystem_class(protocol)
    except ImportError:  # a storage whose package is not installed, or an archive
        return protocol in _ARCHIVES
    except ValueError:
        return None
    made_of = {
        name
        for base in kind.__mro__
        if "__init__" in vars(base)
        for name in inspect.signature(vars(base)["__init__"]).parameters
    }
    return not made_of.isdisjoint({"fo", "target_protocol"})
