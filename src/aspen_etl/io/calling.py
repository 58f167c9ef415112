"""Call what is not ours: storages, whose errors become ours, and steps that are done again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Optional, TypeVar

from aspen_etl.errors import AspenETLError, ReadError, SourceAccessError, SourceNotFoundError
from aspen_etl.errors.base import instead
from aspen_etl.io.waiting import wait_for
from aspen_etl.io.web import RedirectError

__all__ = ["attempt", "jitter", "retry", "translate"]

T = TypeVar("T")


def retry(
    step: Callable[[], T],
    /,
    *,
    tries: int,
    again: Callable[[AspenETLError], bool],
    pause: Callable[[int], float] = lambda _: 0.0,
) -> T:
    """Do a step, and do it again while an error says that it may come out otherwise.

    Args:
        step: The step; it looks anew at what it depends on each time.
        tries: How often at most; the last try raises its own error.
        again: Tells of an error whether to try again. Any other is raised at once.
        pause: Given the number of a try that failed, from 1, how many seconds to wait.

    Examples:
        >>> numbers = iter([1, 2, 3])
        >>> def step():
        ...     raise ReadError(f"try {next(numbers)}")
        >>> retry(step, tries=3, again=lambda error: True)
        Traceback (most recent call last):
        aspen_etl.errors.storage.ReadError: try 3
    """
    for number in range(1, tries):
        try:
            return step()
        except AspenETLError as error:
            if not again(error):
                raise
        seconds = pause(number)
        if seconds:
            time.sleep(seconds)
    return step()


def jitter(seconds: float) -> float:
    """Give a pause of up to so many seconds, so that those who collided do not do so again."""
    return random.uniform(0, seconds)  # noqa: S311 - no secret


# ----------------------------------------------------------------------------- their errors, ours


def attempt(url: str, call: Callable[[], T]) -> T:
    """Call a storage, and raise ours in the place of whatever it raises.

    A remote one is waited for no longer than the run has time.
    """

    def ours(error: Exception) -> Optional[AspenETLError]:
        known = isinstance(error, (AspenETLError, MemoryError))
        return None if known else translate(error, url)

    # Each filesystem has errors of its own, whose texts hold signed urls and keys.
    return instead(lambda: wait_for(url, call), Exception, ours)


#: What the storages call a refusal, in the codes of S3 and the classes of botocore.
_REFUSALS = frozenset(
    {
        "401", "403", "AccessDenied", "AllAccessDisabled", "ExpiredToken", "Forbidden",
        "InvalidAccessKeyId", "InvalidToken", "NoCredentialsError", "PartialCredentialsError",
        "RequestTimeTooSkewed", "SignatureDoesNotMatch", "TokenRetrievalError",
    }
)  # fmt: skip
_ABSENCES = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})


def translate(error: Exception, url: str) -> AspenETLError:
    """Make an error of ours of what a filesystem raised at a url."""
    if isinstance(error, RedirectError):
        return ReadError.redirected(url, error.to)
    code = _code(error)
    # NOTE: fsspec's http filesystem says "not found" of everything; its cause knows better.
    cause = error.__cause__
    if isinstance(error, FileNotFoundError) and isinstance(cause, Exception):
        return SourceNotFoundError.at(url) if code in _ABSENCES else translate(cause, url)
    if isinstance(error, (FileNotFoundError, NotADirectoryError)) or code in _ABSENCES:
        return SourceNotFoundError.at(url)
    if isinstance(error, PermissionError) or code in _REFUSALS:
        return SourceAccessError.at(url, code)
    if isinstance(error, TypeError):
        # s3fs hands its options on with the first request, not before.
        return ReadError.bad_options(url, "TypeError")
    return ReadError.at(url, code or type(error).__name__)


def _code(error: BaseException | None) -> str:
    """Give the storage's own code for an error, or the name of a class of botocore."""
    for each in (error, getattr(error, "__cause__", None)):
        response = getattr(each, "response", None)
        if isinstance(response, Mapping):
            return str(response.get("Error", {}).get("Code", ""))
        if isinstance(getattr(each, "status", None), int):
            return str(each.status)  # type: ignore[union-attr]
        if type(each).__module__.startswith("botocore"):
            return type(each).__name__
    return ""
