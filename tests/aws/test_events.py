"""Which source an event asks for."""

from __future__ import annotations

import json
import secrets
from typing import Any, Optional
from urllib.parse import quote_plus

import pytest

import aspen_etl as ae
from aspen_etl.aws.events import find_source
from aspen_etl.aws.settings import Settings
from aspen_etl.errors import EventError, SettingsError
from aspen_etl.io.reading import Reading
from tests.aws.events import SCHEDULE, created
from tests.support.s3 import S3Server, new_client

FILE = "s3://raw/in/borrowers.xlsx"


def find(event: Any, there: tuple[str, ...] = (), **settings: Any) -> Optional[str]:
    given = Settings(store="s3://curated/store", **settings)
    return find_source(event, given, ae.BORROWER_MODEL, exists=lambda url: url in there)


@pytest.mark.parametrize("event", [{}, SCHEDULE, {**SCHEDULE, "source": "aws.scheduler"}])
def test_a_schedule_asks_for_the_configured_source(event: Any) -> None:
    assert find(event, source=FILE) == FILE
    with pytest.raises(SettingsError, match="ASPEN_ETL_SOURCE is missing"):
        find(event, event_prefix="s3://raw/in/")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("in/borrowers.xlsx", FILE),
        ("in%2Fborrowers.xlsx", FILE),
        ("in/other.xlsx", None),
        ("in/borrowers.xlsx.bak", None),
    ],
)
def test_the_configured_file_is_known_by_its_key(key: str, expected: Optional[str]) -> None:
    assert find(created("raw", key), source=FILE) == expected
    assert find(created("elsewhere", key), source=FILE) is None


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("in/borrower.csv", True),
        ("in/role_profile.csv.gz", True),
        ("in/borrower.parquet", True),
        ("in/BORROWER.CSV", True),
        ("in/borrower/_SUCCESS", True),
        ("in/borrower/part-00000.csv", False),
        ("in/Sheet1.csv", False),
        ("in/borrower.txt", False),
        ("in/deeper/borrower.csv", False),
        ("borrower.csv", False),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_sheet_of_the_configured_folder_asks_for_the_folder(
    key: str, slash: str, *, known: bool
) -> None:
    folder = f"s3://raw/in{slash}"
    assert find(created("raw", key), source=folder) == (folder if known else None)


def test_a_sheet_goes_by_the_name_of_its_file() -> None:
    reading = Reading(sheets={"borrower": "Sheet1"})
    event = created("raw", "in/Sheet1.csv")
    assert find(event, source="s3://raw/in", reading=reading) == "s3://raw/in"
    assert find(created("raw", "in/borrower.csv"), source="s3://raw/in", reading=reading) is None


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("in/2026-01-31+late.xlsx", "s3://raw/in/2026-01-31 late.xlsx"),
        ("in/M%C3%BCller%2B1.XLSM", "s3://raw/in/Müller+1.XLSM"),
        ("in/deeper/a.xlsx", "s3://raw/in/deeper/a.xlsx"),
        ("in/a.csv", None),
        ("input.xlsx", None),
    ],
)
def test_a_workbook_below_the_prefix_is_itself_the_source(
    key: str, expected: Optional[str]
) -> None:
    assert find(created("raw", key), event_prefix="s3://raw/in/") == expected


@pytest.mark.parametrize("name", ["a+b.xlsx", "a b.xlsx", "50%25.xlsx", "50%.xlsx"])
def test_a_key_that_may_be_encoded_or_not_is_the_one_that_is_there(name: str) -> None:
    url = f"s3://raw/in/{name}"
    for sent in (name, quote_plus(name)):
        event = created("raw", f"in/{sent}")
        assert find(event, (url,), event_prefix="s3://raw/in/") == url
        assert find(event, (url,), source=url) == url


def test_what_s3_sends_through_eventbridge_is_understood(moto_server: S3Server) -> None:
    s3, events, sqs = (new_client(moto_server, name) for name in ("s3", "events", "sqs"))
    bucket = f"raw-{secrets.token_hex(4)}"
    s3.create_bucket(Bucket=bucket)
    queue = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    events.put_rule(Name=bucket, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=bucket, Targets=[{"Id": "1", "Arn": told["QueueArn"]}])
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket=bucket, Key="in/Müller + 1.xlsx", Body=b"x")
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    url = f"s3://{bucket}/in/Müller + 1.xlsx"
    assert find(json.loads(message["Body"]), (url,), event_prefix=f"s3://{bucket}/in/") == url


@pytest.mark.parametrize(
    ("event", "match"),
    [
        (None, "no object but NoneType"),
        ([], "no object but list"),
        ({"Records": [{"s3": {"object": {"key": "canary"}}}]}, "came past EventBridge"),
        ({"detail-type": "Object Deleted", "source": "aws.s3"}, "of kind 'Object Deleted'"),
        ({"detail-type": "Object Created", "source": "acme"}, "of kind 'Object Created'"),
        ({"detail-type": "Object Created", "source": "aws.s3"}, "names no bucket and key"),
        ({"detail-type": "Object Created", "source": "aws.s3", "detail": {"bucket": 1}}, "names"),
        ({"detail-type": 7}, "of no kind"),
        ({"canary": 1}, "of no kind"),
    ],
)
def test_any_other_event_is_refused_by_its_kind(event: Any, match: str) -> None:
    with pytest.raises(EventError, match=match) as caught:
        find(event, source=FILE)
    assert "canary" not in str(caught.value)
