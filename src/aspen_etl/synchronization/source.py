"""What a run is told about its source, and which state the source is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Optional, Union

from aspen_etl.columns.threads import UNKNOWN_ROWS, map_threads
from aspen_etl.io.content import SourceFile, state_of
from aspen_etl.io.extract import read_extract
from aspen_etl.io.places import Source, source_places
from aspen_etl.io.reading import ReadLimits
from aspen_etl.schema.evolution import describe_functions, describe_tables, fingerprint
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import Extract
from aspen_etl.store.commit import STORE_FORMAT, library_version
from aspen_etl.synchronization.thresholds import Thresholds

__all__ = ["Given"]


@dataclass(frozen=True)
class Given:
    """What a run is told about its source."""

    source: Union[Source, Extract]
    missing: Literal["delete", "keep"]
    thresholds: Thresholds
    read_options: Mapping[str, Any]
    model_version: Optional[str]

    def look(self, model: Model) -> tuple[SourceFile, ...]:
        """Tell which state the source files are in."""
        if isinstance(self.source, Extract):
            return ()
        names = ("storage_options", "sheets")
        options = {name: self.read_options[name] for name in names if name in self.read_options}
        limits = self.read_options.get("limits", ReadLimits())
        places = source_places(self.source, model=model, **options)
        return tuple(
            map_threads(
                lambda place: state_of(place, limits.max_file_bytes), places, rows=UNKNOWN_ROWS
            )
        )

    def read(self, model: Model) -> Extract:
        """Read the source."""
        if isinstance(self.source, Extract):
            return self.source
        return read_extract(self.source, model=model, **self.read_options)

    def fingerprint(self, files: tuple[SourceFile, ...], model: Model) -> Optional[str]:
        """Name all that the result depends on; none where that cannot be named."""
        functions: Any = describe_functions(model)
        if functions is None and self.model_version is not None:
            functions = ["version", self.model_version]
        options = {n: _plain(v) for n, v in self.read_options.items() if n != "storage_options"}
        if not files or functions is None or _UNKNOWN in options.values():
            return None
        states = [[file.url, file.bytes, file.content_id] for file in files]
        # NOTE: another library may read other values out of the same bytes, so what an older one
        # saw is looked at again, once.
        settings = [options, self.missing, library_version(), STORE_FORMAT]
        return fingerprint(states, settings, describe_tables(model), functions)


_UNKNOWN = "?"


def _plain(value: Any) -> Any:
    """Give an option as a plain value, or the mark of one that cannot be compared."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, ReadLimits):
        return asdict(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(held) for name, held in value.items()}
    if isinstance(value, Iterable):
        return sorted(str(each) for each in value)
    return _UNKNOWN
