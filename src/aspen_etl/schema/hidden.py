"""A column that hides the type that it is annotated with, by its name."""

from __future__ import annotations

from typing import Any, Optional

from pandera.api.dataframe.model_components import FieldInfo

__all__ = ["Declared", "hidden_type"]


class Declared(FieldInfo):
    """A field that Python before 3.11 takes for a type, where its name hides one.

    So it comes as far as our own error: see ``hidden_type``.
    """

    def __call__(self) -> None:
        """Be callable, which is what Python asks of a type."""


def hidden_type(owner: str, name: str, annotation: Any, /) -> Optional[str]:
    """Say what is wrong where a column hides the type that it is annotated with, else nothing.

    The name of a column is known in the body of its class, so ``date: Series[date] = column()``
    annotates the column with itself.
    """
    if not isinstance(annotation, FieldInfo):
        return None
    hides = str(annotation.name)
    return (
        f"{owner}.{name}: the column {hides!r} hides the type {hides!r} from the annotations "
        "that follow it; write the type with its module, as in `import datetime as dt` and "
        "Series[dt.date]"
    )
