"""Values as plain text that is the same with every version of pandas, with pyarrow and without."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

import aspen_etl as ae
from aspen_etl.errors import AspenETLError

__all__ = [
    "Masks",
    "digest",
    "show_changes",
    "show_error",
    "show_frame",
    "show_frames",
    "show_keys",
    "show_value",
]


def digest(text: str | bytes) -> str:
    """Give the SHA-256 of a text."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return hashlib.sha256(data).hexdigest()


# ----------------------------------------------------------------------------- frames


def show_frame(frame: pd.DataFrame) -> str:
    """Show every cell of a frame, a line a row; a kind of text is text, whatever holds it."""
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    heads = [f"{name}:{_kind(values)}" for name, values in zip(frame.columns, columns)]
    cells = [[_cell(cell) for cell in values.astype(object)] for values in columns]
    lines = (" | ".join(row) for row in zip(frame.index.map(str), *cells))
    return "\n".join([" | ".join(heads), *lines, ""])


def _kind(values: pd.Series) -> str:
    dtype = values.dtype
    plain = (
        pd.api.types.is_integer_dtype(dtype)
        or pd.api.types.is_bool_dtype(dtype)
        or pd.api.types.is_float_dtype(dtype)
        or isinstance(dtype, pd.DatetimeTZDtype)
    )
    return str(dtype) if plain else "text"


def _cell(cell: Any) -> str:
    if cell is None or cell is pd.NA or cell is pd.NaT or cell != cell:  # noqa: PLR0124 - NaN
        return "~"
    if isinstance(cell, str):
        return ascii(cell)
    return cell.isoformat() if isinstance(cell, pd.Timestamp) else f"{cell}"


def show_frames(frames: Mapping[str, pd.DataFrame]) -> str:
    """Show frames by name."""
    return "\n".join(f"# {name}\n{show_frame(frame)}" for name, frame in frames.items())


def show_keys(keys: Mapping[str, Any]) -> str:
    """Show the keys that tables gave."""
    return "\n".join(
        f"# {name}, next {state.next}\n{show_frame(state.given)}" for name, state in keys.items()
    )


def show_changes(changes: ae.Changes) -> str:
    """Show what changed, row by row."""
    return "\n".join(
        f"# {name}\n## inserted\n{show_frame(each.inserted)}\n## updated\n"
        f"{show_frame(each.updated)}\n## deleted\n{show_frame(each.deleted)}"
        for name, each in changes.items()
    )


# ----------------------------------------------------------------------------- other values


def show_value(value: Any) -> str:
    """Show a plain value as indented JSON, in the order in which it holds things."""
    return json.dumps(_plain(value), indent=1)


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return show_frame(value).splitlines()
    if isinstance(value, Mapping):
        return {str(name): _plain(held) for name, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def show_error(error: BaseException) -> str:
    """Show what a caller can tell of an error: its classes, its text, its parts, what is behind."""
    bases = [kind.__name__ for kind in type(error).__mro__[1:] if kind.__name__ != "object"]
    behind = [type(each).__name__ for each in (error.__cause__, error.__context__) if each]
    lines = [f"{type(error).__name__} < {' < '.join(bases)}", str(error)]
    if isinstance(error, AspenETLError):
        lines.append(f"details: {show_value(error.details)}")
    if behind:
        lines.append(f"behind it: {', '.join(behind)}")
    return "\n".join(lines)


class Masks:
    """What stands for what differs from run to run: folders, random names, times, addresses."""

    def __init__(self, folder: Path) -> None:
        self._texts: dict[str, str] = {}
        for path in dict.fromkeys((str(folder.resolve()), str(folder))):
            self._texts[path] = "TMP"

    def add(self, text: str, mask: str) -> None:
        """Mask a text from now on, as the first of its kind, the second and so on."""
        if text not in self._texts:
            count = sum(held.startswith(mask) for held in self._texts.values())
            self._texts[text] = f"{mask}{count + 1}"

    def __call__(self, text: str) -> str:
        """Give a text with masks in it."""
        for found, mask in sorted(self._texts.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(found, mask)
        return re.sub(r" at 0x[0-9a-f]+", " at ADDRESS", text)


def show_signature(value: Any) -> str:
    """Show how something is called; nothing where Python does not tell."""
    try:
        return str(inspect.signature(value))
    except (TypeError, ValueError):
        return ""
