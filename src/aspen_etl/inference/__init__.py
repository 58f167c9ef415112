"""A first model: what a source that nobody described holds, studied and written as a model.

A source is read, or an extract is given; what follows is a function of its frames: keys,
references, entities and types (``study``), classes and their columns (``declare``), text.
"""

from aspen_etl.inference.proposal import Proposal, propose_model

__all__ = ["Proposal", "propose_model"]
