"""A server is taken at its word only so far: no redirect to a stranger, no answer that is none."""

from __future__ import annotations

import contextlib
import gzip
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import aspen_etl as ae
from aspen_etl.errors import (
    AspenETLError,
    LimitExceededError,
    ReadError,
    SourceAccessError,
    SourceNotFoundError,
)
from aspen_etl.io import ReadLimits, read_extract
from aspen_etl.io.filesystem import locate
from tests.support.borrowers import RUN, check_ours
from tests.support.refusals import Kind, refused
from tests.support.workbooks import table, workbook

pytest.importorskip("aiohttp")

BOOK = workbook({"borrower": table(["1", "Ann"])})


class Answer(NamedTuple):
    """What a server says to a request."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = BOOK


@contextlib.contextmanager
def serving(answers: Mapping[str, Answer], host: str = "127.0.0.1") -> Iterator[str]:
    """Serve answers by path; a path that is not among them is not found."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answers.get(self.path.partition("?")[0], Answer(404, {}, b""))
            self.send_response(found.status)
            lengths = {"Content-Length": str(len(found.body))}
            for name, value in {**lengths, **found.headers}.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(found.body)

        do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((host, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://{host}:{server.server_port}"
        server.shutdown()
        thread.join()


def moved(to: str, status: int = 302) -> Answer:
    return Answer(status, {"Location": to}, b"")


# ----------------------------------------------------------------------------- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_refused(tmp_path: Path, status: int) -> None:
    with serving({"/hidden.xlsx": Answer()}, "127.0.0.3") as other:
        userinfo = other.replace("//", "//me:s3cret@")
        answers = {
            "/b.xlsx": moved(f"{other}/hidden.xlsx?s3cret", status),
            "/c.xlsx": moved(f"{userinfo}/hidden.xlsx", status),
        }
        with serving(answers) as url:
            for name in answers:
                with pytest.raises(ReadError, match=rf"redirects to {other}, which") as caught:
                    read_extract(f"{url}{name}")
                check_ours(caught.value, "hidden", "s3cret")
                assert caught.value.details["to"] == other
            with pytest.raises(ReadError, match="redirects to"):
                ae.sync(f"{url}/b.xlsx", tmp_path / "store", run=RUN)
            options = {"allow_redirects_to": [f"{other}/whatever"]}
            for name in answers:
                found = read_extract(f"{url}{name}", storage_options=options)
                assert len(found["borrower"]) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_on_the_same_host_is_followed(status: int) -> None:
    answers = {
        "/a.xlsx": moved("/b.xlsx?x", status),
        "/b.xlsx": moved("c.xlsx", status),
        "/c.xlsx": Answer(),
    }
    with serving(answers) as url:
        assert len(read_extract(f"{url}/a.xlsx")["borrower"]) == 1


def test_the_last_link_of_a_chain_of_redirects_is_refused_too() -> None:
    answers = {
        "/a.xlsx": moved("/b.xlsx"),
        "/b.xlsx": moved("http://127.0.0.3:9/"),
        "/round.xlsx": moved("/round.xlsx"),
    }
    with serving(answers) as url:
        with pytest.raises(ReadError, match=r"redirects to http://127\.0\.0\.3:9,"):
            read_extract(f"{url}/a.xlsx")
        with pytest.raises(ReadError):
            read_extract(f"{url}/round.xlsx")


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("https://127.0.0.1/b.xlsx", "https://127.0.0.1,"),
        ("//127.0.0.1:1/b.xlsx", "http://127.0.0.1:1,"),
        ("ftp://127.0.0.1/b.xlsx", "ftp://127.0.0.1,"),
        ("file:///etc/hostname", "no server,"),
        ("http://[s3cret/", "no server,"),
    ],
)
def test_another_scheme_or_port_is_another_server(place: str, shown: str) -> None:
    with serving({"/b.xlsx": moved(place)}) as url:
        with pytest.raises(ReadError, match=f"redirects to {shown}") as caught:
            read_extract(f"{url}/b.xlsx")
        check_ours(caught.value, "hostname", "s3cret")


