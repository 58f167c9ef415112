"""Which source an event asks for."""

from __future__ import annotations

from typing import Any, Optional
from urllib.parse import unquote_plus

from aspen_etl import Model
from aspen_etl.aws.settings import PREFIX, Settings
from aspen_etl.errors import EventError, SettingsError

__all__ = ["find_source"]

_WORKBOOKS = (".xlsx", ".xlsm")
_SHEETS = (".csv", ".csv.gz", ".parquet")


def find_source(event: Any, settings: Settings, model: Model, /) -> Optional[str]:
    """Give the url of the source to read, or None where the event is of no concern.

    - A schedule, and ``{}``: the configured source.
    - A new object that is the configured source, or a sheet's file in that folder: the same.
    - A new workbook below ``event_prefix``: that workbook.
    - Any other new object: nothing.

    Raises:
        EventError: The event is of another kind.
        SettingsError: A schedule asks for the source, and none is configured.
    """
    if isinstance(event, dict) and _kind(event) == "Object Created":
        return _of_object(_url(event), settings, model)
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


def _url(event: dict[str, Any]) -> str:
    """Give the url of the new object; its key comes encoded as in a form, or as it is."""
    try:
        bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    except (KeyError, TypeError):
        bucket = key = None
    if not (isinstance(bucket, str) and isinstance(key, str)):
        raise EventError.of("of S3, and it names no bucket and key")
    return f"s3://{bucket}/{unquote_plus(key)}"


def _of_object(url: str, settings: Settings, model: Model) -> Optional[str]:
    source = settings.source
    if source is not None:
        if url == source:
            return source
        folder, _, name = url.rpartition("/")
        if folder == source.rstrip("/") and _is_sheet(name, settings, model):
            return source
    prefix = settings.event_prefix
    if prefix is not None and url.startswith(prefix) and url.lower().endswith(_WORKBOOKS):
        return url
    return None


def _is_sheet(name: str, settings: Settings, model: Model) -> bool:
    sheets = settings.reading.get("sheets", {})
    stems = {sheets.get(source, source) for source in model.sources}
    return any(name == stem + suffix for stem in stems for suffix in _SHEETS)


def _describe(event: Any) -> str:
    """Say what an event is without showing anything that stands in it but its kind."""
    if not isinstance(event, dict):
        return f"no object but {type(event).__name__}"
    if isinstance(event.get("Records"), list):
        return "a notification that came past EventBridge"
    kind = event.get("detail-type")
    return f"of kind {kind[:64]!r}" if isinstance(kind, str) else "of no kind that is known"
