"""A landing, made of the documents of the task that writes it.

The schema knows no document of DMS, so this is no method of ``Landing``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional, Union

from aspen_etl.derive.dms.documents import DmsTask, read_documents
from aspen_etl.derive.dms.finding import UNKNOWN, Finding, Held
from aspen_etl.derive.dms.judge_endpoint import folder_of, held_of
from aspen_etl.derive.dms.judge_mappings import selected_tables
from aspen_etl.derive.dms.lint import lint_dms
from aspen_etl.derive.dms.mappings import SEQUENCE
from aspen_etl.derive.dms.shapes import need_list, need_object, part
from aspen_etl.errors import ArgumentError
from aspen_etl.errors.base import instead, listing
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.schema.landing_forms import LANDED_FORMS
from aspen_etl.schema.model import Model

__all__ = ["Document", "landing_from_dms"]

#: A document of DMS: JSON, or what it holds.
Document = Union[str, Mapping[str, Any]]

#: What is only judged when the landing is known: whether it declares headers.
_LATER = {"header"}


def landing_from_dms(
    documents: Mapping[str, Document],
    /,
    *,
    model: Model,
    url: Optional[str] = None,
    tables: Optional[Mapping[str, LandedTable]] = None,
    **told: Any,
) -> Landing:
    """Make the landing that a task writes, of the task's documents.

    Documents tell where files lie, their format, marks and tokens, and which tables are taken.
    They do not tell a table's key, its columns where files have no header, how long files are
    waited for, or how many rows were loaded: say these by ``tables`` and ``told``.

    Args:
        documents: By name, such as that of their file: the S3 endpoint and the table mappings,
            and perhaps the task's settings, each as JSON or as what it holds.
        model: The model whose sources land.
        url: Where the files are read; by default where the endpoint writes them.
        tables: The table of each source; by default the one that has the source's name, with the
            key that the mappings define, or else the column ``id``.
        told: More fields of the landing, such as ``loaded`` or ``heartbeat``.

    Raises:
        ArgumentError: ``lint_dms`` finds an error, whose rule is named (``rules``); or a document
            is missing, or is none; or no table of the mappings has the name of a source.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> from aspen_etl.derive.dms import dms_endpoint, dms_mappings
        >>> tables = {
        ...     "borrower": LandedTable("dbo.borrower"),
        ...     "role_profile": LandedTable("dbo.role_profile", key=("rp_id",)),
        ... }
        >>> landing = Landing("s3://raw/dms", tables, loaded="declared")
        >>> documents = {
        ...     "endpoint": dms_endpoint(landing),
        ...     "mappings": dms_mappings(BORROWER_MODEL, landing),
        ... }
        >>> made = landing_from_dms(
        ...     documents, model=BORROWER_MODEL, tables=tables, loaded="declared"
        ... )
        >>> made == landing
        True
    """
    values = {name: _read(name, document) for name, document in documents.items()}
    task = _task(values)
    target, mappings = task.target or {}, task.mappings or {}
    first = lint_dms(values, model=model)
    _refuse(each for each in first if each.rule not in _LATER)
    held = held_of("", target)
    fields = {**_layout(held), **_marks(held, mappings), **_size(task), **told}
    of_sources = _tables(mappings, model, tables or {})
    own = _place(target)
    # A copy that lies elsewhere is as the endpoint wrote it.
    judged = Landing(url if url and url.startswith("s3") else own, of_sources, **fields)
    judged.check(model)
    _refuse(lint_dms(values, judged, model=model))
    return Landing(url or own, of_sources, **fields)


def _place(target: Mapping[str, Any]) -> str:
    found = folder_of(target)
    if found is None or not found[0]:
        msg = "the endpoint does not tell its bucket and folder; give it as it is deployed"
        raise ArgumentError(msg, problem="document")
    return f"s3://{'/'.join(found)}".rstrip("/")


def _read(name: str, document: Any) -> Any:
    """Read a document that is given as text."""
    if not isinstance(document, str):
        return document
    wrong = ArgumentError(f"{name} is no JSON", problem="document")
    return instead(lambda: json.loads(document), (ValueError, RecursionError), lambda _: wrong)


def _task(values: dict[str, Any]) -> DmsTask:
    """Give the one task that documents are of; an endpoint need not be that of a task."""
    for name, value in values.items():
        held = part(value)
        for several in ("Endpoint", "Endpoints"):
            ends = held.get(several, [])
            ends = need_list(ends if isinstance(ends, list) else [ends], several)
            if len(ends) == 1 and "ReplicationTasks" not in held:
                values[name] = {k: v for k, v in ends[0].items() if k != "EndpointArn"}
    found = read_documents(values.items())
    missing = [kind for kind in ("target", "mappings") if kind in found.missing]
    if len(found.tasks) != 1 or missing:
        wanted = "the S3 endpoint and the table mappings of one task"
        msg = f"a landing is made of {wanted}; {len(found.tasks)} tasks were given"
        if missing and found.tasks:
            msg = f"a landing is made of {wanted}; {listing(missing)} is missing"
        raise ArgumentError(msg, problem="document")
    return found.tasks[0]


def _refuse(findings: Iterable[Finding]) -> None:
    errors = [each for each in findings if each.severity == "error"]
    if errors:
        told = "; ".join(
            f"{each.rule} ({each.where}: found {each.found}, wanted {each.wanted})"
            for each in errors
        )
        rules = tuple(dict.fromkeys(each.rule for each in errors))
        msg = f"what such a task lands is not whole, or not read: {told}"
        raise ArgumentError(msg, problem="document", rules=rules)


# ----------------------------------------------------------------------------- what they tell


def _layout(held: Held) -> dict[str, Any]:
    form = LANDED_FORMS.get(str(held.get("DataFormat")).lower())
    if form is None:
        known = listing([*LANDED_FORMS])
        msg = f"files of {held.get('DataFormat')} are not read; land them as {known}"
        raise ArgumentError(msg, problem="document")
    dated = held.flag("DatePartitionEnabled") is True
    compression = str(held.get("CompressionType")).lower()
    return {
        "format": form.name,
        # Parquet compresses by itself, whatever is said.
        "compression": compression if form.is_text else "none",
        "partitions": str(held.get("DatePartitionSequence")).upper() if dated else None,
    }


def _marks(held: Held, mappings: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"time": held.text("TimestampColumnName")}
    names = {"CsvNullValue": "null", "CsvNoSupValue": "not_logged"}
    if LANDED_FORMS[str(held.get("DataFormat")).lower()].is_text:
        out |= {to: held.text(name) for name, to in names.items()}
    if held.flag("PreserveTransactions") is True:
        out |= {"order": "transactions", "transactions": str(held.text("CdcPath")).strip("/")}
    for rule in _transformations(mappings):
        if str(rule.get("expression", "")).strip() == SEQUENCE:
            out["sequence"] = rule.get("value")
        prefix = part(rule.get("before-image-def")).get("column-prefix")
        if prefix:
            out["before"] = prefix
    return {name: value for name, value in out.items() if value is not UNKNOWN}


def _transformations(mappings: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for rule in need_list(mappings.get("rules"), "rules"):
        if rule.get("rule-type") == "transformation":
            yield need_object(rule, "a rule")


def _size(task: DmsTask) -> dict[str, Any]:
    size = part(part(task.settings).get("TargetMetadata")).get("LobMaxSize")
    return {"lob_max_kb": int(str(size))} if str(size).isdecimal() else {}


def _tables(
    mappings: Mapping[str, Any], model: Model, told: Mapping[str, LandedTable]
) -> dict[str, LandedTable]:
    """Give the table of each source: what is said, or the one of its name."""
    found = selected_tables(mappings)
    out = {}
    for source in model.sources:
        named = [each for each in found if each.table.casefold() == source.casefold()]
        if source in told:
            out[source] = told[source]
        elif len(named) == 1:
            out[source] = named[0]
        else:
            shown = listing([each.name for each in found]) or "none"
            msg = (
                f"{len(named)} tables of the mappings have the name {source!r}; they take {shown}: "
                "say by tables= which feeds the source"
            )
            raise ArgumentError(msg, problem="document")
    return out
