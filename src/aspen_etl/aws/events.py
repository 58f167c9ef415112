"""Which source an event asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional
from urllib.parse import unquote_plus

from aspen_etl import Model
from aspen_etl.aws.settings import PREFIX, Settings
from aspen_etl.errors import EventError, SettingsError
from aspen_etl.io.formats import WORKBOOK_SUFFIXES
from aspen_etl.io.places import SHEET_SUFFIXES

__all__ = ["find_source"]

#: What a job writes into a folder of parts, last of all.
_WHOLE = "/_success"

#: Tells whether there is a file at a url.
Exists = Callable[[str], bool]


def find_source(
    event: Any, settings: Settings, model: Model, /, *, exists: Exists
) -> Optional[str]:
    """Give the url of the source to read, or None where the event is of no concern.

    - A schedule, and ``{}``: the configured source.
    - A new object that is the configured source, or a sheet's file in that folder, or the
      ``_SUCCESS`` of a sheet's parts: the same.
    - A new workbook below ``event_prefix``: that workbook.
    - Any other new object: nothing.

    A key may come encoded as in a form (``+`` for a space), as S3's own notifications have it, or
    as it is, as EventBridge seems to have it. Where the two differ, the file that ``exists`` is
    meant.

    Raises:
        EventError: The event is of another kind.
        SettingsError: A schedule asks for the source, and none is configured.
    """
    if isinstance(event, dict) and _kind(event) == "Object Created":
        found = [_of_object(url, settings, model) for url in _urls(event)]
        sources = list(dict.fromkeys(source for source in found if source is not None))
        if len(sources) <= 1:
            return sources[0] if sources else None
        return next(filter(exists, sources), sources[-1])
    if event == {} or (isinstance(event, dict) and _kind(event) == "Scheduled Event"):
        if settings.source is None:
            msg = "is missing; a schedule needs to know what to read"
            raise SettingsError.of(f"{PREFIX}SOURCE", msg)
        return settings.source
    raise EventError.of(_describe(event))


def _kind(event: dict[str, Any]) -> str:
    kind = event.get("detail-type")
    if kind == "Object Created" and event.get("source") != "aws.s3":
        return ""
    return kind if isinstance(kind, str) else ""


def _urls(event: dict[str, Any]) -> list[str]:
    """Give the url of the new object: with its key as it comes, then decoded, if that differs."""
    try:
        bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    except (KeyError, TypeError):
        bucket = key = None
    if not (isinstance(bucket, str) and isinstance(key, str)):
        raise EventError.of("of S3, and it names no bucket and key")
    return [f"s3://{bucket}/{each}" for each in dict.fromkeys([key, unquote_plus(key)])]


def _of_object(url: str, settings: Settings, model: Model) -> Optional[str]:
    source = settings.source
    if source is not None:
        if url == source:
            return source
        folder = f"{source.rstrip('/')}/"
        if url.startswith(folder) and _is_sheet(url[len(folder) :], settings, model):
            return source
    prefix = settings.event_prefix
    if prefix is not None and url.startswith(prefix) and url.lower().endswith(WORKBOOK_SUFFIXES):
        return url
    return None


def _is_sheet(name: str, settings: Settings, model: Model) -> bool:
    """Tell whether a name in the source's folder is a sheet's, or says that its parts are whole."""
    stems = {settings.reading.sheet(source).casefold() for source in model.sources}
    places = {stem + suffix for stem in stems for suffix in (*SHEET_SUFFIXES, _WHOLE)}
    return name.casefold() in places


def _describe(event: Any) -> str:
    """Say what an event is without showing anything that stands in it but its kind."""
    if not isinstance(event, dict):
        return f"no object but {type(event).__name__}"
    if isinstance(event.get("Records"), list):
        return "a notification that came past EventBridge"
    kind = event.get("detail-type")
    return f"of kind {kind[:64]!r}" if isinstance(kind, str) else "of no kind that is known"
