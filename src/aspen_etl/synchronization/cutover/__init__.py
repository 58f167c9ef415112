"""The cut-over: the gate before the new side is written to alone, and the record that it was green.

``accepting`` reads the signed list of rejects, ``gates`` looks at each condition, ``checking`` asks
them all and commits the record, ``reports`` tells.
"""

from aspen_etl.synchronization.cutover.checking import check_cutover
from aspen_etl.synchronization.cutover.reports import CutoverReport, Gate

__all__ = ["CutoverReport", "Gate", "check_cutover"]
