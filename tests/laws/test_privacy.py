"""Law 12: a canary in any cell shows in no log, exception, traceback, repr or summary."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.testing import extracts
from aspen_etl.testing._privacy import CANARY, assert_nothing_is_told
from tests.laws.models import MODELS, RUN
from tests.laws.typed_models import TYPES_MODEL
from tests.support.effort import some
from tests.transform.sheets import ADA, BO, COLUMNS, extract

MODEL = ae.BORROWER_MODEL


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_no_cell_of_a_generated_extract_is_told(model: ae.Model) -> None:
    @some(5, least=5)
    @given(extracts(model, faults="all", min_rows=1))
    def nothing_is_told(extract: ae.Extract) -> None:
        assert_nothing_is_told(extract, model, RUN)

    nothing_is_told()


def told(error: BaseException) -> str:
    """Give all that a log would hold of an error: text, details, traceback, what came before."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return f"{''.join(lines)} {error!r} {getattr(error, 'details', '')!r}"


def frames(**cells: Any) -> dict[str, pd.DataFrame]:
    """Give sheets whose cells are all canaries."""
    row = {name: f"{CANARY}{name}" for name in COLUMNS}
    return {
        "borrower": pd.DataFrame([{**row, **cells}], dtype=object),
        "role_profile": pd.DataFrame(
            [{"borrower_id": f"{CANARY}id", "role_profile": CANARY}], dtype=object
        ),
    }


def raising(values: Any) -> Any:
    raise ValueError(f"{values!r}")


def listing(values: pd.Series) -> Any:
    return values.tolist()


def build(borrower: pd.DataFrame) -> pd.DataFrame:
    raise KeyError(borrower["id"].iloc[0])


