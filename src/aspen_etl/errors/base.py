"""The base of all errors, and those of declaring and transforming."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional, TypeVar

__all__ = [
    "SHOWN",
    "AspenETLError",
    "BuilderError",
    "CleanerError",
    "ExtractError",
    "InvalidNameError",
    "MissingDependencyError",
    "ModelError",
    "NotSupportedError",
    "ProofError",
    "RunError",
    "ValidationError",
    "did_you_mean",
    "listing",
    "named",
    "near_name",
]

T = TypeVar("T")


class AspenETLError(Exception):
    """Be the base of every error raised on purpose.

    Attributes:
        details: The parts of the message by name, such as ``table``, ``column``, ``count``.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (type(self), self.args[0], self.details))


def _restore(kind: type[AspenETLError], message: str, details: dict[str, Any]) -> AspenETLError:
    error = kind.__new__(kind)
    AspenETLError.__init__(error, message, **details)
    return error


# ----------------------------------------------------------------------------- declaring


class ModelError(AspenETLError, ValueError):
    """A column, table, source or model is declared wrongly; the text says how to mend it."""


class RunError(AspenETLError, ValueError):
    """The time or the actor of a run cannot be used."""


class MissingDependencyError(AspenETLError, ImportError):
    """An optional package is needed and not installed."""

    @classmethod
    def for_extra(cls, package: str, extra: str, purpose: str) -> MissingDependencyError:
        """Say which extra brings ``package``, and what it is needed for."""
        return cls(
            f"{purpose} needs the package {package}, which is not installed; "
            f"run: pip install 'aspen-etl[{extra}]'",
            package=package,
            extra=extra,
        )

    @classmethod
    def for_package(cls, package: str, purpose: str) -> MissingDependencyError:
        """Name a package that none of our extras brings."""
        return cls(
            f"{purpose} needs the package {package}, which is not installed; "
            f"run: pip install {package}",
            package=package,
        )


class NotSupportedError(AspenETLError, NotImplementedError):
    """What was asked for is known and not offered; the text says what to do instead."""


class InvalidNameError(AspenETLError, ValueError):
    """A name or a location from outside cannot stand in a statement."""


# ----------------------------------------------------------------------------- transforming


class ExtractError(AspenETLError, ValueError):
    """An extract does not have the form that the model asks for."""


class CleanerError(AspenETLError, RuntimeError):
    """A cleaner of the model failed, or gave back another number of rows than it got."""


class BuilderError(AspenETLError, RuntimeError):
    """A builder of the model, or its inverse, failed."""


class ValidationError(AspenETLError, ValueError):
    """Tables break their schema, a key or a reference.

    Attributes:
        failures: One row for each broken rule of each row: table, row, column, rule.
    """

    @property
    def failures(self) -> Any:
        """The frame of failures, without a cell value."""
        return self.details.get("failures")


class ProofError(AspenETLError, AssertionError):
    """The result does not hold everything that the source held: nothing may be committed."""


# ----------------------------------------------------------------------------- naming things

#: How many names a message shows, and how many characters of each.
SHOWN, _WIDTH = 20, 64


def listing(names: Sequence[str]) -> str:
    """Give names for a message: quoted, short, and not too many."""
    shown = [repr(name if len(name) <= _WIDTH else f"{name[:_WIDTH]}...") for name in names[:SHOWN]]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "") if shown else "none"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give the end of a message about a word that is not known: what may have been meant.

    Examples:
        >>> did_you_mean("vaccum", ["verify", "vacuum"])
        "; did you mean 'vacuum'?"
        >>> did_you_mean("x", ["verify", "vacuum"])
        ''
    """
    near = near_name(word, known)
    return "" if near is None else f"; did you mean {near!r}?"


def named(table: Mapping[str, T], word: str, *, kind: str, noun: Optional[str] = None) -> T:
    """Give the entry of a table that a word names.

    Args:
        table: The entries by name.
        word: A name from outside.
        kind: What the entries are, as the error's ``details`` call it.
        noun: The same for a reader, if it is another word.

    Raises:
        NotSupportedError: There is no such entry; the text lists those that there are.

    Examples:
        >>> named({"csv": 1, "parquet": 2}, "csv", kind="format")
        1
        >>> named({"csv": 1, "parquet": 2}, "orc", kind="format")
        Traceback (most recent call last):
        aspen_etl.errors.base.NotSupportedError: there is no format 'orc'; use one of csv, parquet
    """
    if word not in table:
        msg = f"there is no {noun or kind} {word!r}; use one of {', '.join(table)}"
        raise NotSupportedError(msg, **{kind: word})
    return table[word]


def near_name(wrong: str, known: Iterable[str]) -> Optional[str]:
    """Give the name that was probably meant, whatever its letter case and separators are."""
    plain = {_plain(name): name for name in known}
    near = difflib.get_close_matches(_plain(wrong), plain, n=1)
    return plain[near[0]] if near else None


def _plain(name: str) -> str:
    return name.casefold().translate({ord(character): "" for character in " _-."})
