"""What a run is told about its source, and which state the source is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Optional, Union

from aspen_etl.columns.threads import UNKNOWN_ROWS, map_threads
from aspen_etl.errors import ReadError
from aspen_etl.io.calling import retry
from aspen_etl.io.content import SourceFile, state_of
from aspen_etl.io.extract import read_extract
from aspen_etl.io.places import Source, source_places
from aspen_etl.io.reading import ReadLimits
from aspen_etl.schema.evolution import describe_functions, describe_tables, fingerprint
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import Extract
from aspen_etl.store.commit import STORE_FORMAT, library_version
from aspen_etl.synchronization.settings import Settings

__all__ = ["Given"]

#: How often a source is read that changes while it is read.
_READS = 3
_CHANGED = "it changed each time while it was read"


@dataclass(frozen=True)
class Given:
    """What a run is told about its source."""

    source: Union[Source, Extract]
    settings: Settings

    def look(self, model: Model) -> tuple[SourceFile, ...]:
        """Tell which state the source files are in."""
        if isinstance(self.source, Extract):
            return ()
        reading = self.settings.reading
        places = source_places(
            self.source,
            model=model,
            storage_options=reading.storage_options,
            sheets=reading.sheets,
        )
        most = reading.limits.max_file_bytes
        return tuple(map_threads(lambda place: state_of(place, most), places, rows=UNKNOWN_ROWS))

    def read(
        self, model: Model, before: tuple[SourceFile, ...]
    ) -> tuple[Extract, tuple[SourceFile, ...]]:
        """Read one state of the source: the same before, as seen by a look, and after."""
        seen = [before]

        def step() -> tuple[Extract, tuple[SourceFile, ...]]:
            extract = self._read(model)
            seen.append(self.look(model))
            if seen[-1] != seen[-2]:
                raise ReadError.at(seen[-1][0].url, _CHANGED)
            return extract, seen[-1]

        return retry(step, tries=_READS, again=lambda error: error.details.get("cause") == _CHANGED)

    def _read(self, model: Model) -> Extract:
        if isinstance(self.source, Extract):
            return self.source
        return read_extract(self.source, model=model, **self.settings.reading.keywords())

    def fingerprint(self, files: tuple[SourceFile, ...], model: Model) -> Optional[str]:
        """Name all that the result depends on; none where that cannot be named."""
        functions: Any = describe_functions(model)
        if functions is None and self.settings.model_version is not None:
            functions = ["version", self.settings.model_version]
        if not files or functions is None:
            return None
        keywords = self.settings.reading.keywords()
        options = {name: _plain(keywords[name]) for name in keywords.keys() - {"storage_options"}}
        states = [[file.url, file.bytes, file.content_id] for file in files]
        # NOTE: another library may read other values out of the same bytes, so what an older one
        # saw is looked at again, once.
        settings = [options, self.settings.missing, library_version(), STORE_FORMAT]
        return fingerprint(states, settings, describe_tables(model), functions)


def _plain(value: Any) -> Any:
    """Give an option as a plain value; the order of texts does not matter."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, ReadLimits):
        return asdict(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(held) for name, held in value.items()}
    if isinstance(value, Iterable):
        return sorted(str(each) for each in value)
    return str(value)
