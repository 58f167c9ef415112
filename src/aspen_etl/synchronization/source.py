"""What a run is told about its source, and which state the source is in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Optional, TypeVar, Union

from aspen_etl.columns.dtypes import HAS_ARROW
from aspen_etl.columns.threads import UNKNOWN_ROWS, map_threads
from aspen_etl.errors import NotSupportedError, ReadError
from aspen_etl.io.calling import retry
from aspen_etl.io.content import SourceFile, state_of
from aspen_etl.io.extract import read_extract
from aspen_etl.io.places import Source, source_places
from aspen_etl.io.reading import ReadLimits
from aspen_etl.io.sheet_lines import LoadedSheet, load_sheets, read_sheets
from aspen_etl.schema.evolution import describe_functions, describe_tables, fingerprint
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import Extract
from aspen_etl.store.commit import STORE_FORMAT, library_version
from aspen_etl.store.kept import FormName
from aspen_etl.synchronization.by_cells import ByCells
from aspen_etl.synchronization.by_lines import ByLines
from aspen_etl.synchronization.settings import Settings
from aspen_etl.synchronization.touching import Form, refused, tell_why
from aspen_etl.transform.parting import Partitioning

__all__ = ["Given", "RunSource"]

T = TypeVar("T")

#: What a run reads: files, an extract, or what a function gives, asked at each attempt.
RunSource = Union[Source, Extract, Callable[[], Extract]]

#: How often a source is read that changes while it is read.
_READS = 3
_CHANGED = "it changed each time while it was read"


@dataclass(frozen=True)
class Given:
    """What a run is told about its source."""

    source: Union[Source, Extract]
    settings: Settings

    @classmethod
    def of(cls, source: RunSource, settings: Settings, /) -> Given:
        """Take a source as it is at an attempt: what a function gives, it gives now."""
        return cls(source() if callable(source) else source, settings)

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

    def steady(
        self, read: Callable[[], T], model: Model, before: tuple[SourceFile, ...]
    ) -> tuple[T, tuple[SourceFile, ...]]:
        """Read one state of the source: the same before, as seen by a look, and after."""
        seen = [before]

        def step() -> tuple[T, tuple[SourceFile, ...]]:
            found = read()
            seen.append(self.look(model))
            if seen[-1] != seen[-2]:
                raise ReadError.at(seen[-1][0].url, _CHANGED)
            return found, seen[-1]

        return retry(step, tries=_READS, again=lambda error: error.details.get("cause") == _CHANGED)

    def read(self, model: Model) -> Extract:
        """Read the source as a whole."""
        if isinstance(self.source, Extract):
            return self.source
        return read_extract(self.source, model=model, **self.settings.reading.keywords())

    def load_steady(
        self, how: Partitioning, before: tuple[SourceFile, ...], last: Optional[FormName]
    ) -> tuple[Form, tuple[SourceFile, ...]]:
        """Load one state of the source in a form in which it is compared: as lines, or as cells.

        Args:
            how: How the model is partitioned.
            before: The state that a look saw.
            last: The form of what is kept; where that is cells, it may be these once more.

        Raises:
            NotSupportedError: It can be in none; the reason says why.
            AspenETLError: What ``read_extract`` raises.
        """
        model, reading = how.model, self.settings.reading
        loaded: Optional[dict[str, LoadedSheet]] = None
        try:
            loaded, before = self._load_files(model, before)
            if last != "cells" or not HAS_ARROW:
                return ByLines.of(loaded, how, reading), before
        except NotSupportedError as error:
            if not HAS_ARROW:
                raise refused(
                    f"{tell_why(error)}, and pyarrow is not there to keep cells"
                ) from None
        if loaded is not None:
            extract = read_sheets(loaded, model, reading)
        else:
            extract, before = self.steady(lambda: self.read(model), model, before)
        return ByCells.of(extract, how), before

    def _load_files(
        self, model: Model, before: tuple[SourceFile, ...]
    ) -> tuple[dict[str, LoadedSheet], tuple[SourceFile, ...]]:
        """Load the files of one state; where bytes say which it is, there is no second look.

        Raises:
            NotSupportedError: It has no file for each sheet; the reason says what it is.
        """
        if isinstance(self.source, Extract):
            raise refused("the source is an extract in memory")
        source = self.source
        loaded = load_sheets(source, model, self.settings.reading)
        known = {(file.url, file.bytes, file.content_id) for file in before}
        if known == {
            (sheet.place.url, len(sheet.data), f"sha256:{sheet.sha256}")
            for sheet in loaded.values()
        }:
            return loaded, before
        first = [loaded]

        def load() -> dict[str, LoadedSheet]:
            return first.pop() if first else load_sheets(source, model, self.settings.reading)

        return self.steady(load, model, before)

    def fingerprint(self, files: tuple[SourceFile, ...], model: Model) -> Optional[str]:
        """Name all that the result depends on; none where that cannot be named."""
        states = [[file.url, file.bytes, file.content_id] for file in files]
        return self._named(states, model) if files else None

    def settings_name(self, model: Model) -> Optional[str]:
        """Name all that the result depends on beside the source; none where it cannot be named."""
        return self._named([], model)

    def _named(self, states: list[Any], model: Model) -> Optional[str]:
        functions: Any = describe_functions(model)
        if functions is None and self.settings.model_version is not None:
            functions = ["version", self.settings.model_version]
        if functions is None:
            return None
        keywords = self.settings.reading.keywords()
        options = {name: _plain(keywords[name]) for name in keywords.keys() - {"storage_options"}}
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
