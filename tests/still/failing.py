"""What raises, by name: the error is shown, or what came instead of one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.still.cases import Cases, Need, needs
from tests.still.rendering import Masks, show_error, show_value

__all__ = ["Failing"]

#: Takes an empty folder.
Call = Callable[[Path], Any]


class Failing(Cases):
    """The cases of a topic that raise."""

    def of(self, name: str, call: Call, need: Need = needs()) -> None:  # noqa: B008
        """Add a call."""
        self.add(name, partial(_show, call), need)

    def __call__(self, name: str, need: Need = needs()) -> Callable[[Call], Call]:  # noqa: B008
        """Add the function that is decorated."""

        def keep(call: Call) -> Call:
            self.of(name, call, need)
            return call

        return keep


def _show(call: Call, folder: Path) -> str:
    def mask(text: str) -> str:
        text = re.sub(r'"seconds": [0-9.e-]+', '"seconds": SECONDS', Masks(folder)(text))
        return re.sub(r"\b[0-9a-f]{16}\b", "TOKEN", text)

    try:
        given = call(folder)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is recorded
        return mask(show_error(error))
    return mask(f"no error: {given if isinstance(given, str) else show_value(given)}")
