"""Law 12: a cell shows in the tables and the rejects, and in nothing that is printed."""

from __future__ import annotations

import json
import logging
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

from aspen_etl.normalization import NormalizeResult, denormalize, normalize
from aspen_etl.schema.model import Model
from aspen_etl.schema.validation import validate
from aspen_etl.schema.values import Extract, Run
from aspen_etl.testing._cells import tidy

__all__ = ["CANARY", "assert_nothing_is_told"]

#: Text that stands nowhere by chance; lower case, since a cleaner may lower it.
CANARY = "qzkanarienvogelqz"


def assert_nothing_is_told(extract: Extract, model: Model, run: Run) -> None:
    """Assert that no ``repr``, summary, log, warning or error holds a cell of an extract."""
    marked = Extract.from_frames(
        {name: frame.apply(_mark) for name, frame in extract.items()},
        faults=extract.faults.assign(value=_mark(extract.faults["value"])),
        notes=extract.notes,
    )
    with _listening() as heard:
        result = normalize(marked, model=model, run=run)
        heard.extend(_shown(marked, result, model))
        heard.extend(_raised(marked, result, model, run))
    for text in heard:
        if CANARY in text:
            raise AssertionError(f"law 12: a cell is told by {text.partition(':')[0]}")


def _mark(values: pd.Series) -> pd.Series:
    """Put the canary before each cell that is there."""
    cells = [
        CANARY + cell if isinstance(cell, str) and tidy(cell) else None for cell in values.array
    ]
    return pd.Series(cells, index=values.index, dtype=object)


def _shown(extract: Extract, result: NormalizeResult, model: Model) -> Iterator[str]:
    values: list[Any] = [
        extract,
        result,
        result.snapshot,
        result.tables,
        result.summary,
        denormalize(result.tables, model=model),
    ]
    values += [
        *result.snapshot.keys.values(),
        *result.summary.sources.values(),
        *result.summary.rejects,
    ]
    for value in values:
        yield f"{type(value).__name__}: {value!r} {value!s}"
        show = getattr(value, "_repr_html_", None)
        if show is not None:
            yield f"{type(value).__name__}._repr_html_: {show()}"
    yield f"to_dict: {json.dumps(result.summary.to_dict())}"


def _raised(extract: Extract, result: NormalizeResult, model: Model, run: Run) -> Iterator[str]:
    """Break what can be broken, and give what the errors print."""
    sheet, column = next(
        (name, column) for name, source in model.sources.items() for column in source.columns
    )

    def fail(values: pd.Series) -> pd.Series:
        raise ValueError(f"{values.tolist()}")

    failing = model.replace(cleaners={f"{sheet}.{column}": fail})
    yield _told(lambda: normalize(extract, model=failing, run=run))
    crossed = {name: frame.rename(columns={column: "unknown"}) for name, frame in extract.items()}
    yield _told(lambda: normalize(Extract.from_frames(crossed), model=model, run=run))
    twice = {
        name: pd.concat([frame, frame], ignore_index=True) for name, frame in result.tables.items()
    }
    yield _told(lambda: validate(twice, model=model))
    fewer = {
        **result.tables,
        next(iter(result.tables)): next(iter(result.tables.values())).iloc[1:],
    }
    yield _told(lambda: denormalize(fewer, model=model))


def _told(action: Callable[[], object]) -> str:
    try:
        action()
    except Exception as error:  # noqa: BLE001 - whatever is raised must not tell
        return "".join(traceback.format_exception(type(error), error, error.__traceback__)) + repr(
            error
        )
    return ""


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Hear every log record and warning."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(f"log: {record.getMessage()} {record.exc_text or ''} {record.args!r}")

    root, ear = logging.getLogger(), Ear(level=logging.NOTSET)
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.NOTSET)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield heard
        heard += [f"warning: {warning.message}" for warning in caught]
    finally:
        root.setLevel(level)
        root.removeHandler(ear)
