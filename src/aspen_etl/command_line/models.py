"""A model of one's own, by the name of its module: what is wrong with either is named."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
import traceback
from types import ModuleType
from typing import Optional

from aspen_etl.borrower import BORROWER_MODEL
from aspen_etl.errors import AspenETLError, ModelError
from aspen_etl.errors.base import listing
from aspen_etl.schema import Model

__all__ = ["load_model"]

_NAME = re.compile(r"(?P<module>[^\W\d]\w*(\.[^\W\d]\w*)*)(:(?P<attribute>[^\W\d]\w*))?")
#: The same by the path of the module's file.
_FILE = re.compile(
    r"(?P<folder>(?:.*[/\\])?)(?P<module>[^\W\d]\w*)\.py(:(?P<attribute>[^\W\d]\w*))?"
)


def load_model(name: Optional[str]) -> Model:
    """Import a model by the name of its module, or of that one's file, and its own.

    The working folder is looked in for a module, and the file's own folder for those beside it.

    Raises:
        ModelError: There is none of that name, or its module cannot be imported.
    """
    if name is None:
        return BORROWER_MODEL
    parts = _FILE.fullmatch(name) or _NAME.fullmatch(name)
    if parts is None:
        raise _no_model(name, "a module's name, a colon, and the model's name are expected")
    module = _import(name, parts["module"], parts.groupdict().get("folder") or "")
    attribute = parts["attribute"] or "MODEL"
    found = getattr(module, attribute, None)
    if isinstance(found, Model):
        return found
    models = [each for each, held in vars(module).items() if isinstance(held, Model)]
    if found is None:
        reason = f"{parts['module']} has no {attribute}"
    else:
        reason = f"{attribute} is of type {type(found).__name__}"
    raise _no_model(name, f"{reason} (the models there: {listing(models)})")


def _import(name: str, module: str, folder: str) -> ModuleType:
    """Import a module; what it prints is no part of what a command prints."""
    sys.path.insert(0, folder)  # '' is the working folder
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        cause: BaseException = error
        missing = error.name or ""
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's module raises
        cause, missing = error, ""
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)
    if missing and f"{module}.".startswith(f"{missing}."):
        raise _no_model(name, f"there is no module {missing} here, nor in Python's path")
    msg = f"--model {name}: importing {module} failed: {_describe(cause)}"
    raise ModelError(msg, model=name, cause=type(cause).__name__) from cause


def _describe(error: BaseException) -> str:
    """Say what went wrong and in which line; the text of an error that is not ours is left out."""
    kind = type(error).__name__
    if isinstance(error, AspenETLError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return f"it needs the module {error.name}, which is not installed"
    if isinstance(error, SyntaxError) and error.filename:
        return f"{kind} in {error.filename}, line {error.lineno}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{kind} in {last.filename}, line {last.lineno}; --debug shows more"


def _no_model(name: str, reason: str) -> ModelError:
    msg = f"--model {name!r} names no model: {reason}; write it as in acme.loans:MODEL"
    return ModelError(msg, model=name)
