"""The same reading and writing, from and to a real S3 server, and its refusals in our words."""

from __future__ import annotations

import datetime as dt
import importlib.util
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import (
    AspenETLError,
    FileFormatError,
    ReadError,
    SourceAccessError,
    SourceNotFoundError,
    TargetExistsError,
    WriteError,
)
from aspen_etl.io import blocks
from aspen_etl.io.filesystem import locate
from aspen_etl.io.reading import Request
from tests.support.s3 import BUCKET, S3Server, moto, seaweed
from tests.support.sample import SAMPLE

pytest.importorskip("s3fs", reason="the extra s3 is not installed")

pytestmark = pytest.mark.smoke

RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with seaweed() as running:
        yield running


@pytest.fixture(scope="module")
def aws() -> Iterator[S3Server]:
    pytest.importorskip("moto.server", reason="moto is not installed")
    with moto() as running:
        yield running


def filesystem(server: S3Server) -> Any:
    import s3fs

    return s3fs.S3FileSystem(**server.options(), skip_instance_cache=True, use_listings_cache=False)


@pytest.fixture
def workbook_url(server: S3Server) -> str:
    filesystem(server).pipe_file(f"{BUCKET}/in/sample.xlsx", SAMPLE.read_bytes())
    return f"s3://{BUCKET}/in/sample.xlsx"


def test_a_workbook_is_read_as_from_disk(server: S3Server, workbook_url: str) -> None:
    extract = ae.read_extract(workbook_url, storage_options=server.options())
    assert extract.equals(ae.read_extract(SAMPLE))


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_what_is_written_is_read_back_equal(server: S3Server, file_format: Any) -> None:
    if file_format == "parquet" and importlib.util.find_spec("pyarrow") is None:
        pytest.skip("the extra parquet is not installed")
    result = ae.normalize(ae.read_extract(SAMPLE), run=RUN)
    url, options = f"s3://{BUCKET}/out-{file_format}", server.options()
    ae.write_tables(
        result.tables, url, rejects=result.rejects, format=file_format, storage_options=options
    )
    assert ae.read_tables(url, storage_options=options).equals(result.tables)
    with pytest.raises(TargetExistsError):
        ae.write_tables(result.tables, url, format=file_format, storage_options=options)


def test_a_csv_file_is_read_in_blocks(server: S3Server) -> None:
    place = locate(f"s3://{BUCKET}/blocks/x.csv", server.options())
    request = Request(place.url, "sheet", ("a", "b"))
    data = b"a,b\n" + '1,"ü\n"\n'.encode() * 30
    place.filesystem.pipe_file(place.path, data)
    split = pickle.loads(pickle.dumps(blocks.split(place, request, size=64)))  # noqa: S301 - ours
    spans = blocks.cut(split, map(blocks.count_block, split))
    sheets = [blocks.read_span(pickle.loads(pickle.dumps(span))) for span in spans]  # noqa: S301
    assert len(sheets) > 3
    assert [row for sheet in sheets for row in sheet.rows] == list(range(2, 32))
    assert {cell for sheet in sheets for cell in sheet.column(1)} == {"ü\n"}
    place.filesystem.pipe_file(place.path, data + b"2,x,y\n")
    with pytest.raises(FileFormatError, match="row 32 has 3 fields"):
        list(blocks.read_in_blocks(place, request, size=64))
    split = blocks.split(place, request, size=64)
    place.filesystem.pipe_file(place.path, data[:40])
    with pytest.raises(ReadError, match="cannot be read"):
        blocks.count_block(split[-1])


def test_a_folder_of_parts_is_read(server: S3Server) -> None:
    lines = {0: b"", 1: b"1,borrower\n", 2: b"2,borrower\n"}
    files = {f"role_profile/part-{i}": b"borrower_id,role_profile\n" + lines[i] for i in lines}
    borrower = ",".join(ae.BORROWER_MODEL.sources["borrower"].columns).encode()
    # NOTE: consoles make a folder an object of its own, EMR puts a mark beside it.
    marks = dict.fromkeys(["role_profile/_SUCCESS", "role_profile_$folder$"], b"")
    filesystem(server).call_s3("put_object", Bucket=BUCKET, Key="job/role_profile/", Body=b"")
    for name, data in {**files, **marks, "Borrower.CSV": borrower}.items():
        filesystem(server).pipe_file(f"{BUCKET}/job/{name}", data)
    url, options = f"s3://{BUCKET}/job", server.options()
    parts = {"borrower": f"{url}/Borrower.CSV", "role_profile": f"{url}/role_profile"}
    for source in (url, parts):
        extract = ae.read_extract(source, storage_options=options)
        assert extract["role_profile"]["borrower_id"].to_dict() == {2: "1", 3: "2"}


