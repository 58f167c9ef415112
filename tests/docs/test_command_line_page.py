"""The page on the command line lists every command and every option, in the words of its help."""

from __future__ import annotations

import argparse
from pathlib import Path

from aspen_etl.command_line.program import make_parser

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "command-line.md"
BEGIN, END = "<!-- options: begin -->\n", "<!-- options: end -->\n"


def list_options() -> str:
    """Write the table of options: each with the commands that take it, and what it means."""
    rows: dict[tuple[str, str], list[str]] = {}
    for command, parser in make_parser().commands.items():
        for action in parser._actions:
            if action.option_strings and action.dest != "help":
                rows.setdefault((name_of(action), str(action.help)), []).append(command)
    lines = ["| option | of | meaning |", "| --- | --- | --- |"]
    every = max(rows.values(), key=len)
    for (name, told), commands in rows.items():
        missing = [command for command in every if command not in commands]
        of = ", ".join(f"`{command}`" for command in commands)
        if len(commands) > len(every) // 2:
            of = "all" + (f" but {', '.join(f'`{each}`' for each in missing)}" if missing else "")
        lines.append(f"| {name} | {of} | {told} |")
    return "\n".join(lines) + "\n"


def name_of(action: argparse.Action) -> str:
    """Write an option as it is given, for a cell of a table."""
    name = ", ".join(action.option_strings)
    given = name if action.nargs == 0 else f"{name} {action.metavar}"
    return f"`{given}`".replace("|", r"\|")  # which would end the cell


def test_the_page_lists_every_option() -> None:
    shown = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown.strip("\n") == list_options().strip("\n"), "take the right side into the page"


def test_the_page_tells_of_every_command() -> None:
    text = PAGE.read_text(encoding="utf-8")
    commands = make_parser().commands
    assert [
        name
        for name in commands
        if f"## aspen-etl {name} " not in text and f"| `{name} " not in text
    ] == []


def test_every_word_of_a_command_is_explained_by_its_help() -> None:
    unexplained = [
        f"{command} {action.dest}"
        for command, parser in make_parser().commands.items()
        for action in parser._actions
        if not action.help or len(action.help.split()) < 2
    ]
    assert unexplained == []
