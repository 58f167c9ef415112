"""CSV files of two columns, made as they are found, and all that is read of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from aspen_etl.io.reading import RawSheet

LINES = ["", "1", "é", "😀", " ", "x" * 30, "\u2028", "\ufeff", '""', '""""', '"q""q"', '"x,y"']
BROKEN = [f'"{text}"' for text in ("x\ny", "\r\n", "\n\n\n", "a\rb", '""\n""')]
ENDS = ["\n", "\n", "\n", "\r\n", "\r\n", "\n\n", "\r\n\r\n"]
#: What makes a file faulty, or its quotes say nothing; most have none of it.
FAULTS = [""] * 9
FAULTS += ["1,2,3\n", "1\n", '5" pipe,x\n', '"x"y,1\n', '"open,1\n', "1,\udcff\n", "\0,1\n"]
FAULTS += [f"1,{'z' * 60}\n"]


@st.composite
def files(draw: st.DrawFn, *, broken: bool = True) -> bytes:
    """Make a CSV file as they are found.

    Args:
        draw: Draws from strategies.
        broken: Whether a field may hold a line break, and a carriage return alone be one.
    """
    ends = st.sampled_from([*ENDS, "\r", "\n\r"] if broken else ENDS)
    field = st.sampled_from([*LINES, *BROKEN] if broken else LINES)
    record = st.builds("{},{}{}".format, field, field, ends)
    above = draw(st.sampled_from(["", "", "", "\ufeff", "sep=,\n", "\n\r\n", 'A\n\n"ti\ntle"\n']))
    header = draw(st.sampled_from(["a,b", "a,b", '"a","b"'])) + draw(ends)
    body = draw(st.lists(record, max_size=14))
    body.insert(draw(st.integers(0, len(body))), draw(st.sampled_from(FAULTS)))
    last = draw(st.sampled_from(["", "", "1,2", "1,'\n'", "\n\n", "\x1a", "\0\0", "\n\x1a\x1a"]))
    return "".join([above, header, *body, last]).encode("utf-8", "surrogateescape")


def told(sheets: Iterable[RawSheet]) -> tuple[Any, ...]:
    """Give all that sheets hold, as if they were one."""
    held = list(sheets)
    columns = [
        [cell for sheet in held for cell in sheet.column(position).astype(object).tolist()]
        for position in range(len(held[0].headers))
    ]
    assert all(sheet.headers == held[0].headers for sheet in held)
    rows = [row for sheet in held for row in sheet.rows.tolist()]
    cells = [[None if pd.isna(cell) else cell for cell in column] for column in columns]
    return list(held[0].headers), rows, cells, sum((Counter(s.notes) for s in held), Counter())
