"""Record anew what a user sees, or show it in full.

::

    python -m tests.still.record                      # everything
    python -m tests.still.record errors help/sync     # what begins so
    python -m tests.still.record --show history/borrower/keep/03 > after.txt

What is meant to change is recorded in the commit that changes it, so that its diff says what.
To see what a digest stands for, show it here and in a checkout of before, and compare the two.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.still import recorded
from tests.still.cases import NEWEST
from tests.still.recorded import CASES, DIGESTED, FAULTS


def main(words: Sequence[str]) -> int:
    """Record, or show."""
    names = [name for name in words if name != "--show"]
    chosen = [
        name
        for name in (*DIGESTED, *CASES)
        if not names or any(name.startswith(each) for each in names)
    ]
    if not chosen:
        print(f"nothing begins like {' or '.join(names)}", file=sys.stderr)
        return 2
    if "--show" in words:
        _show(chosen)
        return 0
    unfit = NEWEST()
    if unfit:
        print(f"record with the newest Python and all extras ({unfit})", file=sys.stderr)
        return 2
    _record([name for name in chosen if name not in FAULTS])
    return 0


def _show(names: Sequence[str]) -> None:
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            if name in CASES:
                print(f"=== {name}\n{recorded.show(CASES[name], Path(folder))}\n")
                continue
            for part, text in DIGESTED[name](Path(folder)).items():
                print(f"=== {name}: {part}\n{text.encode('ascii', 'backslashreplace').decode()}\n")


def _record(names: Sequence[str]) -> None:
    held = recorded.read_digests()
    texts: dict[str, dict[str, str]] = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            if name in DIGESTED:
                held[name] = recorded.digests(DIGESTED[name](Path(folder)))
                continue
            topic = CASES[name].topic
            texts.setdefault(topic, recorded.read_texts(topic))
            texts[topic][name] = recorded.show(CASES[name], Path(folder))
    recorded.write_digests({name: each for name, each in held.items() if name in DIGESTED})
    for topic, some in texts.items():
        recorded.write_texts(topic, some)
    print(f"recorded {len(names)} cases")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
