"""The old place of ``aspen_etl.columns.threads``."""

from typing import TYPE_CHECKING

from aspen_etl.errors.moving import moved

__all__: list[str] = []

#: What stood here.
_MOVED = ("UNKNOWN_ROWS", "map_ahead", "map_threads")

if not TYPE_CHECKING:
    __getattr__ = moved(__name__, "aspen_etl.columns.threads", _MOVED)
