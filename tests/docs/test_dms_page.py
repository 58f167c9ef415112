"""The page on the migration lists every rule of the linter, in its words."""

from __future__ import annotations

from pathlib import Path

from aspen_etl.derive.dms import DMS_RULES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "migrate-from-sql-server.md"
BEGIN, END = "<!-- rules: begin -->\n", "<!-- rules: end -->\n"


def list_rules() -> str:
    """Write the table of rules."""
    rows = [f"| `{each.name}` | {each.severity} | {each.why} |" for each in DMS_RULES.values()]
    return "\n".join(["| rule | severity | why |", "| --- | --- | --- |", *rows]) + "\n"


def test_the_page_lists_every_rule() -> None:
    shown = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown.strip("\n") == list_rules().strip("\n"), "take the right side into the page"
