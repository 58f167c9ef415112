"""The S3 endpoint of a task that lands files as a landing says they are.

Sources: the DMS user guide, "S3 as a target"; the names and defaults of botocore's ``S3Settings``.
"""

from __future__ import annotations

import re
from typing import Any

from aspen_etl.errors import ArgumentError
from aspen_etl.schema.landing import Landing
from aspen_etl.schema.landing_forms import LANDED_FORMS

__all__ = ["S3_DEFAULTS", "bucket_and_folder", "declares_headers", "dms_endpoint"]

#: What DMS takes where an endpoint says nothing.
S3_DEFAULTS: dict[str, Any] = {
    "DataFormat": "csv",
    "CompressionType": "none",
    "CsvDelimiter": ",",
    "CsvRowDelimiter": "\\n",
    "CsvNullValue": "NULL",
    "Rfc4180": True,
    "DatePartitionSequence": "YYYYMMDD",
    "BucketFolder": "",
}

_S3 = re.compile(
    r"s3a?://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<folder>[^?#*\s]*))?\Z"
)


def dms_endpoint(landing: Landing, /) -> dict[str, Any]:
    """Give the endpoint that lands files as a landing says, as ``CreateEndpoint`` takes it.

    The role by which DMS writes (``ServiceAccessRoleArn``) is not in it: ``dms_template`` makes
    one, or you add yours.

    Raises:
        ArgumentError: The landing is not on S3, or some of its tables declare headers and others
            do not: an endpoint writes them for all tables or for none.

    Examples:
        >>> from aspen_etl.schema.landing import LandedTable, Landing
        >>> landing = Landing("s3://raw/dms", {"loan": LandedTable("dbo.loan")})
        >>> dms_endpoint(landing)["S3Settings"]["CsvNullValue"]
        '__ASPEN_NULL__'
    """
    bucket, folder = bucket_and_folder(landing)
    form = LANDED_FORMS[landing.format]
    settings: dict[str, Any] = {
        "BucketName": bucket,
        "BucketFolder": folder,
        "DataFormat": form.name,
        "CompressionType": landing.compression,
        "IncludeOpForFullLoad": True,
        "TimestampColumnName": landing.time,
        "UseTaskStartTimeForFullLoadTimestamp": True,
    }
    if form.is_text:
        settings |= {
            "AddColumnName": not declares_headers(landing),
            "CsvNullValue": landing.null,
            "UseCsvNoSupValue": True,
            "CsvNoSupValue": landing.not_logged,
            "Rfc4180": True,
        }
    if landing.order == "transactions":
        settings |= {"PreserveTransactions": True, "CdcPath": landing.transactions}
    if landing.partitions is not None:
        sequence = {"DatePartitionSequence": landing.partitions}
        settings |= {"DatePartitionEnabled": True, **sequence}
    if not folder:
        del settings["BucketFolder"]
    return {"EndpointType": "target", "EngineName": "s3", "S3Settings": settings}


def bucket_and_folder(landing: Landing, /) -> tuple[str, str]:
    """Give the bucket and the folder of a landing.

    Raises:
        ArgumentError: It is not on S3.
    """
    found = _S3.match(landing.url)
    if found is None:
        msg = "landing: DMS writes to S3 alone; give its url as in s3://bucket/folder"
        raise ArgumentError(msg, problem="landing")
    return found["bucket"], (found["folder"] or "").strip("/")


def declares_headers(landing: Landing, /) -> bool:
    """Tell whether the files of a landing have no header.

    Raises:
        ArgumentError: Those of some tables have none, and those of others do.
    """
    declared = {table.headers is not None for table in landing.tables.values()}
    if len(declared) > 1:
        msg = (
            "landing: some tables declare headers and some do not, and an endpoint writes a header "
            "for all tables or for none; declare those of all, or of none"
        )
        raise ArgumentError(msg, problem="landing")
    return declared == {True}
