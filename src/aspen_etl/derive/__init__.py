"""What follows from a model: schemas for other systems, as text and values, without I/O."""

from aspen_etl.derive.arrow import arrow_schema

__all__ = ["arrow_schema"]
