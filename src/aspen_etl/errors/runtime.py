"""What goes wrong where a run is started by a service: its settings, its event, the catalogue."""

from __future__ import annotations

from aspen_etl.errors.base import AspenETLError

__all__ = ["CatalogError", "EventError", "SettingsError", "UnexpectedError"]


class SettingsError(AspenETLError, ValueError):
    """A setting is missing, or its value cannot be used."""

    @classmethod
    def of(cls, name: str, reason: str) -> SettingsError:
        """Name the setting as its runtime does; its value is not shown."""
        return cls(f"{name} {reason}", setting=name)


class EventError(AspenETLError, ValueError):
    """An event is of a kind that starts no run."""

    @classmethod
    def of(cls, found: str) -> EventError:
        """Say what it is, and what is expected."""
        return cls(
            f"the event is {found}; expected are a schedule of EventBridge, an object-created "
            "event of S3 that came through EventBridge, or {} for the configured source",
            found=found,
        )


class CatalogError(AspenETLError, RuntimeError):
    """A table of the catalogue could not be made or moved; the next run goes on from there."""

    @classmethod
    def at(cls, name: str, step: str, reason: str) -> CatalogError:
        """Say what was being done, to what, and the service's code for what went wrong."""
        return cls(
            f"catalogue {name}: {step} failed ({reason}); the store is not touched, and the next "
            "run repairs the tables that are left",
            name=name,
            step=step,
            reason=reason,
        )

    @classmethod
    def foreign(cls, name: str, what: str) -> CatalogError:
        """Name a table that is not ours to change."""
        return cls(
            f"catalogue {name}: {what}; drop it (the files stay), or choose another database",
            name=name,
            reason=what,
        )


class UnexpectedError(AspenETLError, RuntimeError):
    """Something failed that should not: a fault of this library, of a model, or of memory."""

    @classmethod
    def of(cls, error: BaseException) -> UnexpectedError:
        """Say what kind of error it was and where it arose; its own text could hold a cell."""
        places = []
        trace = error.__traceback__
        while trace is not None:
            module = trace.tb_frame.f_globals.get("__name__", "?")
            places.append(f"{module}, line {trace.tb_lineno}")
            trace = trace.tb_next
        ours = [place for place in places if place.startswith("aspen_etl.")]
        where = places[-1] if places else "an unknown place"
        if ours and ours[-1] != where:
            where = f"{where}, called by {ours[-1]}"
        kind = type(error).__name__
        cure = (
            "a fault of aspen_etl, or of a model of your own: please report this line, which holds "
            "no cell; aspen-etl with --debug, on a copy of the source, shows more"
        )
        if isinstance(error, MemoryError):
            cure = "give the process, function or job more memory"
        return cls(f"{kind} in {where}; {cure}", kind=kind, where=where)
