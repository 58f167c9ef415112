"""The page on settings lists every setting, with its default and in the words of its help."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aspen_etl.command_line.program import make_parser
from aspen_etl.io.options import Option
from aspen_etl.synchronization.settings import OPTIONS
from aspen_etl.synchronization.side_settings import SIDE_OPTIONS
from tests.docs.test_command_line_page import name_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"


SIDES = ("<!-- settings of sides: begin -->\n", "<!-- settings of sides: end -->\n")


def list_settings(options: Mapping[str, Option], *commands: str) -> str:
    """Write a table of settings."""
    known = make_parser().commands
    actions = {action.dest: action for name in commands for action in known[name]._actions}
    lines = ["| setting | default | command line | meaning |", "| --- | --- | --- | --- |"]
    for name, option in options.items():
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
    wanted = list_settings(OPTIONS, "sync").strip("\n")
    assert shown.strip("\n") == wanted, "take the right side into the page"


def test_the_page_lists_every_setting_of_two_sides() -> None:
    begin, end = SIDES
    shown = PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0]
    flagged = {name: each for name, each in SIDE_OPTIONS.items() if each.flag}
    actions = {each.dest for n in ("pull", "push") for each in make_parser().commands[n]._actions}
    assert flagged.keys() <= actions
    wanted = list_settings(SIDE_OPTIONS, "pull", "push").strip("\n")
    assert shown.strip("\n") == wanted, "take the right side into the page"
