"""What goes wrong between us and a storage, and in a store that lies there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from aspen_etl.errors.base import AspenETLError, listing

__all__ = [
    "CorruptStoreError",
    "ReadError",
    "RejectsPlaceError",
    "SourceAccessError",
    "SourceNotFoundError",
    "StoreFormatError",
    "TargetExistsError",
    "VersionNotFoundError",
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


# ----------------------------------------------------------------------------- stores


class VersionNotFoundError(AspenETLError, LookupError):
    """The store has no such version, or it can no longer be read."""

    @classmethod
    def empty(cls, url: str) -> VersionNotFoundError:
        """Say that nothing was committed yet."""
        return cls(f"the store {url} holds no commit yet; run sync first", url=url)

    @classmethod
    def nowhere(cls, url: str, found: str) -> VersionNotFoundError:
        """Say that there is no store, and what is there instead."""
        what = {"absent": "nothing", "folder": "a folder without a store"}.get(found, "a file")
        return cls(f"there is no store at {url}: {what} is there; check the url", url=url)

    @classmethod
    def of(cls, url: str, version: int, oldest: int, newest: int) -> VersionNotFoundError:
        """Say which versions there are."""
        there = f"versions {oldest} to {newest} can be read" if newest else "it holds no commit yet"
        return cls(
            f"the store {url} has no version {version} that can be read; {there}",
            url=url,
            version=version,
            oldest_readable=oldest,
            newest=newest,
        )


class StoreFormatError(AspenETLError, ValueError):
    """The store was written in a newer format than this library knows."""

    @classmethod
    def at(cls, url: str, found: object, known: int) -> StoreFormatError:
        """Name both formats."""
        return cls(
            f"{url} is of store format {found}, and this library knows formats up to {known}; "
            "install a newer aspen_etl",
            url=url,
            found=found,
            known=known,
        )


class CorruptStoreError(AspenETLError, OSError):
    """A file of the store is missing, damaged, or not what its commit says."""

    @classmethod
    def at(cls, url: str, reason: str) -> CorruptStoreError:
        """Name the file, and what to do."""
        return cls(
            f"{url}: {reason}; run aspen-etl verify to see what is damaged, then restore a version "
            "that is whole, or the file from a backup",
            url=url,
            reason=reason,
        )

    @classmethod
    def of_commit(cls, url: str, version: int, reason: str) -> CorruptStoreError:
        """Name the commit whose file is damaged, what was found, and what to do."""
        return cls(
            f"commit {version} is damaged ({url}): {reason}; aspen-etl verify lists all that is "
            "damaged: put the file back from a backup",
            url=url,
            version=version,
            reason=reason,
        )

    @classmethod
    def missing(cls, url: str, version: int, proof: str) -> CorruptStoreError:
        """Name the commit whose file is not there, how that is known, and what to do."""
        return cls(
            f"commit {version} is missing from the store {url}: {proof}; nothing was written. "
            "aspen-etl verify lists all that are missing: put their files back from a backup",
            url=url,
            version=version,
            reason=f"commit {version} is missing",
        )


#: What is wrong with a place, by problem.
_PLACES = {
    "holds_rejects_of_another": (
        "{place} holds the rejects of another store than {url}, so nothing was done there; give "
        "each store a rejects_url= (--rejects-url) of its own"
    ),
    "of_another": (
        "the rejects of {url} cannot go to {place}, which is the folder of another store; give a "
        "rejects_url= (--rejects-url) outside of other stores"
    ),
    "in_another": (
        "the rejects of {url} cannot go to {place}, which lies in the store {store}; give a "
        "rejects_url= (--rejects-url) outside of other stores"
    ),
    "shared": (
        "{place} holds rejects of {url} and others; give each store a rejects_url= "
        "(--rejects-url) of its own, as vacuum tells"
    ),
    "root_among_rejects": (
        "{url} is where another store has its rejects; choose another folder for this store"
    ),
    "root_in_another": (
        "{url} cannot be a store: {place} is one, and each would take files of the other for its "
        "own; choose a folder that lies in no other store"
    ),
    "root_reserved": (
        "{url} cannot be a store: folders called _aspen are for what a store knows of itself; "
        "choose another folder"
    ),
}


class RejectsPlaceError(AspenETLError, ValueError):
    """A place of a store, or of its rejects, is another store's; nothing was written or deleted.

    Attributes:
        details: ``problem``, ``url`` of the store, ``place``, and the other ``store``, if known.
    """

    @classmethod
    def of(
        cls, problem: str, url: str, place: Optional[str] = None, *, store: Optional[str] = None
    ) -> RejectsPlaceError:
        """Say whose the place is, and what to give instead.

        Args:
            problem: A key of the table above.
            url: The store.
            place: The place, where it is not the store's own.
            store: The store that the place belongs to.
        """
        where = url if place is None else place
        told = _PLACES[problem].format(url=url, place=where, store=store)
        known = {} if store is None else {"store": store}
        return cls(told, problem=problem, url=url, place=where, **known)