def test_a_redirect_inside_of_a_chain_of_urls_is_refused() -> None:
    with (
        serving({"/x.zip": moved("http://127.0.0.3:9/x.zip")}) as url,
        pytest.raises(ReadError, match=r"redirects to http://127\.0\.0\.3:9,"),
    ):
        locate(f"zip://a.csv::{url}/x.zip")


@pytest.mark.parametrize(
    ("answer", "kind", "match"),
    [
        (Answer(403, {}, b""), SourceAccessError, r"refused \(403\)"),
        (Answer(404, {}, b""), SourceNotFoundError, "there is no file"),
        (Answer(500, {}, b""), ReadError, "500"),
        (Answer(204, {}, b""), ReadError, "204"),
        (Answer(200, {}, b"<html>"), ReadError, "cannot be read"),
    ],
)
def test_an_outer_file_that_cannot_be_had_is_told_as_what_it_is(
    answer: Answer, kind: Kind, match: str
) -> None:
    with serving({"/x.zip": answer}) as url, refused(kind, match=match):
        locate(f"zip://a.csv::{url}/x.zip")


def test_options_of_the_caller_that_are_ours_do_no_harm() -> None:
    with serving({"/b.xlsx": Answer()}) as url:
        place = locate(f"{url}/b.xlsx", {"use_listings_cache": True, "client_kwargs": None})
        assert place.read(1 << 20) == BOOK


@pytest.mark.parametrize("given", ["https://cdn.example.org", [1], ["cdn.example.org"]])
def test_what_is_no_list_of_origins_is_refused(given: Any) -> None:
    with pytest.raises(ReadError, match="does not take these storage options"):
        locate("http://127.0.0.1:9/b.xlsx", {"allow_redirects_to": given})


# ----------------------------------------------------------------------------- other answers


@pytest.mark.parametrize(
    ("answer", "kind", "match"),
    [
        (Answer(204, {}, b""), ReadError, "204"),
        (Answer(300), ReadError, "300"),
        (Answer(301), ReadError, "301"),
        (Answer(200, {"Content-Length": "999999"}), ReadError, "cannot be read"),
        (Answer(200, {"Content-Length": "99"}), AspenETLError, "damaged|cannot be read"),
        (Answer(200, {"Content-Encoding": "gzip"}), ReadError, "cannot be read"),
        (Answer(200, {}, b""), "not_a_workbook", "it is empty"),
        (Answer(200, {}, b"<!DOCTYPE html>\n<html>s3cret"), AspenETLError, "a page of HTML"),
    ],
)
def test_an_answer_that_is_no_file_is_told(answer: Answer, kind: Kind, match: str) -> None:
    with serving({"/b.xlsx": answer}) as url:
        with refused(kind, match=match) as caught:
            read_extract(f"{url}/b.xlsx")
        check_ours(caught.value, "s3cret")


@pytest.mark.parametrize(
    "headers", [{"Content-Length": ""}, {"Content-Encoding": "gzip"}, {"Content-Type": "text/html"}]
)
def test_a_file_is_read_however_it_is_sent(headers: Mapping[str, str]) -> None:
    body = gzip.compress(BOOK) if "Content-Encoding" in headers else BOOK
    with serving({"/b.xlsx": Answer(200, headers, body)}) as url:
        assert len(read_extract(f"{url}/b.xlsx")["borrower"]) == 1


@pytest.mark.parametrize("length", ["", None])
def test_what_is_sent_packed_or_without_a_length_stops_at_the_limit(length: str | None) -> None:
    body = gzip.compress(bytes(1 << 22))
    headers = {"Content-Encoding": "gzip", **({} if length is None else {"Content-Length": length})}
    with (
        serving({"/b.xlsx": Answer(200, headers, body)}) as url,
        pytest.raises(LimitExceededError, match="max_file_bytes"),
    ):
        read_extract(f"{url}/b.xlsx", limits=ReadLimits(max_file_bytes=1 << 20))
