"""Whatever a task counts by, a cell that it has cut is told from one that is shorter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.transform.suspects import is_as_long_as

LIMIT = 32
TEXTS = st.text(st.sampled_from("ab é€\U0001f600"), min_size=LIMIT + 1, max_size=3 * LIMIT)


def cut(text: str, encoding: str) -> str:
    """Cut a text at so many bytes, a character that does not fit left out whole."""
    return text.encode(encoding)[:LIMIT].decode(encoding, "ignore")


@given(TEXTS)
def test_a_text_that_was_cut_is_as_long_as_the_limit(text: str) -> None:
    assert is_as_long_as(text[:LIMIT], LIMIT)
    for encoding in ("utf-8", "utf-16-le"):
        found = cut(text, encoding)
        # Of plain letters before one that did not fit nobody knows that there was one.
        is_told = not found.isascii() or len(found.encode(encoding)) == LIMIT
        assert is_as_long_as(found, LIMIT) or not is_told


@given(st.text(st.sampled_from("ab"), max_size=3 * LIMIT))
def test_of_plain_text_two_lengths_alone_are_suspect(text: str) -> None:
    assert is_as_long_as(text, LIMIT) is (len(text) in {LIMIT, LIMIT // 2})
