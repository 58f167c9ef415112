"""The one place that opens a url: any fsspec filesystem, and our errors for all of theirs."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Literal, Optional

import fsspec
from fsspec.implementations.local import LocalFileSystem

from aspen_etl.errors import (
    AspenETLError,
    FileFormatError,
    LimitExceededError,
    MissingDependencyError,
    NotSupportedError,
    ReadError,
    SourceNotFoundError,
)
from aspen_etl.errors.base import instead
from aspen_etl.io.calling import attempt, translate
from aspen_etl.io.regular import open_regular
from aspen_etl.io.urls import Url, display_url, local_path, resolve_chain
from aspen_etl.io.waiting import wait_for
from aspen_etl.io.web import HTTP, web_options

__all__ = ["Location", "Url", "display_url", "locate"]

_CHUNK = 16 << 20

#: What fsspec needs for a protocol: the package, and the extra of ours that brings it.
_PACKAGES: Mapping[str, tuple[str, Optional[str]]] = {
    "s3": ("s3fs", "s3"),
    "s3a": ("s3fs", "s3"),
    "http": ("aiohttp", None),
    "https": ("aiohttp", None),
    "gs": ("gcsfs", None),
    "gcs": ("gcsfs", None),
    "az": ("adlfs", None),
    "abfs": ("adlfs", None),
    "abfss": ("adlfs", None),
    "sftp": ("paramiko", None),
    "smb": ("smbprotocol", None),
}


# ----------------------------------------------------------------------------- urls, opened


@dataclass(frozen=True)
class Location:
    """Hold a place in a filesystem.

    Attributes:
        url: The place as it may be shown and logged.
        path: The place as its filesystem knows it.
        filesystem: A fresh fsspec instance, without a cache of listings.
    """

    url: str
    path: str = field(repr=False)
    filesystem: Any = field(repr=False)

    @property
    def name(self) -> str:
        """The last part of the path, without a query; in a chain, of the file inside."""
        text = self.path.partition("?")[0] if self.is_inside else self.url
        return text.rstrip("/\\").replace("\\", "/").rpartition("/")[2]

    @property
    def is_local(self) -> bool:
        """Whether it is on a disk of this machine."""
        return isinstance(self.filesystem, LocalFileSystem)

    @property
    def is_web(self) -> bool:
        """Whether a web server gives it, which need not give a part of a file."""
        return _is_http(self.filesystem)

    def child(self, name: str) -> Location:
        """Give the place of ``name`` in this folder."""
        # NOTE: in an archive no name begins with a slash.
        path = f"{self.path.rstrip('/')}/{name}" if self.path else name
        inside, separator, rest = self.url.partition("::" if self.is_inside else "\0")
        folder = inside if inside.endswith("://") else f"{inside.rstrip('/')}/"
        return Location(f"{folder}{name}{separator}{rest}", path, self.filesystem)

    @property
    def is_inside(self) -> bool:
        """Whether it lies inside of another file, or of a cache, by a chained url."""
        return "::" in self.url and not self.is_local

    def kind(self) -> Literal["file", "folder", "absent"]:
        """Tell what is there.

        Raises:
            SourceAccessError: The storage refuses to tell.
            ReadError: It cannot be asked.
        """
        if _is_http(self.filesystem) and self.path.endswith("/"):
            return "folder"
        try:
            info = attempt(self.url, lambda: self.filesystem.info(self.path))
        except SourceNotFoundError:
            return "absent"
        return "folder" if info.get("type") == "directory" else "file"

    def read(self, max_bytes: int) -> bytes:
        """Read the file whole.

        Args:
            max_bytes: The size above which it is not read.

        Returns:
            Its bytes. On a disk of this machine only a regular file is opened, and never more
            than ``max_bytes`` and one are read, whatever its size is said to be.

        Raises:
            SourceNotFoundError: There is no file.
            SourceAccessError: The storage refuses to read it.
            ReadError: It cannot be read, or not to its end; or it is a pipe or a device.
            LimitExceededError: It is larger than ``max_bytes``.
        """
        return attempt(self.url, lambda: b"".join(_chunks(self, max_bytes)))

    def size(self, max_bytes: int) -> Optional[int]:
        """Give how many bytes the file has; none where its storage does not tell.

        It raises what ``read`` raises.
        """
        info = attempt(self.url, lambda: self.filesystem.info(self.path))
        if info.get("size") is None or info.get("type") == "directory":
            return None
        _refuse_large(self.url, int(info["size"]), max_bytes)
        return int(info["size"])

    def read_part(self, start: int, end: int) -> bytes:
        """Read some bytes of the file, from one offset up to another.

        Raises:
            SourceNotFoundError: There is no file.
            SourceAccessError: The storage refuses to read it.
            ReadError: It cannot be read, or those bytes are not there any more.
        """
        data = attempt(self.url, lambda: _part(self, start, end)) if start < end else b""
        if len(data) != end - start:
            raise ReadError.at(self.url, "it gave other bytes than those asked for")
        return data

    def checksum(self, max_bytes: int) -> tuple[int, str]:
        """Give the size of the file in bytes and its SHA-256, as hexadecimal digits.

        It takes what ``read`` takes, and raises what that raises.
        """
        return attempt(self.url, lambda: _checksum(_chunks(self, max_bytes, step=_CHUNK)))


def locate(url: Url, /, storage_options: Mapping[str, Any] | None = None) -> Location:
    """Find the filesystem of a url.

    Args:
        url: An fsspec url, or a local path.
        storage_options: What the filesystem takes: credentials, endpoint, encryption.

    Raises:
        MissingDependencyError: The protocol needs a package that is not installed.
        NotSupportedError: fsspec knows no such protocol, or two colons stand where they would
            make another place of it, or a ``file:`` url names another host.
        ReadError: The filesystem does not take the options.
    """
    text = os.fspath(url)
    shown = display_url(text)
    protocol = text.split("::")[0].partition("://")[0].lower() if "://" in text else "file"
    options = dict(storage_options or {})
    path = local_path(text)
    target = resolve_chain(text) if path is None else "file:///"

    def ours(error: Exception) -> Optional[AspenETLError]:
        if isinstance(error, AspenETLError):
            return None
        if isinstance(error, ImportError):
            return _missing_package(protocol, shown)
        if isinstance(error, zipfile.BadZipFile):
            return FileFormatError.unsupported(shown, "is no zip file", "give what its url says")
        if isinstance(error, ValueError) and "not known" in str(error):
            return _unknown_protocol(protocol, shown)
        if "::" in target and not isinstance(error, TypeError):  # it opens the outer file at once
            return translate(error, shown)
        return ReadError.bad_options(shown, type(error).__name__)

    opened = instead(lambda: wait_for(shown, lambda: _open(target, options)), Exception, ours)
    return Location(shown, opened[1] if path is None else path, opened[0])


def _unknown_protocol(protocol: str, shown: str) -> NotSupportedError:
    return NotSupportedError(
        f"fsspec knows no protocol {protocol!r} ({shown}); copy the file to a folder",
        url=shown,
        protocol=protocol,
    )


def _open(url: str, options: dict[str, Any]) -> tuple[Any, str]:
    """Make the filesystem of a url; that of a chain reads the outer file."""
    *inner, last = url.split("::")
    protocol = last.partition("://")[0].lower()
    if protocol in HTTP:
        if inner:
            options = {**options, protocol: web_options(last, options.get(protocol) or {})}
        else:
            options = web_options(last, options)
    # NOTE: an instance that is shared keeps listings and sessions of the run before (a warm
    # Lambda), so every run has its own.
    options = {**options, "skip_instance_cache": True, "use_listings_cache": False}
    opened: tuple[Any, str] = fsspec.core.url_to_fs(url, **options)
    return opened


def _missing_package(protocol: str, shown: str) -> MissingDependencyError:
    package, extra = _PACKAGES.get(protocol, (f"fsspec[{protocol}]", None))
    purpose = f"reading {shown}"
    if extra is None:
        return MissingDependencyError.for_package(package, purpose)
    return MissingDependencyError.for_extra(package, extra, purpose)


# ----------------------------------------------------------------------------- reading


def _is_http(filesystem: Any) -> bool:
    return not HTTP.isdisjoint(_protocols(filesystem))


def _protocols(filesystem: Any) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _checksum(chunks: Iterable[bytes]) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
    return size, digest.hexdigest()


def _chunks(place: Location, max_bytes: int, *, step: Optional[int] = None) -> Iterator[bytes]:
    """Read a file in pieces of a size; a local one, by default, in one."""
    filesystem, path = place.filesystem, place.path
    if "s3" in _protocols(filesystem):
        # NOTE: one GET is one state of the object, with its checksum verified; a file that
        # is opened is many range requests.
        _refuse_large(place.url, filesystem.info(path)["size"], max_bytes)
        data: bytes = filesystem.cat_file(path)
        _refuse_large(place.url, len(data), max_bytes)
        yield data
        return
    if place.is_local:
        with open_regular(path, place.url) as file:
            size = os.fstat(file.fileno()).st_size
            _refuse_large(place.url, size, max_bytes)
            # By default all in one piece, and the sign that it ends there.
            yield from _pieces(file, place.url, max_bytes, step or size + 1)
        return
    # A block size of 0 makes http one streamed GET, that ends at the limit.
    with filesystem.open(path, "rb", **({"block_size": 0} if _is_http(filesystem) else {})) as file:
        yield from _pieces(file, place.url, max_bytes, step or _CHUNK)


def _part(place: Location, start: int, end: int) -> bytes:
    if place.is_local:
        with open_regular(place.path, place.url) as file:
            file.seek(start)
            return file.read(end - start)
    data: bytes = place.filesystem.cat_file(place.path, start=start, end=end)
    return data


def _pieces(file: IO[bytes], url: str, max_bytes: int, step: int) -> Iterator[bytes]:
    length = 0
    while chunk := file.read(min(step, max_bytes + 1 - length)):
        length += len(chunk)
        _refuse_large(url, length, max_bytes)
        yield chunk


def _refuse_large(url: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise LimitExceededError.of(
            url, "the bytes of the file are", limit="max_file_bytes", allowed=max_bytes, found=size
        )
