"""Read the fenced code blocks of a Markdown page, with what a page says about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")
_COMMENT = re.compile(r"^\s*<!--\s*(?P<key>ci|needs|step):\s*(?P<value>[^>]*?)\s*-->\s*$")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        line: The line of its first line of content, from 1.
        info: What stands behind the opening fence: a format, then ``key=value`` words.
        text: The content, each line ended by a line feed.
        ci: The name under which ``.ci/run`` runs it, from a comment ``<!-- ci: NAME -->``.
        needs: The packages without which it cannot run, from ``<!-- needs: a, b -->``.
        step: What it is of a contributor's first hour, from ``<!-- step: NAME -->``.
    """

    line: int
    info: str
    text: str
    ci: str = ""
    needs: tuple[str, ...] = ()
    step: str = ""

    @property
    def format(self) -> str:
        """The first word behind the fence."""
        return (self.info.split() or [""])[0]

    def option(self, key: str, default: str) -> str:
        """Give the value of a ``key=value`` word behind the fence."""
        options = dict(word.partition("=")[::2] for word in self.info.split()[1:])
        return options.get(key, default)


def read_blocks(page: Path) -> list[Block]:
    """Give the blocks of a page in order; a fence that is never closed is an error."""
    blocks: list[Block] = []
    said: dict[str, str] = {}
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        comment = _COMMENT.match(lines[number])
        number += 1
        if comment:
            said[comment["key"]] = comment["value"]
        elif opening:
            first = number
            closing = re.compile(
                rf"^ *{re.escape(opening['fence'][0])}{{{len(opening['fence'])},}} *$"
            )
            while number < len(lines) and not closing.match(lines[number]):
                number += 1
            if number == len(lines):
                message = f"{page.name}:{first}: the block is never closed"
                raise ValueError(message)
            indent = re.compile(f"^ {{0,{len(opening['indent'])}}}")
            blocks.append(
                Block(
                    line=first + 1,
                    info=opening["info"].strip(),
                    text="".join(f"{indent.sub('', line)}\n" for line in lines[first:number]),
                    ci=said.get("ci", ""),
                    needs=tuple(re.split(r"[\s,]+", said["needs"])) if "needs" in said else (),
                    step=said.get("step", ""),
                )
            )
            number += 1
            said = {}
        elif lines[number - 1].strip():
            said = {}  # a comment speaks of the block that follows it at once
    return blocks
