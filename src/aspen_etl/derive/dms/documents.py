"""A task's documents as they are found: files of the console, of describe calls, a template.

Each is told by its shape. Sources: botocore's shapes of ``DescribeReplicationTasks``,
``DescribeEndpoints`` and ``GetBucketVersioning``; the schemas of CloudFormation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from aspen_etl.derive.dms.documents_of_template import read_template
from aspen_etl.derive.dms.shapes import need_list, need_object, part
from aspen_etl.errors import ArgumentError
from aspen_etl.errors.base import instead

__all__ = ["DmsDocuments", "DmsTask", "read_documents"]

#: What a document of task settings has one of.
_SETTINGS = {
    *("TargetMetadata", "FullLoadSettings", "ErrorBehavior", "ChangeProcessingDdlHandlingPolicy"),
    *("ChangeProcessingTuning", "Logging", "BeforeImageSettings", "LoopbackPreventionSettings"),
}
#: What settings of an S3 endpoint alone have one of, where their wrapper is missing.
_S3 = {"BucketName", "DataFormat", "TimestampColumnName", "IncludeOpForFullLoad", "CsvNullValue"}


@dataclass(frozen=True)
class DmsTask:
    """Hold the documents of one task; what is not known is none.

    Attributes:
        name: Its identifier, for findings.
        mappings: The document with its rules.
        settings: Its settings.
        migration: Its type: ``full-load``, ``cdc`` or ``full-load-and-cdc``.
        source: The endpoint that it reads.
        target: The endpoint that it writes.
    """

    name: str = "task"
    mappings: Optional[Mapping[str, Any]] = None
    settings: Optional[Mapping[str, Any]] = None
    migration: Optional[str] = None
    source: Optional[Mapping[str, Any]] = None
    target: Optional[Mapping[str, Any]] = None

    @property
    def fills_database(self) -> bool:
        """Whether it is known to write to a database, and not to files."""
        return self.target is not None and self.target.get("EngineName", "s3") != "s3"


@dataclass(frozen=True)
class DmsDocuments:
    """Hold what is known of tasks, and of what is around them.

    Attributes:
        tasks: The tasks.
        versioned: Whether a bucket keeps versions, by its name; one without a name is the task's.
        engines: The engines of databases that a template makes, by their names there.
    """

    tasks: tuple[DmsTask, ...] = ()
    versioned: Mapping[str, bool] = field(default_factory=dict)
    engines: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        """What no document tells, so that the rules about it were not looked at."""
        kinds = ("mappings", "settings", "source", "target")
        # Another task that writes to the same folder is known by its endpoint alone.
        known = [task for task in self.tasks if task.mappings or task.settings] or self.tasks
        out = [kind for kind in kinds if any(getattr(task, kind) is None for task in known)]
        lands = not known or not all(task.fills_database for task in known)
        return (*out, *(("bucket",) if lands and not self.versioned else ()))


def read_documents(found: Iterable[tuple[str, Any]], /) -> DmsDocuments:
    """Put documents together, as tasks.

    Args:
        found: Names of documents, such as those of files, and their values. What stands alone
            (mappings, settings, an endpoint) is of one task.

    Raises:
        ArgumentError: A value is no such document, or two that stand alone are of one kind.
    """
    pieces: list[tuple[str, Any]] = []
    for name, value in found:
        pieces += _pieces(name, value)
    loose: dict[str, Any] = {}
    tasks: list[Mapping[str, Any]] = []
    endpoints: dict[str, Mapping[str, Any]] = {}
    versioned: dict[str, bool] = {}
    engines: dict[str, str] = {}
    for kind, value in pieces:
        if kind == "task":
            tasks.append(value)
        elif kind == "bucket":
            versioned.update(value)
        elif kind == "engines":
            engines.update(value)
        else:
            _keep(kind, value, loose, endpoints)
    made = [_task(task, endpoints, loose) for task in tasks]
    if not made and loose:
        made = [DmsTask(**loose)]
    return DmsDocuments(tuple(made), versioned, engines)


def _keep(
    kind: str, value: Any, loose: dict[str, Any], endpoints: dict[str, Mapping[str, Any]]
) -> None:
    arn = value.get("EndpointArn") if kind in {"source", "target"} else None
    if isinstance(arn, str):
        endpoints[arn] = value
        return
    if kind in loose:
        msg = f"two documents are the {kind} of a task; lint one after the other"
        raise ArgumentError(msg, problem="document")
    loose[kind] = value


def _task(
    task: Mapping[str, Any], endpoints: Mapping[str, Mapping[str, Any]], loose: dict[str, Any]
) -> DmsTask:
    name = str(task.get("ReplicationTaskIdentifier") or "task")
    made = DmsTask(
        name,
        mappings=_document(name, "TableMappings", task.get("TableMappings")),
        settings=_document(name, "ReplicationTaskSettings", task.get("ReplicationTaskSettings")),
        migration=task.get("MigrationType"),
        source=_endpoint(task.get("SourceEndpointArn"), endpoints),
        target=_endpoint(task.get("TargetEndpointArn"), endpoints),
    )
    known = {kind: value for kind, value in loose.items() if getattr(made, kind) is None}
    return replace(made, **known)


def _endpoint(
    reference: Any, endpoints: Mapping[str, Mapping[str, Any]]
) -> Optional[Mapping[str, Any]]:
    return endpoints.get(reference) if isinstance(reference, str) else None


def _document(name: str, what: str, text: Any) -> Optional[Mapping[str, Any]]:
    """Read a document that stands in another one as text."""
    if text is None:
        return None
    where = f"{name}: {what}"
    if not isinstance(text, str):
        return need_object(text, where)
    wrong = ArgumentError(f"{where} is no JSON", problem="document")
    found = instead(lambda: json.loads(text), (ValueError, RecursionError), lambda _: wrong)
    return need_object(found, where)


# ----------------------------------------------------------------------------- shapes


def _pieces(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Tell what a document is, and yield what it holds."""
    keys = set(value) if isinstance(value, Mapping) else set()
    if "Resources" in keys:
        yield from read_template(value)
    elif keys & {"ReplicationTasks", "ReplicationTask"}:
        yield from (("task", task) for task in _listed(value, "ReplicationTask"))
    elif keys & {"Endpoints", "Endpoint"}:
        yield from (_side(each) for each in _listed(value, "Endpoint"))
    elif "Versioning" in keys and "Bucket" in keys:
        yield "bucket", {str(value["Bucket"]): _is_on(value["Versioning"])}
    elif keys and keys <= {"Status", "MFADelete"}:
        yield "bucket", {"": _is_on(value)}
    elif "rules" in keys:
        yield "mappings", value
    elif keys & _SETTINGS:
        yield "settings", value
    elif keys & {"EndpointType", "EngineName", "S3Settings", "MicrosoftSQLServerSettings"}:
        yield _side(value)
    elif keys & _S3:
        yield "target", {"EngineName": "s3", "S3Settings": value}
    else:
        msg = (
            f"{name} is no document of a DMS task; give table mappings, task settings, an "
            "endpoint, what a describe call printed, or a CloudFormation template in JSON"
        )
        raise ArgumentError(msg, problem="document")


def _listed(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    many = f"{name}s"
    return need_list(value[many] if many in value else [value[name]], many)


def _side(endpoint: Mapping[str, Any]) -> tuple[str, Any]:
    told = str(endpoint.get("EndpointType", "")).lower()
    if told in {"source", "target"}:
        return told, endpoint
    return ("target" if "S3Settings" in endpoint else "source"), endpoint


def _is_on(versioning: Any) -> bool:
    return bool(part(versioning).get("Status") == "Enabled")
