"""The page on settings lists every setting, with its default and in the words of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aspen_etl.command_line.program import make_parser
from aspen_etl.synchronization.settings import OPTIONS
from tests.docs.test_command_line_page import name_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"


def list_settings() -> str:
    """Write the table of settings."""
    actions = {action.dest: action for action in make_parser().commands["sync"]._actions}
    lines = ["| setting | default | command line | meaning |", "| --- | --- | --- | --- |"]
    for name, option in OPTIONS.items():
        action = actions.get(name)
        if action is None:
            word = ""
        else:
            word = name_of(action) if action.option_strings else f"`{action.metavar}`"
        lines.append(f"| `{name}` | {show(option.default)} | {word} | {option.told} |")
    return "\n".join(lines) + "\n"


def show(default: Any) -> str:
    """Write a default; nothing for none."""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if default else ""


def test_the_page_lists_every_setting() -> None:
    shown = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown.strip("\n") == list_settings().strip("\n"), "take the right side into the page"
