"""Any url is read, shown without its secrets, and what goes wrong is an error of ours."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from aspen_etl.errors import (
    AspenETLError,
    ExtractError,
    LimitExceededError,
    MissingDependencyError,
    NotSupportedError,
    ReadError,
    SourceAccessError,
    SourceNotFoundError,
)
from aspen_etl.io import ReadLimits, read_extract
from aspen_etl.io.calling import translate
from aspen_etl.io.filesystem import display_url, locate
from tests.support.refusals import refused
from tests.support.workbooks import BORROWER, table, workbook

CSV = {
    "borrower.csv": (",".join(BORROWER) + "\n1,Ann,,,,,,,\n").encode(),
    "role_profile.csv": b"borrower_id,role_profile\n1,borrower\n",
}


@pytest.fixture
def memory() -> Iterator[Any]:
    files = fsspec.filesystem("memory")
    for name, data in CSV.items():
        files.pipe_file(f"/in/{name}", data)
    files.pipe_file("/book.xlsx", workbook({"borrower": table(["1", "Ann"])}))
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


# ----------------------------------------------------------------------------- what is a source


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    "source",
    [
        "memory://book.xlsx",
        "memory://in",
        "memory://in/",
        {"borrower": "memory://in/borrower.csv", "role_profile": "memory://in/role_profile.csv"},
        {"borrower": "memory://book.xlsx", "role_profile": "memory://in/role_profile.csv"},
        {"borrower": "memory://book.xlsx", "role_profile": "memory://book.xlsx"},
    ],
)
def test_a_source_is_a_workbook_a_folder_or_a_url_per_sheet(source: Any) -> None:
    assert read_extract(source)["borrower"]["full_name"].tolist() == ["Ann"]


def test_a_local_path_may_hold_odd_characters(tmp_path: Path) -> None:
    place = tmp_path / "50% of #1 ü?"
    place.mkdir()
    for name, data in CSV.items():
        (place / name).write_bytes(data)
    for source in (place, str(place), f"{place}/"):
        assert len(read_extract(source)["borrower"]) == 1


@pytest.mark.usefixtures("memory")
def test_files_of_a_folder_may_have_other_names(memory: Any) -> None:
    memory.mv("/in/borrower.csv", "/in/people.csv")
    with pytest.raises(SourceNotFoundError, match=r"'borrower\.csv', 'borrower\.csv\.gz', 'bor"):
        read_extract("memory://in")
    assert len(read_extract("memory://in", sheets={"borrower": "people"})["borrower"]) == 1


def test_two_files_for_one_sheet_are_one_too_many(memory: Any) -> None:
    memory.pipe_file("/in/borrower.parquet", b"")
    with refused("unsupported", match=r"holds borrower\.csv and borrower\.parquet"):
        read_extract("memory://in")


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    ("source", "options", "match"),
    [
        ("memory://in/borrower.csv", {}, "can hold one sheet only"),
        ({"borrower": "memory://book.xlsx"}, {}, "no url for 'role_profile'"),
        ({"people": "x"}, {}, "'people', which is no source"),
        ("memory://in", {"sheets": {"people": "x"}}, "'people', which is no source"),
        ("memory://in", {"columns": {"ZIP": "zipcode"}}, "'zipcode', which no sheet"),
        ("memory://in", {"ignore_columns": "note"}, "give a list"),
    ],
)
def test_a_slip_of_the_pen_is_explained(source: Any, options: Any, match: str) -> None:
    with pytest.raises(ExtractError, match=match):
        read_extract(source, **options)


def test_a_file_of_no_known_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "extract.txt"
    path.write_bytes(b"id\n")
    with refused("unsupported", match="of no format that is read"):
        read_extract(path)


@pytest.mark.usefixtures("memory")
def test_tokens_for_missing_are_trimmed_and_exact(memory: Any) -> None:
    memory.pipe_file("/in/borrower.csv", CSV["borrower.csv"] + b"2, N/A ,n/a,,,0,,,\n")
    frame = read_extract("memory://in", na_values=["N/A", "0"])["borrower"]
    assert frame.loc[[3]].notna().to_numpy()[0].tolist() == [True, False, True] + [False] * 6


def test_columns_can_be_renamed_and_left_out(memory: Any) -> None:
    data = CSV["borrower.csv"].replace(b"zip_code", b" ZIP ").replace(b"\n", b",x\n")
    memory.pipe_file("/in/borrower.csv", data)
    frame = read_extract("memory://in", columns={"zip": "zip_code"}, ignore_columns=["X"])[
        "borrower"
    ]
    assert list(frame.columns) == list(BORROWER)


# ----------------------------------------------------------------------------- errors


def test_nothing_there_is_not_found(tmp_path: Path) -> None:
    for source in (tmp_path / "no.xlsx", "memory://no", tmp_path / "no" / "no.csv"):
        with pytest.raises(FileNotFoundError, match="no file and no folder"):
            read_extract(source)


@pytest.mark.parametrize(
    ("raised", "kind", "match"),
    [
        (FileNotFoundError("canary"), SourceNotFoundError, "no file"),
        (NotADirectoryError("canary"), SourceNotFoundError, "no file"),
        (PermissionError("canary"), SourceAccessError, "refused"),
        (OSError(5, "canary"), ReadError, r"\(OSError\)"),
        (TimeoutError("canary"), ReadError, r"\(TimeoutError\)"),
        (TypeError("canary"), ReadError, "does not take these storage options"),
        (RuntimeError("canary"), ReadError, r"\(RuntimeError\)"),
    ],
)
def test_an_error_of_the_storage_is_one_of_ours(
    memory: Any,
    monkeypatch: pytest.MonkeyPatch,
    raised: Exception,
    kind: type[AspenETLError],
    match: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(MemoryFileSystem, "_open", fail)
    with refused(kind, match=match) as caught:
        read_extract("memory://book.xlsx")
    assert caught.value.__context__ is None
    assert "canary" not in "".join(traceback.format_exception(kind, caught.value, None))
    assert caught.value.details["url"] == "memory://book.xlsx"
    assert memory.exists("/book.xlsx")


class _Answer(Exception):  # noqa: N818 - as botocore's ClientError carries its answer
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SignatureDoesNotMatch", SourceAccessError),
        ("InvalidAccessKeyId", SourceAccessError),
        ("NoSuchBucket", SourceNotFoundError),
        ("SlowDown", ReadError),
    ],
)
def test_the_code_of_an_s3_error_decides(code: str, kind: type[AspenETLError]) -> None:
    error = OSError(22, "canary")
    error.__cause__ = _Answer(code)
    assert type(translate(error, "u")) is kind
    assert type(translate(_Answer(code), "u")) is kind


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", fail)
    with pytest.raises(MissingDependencyError, match=r"s3fs.*pip install 'aspen-etl\[s3\]'"):
        locate("s3://bucket/key")
    with pytest.raises(MissingDependencyError, match="pip install gcsfs"):
        locate("gs://bucket/key")


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="no protocol 'fax'"):
        locate("fax://123")


def test_options_that_a_filesystem_does_not_take_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TypeError("canary")

    monkeypatch.setattr(fsspec.core, "url_to_fs", fail)
    with pytest.raises(ReadError, match=r"does not take these storage options \(TypeError\)"):
        locate("memory://x", {"colour": "canary"})


def test_a_file_that_is_too_large_is_not_read(memory: Any) -> None:
    assert memory.size("/book.xlsx") > 1000
    with pytest.raises(LimitExceededError, match="max_file_bytes"):
        read_extract("memory://book.xlsx", limits=ReadLimits(max_file_bytes=1000))


# ----------------------------------------------------------------------------- urls, shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@host:9000/a.csv?X-Amz-Signature=s#f", "https://host:9000/a.csv"),
        ("s3://AK:se/cr+et@bucket/key.csv", "s3://bucket/key.csv"),
        ("s3://bucket/a@b.csv", "s3://bucket/a@b.csv"),
        ("s3://bucket/a.csv?versionId=secret", "s3://bucket/a.csv"),
        ("zip://a.csv::https://me:secret@host/a.zip?sig=s", "zip://a.csv::https://host/a.zip"),
        ("data:text/csv;base64,c2VjcmV0", "data:"),
        ("memory://a b/c", "memory://a b/c"),
        ("/data/a?b#c@d", "/data/a?b#c@d"),
        (r"C:\data\a.xlsx", r"C:\data\a.xlsx"),
        ("file:///data/a@b", "file:///data/a@b"),
    ],
)
def test_a_url_is_shown_without_secrets(url: str, shown: str) -> None:
    assert display_url(url) == shown
    assert "secret" not in display_url(url)


# ----------------------------------------------------------------------------- http


@pytest.fixture
def server() -> Iterator[str]:
    pytest.importorskip("aiohttp")
    book = workbook({"borrower": table(["1", "Ann"])})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.partition("?")[0].lstrip("/")
            status = {"403": 403, "500": 500}.get(name, 200)
            data = book if name in {"book.xlsx", "cut.xlsx"} else CSV.get(name[3:])
            self.send_response(status if data or status != 200 else 404)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            if data and self.command == "GET":
                self.wfile.write(data[:-99] if name == "cut.xlsx" else data)

        do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    instance = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=instance.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{instance.server_port}"
    instance.shutdown()
    thread.join()
    instance.server_close()


def test_http_is_read(server: str) -> None:
    for source in (f"{server}/book.xlsx?token=canary", f"{server}/in/"):
        assert read_extract(source)["borrower"]["full_name"].tolist() == ["Ann"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("no.xlsx", SourceNotFoundError),
        ("403", SourceAccessError),
        ("500", ReadError),
        ("cut.xlsx", ReadError),
    ],
)
def test_http_errors_are_ours(server: str, name: str, kind: type[AspenETLError]) -> None:
    with refused(kind) as caught:
        read_extract(f"{server}/{name}?token=canary")
    assert "canary" not in "".join(traceback.format_exception(kind, caught.value, None))


def test_a_server_that_is_not_there_cannot_be_read(server: str) -> None:
    assert server
    with pytest.raises(ReadError):
        read_extract("http://127.0.0.1:1/book.xlsx")


def test_http_stops_at_the_limit(server: str) -> None:
    with pytest.raises(LimitExceededError):
        read_extract(f"{server}/book.xlsx", limits=ReadLimits(max_file_bytes=1000))
