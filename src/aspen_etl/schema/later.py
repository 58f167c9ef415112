"""A model that is made when it is first looked at: to make one loads pandera."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from aspen_etl.schema.model import Model

__all__ = ["made_later"]


def made_later(make: Callable[[], Model], /) -> Model:
    """Give a model that is made when it is first looked at; from then on it is like any other.

    Args:
        make: Makes the model.

    Examples:
        >>> from aspen_etl.borrower import borrower_model
        >>> model = made_later(borrower_model)
        >>> isinstance(model, Model), type(model) is Model
        (True, False)
        >>> list(model.sources), type(model) is Model
        (['borrower', 'role_profile'], True)
    """
    return _Later(make)


_LOCK = threading.RLock()


def _of_a_model(name: str) -> Any:
    return property(lambda self: getattr(_make(self), name))


class _Later(Model):
    """A model of which nobody has asked anything yet."""

    sources = _of_a_model("sources")
    tables = _of_a_model("tables")
    cleaners = _of_a_model("cleaners")
    builders = _of_a_model("builders")
    rules = _of_a_model("rules")
    subject = _of_a_model("subject")
    lineage = _of_a_model("lineage")
    declared_subject = _of_a_model("declared_subject")

    def __init__(self, make: Callable[[], Model]) -> None:
        """Hold what makes it; a model cannot be changed, so that this takes another way."""
        object.__setattr__(self, "_make", make)


def _make(model: Model) -> Model:
    """Turn it into the model that it stands for."""
    with _LOCK:
        if isinstance(model, _Later):
            held = vars(model)
            made = held["_make"]()
            held.clear()
            held.update(vars(made))
            object.__setattr__(model, "__class__", Model)
    return model
