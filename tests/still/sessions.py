"""Sessions: commands one after the other on the sample, words refused, errors as text and JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path

from tests.still.cases import NEWEST, Cases
from tests.still.commands import run_command
from tests.still.rendering import Masks

__all__ = ["SESSIONS"]

SAMPLE = str(files("aspen_etl").joinpath("samples/borrowers.xlsx"))
LENIENT = ("--max-rejected-rows", "1", "--max-rejected-cells", "1", "--max-deleted-rows", "1")

SESSIONS = Cases("commands")


def _told(text: str) -> str:
    """Take away what a clock and chance say."""
    text = text.replace(SAMPLE, "SAMPLE")
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?", "TIME", text)
    text = re.sub(r'"seconds": (\{[^}]*\}|[0-9.e-]+)', '"seconds": SECONDS', text)
    text = re.sub(r'("[a-z_]*age"): [0-9.e-]+', r"\1: AGE", text)
    text = re.sub(r'"fingerprint": "[0-9a-f]{64}"', '"fingerprint": DIGEST', text)
    text = re.sub(r'"content_id": "[^"]*"', '"content_id": ID', text)
    text = re.sub(r'"(store|library|sha256|parent_sha256)": "[^"]*"', r'"\1": MASKED', text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "TOKEN", text)
    return re.sub(r"less than a minute ago|\d+ d \d+ h \d+ min ago", "AGO", text)


def _session(lines: Sequence[Sequence[str]], folder: Path) -> str:
    """Run commands one after the other; ``{}`` is the folder."""
    return _told(
        "\n\n".join(
            run_command([word.replace("{}", str(folder)) for word in words], Masks(folder))
            for words in lines
        )
    )


def _add(name: str, *lines: str) -> None:
    """Add a session; a word SAMPLE is the sample, LENIENT the options that let all pass."""
    worded = [
        [
            each
            for word in line.split()
            for each in (LENIENT if word == "LENIENT" else (word.replace("SAMPLE", SAMPLE),))
        ]
        for line in lines
    ]
    SESSIONS.add(name, partial(_session, worded), NEWEST)


_SYNC = "sync SAMPLE {}/store LENIENT"
for _json in ("", " --json"):
    _kind = "json" if _json else "text"
    _add(f"{_kind}/demo", f"demo {{}}/demo{_json}")
    _add(f"{_kind}/normalize", f"normalize SAMPLE {{}}/out{_json}")
    _add(f"{_kind}/sync", f"{_SYNC}{_json}", f"{_SYNC}{_json}")
    _add(
        f"{_kind}/refused",
        f"sync SAMPLE {{}}/store{_json}",
        f"plan SAMPLE {{}}/store{_json}",
        f"{_SYNC}{_json}",
        f"sync SAMPLE {{}}/store --na-values Borrower --max-deleted-rows 0{_json}",
        f"status {{}}/store{_json}",
    )
    _add(
        f"{_kind}/store",
        _SYNC,
        f"{_SYNC} --na-values TX --na-values CA --missing keep",
        *(f"{name} {{}}/store{_json}" for name in ("history", "status", "verify")),
        f"history {{}}/store --limit 1{_json}",
        f"export {{}}/store {{}}/out --version 1{_json}",
        f"restore {{}}/store 1{_json}",
        f"status {{}}/store{_json}",
        f"{_SYNC}{_json}",
        f"resume {{}}/store{_json}",
        f"purge {{}}/store{_json}",
        f"vacuum {{}}/store --keep-for 0{_json}",
        f"status {{}}/store --max-age 1000{_json}",
    )
    _add(
        f"{_kind}/errors",
        f"normalize {{}}/none.xlsx {{}}/out{_json}",
        f"normalize SAMPLE {{}}/out --sheet borrower=people{_json}",
        f"normalize SAMPLE {{}}/out --sheet people=people{_json}",
        f"normalize SAMPLE {{}}/out --column Mail=mail{_json}",
        f"normalize SAMPLE {{}}/out --header-row 9{_json}",
        f"normalize SAMPLE {{}}/out --model nowhere:M{_json}",
        f"normalize SAMPLE {{}}/out --model aspen_etl:nothing{_json}",
        f"normalize SAMPLE {{}}/out --model aspen_etl{_json}",
        f"normalize SAMPLE {{}}/out --model aspen_etl:normalize{_json}",
        f"normalize SAMPLE {{}}/out --storage-options {{}}/none.json{_json}",
        f"normalize SAMPLE nonsense://user:secret@x/y{_json}",
        f"normalize - {{}}/out{_json}",
        f"sync SAMPLE {{}}/store --max-rejected-rows 2{_json}",
        f"sync SAMPLE {{}}/store --timeout 0{_json}",
        f"history {{}}/none{_json}",
        f"status {{}}/none{_json}",
        f"verify {{}}/none{_json}",
        f"purge {{}}/none --id-file {{}}/none.txt{_json}",
        f"load {{}}/none{_json}",
        f"load {{}}/none --database-url-file {{}}/none.txt{_json}",
    )
    _add(
        f"{_kind}/usage",
        *(
            f"{line}{_json}"
            for line in (
                "",
                "vaccum {}/store",
                "nothing",
                "sync",
                "sync SAMPLE",
                "sync SAMPLE {}/store more",
                "sync SAMPLE {}/store --max-rejectd-rows 1",
                "sync SAMPLE {}/store --max-rejected-rows x",
                "sync SAMPLE {}/store --min-deleted-rows -1",
                "sync SAMPLE {}/store --missing kep",
                "sync SAMPLE {}/store --timeout nan",
                "sync SAMPLE {}/store --format orc",
                "sync SAMPLE {}/store --column Mail",
                "sync SAMPLE {}/store --sheet =x",
                "sync SAMPLE {}/store --header-row 0",
                "sync SAMPLE {}/store --header-row 2 --header-row borrower=3",
                "restore {}/store first",
                "restore {}/store 0",
                "history {}/store --limit 0",
                "status {}/store --max-age -1",
                "vacuum {}/store --keep-for never",
                "schema orac",
                "load {}/store --lock-timeout 1e9",
                "normalize --nonsense=s3://user:secret@x",
            )
        ),
    )

_add(
    "schema",
    "schema athena",
    "schema athena --database aspen --location s3://bucket/x --format csv",
    "schema mermaid",
    "schema markdown --model aspen_etl:BORROWER_MODEL",
)
_add("version", "--version")


def _loads(folder: Path) -> str:
    """Fill a database, again, and from a folder; then urls that are none."""
    masks = Masks(folder)
    (folder / "url.txt").write_text(f"sqlite:///{folder}/database.sqlite\n", encoding="utf-8")
    (folder / "bad.txt").write_text("postgresql://user:secret@host:port/x", encoding="utf-8")
    (folder / "none.txt").write_text("Ada Lee", encoding="utf-8")
    (folder / "unknown.txt").write_text("oracle2://user:secret@host/x", encoding="utf-8")
    store, out = str(folder / "store"), str(folder / "out")
    lines = [
        ["sync", SAMPLE, store, *LENIENT],
        ["export", store, out],
        *(
            ["load", store, "--database-url-file", str(folder / "url.txt"), *more]
            for more in ([], ["--json"], ["--compare", "--pin", "loader"], ["--version", "9"])
        ),
        ["load", out, "--database-url-file", str(folder / "url.txt")],
        *(
            ["load", store, "--database-url-file", str(folder / f"{name}.txt"), "--json"]
            for name in ("bad", "none", "unknown")
        ),
    ]
    return _told("\n\n".join(run_command(words, masks) for words in lines))


SESSIONS.add("load", _loads, NEWEST)


def _purges(folder: Path) -> str:
    """Erase a borrower by standard input and by a file."""
    masks, store = Masks(folder), str(folder / "store")
    (folder / "id.txt").write_text("B-1001\n", encoding="utf-8")
    first = run_command(["sync", SAMPLE, store, *LENIENT], masks)
    shown = [first]
    for more, entered in (([], "B-1002\n"), (["--id-file", str(folder / "id.txt")], None)):
        shown.append(run_command(["purge", store, "--json", *more], masks, entered))
    return _told("\n\n".join(shown))


SESSIONS.add("purge", _purges, NEWEST)


def _options(text: str, folder: Path) -> str:
    (folder / "options.json").write_text(text, encoding="utf-8")
    words = ["normalize", SAMPLE, str(folder / "out"), "--storage-options"]
    return _told(run_command([*words, str(folder / "options.json"), "--json"], Masks(folder)))


_FILES: dict[str, str] = {
    "none": "secret",
    "a list": "[]",
    "flat": '{"key": "secret"}',
    "good": "{}",
}
for _name, _text in _FILES.items():
    SESSIONS.add(f"storage options/{_name}", partial(_options, _text), NEWEST)
