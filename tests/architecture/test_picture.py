"""The picture of the rooms in the documentation is the one that the imports draw."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.house import arrows, picture, reduced

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "architecture.md"


def test_the_picture_of_the_page_is_made_from_the_imports() -> None:
    # Red? Put in what `python -m tests.support.house` prints, if the new arrow is meant.
    (drawn,) = re.findall(r"```mermaid\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert drawn == picture()


def test_the_page_says_what_each_room_is_for() -> None:
    rooms, _, _ = PAGE.read_text(encoding="utf-8").partition("## How data goes")
    told = set(re.findall(r"^\| `(\w+)`", rooms, re.MULTILINE))
    assert told == set(arrows())


def test_an_arrow_that_a_longer_way_says_is_left_out() -> None:
    assert reduced({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {
        "a": {"b"},
        "b": {"c"},
        "c": set(),
    }
