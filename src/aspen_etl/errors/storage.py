"""What goes wrong between us and a storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from aspen_etl.errors.base import AspenETLError, listing

__all__ = [
    "ReadError",
    "SourceAccessError",
    "SourceNotFoundError",
    "StorageOptionsError",
    "TargetExistsError",
    "WriteError",
]


class SourceNotFoundError(AspenETLError, FileNotFoundError):
    """There is nothing at the url."""

    @classmethod
    def at(cls, url: str) -> SourceNotFoundError:
        """Say that neither a file nor a folder is at ``url``."""
        return cls(f"there is no file and no folder at {url}; check the path", url=url)

    @classmethod
    def in_folder(
        cls, url: str, source: str, names: Sequence[str], near: Optional[str] = None
    ) -> SourceNotFoundError:
        """Say which file of a folder is missing, and under which names it was looked for."""
        advice = "name another file with sheets="
        if near is not None:
            advice = f"did you mean sheets={{{source!r}: {near!r}}}? Name another file with it"
        return cls(
            f"the folder {url} holds no file for the sheet {source}; looked for {listing(names)}; "
            f"{advice}, or give one url per sheet",
            url=url,
            source=source,
            names=tuple(names),
        )

    @classmethod
    def no_part(cls, url: str, source: str) -> SourceNotFoundError:
        """Say that a folder holds nothing of its sheet but empty or hidden files."""
        return cls(
            f"the folder {url} holds no file with data of the sheet {source}: those that are "
            "empty, or begin with a dot or underscore, are passed over",
            url=url,
            source=source,
        )


class StorageOptionsError(AspenETLError, ValueError):
    """A file of storage options cannot be used; its text is never shown, for it holds secrets."""

    @classmethod
    def at(cls, path: str, reason: str) -> StorageOptionsError:
        """Say what is wrong with the file, and what it must look like."""
        return cls(
            f"the storage options in {path} cannot be used: {reason}; write JSON by protocol, "
            'such as {"s3": {"profile": "etl"}}',
            path=path,
            reason=reason,
        )


class SourceAccessError(AspenETLError, PermissionError):
    """The storage refuses access: wrong credentials, none, or no permission."""

    @classmethod
    def at(cls, url: str, code: str = "") -> SourceAccessError:
        """Say that ``url`` is refused, with the storage's own code where it gave one."""
        return cls(
            f"access to {url} is refused{f' ({code})' if code else ''}; "
            "check the credentials and their permissions",
            url=url,
            code=code,
        )


class ReadError(AspenETLError, OSError):
    """The storage answered with an error, or not at all."""

    @classmethod
    def at(cls, url: str, cause: str) -> ReadError:
        """Say that ``url`` cannot be read, with the kind of the cause and never its text."""
        return cls(
            f"{url} cannot be read ({cause}); check the network and the storage, then try again",
            url=url,
            cause=cause,
        )

    @classmethod
    def bad_options(cls, url: str, cause: str) -> ReadError:
        """Say that the storage options are refused before anything was read."""
        return cls(
            f"the filesystem of {url} does not take these storage options ({cause}); "
            "its documentation names those it takes",
            url=url,
            cause=cause,
        )

    @classmethod
    def redirected(cls, url: str, to: str) -> ReadError:
        """Say to which other server the one that was asked sends its visitors."""
        return cls(
            f"{url} redirects to {to}, which is another host or scheme, so it was not followed; "
            f"give that url, or the storage option allow_redirects_to=[{to!r}]",
            url=url,
            cause="redirect",
            to=to,
        )

    @classmethod
    def no_file(cls, url: str, found: str) -> ReadError:
        """Say what is there in the place of a file."""
        return cls(
            f"{url} is {found} and no file, so nothing is read from it; give a file",
            url=url,
            cause=found,
        )


# ----------------------------------------------------------------------------- writing


class TargetExistsError(AspenETLError, FileExistsError):
    """The target holds tables already."""

    @classmethod
    def at(cls, url: str, found: Sequence[str]) -> TargetExistsError:
        """Name what is there, and how to replace it."""
        return cls(
            f"{url} holds tables already ({listing(found)}); nothing was written; choose another "
            "folder, or replace them with overwrite=True (--overwrite)",
            url=url,
            found=tuple(found),
        )

    @classmethod
    def foreign(cls, url: str, found: Sequence[str]) -> TargetExistsError:
        """Name what would be replaced and was never written by us."""
        return cls(
            f"{url} holds files with the names of tables that are none of ours ({listing(found)}), "
            "as of a source; nothing was written or deleted; choose another folder",
            url=url,
            found=tuple(found),
        )


class WriteError(AspenETLError, OSError):
    """The storage did not take what was written."""

    @classmethod
    def at(cls, url: str, cause: str, written: Sequence[str] = ()) -> WriteError:
        """Say what cannot be written, with the kind of the cause, and what was written before."""
        before, again = "; nothing was written", "try again"
        if written:
            before = f"; written before it: {listing(written)}"
            again = "write again with overwrite=True (--overwrite)"
        return cls(
            f"{url} cannot be written ({cause}){before}; check space, network and storage, then "
            f"{again}",
            url=url,
            cause=cause,
            written=tuple(written),
        )
