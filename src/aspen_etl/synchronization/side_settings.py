"""What a run over two sides is told beside the settings of every run: the sides, and what is done.

Each setting once, with its default, its kind, its flag and its help, as in ``settings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Optional, get_args

from aspen_etl.io.options import (
    Count,
    Names,
    Option,
    Span,
    Text,
    UnusableTextError,
    Word,
    option,
    options_of,
)
from aspen_etl.schema.policy import KINDS, Decision, Policy

__all__ = ["SIDE_OPTIONS", "WORKS", "SideSettings", "Works"]

_DAY = 86_400

#: What can be done with two sides, in the order in which it is sensible.
WORKS = ("load", "pull", "push", "reconcile", "landing_status")


@dataclass(frozen=True)
class Works:
    """One work, or several in their order, with spaces between them."""

    def read(self, text: str, /) -> tuple[str, ...]:
        """Give the works."""
        words = tuple(text.split())
        if not words or any(word not in WORKS for word in words):
            raise UnusableTextError(f"is none of {', '.join(WORKS)}, nor some with spaces between")
        return words


@dataclass(frozen=True)
class SideSettings:
    """Hold what a run over two sides is told. What a setting means stands in its option."""

    work: tuple[str, ...] = field(
        default=(),
        metadata=option(
            Works(),
            f"what is done: {', '.join(WORKS)}, or some of them in a row, as in `pull push`; the "
            "`work` of an event goes before it",
        ),
    )
    old: Optional[str] = field(
        default=None,
        metadata=option(
            Text(), "the old side: the url of its database without a password, files, or a landing"
        ),
    )
    old_secret: Optional[str] = field(
        default=None,
        metadata=option(Text(), "the id of the secret with its login"),
    )
    old_schema: Optional[str] = field(
        default=None, metadata=option(Text(), "the schema of its tables (that of the connection)")
    )
    old_tables: Mapping[str, str] = field(
        default_factory=dict,
        metadata=option(Names(), "the table of each source there, where it has another name"),
    )
    landing: Optional[str] = field(
        default=None,
        metadata=option(
            Text(), "the landing of the old side, which is pulled in the place of its database"
        ),
    )
    new: Optional[str] = field(
        default=None,
        metadata=option(Text(), "the new side: the url of its database without a password"),
    )
    new_secret: Optional[str] = field(
        default=None,
        metadata=option(Text(), "the id of the secret with its login"),
    )
    new_schema: Optional[str] = field(
        default=None, metadata=option(Text(), "the schema of its tables (that of the connection)")
    )
    policy: Decision = field(
        default="refuse",
        metadata=option(
            Word(get_args(Decision)),
            "what becomes of conflicts: refuse, hold, old, new or newest",
            "--policy",
        ),
    )
    policy_for: Mapping[str, Any] = field(
        default_factory=dict,
        metadata=option(
            Names(),
            "the same of a kind of conflict, of a sheet or of SHEET.COLUMN; may be repeated",
            "--policy-for",
            "WHAT=DECISION",
        ),
    )
    deletes: Optional[Literal["hold", "allow"]] = field(
        default=None,
        metadata=option(
            Word(("hold", "allow")),
            "whether rows that are gone are deleted there (hold on the old side, allow on the new)",
            "--deletes",
        ),
    )
    defaults: Mapping[str, str] = field(
        default_factory=dict,
        metadata=option(
            Names(),
            "the value of a column outside of the model in new rows of the old side",
            "--default",
            "TABLE.COLUMN=VALUE",
        ),
    )
    lease: float = field(
        default=900,
        metadata=option(
            Span("seconds", _DAY),
            "lease the side for so long, and end as busy where another run has it; it is given "
            "back at the end",
            "--lease",
            "SECONDS",
        ),
    )
    wait: float = field(
        default=0,
        metadata=option(
            Span("seconds", _DAY), "how long to wait for the lease of a side that another run has"
        ),
    )
    confirm_after: float = field(
        default=0,
        metadata=option(
            Span("seconds", _DAY),
            "of reconcile: how long to wait before another look, where something differs",
        ),
    )
    tries: int = field(
        default=2, metadata=option(Count(1), "of reconcile: how many looks there are at most")
    )
    details: Optional[str] = field(
        default=None,
        metadata=option(
            Text(),
            "of reconcile: the url of a folder for a file with each difference, with ids and "
            "values, as rejects have",
        ),
    )

    def declared(self) -> Policy:
        """Give the policy.

        Raises:
            ArgumentError: It names no such decision.
        """
        kinds = {name: word for name, word in self.policy_for.items() if name in KINDS}
        units = {name: word for name, word in self.policy_for.items() if name not in KINDS}
        return Policy(self.policy, units, kinds)


#: Every option of a run over two sides, by its name.
SIDE_OPTIONS: Mapping[str, Option] = MappingProxyType(
    {each.name: each for each in options_of(SideSettings)}
)
