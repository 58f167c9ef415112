"""What is wrong with landed files: with one of them, between them, or with their folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aspen_etl.errors.base import SHOWN, ExtractError, listing

__all__ = ["LandedFileError", "LandingChangedError", "LandingOrderError"]


class LandedFileError(ExtractError):
    """A landed file holds what is no change, or not a whole one: mend the task, and land it anew.

    Attributes:
        details: ``problem``: ``operation`` (none of I, U, D), ``partial_row`` (a cell was not
            logged), ``sequence`` (empty, or of another form), ``time``, ``key_missing``,
            ``before_image``, ``columns`` (missing, unknown or too many), ``type`` (a number that
            lost digits, or bytes, in the place of text) or ``mixed`` (layouts or formats);
            ``file`` or ``files``, ``count``.
    """

    @classmethod
    def of(cls, problem: str, file: str, found: str, hint: str, **details: Any) -> LandedFileError:
        """Say what a file holds, and what to do about it."""
        return cls(f"{file} {found}; {hint}", problem=problem, file=file, **details)

    @classmethod
    def mixed(cls, url: str, found: Mapping[str, int]) -> LandedFileError:
        """Name the forms of files that lie side by side."""
        told = ", ".join(f"{count:,} {form}" for form, count in found.items())
        return cls(
            f"{url} holds files of more than one form ({told}); one task writes one: give each "
            "task a folder of its own, and each change of its endpoint a new one",
            problem="mixed",
            url=url,
            found=dict(found),
        )


class LandingOrderError(ExtractError):
    """Landed changes do not follow from each other: one is missing, or their order is not sure.

    Nothing was taken. A file that comes late may mend it: run again. Else load the table anew.

    Attributes:
        details: ``problem``: ``gap`` (a change of a row that is not there, or that is there
            already), ``tie`` (one place in the order, two contents), ``ambiguous`` (one key, one
            time, two files), ``falling`` (a file in which the order goes down) or
            ``alike_keys``; ``source``, ``files``, ``count``.
    """

    @classmethod
    def of(
        cls, problem: str, source: str, files: Sequence[str], count: int, told: tuple[str, str]
    ) -> LandingOrderError:
        """Say what was found in how many rows of which files, and what to do about it."""
        found, hint = told
        where = f" (files {listing(list(files))})" if files else ""
        return cls(
            f"{source}: {found} {count:,} time{'s' if count > 1 else ''}{where}; {hint}",
            problem=problem,
            source=source,
            files=tuple(files[:SHOWN]),
            count=count,
        )


class LandingChangedError(ExtractError):
    """A landing folder is not what it was: begin a new epoch in a new folder, or put files back.

    Attributes:
        details: ``problem``: ``reload`` (a full load that is new or other), ``unfinished`` (a full
            load that nothing says the end of), ``late`` (an old file that nobody knew),
            ``changed`` (another content under a name that was taken), ``vanished``, ``declared``
            (the landing says another key, or an older epoch); ``source``, ``files``, ``count``.
    """

    @classmethod
    def of(
        cls, problem: str, source: str, files: Sequence[str], told: tuple[str, str]
    ) -> LandingChangedError:
        """Say what was found of how many files, and what to do about it."""
        found, hint = told
        return cls(
            f"{source}: {found}: {len(files):,} ({listing(list(files))}); {hint}",
            problem=problem,
            source=source,
            files=tuple(files[:SHOWN]),
            count=len(files),
        )
