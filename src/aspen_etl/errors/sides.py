"""What stops a pull or a push: conflicts, and sides that are not where they should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aspen_etl.errors.base import SHOWN, AspenETLError

__all__ = ["MergeConflictError", "SideStateError", "StaleReadingError", "TwoWayError"]


class MergeConflictError(AspenETLError, RuntimeError):
    """Both sides changed the same, and the policy refuses; nothing was committed.

    Attributes:
        details: ``side``; ``count`` of conflicts; ``conflicts``, their counts by kind and place.
    """

    @classmethod
    def of(cls, side: str, count: int, told: Sequence[str]) -> MergeConflictError:
        """Count the conflicts, and say how to go on."""
        more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
        return cls(
            f"{count:,} conflicts between the {side} side and the store: "
            f"{'; '.join(told[:SHOWN])}{more}. Nothing was committed. Pull with policy 'hold' "
            "(--policy hold) to let the others go on and decide these later, or with 'old' or "
            "'new' to let one side win",
            side=side,
            count=count,
            conflicts=tuple(told),
        )


#: What is wrong with what a side says of itself, and what to do.
_STATES = {
    "behind": (
        "says that version {version} was written to it last, and the store wrote version {known}: "
        "it was set back to an older state, such as a backup. What was changed in it since cannot "
        "be told from what was set back; reconcile it with the store, end two-way sync and begin "
        "it anew"
    ),
    "unreadable": (
        "says that version {version} was written to it last, which the store does not keep any "
        "more; reconcile it with the store, end two-way sync and begin it anew"
    ),
    "foreign": (
        "says that version {version} was written to it last, but by another commit than this "
        "store's: it is the side of another store"
    ),
    "lost": (
        "says of no version that it was written to it, and the store wrote version {known}: it was "
        "made anew, or its table of what was written is gone; reconcile it with the store, end "
        "two-way sync and begin it anew"
    ),
    "unloaded": "holds no version of the store yet; push to it (aspen-etl push) before you pull",
}


class SideStateError(AspenETLError, RuntimeError):
    """A side is not where the store knows it to be; nothing was written.

    Attributes:
        details: ``problem``: ``behind``, ``unreadable``, ``foreign``, ``lost``, ``unloaded`` or
            ``keys``; ``side``; ``version``, what the side says; ``known``, what the store knows; of
            keys ``tables`` and ``count``.
    """

    @classmethod
    def of(cls, problem: str, url: str, side: str, version: int, known: int) -> SideStateError:
        """Say what the side says of itself, and what to do."""
        told = _STATES[problem].format(version=version, known=known)
        return cls(
            f"the {side} side of {url} {told}",
            problem=problem,
            side=side,
            version=version,
            known=known,
        )

    @classmethod
    def keys(cls, side: str, tables: Sequence[str], count: int) -> SideStateError:
        """Say which lookup tables have other keys there, and what to do."""
        return cls(
            f"the {side} side gives {count:,} rows of {', '.join(tables)} other keys than "
            "the store does; nothing was committed. Give these rows the keys that the store has "
            "(aspen-etl export), with what refers to them",
            problem="keys",
            side=side,
            tables=tuple(tables),
            count=count,
        )


class StaleReadingError(AspenETLError, RuntimeError):
    """A reading of a side is older than what was pushed to it; nothing was committed."""

    @classmethod
    def of(cls, side: str, why: str, **details: Any) -> StaleReadingError:
        """Say why, and what to do."""
        return cls(
            f"this reading of the {side} side is older than what was pushed to it: {why}. The old "
            "values in it would look like changes back; nothing was committed. Read the side anew",
            side=side,
            **details,
        )


class TwoWayError(AspenETLError, RuntimeError):
    """A store that is kept in step with two sides is asked for what would leave a side behind.

    Attributes:
        details: ``problem``: ``refused`` (with ``command``), ``conflicts`` (they wait, by side
            in ``waiting``) or ``begin`` (it is not kept in step yet); ``url``.
    """

    @classmethod
    def not_begun(cls, url: str) -> TwoWayError:
        """Say how to begin."""
        return cls(
            f"the store {url} is not kept in step with two sides; begin it (aspen-etl two-way "
            "begin, begin_two_way) once its newest version holds what the old side does",
            problem="begin",
            url=url,
        )

    @classmethod
    def refused(cls, url: str, command: str) -> TwoWayError:
        """Say what is refused, what to do instead, and how to end it."""
        return cls(
            f"the store {url} is kept in step with two sides, so {command} is refused: it would "
            "overwrite what one of them changed; use pull and push, or first end it "
            "(aspen-etl two-way end)",
            problem="refused",
            url=url,
            command=command,
        )

    @classmethod
    def waiting(cls, url: str, waiting: Mapping[str, int]) -> TwoWayError:
        """Say how many conflicts wait, and what to do with them."""
        told = ", ".join(f"{count:,} of the {name} side" for name, count in waiting.items())
        return cls(
            f"conflicts wait in the store {url} ({told}), so two-way end is refused; resolve them "
            "by pull and push, or let them go with discard_conflicts=True (--discard-conflicts)",
            problem="conflicts",
            url=url,
            waiting=dict(waiting),
        )
