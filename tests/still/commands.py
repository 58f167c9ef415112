"""What the commands print."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence

from aspen_etl.__main__ import main
from tests.still.rendering import Masks

__all__ = ["COMMANDS", "run_command"]

COMMANDS = (
    *("normalize", "demo", "sync", "plan", "history", "status", "export", "restore", "resume"),
    *("vacuum", "verify", "purge", "schema", "load"),
)


def run_command(words: Sequence[str], masks: Masks) -> str:
    """Run a command in this process; give what it prints and its exit status."""
    out, err = io.StringIO(), io.StringIO()
    before = {name: os.environ.get(name) for name in ("COLUMNS", "NO_COLOR")}
    os.environ.update(COLUMNS="100", NO_COLOR="1")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(list(words))
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else -1
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    parts = [f"$ aspen-etl {' '.join(words)}", out.getvalue().rstrip("\n")]
    if err.getvalue():
        parts.append(f"stderr: {err.getvalue().rstrip()}")
    return masks("\n".join([*parts, f"exit {code}"]))
