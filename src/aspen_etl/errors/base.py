"""The base of all errors, and those of declaring and transforming."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Optional, TypeVar, Union

__all__ = [
    "SHOWN",
    "ArgumentError",
    "AspenETLError",
    "ExtractError",
    "MissingDependencyError",
    "ModelError",
    "ModelFunctionError",
    "NotSupportedError",
    "ProofError",
    "UnexpectedError",
    "ValidationError",
    "cell_counts",
    "did_you_mean",
    "instead",
    "listing",
    "named",
    "near_name",
]

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


class AspenETLError(Exception):
    """Be the base of every error raised on purpose.

    Attributes:
        details: The parts of the message by name, such as ``table``, ``column``, ``count``. A class
            says what to do about it; where it stands for more than one thing that was found,
            ``details["problem"]`` says which.
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


def instead(
    call: Callable[[], T],
    catch: Union[type[E], tuple[type[E], ...]],
    make: Callable[[E], Optional[AspenETLError]],
    /,
) -> T:
    """Call, and raise an error of ours in the place of a foreign one.

    Ours has no ``__context__`` and no ``__cause__``, so that no foreign text (a cell, a signed url,
    a password) stands in its traceback. A context manager cannot do that: what is raised inside of
    ``except``, or on the way out of ``with``, gets the context.

    Args:
        call: What may raise.
        catch: The classes of the errors that are not let through as they are.
        make: Given the error, what to raise instead, or None to let it through after all.

    Examples:
        >>> instead(lambda: int("secret"), ValueError, lambda _: ArgumentError("it is no number"))
        Traceback (most recent call last):
        aspen_etl.errors.base.ArgumentError: it is no number
    """
    try:
        return call()
    except catch as error:
        found = error
    failure = make(found) or found
    try:
        raise failure
    finally:
        del found, failure  # a traceback holds this frame, which must not hold the traceback


# ----------------------------------------------------------------------------- declaring


class ModelError(AspenETLError, ValueError):
    """A column, table, source or model is declared wrongly; the text says how to mend it."""


class ArgumentError(AspenETLError, ValueError):
    """An argument cannot be used; the text says what would do.

    Attributes:
        details: ``problem``: ``run`` (its time or actor), ``name`` (a name or a location that
            cannot stand in a statement), ``limit``, ``threshold``, ``timeout``, ``model``,
            ``subject``, ``count`` or ``bounds`` (of parts), ``landing``, ``document`` (of DMS),
            ``rejects``, ``secret`` (of suppressed subjects), ``policy`` (of conflicts), or
            ``defaults`` (of new rows).
    """


class MissingDependencyError(AspenETLError, ImportError):
    """An optional package is needed and not installed."""

    @classmethod
    def for_extra(cls, package: str, extra: str, purpose: str) -> MissingDependencyError:
        """Say which extra brings ``package``, and what it is needed for."""
        told = _missing(package, purpose, f"'aspen-etl[{extra}]'")
        return cls(told, package=package, extra=extra)

    @classmethod
    def for_package(cls, package: str, purpose: str) -> MissingDependencyError:
        """Name a package that none of our extras brings."""
        return cls(_missing(package, purpose, package), package=package)


def _missing(package: str, purpose: str, wanted: str) -> str:
    return (
        f"{purpose} needs the package {package}, which is not installed; run: pip install {wanted}"
    )


class NotSupportedError(AspenETLError, NotImplementedError):
    """What was asked for is known and not offered; the text says what to do instead."""


# ----------------------------------------------------------------------------- transforming


class ExtractError(AspenETLError, ValueError):
    """An extract does not have the form that the model asks for."""


class ModelFunctionError(AspenETLError, RuntimeError):
    """A function of the model failed, or gave back what cannot be.

    Attributes:
        details: ``problem``: ``cleaner``, ``builder``, which may be its inverse, or ``rule``.
    """

    @classmethod
    def raised(
        cls, what: str, problem: Literal["cleaner", "builder", "rule"], error: Exception
    ) -> ModelFunctionError:
        """Say which function raised what kind of error; its own text could hold a cell."""
        kind = type(error).__name__
        return cls(
            f"{what} raised {kind}; run it alone to see why",
            problem=problem,
            function=what,
            kind=kind,
        )


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


class UnexpectedError(AspenETLError, RuntimeError):
    """Something failed that should not: a fault of this library, of a model, or of memory."""

    @classmethod
    def of(cls, error: BaseException) -> UnexpectedError:
        """Say what kind of error it was and where it arose; its own text could hold a cell."""
        places = []
        trace = error.__traceback__
        while trace is not None:
            module = trace.tb_frame.f_globals.get("__name__", "?")
            places.append(f"{module}, line {trace.tb_lineno}")
            trace = trace.tb_next
        ours = [place for place in places if place.startswith("aspen_etl.")]
        where = places[-1] if places else "an unknown place"
        if ours and ours[-1] != where:
            where = f"{where}, called by {ours[-1]}"
        kind = type(error).__name__
        cure = (
            "a fault of aspen_etl, or of a model of your own: please report this line, which holds "
            "no cell; aspen-etl with --debug, on a copy of the source, shows more"
        )
        if isinstance(error, MemoryError):
            cure = "give the process, function or job more memory"
        return cls(f"{kind} in {where}; {cure}", kind=kind, where=where)


# ----------------------------------------------------------------------------- naming things

#: How many names a message shows, and how many characters of each.
SHOWN, _WIDTH = 20, 64


def listing(names: Sequence[str]) -> str:
    """Give names for a message: quoted, short, and not too many."""
    shown = [repr(name if len(name) <= _WIDTH else f"{name[:_WIDTH]}...") for name in names[:SHOWN]]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "") if shown else "none"


def cell_counts(found: Mapping[tuple[str, Optional[str]], int]) -> str:
    """Give counts of cells, by source and column, for a message; with no column, of rows."""
    shown = [
        f"{source}.{column}: {count:,}" if column else f"rows of {source}: {count:,}"
        for (source, column), count in list(found.items())[:SHOWN]
    ]
    return ", ".join(shown)


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
