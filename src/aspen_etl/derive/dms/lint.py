"""What is wrong with the documents of a task, so that it could lose something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Optional, Union

from aspen_etl.derive.dms.documents import DmsDocuments, DmsTask, read_documents
from aspen_etl.derive.dms.finding import OFF, ON, Finding, find
from aspen_etl.derive.dms.judge_endpoint import (
    folder_of,
    is_in_transactions,
    judge_source,
    judge_target,
)
from aspen_etl.derive.dms.judge_mappings import Wanted, judge_mappings
from aspen_etl.derive.dms.judge_pair import judge_pair, paired_tasks
from aspen_etl.derive.dms.judge_settings import has_before_image, judge_settings
from aspen_etl.schema.landing import Landing
from aspen_etl.schema.model import Model

__all__ = ["lint_dms"]

_BOTH = "full-load-and-cdc"
_NO_CHANGES = {"sqlserver-ex", "sqlserver-web"}


def lint_dms(
    documents: Union[DmsDocuments, Mapping[str, Any]],
    landing: Optional[Landing] = None,
    /,
    *,
    model: Optional[Model] = None,
) -> tuple[Finding, ...]:
    """Find what in the documents of DMS tasks could lose, double or change rows.

    A document that is not given is not looked at: ``read_documents(...).missing`` names those.

    Args:
        documents: Documents by name, such as that of their file: table mappings, task settings, an
            endpoint, what a describe call gave, a CloudFormation template; or what
            ``read_documents`` made of them.
        landing: What should land. Without it the rules that compare with it are left out.
        model: The model, for the names of its columns and its longest text.

    Returns:
        The findings, errors first; none, if nothing is wrong.

    Raises:
        ArgumentError: A value is no such document, or the landing cannot be on S3.

    Examples:
        >>> found = lint_dms({"task.json": {"TargetMetadata": {"BatchApplyEnabled": True}}})
        >>> [each.where for each in found if each.rule == "batch_apply"]
        ['task: settings.TargetMetadata.BatchApplyEnabled']
    """
    if not isinstance(documents, DmsDocuments):
        documents = read_documents(documents.items())
    found = [*_judge_around(documents, landing)]
    paired = paired_tasks(documents.tasks)
    for task in documents.tasks:
        if task in paired:
            found += _judge_both(task, model)
        else:
            found += _judge_task(task, landing, model)
    found += judge_pair(paired)
    return tuple(sorted(found, key=lambda each: (each.severity, each.where, each.rule)))


def _judge_task(
    task: DmsTask, landing: Optional[Landing], model: Optional[Model]
) -> Iterator[Finding]:
    if task.migration is not None and task.migration != _BOTH:
        yield find("migration_type", f"{task.name}: MigrationType", task.migration, _BOTH)
    if task.target is not None:
        yield from judge_target(task.name, task.target, landing)
    if task.source is not None:
        yield from judge_source(task.name, task.source)
    if task.mappings is not None:
        in_order = is_in_transactions(task.target)
        wanted = Wanted(landing, model, in_order, has_before_image(task.settings))
        yield from judge_mappings(task.name, task.mappings, wanted)
    if task.settings is not None:
        yield from judge_settings(task.name, task.settings, model)


def _judge_both(task: DmsTask, model: Optional[Model]) -> Iterator[Finding]:
    """Yield what is wrong with one of the tasks of a pair, whose rows land in no file."""
    if task.source is not None:
        yield from judge_source(task.name, task.source)
    if task.settings is not None:
        yield from judge_settings(task.name, task.settings, model)


def _judge_around(documents: DmsDocuments, landing: Optional[Landing]) -> Iterator[Finding]:
    if landing is not None and landing.order == "time":
        yield find("ambiguous_order", "landing: order", "time", "sequence")
    for name, engine in documents.engines.items():
        if engine in _NO_CHANGES:
            yield find("edition", f"{name}: Engine", engine, "sqlserver-se or sqlserver-ee")
    folders = [
        (task.name, place)
        for task in documents.tasks
        if task.target is not None
        for place in (folder_of(task.target),)
        if place is not None
    ]
    for (one, place), (other, others) in combinations(folders, 2):
        if place[0] == others[0] and _meet(place[1], others[1]):
            yield find("shared_folder", f"{one} and {other}", "/".join(place), "a folder for each")
    buckets = {place[0] for _, place in folders}
    for name, is_on in documents.versioned.items():
        if is_on and (not name or name in buckets):
            yield find("versioned_bucket", f"{name or 'bucket'}: versioning", ON, OFF)


def _meet(one: str, other: str) -> bool:
    """Tell whether one folder holds the other."""
    first, second = f"{one}/".lstrip("/"), f"{other}/".lstrip("/")
    return first.startswith(second) or second.startswith(first)
