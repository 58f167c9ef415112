"""What follows from a model: schemas for other systems, as text and values, without I/O."""

from aspen_etl.derive.arrow import arrow_schema
from aspen_etl.derive.diagram import mermaid
from aspen_etl.derive.markdown import markdown

__all__ = ["arrow_schema", "markdown", "mermaid"]
