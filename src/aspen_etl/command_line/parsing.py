"""How words become arguments: what is mistyped is named with what may have been meant."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn

from aspen_etl.errors.base import did_you_mean
from aspen_etl.io.filesystem import display_url
from aspen_etl.io.options import Kind, UnusableTextError

__all__ = ["Parser", "UsageError", "typed"]


class UsageError(Exception):
    """The words on the command line are none that it takes."""


class Parser(argparse.ArgumentParser):
    """Parse words; the parsers of the commands are of this class, too.

    Attributes:
        commands: The parser of each command.
    """

    commands: Mapping[str, Parser] = MappingProxyType({})

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line."""
        raise UsageError(f"{message} ({self.prog} --help tells more)")

    def parse(self, words: Sequence[str], /) -> argparse.Namespace:
        """Parse the words of a process.

        Raises:
            UsageError: They are none that a command takes.
        """
        command = next((word for word in words if not word.startswith("-")), None)
        if command is not None and command not in self.commands:
            close = did_you_mean(command, self.commands)
            self.error(f"there is no command {_show(command)}{close}")
        chosen = self if command is None else self.commands[command]
        chosen.refuse_unknown(words)
        for word in _options_among(words):
            if word.endswith("=--"):  # which older forms of argparse give as a list
                chosen.error(f"argument {word[:-3]}: expected one argument")
        arguments, left = self.parse_known_args(list(words))
        if left:
            what = "there is no option" if left[0].startswith("-") else "too many words:"
            chosen.error(f"{what} {', '.join(map(_show, left))}")
        return arguments

    def refuse_unknown(self, words: Sequence[str], /) -> None:
        """Refuse words that look like an option and are none."""
        options = [name for action in self._actions for name in action.option_strings]
        for word in _options_among(words):
            name = word.partition("=")[0]
            if not any(option.startswith(name) for option in options):
                long = [option for option in options if option.startswith("--")]
                self.error(f"there is no option {_show(name)}{did_you_mean(name, long)}")


def _options_among(words: Sequence[str]) -> Iterator[str]:
    """Give the words that argparse takes for long options."""
    for word in words:
        if word == "--":
            return
        if word.startswith("--") and " " not in word:
            yield word


def _show(word: str) -> str:
    """Give a word for a message: it may be a url with a password in it."""
    return repr(display_url(word))


# ----------------------------------------------------------------------------- values


def typed(kind: Kind, /) -> Callable[[str], Any]:
    """Make what argparse calls to read a value of a kind; a text that is none is shown."""

    def read(text: str) -> Any:
        try:
            return kind.read(text)
        except UnusableTextError as error:
            raise argparse.ArgumentTypeError(error.shown.replace("{}", _show(text), 1)) from None

    return read