def giving(**columns: Any) -> Callable[..., pd.DataFrame]:
    def user(borrower: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(columns, index=borrower.index)

    return user


def changed(given: Mapping[str, pd.DataFrame], table: str, **cells: Any) -> dict[str, Any]:
    return {**given, table: given[table].assign(**cells)}


RESULT = ae.normalize(ae.Extract(**frames()), run=RUN)

FAILURES: dict[str, Callable[[], object]] = {
    "numbers that lost digits": lambda: ae.Extract(
        borrower=pd.DataFrame({"id": [1234567890123456789.0]})
    ),
    "bytes": lambda: ae.Extract(**frames(id=CANARY.encode())),
    "a list": lambda: ae.Extract(**frames(id=[CANARY])),
    "no frame": lambda: ae.Extract(borrower=CANARY),  # type: ignore[arg-type]
    "a sheet without a header": lambda: ae.normalize(
        ae.Extract(**{n: f.set_axis(f.iloc[0].tolist(), axis=1) for n, f in frames().items()}),
        run=RUN,
    ),
    "a cleaner that raises": lambda: ae.normalize(
        ae.Extract(**frames()),
        model=MODEL.replace(cleaners={"borrower.city": raising}),
        run=RUN,
    ),
    "a cleaner that gives a list": lambda: ae.normalize(
        ae.Extract(**frames()),
        model=MODEL.replace(cleaners={"borrower.city": listing}),
        run=RUN,
    ),
    "a builder that raises": lambda: ae.normalize(
        ae.Extract(**frames()), model=MODEL.replace(builders={"user": build}), run=RUN
    ),
    "a builder that gives what is no row": lambda: ae.normalize(
        ae.Extract(**frames()),
        model=MODEL.replace(builders={"user": giving(user_profile_id=CANARY * 20)}),
        run=RUN,
    ),
    "a builder that gives another column": lambda: ae.normalize(
        ae.Extract(**frames()), model=MODEL.replace(builders={"user": giving(x=CANARY)}), run=RUN
    ),
    "an inverse that raises": lambda: ae.normalize(
        ae.Extract(**frames()),
        model=MODEL.replace(
            builders={
                "user_profile": ae.schema.Builder(MODEL.builders["user_profile"].build, raising)
            }
        ),
        run=RUN,
    ),
    "an inverse that gives other cells": lambda: ae.normalize(
        ae.Extract(**frames()),
        model=MODEL.replace(
            builders={
                "user_profile": ae.schema.Builder(
                    MODEL.builders["user_profile"].build,
                    lambda rows: {"full_name": rows["first_name"] + CANARY},
                )
            }
        ),
        run=RUN,
    ),
    "tables of another length": lambda: ae.validate(
        changed(RESULT.tables, "user_profile", first_name=CANARY * 20), model=MODEL
    ),
    "tables of another type": lambda: ae.validate(
        changed(RESULT.tables, "user", user_id=CANARY), model=MODEL
    ),
    "tables of other references": lambda: ae.validate(
        changed(RESULT.tables, "user", user_profile_id=CANARY), model=MODEL
    ),
    "tables that do not hold together": lambda: ae.denormalize(
        changed(RESULT.tables, "user", user_profile_id=CANARY)
    ),
    "a result of another extract": lambda: ae.verify(RESULT, extract(ADA, BO), run=RUN),
    "a split that cannot be": lambda: ae.split(
        {**RESULT.tables, "user": pd.DataFrame({"x": [CANARY]})}, model=MODEL
    ),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_no_cell_is_told_by(
    failure: Callable[[], object],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ae.AspenETLError) as caught:
        failure()
    everything = f"{told(caught.value)} {caplog.text} {capsys.readouterr()}"
    assert CANARY not in everything
    assert "1234567890123456789" not in everything.replace('id": [1234567890123456789.0]', "")
    assert "1.2345678901234568e+18" not in everything


def test_no_cell_is_told_by_what_a_notebook_shows() -> None:
    given = ae.Extract(**frames())
    shown = [
        given,
        RESULT,
        RESULT.tables,
        RESULT.snapshot,
        RESULT.summary,
        *RESULT.snapshot.keys.values(),
    ]
    views = [view() for view in (getattr(value, "_repr_html_", str) for value in shown)]
    texts = [*map(repr, shown), *map(str, shown), *views, json.dumps(RESULT.summary.to_dict())]
    assert [text for text in texts if CANARY in text] == []
    assert CANARY in RESULT.rejects.to_csv()


def test_the_canary_would_be_seen() -> None:
    def talks(values: pd.Series) -> pd.Series:
        logging.getLogger("mine").debug("got %s", values.iloc[0])
        return values

    model = MODEL.replace(cleaners={"borrower.full_name": talks})
    with pytest.raises(AssertionError, match="law 12: a cell is told by log"):
        assert_nothing_is_told(extract(ADA), model, RUN)


def test_a_value_of_a_type_would_be_seen() -> None:
    def talks(values: pd.Series) -> pd.Series:
        for cell in values.dropna():
            if not cell.startswith(CANARY):
                logging.getLogger("mine").debug("got %s", cell)
        return values

    model = TYPES_MODEL.replace(cleaners={"periods.budget": talks})
    sheets = {
        name: pd.DataFrame(columns=list(source.columns), dtype=object)
        for name, source in model.sources.items()
    }
    sheets["periods"] = pd.DataFrame({"first_day": ["2020-01-31"], "budget": ["12"]}, dtype=object)
    given_extract = ae.Extract.from_frames(sheets)
    with pytest.raises(AssertionError, match="law 12: a cell is told by log"):
        assert_nothing_is_told(given_extract, model, RUN)


@given(st.sampled_from(COLUMNS))
def test_a_canary_in_one_column_alone_is_told_by_nothing(column: str) -> None:
    given = extract({**BO, column: CANARY}, roles=((CANARY, CANARY),))
    result = ae.normalize(given, run=RUN)
    assert CANARY not in f"{result!r} {result.summary!r} {given!r}"
    assert CANARY in f"{[f.to_csv() for f in result.tables.values()]} {result.rejects.to_csv()}"