def test_a_folder_of_files_is_read(server: S3Server, tmp_path: Path) -> None:
    extract = ae.read_extract(SAMPLE)
    for name in extract:
        extract[name].to_csv(tmp_path / f"{name}.csv", index=False)
        data = (tmp_path / f"{name}.csv").read_bytes()
        filesystem(server).pipe_file(f"{BUCKET}/folder/{name}.csv", data)
    read = ae.read_extract(f"s3://{BUCKET}/folder/", storage_options=server.options())
    assert read.equals(ae.read_extract(tmp_path))


def test_a_file_that_changes_is_read_anew(server: S3Server, workbook_url: str) -> None:
    options = server.options()
    ae.read_extract(workbook_url, storage_options=options)
    filesystem(server).pipe_file(f"{BUCKET}/in/sample.xlsx", b"no workbook")
    with pytest.raises(AspenETLError):
        ae.read_extract(workbook_url, storage_options=options)


# ----------------------------------------------------------------------------- refusals


def test_nothing_at_the_url_is_an_error(server: S3Server) -> None:
    with pytest.raises(SourceNotFoundError, match="nothing"):
        ae.read_extract(f"s3://{BUCKET}/nothing.xlsx", storage_options=server.options())


def test_no_such_bucket_is_an_error(server: S3Server) -> None:
    with pytest.raises(SourceNotFoundError):
        ae.read_extract("s3://no-such-bucket/a.xlsx", storage_options=server.options())


@pytest.mark.parametrize("who", [("AKOWNER", "SKWRONG"), ("AKNOBODY", "SKOWNER")])
def test_wrong_credentials_are_refused_and_not_shown(
    server: S3Server, workbook_url: str, who: tuple[str, str]
) -> None:
    with pytest.raises(SourceAccessError, match="credentials") as found:
        ae.read_extract(workbook_url, storage_options=server.options(who))
    shown = "".join(traceback.format_exception(found.type, found.value, found.tb, limit=0))
    assert who[0] not in shown
    assert who[1] not in shown


def test_a_reader_may_read_and_not_write(server: S3Server, workbook_url: str) -> None:
    options = server.options(server.reader)
    result = ae.normalize(ae.read_extract(workbook_url, storage_options=options), run=RUN)
    with pytest.raises((SourceAccessError, WriteError)):
        ae.write_tables(result.tables, f"s3://{BUCKET}/denied", storage_options=options)
    assert not filesystem(server).exists(f"{BUCKET}/denied/user.csv")


def test_writing_to_no_such_bucket_is_an_error_and_makes_none(aws: S3Server) -> None:
    # SeaweedFS makes the bucket; AWS, and moto with it, does not.
    result = ae.normalize(ae.read_extract(SAMPLE), run=RUN)
    with pytest.raises(WriteError, match="nothing was written"):
        ae.write_tables(result.tables, "s3://no-such-bucket/x", storage_options=aws.options())
    assert not filesystem(aws).exists("no-such-bucket")


# ----------------------------------------------------------------------------- encryption


def encryption_of(server: S3Server, key: str) -> Any:
    head = filesystem(server).call_s3("head_object", Bucket=BUCKET, Key=key)
    return head.get("ServerSideEncryption"), head.get("SSEKMSKeyId")


def test_sse_s3_passes_through(server: S3Server) -> None:
    options = server.options(s3_additional_kwargs={"ServerSideEncryption": "AES256"})
    result = ae.normalize(ae.read_extract(SAMPLE), run=RUN)
    ae.write_tables(result.tables, f"s3://{BUCKET}/sse", storage_options=options)
    assert encryption_of(server, "sse/user.csv")[0] == "AES256"
    assert ae.read_tables(f"s3://{BUCKET}/sse", storage_options=options).equals(result.tables)


def test_sse_kms_passes_through(aws: S3Server) -> None:
    kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/etl"}
    options = aws.options(s3_additional_kwargs=kms)
    result = ae.normalize(ae.read_extract(SAMPLE), run=RUN)
    ae.write_tables(result.tables, f"s3://{BUCKET}/kms", storage_options=options)
    assert encryption_of(aws, "kms/user.csv") == ("aws:kms", "alias/etl")
    assert ae.read_tables(f"s3://{BUCKET}/kms", storage_options=options).equals(result.tables)


def test_aws_answers_are_understood_as_well(aws: S3Server) -> None:
    with pytest.raises(SourceNotFoundError):
        ae.read_extract(f"s3://{BUCKET}/nothing.xlsx", storage_options=aws.options())
    with pytest.raises(SourceNotFoundError):
        ae.read_extract("s3://no-such-bucket/a.xlsx", storage_options=aws.options())
