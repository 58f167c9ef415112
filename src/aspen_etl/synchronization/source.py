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
from aspen_etl.schema.landing import Landing
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import Extract, Run
from aspen_etl.store.commit import STORE_FORMAT, Commit, library_version
from aspen_etl.store.kept import FormName
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.store.suppressing import suppression_of
from aspen_etl.synchronization.by_cells import ByCells
from aspen_etl.synchronization.by_lines import ByLines
from aspen_etl.synchronization.intake import Intake
from aspen_etl.synchronization.landed_batch import BatchReader
from aspen_etl.synchronization.landed_form import LandedForm
from aspen_etl.synchronization.settings import Settings
from aspen_etl.synchronization.touching import Form, refused, tell_why
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.suppressing import Suppression, leave_out

__all__ = ["Given", "RunSource"]

T = TypeVar("T")

#: What a run reads: files, an extract, a landing folder, or what a function gives at each attempt.
RunSource = Union[Source, Extract, Landing, Callable[[], Extract]]

#: How often a source is read that changes while it is read.
_READS = 3
_CHANGED = "it changed each time while it was read"


@dataclass(frozen=True)
class Given:
    """What a run is told about its source."""

    source: Union[Source, Extract, Landing]
    settings: Settings
    intake: Optional[Intake] = None
    suppression: Optional[Suppression] = None

    @classmethod
    def of(
        cls,
        source: RunSource,
        settings: Settings,
        store: SnapshotStore,
        newest: Optional[Commit],
        run: Run,
    ) -> Given:
        """Take a source as it is at an attempt, and who is left out of it.

        What a function gives, it gives now; of a landing folder is listed what it has now.

        Raises:
            ArgumentError: Subjects are left out, and the secret is missing or another one.
            AspenETLError: What the function raises, or listing a landing folder.
        """
        suppression = suppression_of(store.place, newest, settings.secret)
        if callable(source):
            return cls(source(), settings, suppression=suppression)
        if not isinstance(source, Landing):
            return cls(source, settings, suppression=suppression)
        reading, on_gap = settings.reading, settings.on_gap
        reader = BatchReader(source, store.model, reading.limits, run.time, suppression)
        options = reading.storage_options
        look = Intake.look(reader, store.place, newest, storage_options=options, on_gap=on_gap)
        return cls(source, settings, look, suppression)

    @property
    def origin(self) -> Union[Source, Extract]:
        """The source, or what a landing folder holds now."""
        if self.intake is not None:
            return self.intake.found.extract
        if isinstance(self.source, Landing):
            raise TypeError("a landing folder is looked at first")
        return self.source

    def look(self, model: Model) -> tuple[SourceFile, ...]:
        """Tell which state the source files are in."""
        if isinstance(self.source, (Extract, Landing)):
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
        origin = self.origin
        if isinstance(origin, Extract):
            return origin
        return read_extract(origin, model=model, **self.settings.reading.keywords())

    def leave_out(self, extract: Extract, model: Model) -> tuple[Extract, dict[str, int]]:
        """Leave out the rows of suppressed subjects; a landing folder has none of them."""
        return leave_out(extract, model, None if self.intake else self.suppression)

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
        if self.intake is not None:
            return LandedForm(self.intake.found, how), before
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
        source = self.origin
        if isinstance(source, Extract):
            raise refused("the source is an extract in memory")
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
        states: list[Any] = [[file.url, file.bytes, file.content_id] for file in files]
        if self.intake is not None:
            states = self.intake.state_name()
        return self._named(states, model) if states else None

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
        if self.intake is not None:
            options["landing"] = self.intake.declared
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
