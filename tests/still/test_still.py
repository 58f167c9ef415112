"""Nothing that a user sees is other than recorded; ``record.py`` tells how to record it anew."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from tests.still import recorded
from tests.still.recorded import CASES, DIGESTED, FAULTS


@pytest.mark.parametrize("name", DIGESTED)
def test_what_comes_of_a_source_is_as_it_was(name: str, tmp_path: Path) -> None:
    found, before = recorded.digests(DIGESTED[name](tmp_path)), recorded.read_digests()[name]
    changed = sorted(part for part in {*found, *before} if found.get(part) != before.get(part))
    assert not changed, (
        f"{name}: other than recorded: {', '.join(changed)}. Compare what "
        f"`python -m tests.still.record --show {name}` prints here and in a checkout of before"
    )


@pytest.mark.parametrize("name", CASES)
def test_a_text_is_as_it_was(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    case = CASES[name]
    if name in FAULTS:
        request.applymarker(pytest.mark.xfail(reason=FAULTS[name], strict=True))
    unfit = case.need()
    if unfit:
        pytest.skip(unfit)
    found, before = recorded.show(case, tmp_path), recorded.read_texts(case.topic)[name]
    changed = difflib.unified_diff(
        before.splitlines(), found.splitlines(), "recorded", "found", lineterm="", n=1
    )
    assert found == before, "\n".join(["", *changed])


def test_what_is_recorded_is_what_is_tested() -> None:
    assert set(recorded.read_digests()) == set(DIGESTED)
    texts = [recorded.read_texts(topic) for topic in {case.topic for case in CASES.values()}]
    assert sorted(name for some in texts for name in some) == sorted(CASES)
