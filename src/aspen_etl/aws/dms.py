"""A DMS task as it is at AWS: describe calls become documents for the linter, and counts of rows.

They read settings and counts, and never rows. Needed rights: ``dms:DescribeReplicationTasks``,
``dms:DescribeEndpoints``, ``s3:GetBucketVersioning`` of the bucket that files land in; for counts
``dms:DescribeTableStatistics``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aspen_etl.aws.clients import call, new_client
from aspen_etl.errors import ArgumentError, CatalogError
from aspen_etl.transform.ledger import LandedCounts

__all__ = ["describe_statistics", "describe_status", "describe_task"]

T = TypeVar("T")

#: What pages hold.
_LISTS = {"ReplicationTasks", "Endpoints", "TableStatistics"}

_ARN = re.compile(r"arn:[a-z-]{3,20}:dms:(?P<region>[a-z0-9-]{5,30}):[0-9]{12}:task:[\w-]{1,64}\Z")

#: What the service calls what ``LandedCounts`` counts.
_COUNTS = ("FullLoadRows", "Inserts", "Updates", "Deletes")

#: Makes a client of a service in a region.
Maker = Callable[[str, str], Any]


def describe_task(arn: str, /, *, client: Maker = new_client) -> dict[str, Any]:
    """Give the documents of a task, and of what else writes to its folder.

    Args:
        arn: The ARN of the task.
        client: Makes a client of a service in a region.

    Returns:
        What the calls gave, by the name of the call: documents for ``lint_dms``.

    Raises:
        ArgumentError: It is no ARN of a task.
        CatalogError: A service refused, or there is no such task.
        MissingDependencyError: botocore is not installed.
    """
    region = _region(arn)
    dms, s3 = (client(service, region) for service in ("dms", "s3"))
    tasks = _all(arn, "DescribeReplicationTasks", dms.describe_replication_tasks)
    task = _one(arn, tasks)
    ends = _all(arn, "DescribeEndpoints", dms.describe_endpoints)
    by_arn = {end["EndpointArn"]: end for end in ends}
    target = by_arn.get(task["TargetEndpointArn"], {})
    others = [
        {"ReplicationTaskIdentifier": each["ReplicationTaskIdentifier"], **_target_of(each)}
        for each in tasks
        if each is not task and _meet(by_arn.get(each["TargetEndpointArn"], {}), target)
    ]
    documents: dict[str, Any] = {
        "DescribeReplicationTasks": {"ReplicationTasks": [task, *others]},
        "DescribeEndpoints": {"Endpoints": ends},
    }
    bucket = target.get("S3Settings", {}).get("BucketName")
    if bucket:
        versioning = _ask(
            bucket, "GetBucketVersioning", lambda: s3.get_bucket_versioning(Bucket=bucket)
        )
        documents["GetBucketVersioning"] = {
            "Bucket": bucket,
            "Versioning": {"Status": versioning.get("Status", "")},
        }
    return documents


def describe_statistics(arn: str, /, *, client: Maker = new_client) -> dict[str, LandedCounts]:
    """Give how many rows a task counted of each table, by the table's name as in ``dbo.loan``.

    Args:
        arn: The ARN of the task.
        client: Makes a client of a service in a region.

    Returns:
        The rows of the full load, and what was done since. When DMS counts anew is not documented.

    Raises:
        ArgumentError: It is no ARN of a task.
        CatalogError: The service refused, or there is no such task.
        MissingDependencyError: botocore is not installed.
    """
    dms = client("dms", _region(arn))
    ask = functools.partial(dms.describe_table_statistics, ReplicationTaskArn=arn)
    tables = _all(arn, "DescribeTableStatistics", ask)
    return {
        f"{table['SchemaName']}.{table['TableName']}": LandedCounts(
            *(int(table.get(name) or 0) for name in _COUNTS)
        )
        for table in tables
    }


def describe_status(arn: str, /, *, client: Maker = new_client) -> str:
    """Give what a task is: ``running``, ``stopped``, ``failed`` or another word of the service.

    Args:
        arn: The ARN of the task.
        client: Makes a client of a service in a region.

    Raises:
        ArgumentError: It is no ARN of a task.
        CatalogError: The service refused, or there is no such task.
        MissingDependencyError: botocore is not installed.
    """
    dms = client("dms", _region(arn))
    only = [{"Name": "replication-task-arn", "Values": [arn]}]
    ask = functools.partial(dms.describe_replication_tasks, Filters=only)
    return str(_one(arn, _all(arn, "DescribeReplicationTasks", ask)).get("Status", "unknown"))


def _one(arn: str, tasks: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    task = next((each for each in tasks if each["ReplicationTaskArn"] == arn), None)
    if task is None:
        raise _refused(arn, "DescribeReplicationTasks", "no such task")
    return task


def _region(arn: str) -> str:
    found = _ARN.match(arn)
    if found is None:
        msg = "it is no ARN of a DMS task; give one as in arn:aws:dms:eu-west-1:123456789012:task:X"
        raise ArgumentError(msg, problem="name")
    return found["region"]


def _target_of(task: Mapping[str, Any]) -> dict[str, Any]:
    return {"TargetEndpointArn": task["TargetEndpointArn"]}


def _meet(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two endpoints write to one bucket."""
    buckets = [each.get("S3Settings", {}).get("BucketName") for each in (one, other)]
    return buckets[0] is not None and buckets[0] == buckets[1]


def _all(name: str, step: str, ask: Callable[..., Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Read all pages of a describe call."""
    out: list[Mapping[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = _ask(name, step, functools.partial(ask, **more))
        out += next(held for key, held in page.items() if key in _LISTS)
        if not page.get("Marker"):
            return out
        more = {"Marker": page["Marker"]}


def _ask(name: str, step: str, ask: Callable[[], T]) -> T:
    return call(ask, name, step, _refused)


def _refused(name: str, step: str, reason: str) -> CatalogError:
    msg = f"{name}: {step} failed ({reason}); nothing was changed; check the name and the rights"
    return CatalogError(msg, name=name, step=step, reason=reason)
