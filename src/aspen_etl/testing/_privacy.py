"""Law 12: a cell shows in the tables and the rejects, and in nothing that is printed."""

from __future__ import annotations

import json
import logging
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Optional

import pandas as pd

from aspen_etl.normalization import NormalizeResult, denormalize, normalize
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.validation import validate
from aspen_etl.schema.values import Extract, Run
from aspen_etl.testing._cells import tidy
from aspen_etl.testing._plan import plan
from aspen_etl.testing._types import PLAIN

__all__ = ["CANARY", "assert_nothing_is_told"]

#: Text that stands nowhere by chance; lower case, since a cleaner may lower it.
CANARY = "qzkanarienvogelqz"


#: Values that stand nowhere by chance, and what of them would be seen, however they are shown.
_VALUES = ("7391846529", "7391846529.13", "7391-08-26", "7391-08-26 18:46:52.937")
_SEEN = (CANARY, "7391846529", "7391-08-26", "7391, 8, 26")


def assert_nothing_is_told(extract: Extract, model: Model, run: Run) -> None:
    """Assert that no ``repr``, summary, log, warning or error holds a cell of an extract.

    Each cell is marked by text, which is no value of most types, and then each cell of a type by a
    value of it.
    """
    typed = {
        (sheet.name, column.name): _value_of(column.typed)
        for sheet in plan(model)
        for column in sheet.columns
        if column.typed is not None
    }
    _assert_untold(extract, model, run, {})
    if any(typed.values()):
        _assert_untold(extract, model, run, typed)


def _value_of(spec: ColumnSpec) -> Optional[str]:
    judge = PLAIN[spec.type].judge
    return next((text for text in _VALUES if judge(text, spec)[1] is None), None)


def _assert_untold(
    extract: Extract, model: Model, run: Run, typed: Mapping[tuple[str, str], Optional[str]]
) -> None:
    marked = Extract.from_frames(
        {
            name: pd.DataFrame(
                {c: _mark(frame[c], typed.get((name, str(c)), CANARY)) for c in frame},
                index=frame.index,
                columns=frame.columns,
            )
            for name, frame in extract.items()
        },
        faults=extract.faults.assign(value=_mark(extract.faults["value"], CANARY)),
        notes=extract.notes,
    )
    with _listening() as heard:
        result = normalize(marked, model=model, run=run)
        heard.extend(_shown(marked, result, model))
        heard.extend(_raised(marked, result, model, run))
    for text in heard:
        if any(mark in text for mark in _SEEN):
            raise AssertionError(f"law 12: a cell is told by {text.partition(':')[0]}")


def _mark(values: pd.Series, mark: Optional[str]) -> pd.Series:
    """Put the canary before each cell that is there, or a value of its type in its place."""
    put = "{1}" if mark is None else CANARY + "{1}" if mark == CANARY else "{0}"
    cells = [
        put.format(mark, cell) if isinstance(cell, str) and tidy(cell) else None
        for cell in values.array
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
