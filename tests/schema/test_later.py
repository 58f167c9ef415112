"""A model that is made later is like any other for whoever looks at it."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

import aspen_etl as ae
from aspen_etl.borrower import borrower_model
from aspen_etl.schema import Model
from aspen_etl.schema.later import made_later

FIELDS = [each.name for each in dataclasses.fields(Model)]
#: What one does with a model first.
FIRST: dict[str, Callable[[Model], object]] = {
    **{name: lambda model, name=name: getattr(model, name) for name in FIELDS},  # type: ignore[misc]
    "repr": repr,
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "replace": lambda model: model.replace(subject="user_profile"),
}


@pytest.mark.parametrize("name", FIRST)
def test_whatever_is_asked_first_makes_the_model(name: str) -> None:
    model = made_later(borrower_model)
    assert isinstance(model, Model)
    FIRST[name](model)
    made = borrower_model()
    assert type(model) is Model
    assert set(vars(model)) == set(vars(made)) == set(FIELDS)
    assert (model.sources, model.tables, model.subject) == (made.sources, made.tables, made.subject)


def test_a_model_travels_before_anybody_looked_at_it() -> None:
    arrived = pickle.loads(pickle.dumps(made_later(borrower_model)))  # noqa: S301 - our own
    assert type(arrived) is Model
    assert arrived.tables == ae.BORROWER_MODEL.tables


def test_threads_that_ask_at_once_see_one_model() -> None:
    made: list[Model] = []

    def make() -> Model:
        made.append(borrower_model())
        return made[-1]

    model, ready = made_later(make), Barrier(4)

    def ask(_: int) -> object:
        ready.wait()
        return model.lineage

    with ThreadPoolExecutor(4) as pool:
        assert set(map(id, pool.map(ask, range(4)))) == {id(made[0].lineage)}
    assert len(made) == 1


def test_a_model_that_cannot_be_made_says_so_each_time() -> None:
    def make() -> Model:
        raise ae.AspenETLError("no")

    model = made_later(make)
    for _ in range(2):
        with pytest.raises(ae.AspenETLError, match="no"):
            _ = model.tables
