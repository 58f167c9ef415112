"""The model: sources, tables, cleaners, builders and rules as one frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Optional, Union

from aspen_etl.errors import ModelError
from aspen_etl.schema.builder import AnyBuilder, Builder, Cleaner, builders_of
from aspen_etl.schema.column import hint
from aspen_etl.schema.fanning import fan_out, is_derived
from aspen_etl.schema.following import follow_references, like_their_keys
from aspen_etl.schema.implying import imply_sources
from aspen_etl.schema.lineage import Lineage
from aspen_etl.schema.rule import Rule, check_rules, merge_rules, rule_names
from aspen_etl.schema.spec import SourceSpec, TableSpec
from aspen_etl.schema.subject import check_subject
from aspen_etl.schema.tracing import trace

if TYPE_CHECKING:
    import pandera.pandas as pa

    AnySource = Union[SourceSpec, type[pa.DataFrameModel]]
    AnyTable = Union[TableSpec, type[pa.DataFrameModel]]

__all__ = ["Builder", "Cleaner", "Model"]


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """Hold what a source is, what it becomes, and how.

    A model is a value: ``replace`` and ``add`` give another one. It is checked as it is made.

    Attributes:
        sources: The source sheets by name, each after those that it refers to.
        tables: The target tables by name, each after those that it refers to.
        cleaners: What is done to a source column beside cleaning its white space, by
            ``"sheet.column"``.
        builders: What makes the rows of tables that are not filled from their declaration.
        rules: What keeps rows and cells out beside what follows from the declarations, by sheet.
        subject: The table whose rows the data is about, such as the patients: what refers to
            one is that subject's. Without a word of it, the only table of rows that refers to no
            other one; none where there are several.
        lineage: What follows from the declarations: keys, references, scopes, destinations.
        declared_subject: The subject that was named, if one was.
    """

    sources: Mapping[str, SourceSpec]
    tables: Mapping[str, TableSpec]
    cleaners: Mapping[str, Cleaner]
    builders: Mapping[str, Builder]
    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    subject: Optional[str] = None
    lineage: Lineage = field(init=False, repr=False)
    declared_subject: Optional[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the declarations against each other."""
        builders = {k: made for k, made in self.builders.items() if not is_derived(made)}
        spread = [name for name, table in self.tables.items() if table.is_spread]
        built = frozenset({*builders, *spread})
        tables = follow_references(self.tables, built)
        object.__setattr__(self, "tables", tables)
        object.__setattr__(self, "sources", imply_sources(self.sources, tables))
        lineage = trace(self.sources, tables, built)
        for name in spread:
            made = fan_out(tables[name], tables, lineage.tables, self.builders.get(name))
            builders.setdefault(name, made)
        for name in ("sources", "tables"):
            held = getattr(self, name)
            order = getattr(lineage, f"{name[:-1]}_order")
            ordered = {key: held[key] for key in order}
            object.__setattr__(self, name, MappingProxyType(ordered))
        object.__setattr__(self, "tables", MappingProxyType(like_their_keys(self.tables)))
        object.__setattr__(self, "cleaners", MappingProxyType(dict(self.cleaners)))
        object.__setattr__(self, "builders", MappingProxyType(builders))
        object.__setattr__(self, "lineage", lineage)
        object.__setattr__(self, "rules", MappingProxyType(merge_rules({}, self.rules)))
        object.__setattr__(self, "declared_subject", self.subject)
        subject = check_subject(self.subject, self.tables, lineage)
        object.__setattr__(self, "subject", subject)
        self._check_cleaners()
        self._check_builders()
        check_rules(self.rules, lineage)

    @classmethod
    def of(
        cls,
        *,
        sources: Iterable[AnySource] = (),
        tables: Iterable[AnyTable],
        cleaners: Optional[Mapping[str, Cleaner]] = None,
        builders: Optional[Mapping[str, AnyBuilder]] = None,
        rules: Optional[Mapping[str, Iterable[Rule]]] = None,
        subject: Optional[str] = None,
    ) -> Model:
        """Make a model of pandera models.

        Args:
            sources: Subclasses of ``Source``; what the tables say of a sheet need not be said
                again, so it takes one only for a label, or for what a builder reads.
            tables: Subclasses of ``Table``, in any order.
            cleaners: ``Series -> Series`` by ``"sheet.column"``.
            builders: By table; a bare function where no inverse is needed.
            rules: By sheet.
            subject: The table whose rows the data is about; by default the only table of rows
                that refers to no other one.

        Raises:
            ModelError: Something is declared wrongly; the text says what, and how to mend it.
        """
        return cls(
            sources=_by_name(map(_source, sources), "source"),
            tables=_by_name(map(_table, tables), "table"),
            cleaners=cleaners or {},
            builders=builders_of(builders),
            rules=merge_rules({}, rules or {}),
            subject=subject,
        )

    def replace(
        self,
        *,
        sources: Iterable[AnySource] = (),
        tables: Iterable[AnyTable] = (),
        cleaners: Optional[Mapping[str, Cleaner]] = None,
        builders: Optional[Mapping[str, AnyBuilder]] = None,
        rules: Optional[Mapping[str, Iterable[Rule]]] = None,
        subject: Optional[str] = None,
    ) -> Model:
        """Give a model in which each of these takes the place of its namesake.

        Cleaners, builders and rules are also taken where there was none before. The namesake of a
        rule is called the same and has the same first column. A subject takes the place of the
        one before.

        Raises:
            ModelError: A source or table has no namesake, or the new model is wrong.
        """
        new_sources, new_tables = list(map(_source, sources)), list(map(_table, tables))
        names = [("source", spec.name, tuple(self.sources)) for spec in new_sources]
        names += [("table", spec.name, tuple(self.tables)) for spec in new_tables]
        for kind, name, held in names:
            if name not in held:
                msg = (
                    f"there is no {kind} {name!r} to replace ({hint(name, held)}); "
                    "name the class after it, or use add() or merge()"
                )
                raise ModelError(msg, name=name)
        return self.merge(
            sources=new_sources,
            tables=new_tables,
            cleaners=cleaners,
            builders=builders,
            rules=rules,
            subject=subject,
        )

    def add(
        self,
        *,
        sources: Iterable[AnySource] = (),
        tables: Iterable[AnyTable] = (),
        cleaners: Optional[Mapping[str, Cleaner]] = None,
        builders: Optional[Mapping[str, AnyBuilder]] = None,
        rules: Optional[Mapping[str, Iterable[Rule]]] = None,
    ) -> Model:
        """Give a model with more sources and tables, and what makes them.

        Raises:
            ModelError: One is there already, or the new model is wrong.
        """
        new_sources, new_tables = list(map(_source, sources)), list(map(_table, tables))
        for kind, new, held in (
            ("source", [spec.name for spec in new_sources], self.sources),
            ("table", [spec.name for spec in new_tables], self.tables),
            ("cleaner", list(cleaners or {}), self.cleaners),
            ("builder", list(builders or {}), self.builders),
            ("rule", rule_names(rules or {}), rule_names(self.rules)),
        ):
            for name in new:
                if name in held:
                    msg = f"there is already a {kind} {name!r}; use replace() or merge()"
                    raise ModelError(msg, name=name)
        return self.merge(
            sources=new_sources,
            tables=new_tables,
            cleaners=cleaners,
            builders=builders,
            rules=rules,
        )

    def merge(
        self,
        *,
        sources: Iterable[AnySource] = (),
        tables: Iterable[AnyTable] = (),
        cleaners: Optional[Mapping[str, Cleaner]] = None,
        builders: Optional[Mapping[str, AnyBuilder]] = None,
        rules: Optional[Mapping[str, Iterable[Rule]]] = None,
        subject: Optional[str] = None,
    ) -> Model:
        """Give a model with these: each takes the place of its namesake, or is added.

        What must come at once, such as a new column of a known source and the new table that it
        goes to, needs this: on the way there, neither ``replace`` nor ``add`` would be right.

        Raises:
            ModelError: The new model is wrong.
        """
        return Model(
            sources={**self.sources, **_by_name(map(_source, sources), "source")},
            tables={**self.tables, **_by_name(map(_table, tables), "table")},
            cleaners={**self.cleaners, **(cleaners or {})},
            builders={**self.builders, **builders_of(builders)},
            rules=merge_rules(self.rules, rules or {}),
            subject=subject or self.declared_subject,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as what it was made of; it is checked again where it arrives."""
        held = (self.sources, self.tables, self.cleaners, self.builders, self.rules)
        return type(self), (*(dict(each) for each in held), self.declared_subject)

    def __repr__(self) -> str:
        return f"<Model {', '.join(self.sources)} -> {', '.join(self.tables)}>"

    def _check_cleaners(self) -> None:
        known = [
            f"{source.name}.{column}"
            for source in self.sources.values()
            for column in source.columns
        ]
        for name in self.cleaners:
            if name not in known:
                msg = (
                    f"a cleaner is given for {name!r}, which is no source column; "
                    f"{hint(name, known)}"
                )
                raise ModelError(msg, column=name)

    def _check_builders(self) -> None:
        frames = list(self.sources)
        for table in self.tables.values():
            builder = self.builders.get(table.name)
            if builder is not None:
                self._check_builder(table, builder, frames)
            frames.append(f"{table.name}_rows")
        unknown = sorted(self.builders.keys() - self.tables.keys())
        if unknown:
            msg = (
                f"a builder is given for {unknown[0]!r}, which is no table; "
                f"{hint(unknown[0], tuple(self.tables))}"
            )
            raise ModelError(msg, table=unknown[0])

    def _check_builder(self, table: TableSpec, builder: Builder, frames: list[str]) -> None:
        for name in builder.inputs:
            if name not in frames:
                msg = (
                    f"the builder of {table.name!r} asks for {name!r}; name a source, or "
                    "`<table>_rows` of a table "
                    f"that is made before it; {hint(name, frames)}"
                )
                raise ModelError(msg, table=table.name, parameter=name)
        spread = sorted(self.lineage.needs_inverse(table.name))
        if spread and builder.invert is None:
            msg = (
                f"the builder of {table.name!r} has no inverse, and {', '.join(spread)} "
                "cannot be read back from the "
                "declaration; give Builder(build, invert)"
            )
            raise ModelError(msg, table=table.name, columns=tuple(spread))


def _source(given: AnySource) -> SourceSpec:
    return given if isinstance(given, SourceSpec) else SourceSpec.of(given)


def _table(given: AnyTable) -> TableSpec:
    return given if isinstance(given, TableSpec) else TableSpec.of(given)


def _by_name(specs: Iterable[Any], kind: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for spec in specs:
        if spec.name in out:
            msg = (
                f"{kind} {spec.name!r} is given twice; give each {kind} another name (Config.name)"
            )
            raise ModelError(msg, name=spec.name)
        out[spec.name] = spec
    return out
