"""The documents of an AWS DMS task: made from a model and a landing, and held against the rules."""

from aspen_etl.derive.dms.documents import DmsDocuments, DmsTask, read_documents
from aspen_etl.derive.dms.endpoint import dms_endpoint
from aspen_etl.derive.dms.finding import Finding
from aspen_etl.derive.dms.landing_of import landing_from_dms
from aspen_etl.derive.dms.lint import lint_dms
from aspen_etl.derive.dms.mappings import dms_mappings
from aspen_etl.derive.dms.pair_template import dms_pair_template, dms_pair_template_text
from aspen_etl.derive.dms.preflight import dms_preflight
from aspen_etl.derive.dms.preflight_judge import PreflightFinding, judge_preflight, rows_loaded
from aspen_etl.derive.dms.rules import DMS_RULES, DmsRule
from aspen_etl.derive.dms.task_settings import dms_task_settings, lob_size
from aspen_etl.derive.dms.template import dms_template, dms_template_text

__all__ = [
    "DMS_RULES",
    "DmsDocuments",
    "DmsRule",
    "DmsTask",
    "Finding",
    "PreflightFinding",
    "dms_endpoint",
    "dms_mappings",
    "dms_pair_template",
    "dms_pair_template_text",
    "dms_preflight",
    "dms_task_settings",
    "dms_template",
    "dms_template_text",
    "judge_preflight",
    "landing_from_dms",
    "lint_dms",
    "lob_size",
    "read_documents",
    "rows_loaded",
]
