"""How one shape becomes another: the steps of ``normalize``, each usable alone.

In order: ``clean``, ``judge``, ``gather``, ``keep``, ``agree``, ``narrow``, ``count_filled``,
``list_rejects`` and ``count`` (``settle`` does these nine), ``assemble``, ``number``, ``check``;
and ``recover``, the way back.
``docs/explanation/normalize.md`` goes through them.
"""

from aspen_etl.columns.handing import hands_on
from aspen_etl.transform.accepting import Settled, check, settle
from aspen_etl.transform.accounting import count_filled
from aspen_etl.transform.assembly import assemble
from aspen_etl.transform.cleaners import cut_fraction, drop_float_noise
from aspen_etl.transform.cleaning import Sheet, clean
from aspen_etl.transform.judging import Fault, Verdict, gather, judge
from aspen_etl.transform.keeping import Kept, keep
from aspen_etl.transform.narrowing import narrow
from aspen_etl.transform.numbering import Numbered, number
from aspen_etl.transform.recovery import prove, recover
from aspen_etl.transform.reporting import count, list_rejects
from aspen_etl.transform.rules import rules_of
from aspen_etl.transform.settling import Agreed, agree
from aspen_etl.transform.white_space import clean_white_space

#: Steps of which others of this package take the inner form, from where it is written.
agree, assemble, clean = hands_on(agree), hands_on(assemble), hands_on(clean)
gather, keep, list_rejects = hands_on(gather), hands_on(keep), hands_on(list_rejects)
recover, settle = hands_on(recover), hands_on(settle)

__all__ = [
    "Agreed",
    "Fault",
    "Kept",
    "Numbered",
    "Settled",
    "Sheet",
    "Verdict",
    "agree",
    "assemble",
    "check",
    "clean",
    "clean_white_space",
    "count",
    "count_filled",
    "cut_fraction",
    "drop_float_noise",
    "gather",
    "judge",
    "keep",
    "list_rejects",
    "narrow",
    "number",
    "prove",
    "recover",
    "rules_of",
    "settle",
]
