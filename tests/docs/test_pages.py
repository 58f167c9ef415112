"""No page is lost, no link is dead, no public name is undocumented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import aspen_etl
from aspen_etl import errors

CHECKOUT = Path(__file__).resolve().parents[2]
DOCS = CHECKOUT / "docs"
PAGES = [CHECKOUT / "README.md", *sorted(DOCS.rglob("*.md"))]

_BLOCK = re.compile(r"^(`{3,}|~{3,}).*?^\1", flags=re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^#+ +(?P<title>.+?) *$", flags=re.MULTILINE)


def prose(page: Path) -> str:
    """Give a page without its fenced blocks."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def local_links(page: Path) -> list[tuple[Path, str]]:
    """List file and fragment of each link of a page that stays in the checkout."""
    links = []
    for link in _LINK.finditer(prose(page)):
        path, _, fragment = link["target"].partition("#")
        if not re.match(r"[a-z]+:", path):
            links.append(((page.parent / path).resolve() if path else page, fragment))
    return links


def anchors(page: Path) -> set[str]:
    """List what a link may point at inside a page, by the rule of the usual renderers."""
    titles = [heading["title"].lower() for heading in _HEADING.finditer(prose(page))]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def name_of(page: Path) -> str:
    """Show a page by its path in the checkout."""
    return page.relative_to(CHECKOUT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    dead = [
        f"{name_of(page)} -> {target.name}#{fragment}"
        for target, fragment in local_links(page)
        if not target.exists()
        or (fragment and target.suffix == ".md" and fragment not in anchors(target))
    ]
    assert dead == []


def test_every_page_can_be_reached_from_the_index_or_the_readme() -> None:
    linked = {
        target
        for page in (CHECKOUT / "README.md", DOCS / "index.md")
        for target, _ in local_links(page)
    }
    lost = [name_of(page) for page in PAGES[1:] if page != DOCS / "index.md" and page not in linked]
    assert lost == []
    assert DOCS / "index.md" in linked


def test_every_public_name_is_in_the_reference() -> None:
    reference = "\n".join(
        page.read_text(encoding="utf-8") for page in sorted((DOCS / "reference").rglob("*.md"))
    )
    forms = r"^#+ .*\b{name}\b|`(?:aspen_etl\.|ae\.)?{name}\b"
    missing = [
        name
        for name in aspen_etl.__all__
        if not re.search(forms.format(name=name), reference, flags=re.MULTILINE)
    ]
    assert missing == []


def test_every_error_is_explained_with_its_builtin() -> None:
    page = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, flags=re.MULTILINE))
    classes = [getattr(errors, name) for name in errors.__all__ if name != "AspenETLError"]
    held = {
        kind.__name__: next(base for base in kind.__mro__ if base.__module__ == "builtins").__name__
        for kind in classes
    }
    assert told == held
