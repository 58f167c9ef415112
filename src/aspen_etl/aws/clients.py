"""Clients of AWS: how they are made, called, and what their errors become."""

from __future__ import annotations

import functools
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Optional, TypeVar

from aspen_etl.errors import CatalogError, MissingDependencyError

__all__ = ["Client", "Statements", "call", "error_code", "new_client", "run_statements"]

T = TypeVar("T")

#: What makes a client of a service of AWS by its name.
Client = Callable[[str], Any]

#: Runs a statement in a database, to its end.
Statements = Callable[[str, str], None]


@functools.cache
def new_client(service: str, region: Optional[str] = None) -> Any:
    """Make a client with the credentials of the runtime, and its region or another, once a process.

    botocore is there wherever s3fs is. boto3 of the runtime is not taken: it would meet the
    botocore that came with s3fs, which may be of another release.
    """
    try:
        from botocore.session import get_session
    except ImportError:
        pass
    else:
        return call(
            lambda: get_session().create_client(service, region_name=region),
            service,
            "making a client",
        )
    raise MissingDependencyError.for_extra("botocore", "s3", "asking a service of AWS")


def call(
    ask: Callable[[], T],
    name: str,
    step: str,
    refused: Callable[[str, str, str], CatalogError] = CatalogError.at,
) -> T:
    """Call a service, and raise ours in the place of what it, or the way to it, raises."""
    try:
        return ask()
    except Exception as error:
        code = error_code(error)
        if code is None:
            raise
    raise refused(name, step, code)


def error_code(error: Exception) -> Optional[str]:
    """Give the service's code for an error, whose text may hold more than a log should.

    Returns:
        The code; the name of the class, where the service was not reached or not asked; none for
        what is neither, which is a fault of ours and must not be told as one of the service.
    """
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        return str(response.get("Error", {}).get("Code", "")) or type(error).__name__
    modules = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    if isinstance(error, OSError) or modules & {"botocore", "boto3", "urllib3"}:
        return type(error).__name__
    return None


def run_statements(
    client: Any,
    /,
    *,
    workgroup: Optional[str] = None,
    output: Optional[str] = None,
    timeout: float = 60.0,
) -> Statements:
    """Make what runs a statement in Athena and waits for its end.

    Args:
        client: An Athena client, of boto3 or botocore.
        workgroup: The workgroup, by default ``primary``.
        output: The S3 url for what the statement prints, unless the workgroup has one.
        timeout: For how many seconds to wait.

    Returns:
        A function of statement and database; it raises CatalogError where Athena refuses.
    """
    options: dict[str, Any] = {} if workgroup is None else {"WorkGroup": workgroup}
    if output is not None:
        options["ResultConfiguration"] = {"OutputLocation": output}

    def run(statement: str, database: str) -> None:
        started = call(
            lambda: client.start_query_execution(
                QueryString=statement,
                QueryExecutionContext={"Database": database},
                ClientRequestToken=uuid.uuid4().hex,
                **options,
            ),
            database,
            "starting a statement of Athena",
        )
        end = time.monotonic() + timeout
        for pause in _pauses():
            state = call(
                lambda: client.get_query_execution(QueryExecutionId=started["QueryExecutionId"]),
                database,
                "asking Athena how a statement went",
            )["QueryExecution"]["Status"]["State"]
            if state == "SUCCEEDED":
                return
            if state in {"FAILED", "CANCELLED"} or time.monotonic() + pause > end:
                raise CatalogError.at(database, "making a view", f"Athena says {state}")
            time.sleep(pause)

    return run


def _pauses() -> Iterator[float]:
    pause = 0.1
    while True:
        yield pause
        pause = min(2 * pause, 2.0)
