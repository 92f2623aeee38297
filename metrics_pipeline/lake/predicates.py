"""Which partitions an operation touches, as a value that becomes a Delta predicate."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from metrics_pipeline.lake.table_spec import TableSpec


def _literal(value: str | date) -> str:
    text = value.isoformat() if isinstance(value, date) else value.replace("'", "''")
    return f"'{text}'"


@dataclass(frozen=True)
class Partitions:
    """A set of partitions of one table.

    With nothing given it stands for the whole of a table that has no partitions.

    equals: columns with one value each. among: (column, names). between: (column, first, end) half-open.
    one_of: (column, days).
    hours: (date, hour) pairs of a table partitioned by both.
    Only partition columns may be named: that is what lets two writers of different partitions commit at once.
    """

    equals: Mapping[str, str] = field(default_factory=dict)
    among: tuple[str, Collection[str]] | None = None
    between: tuple[str, date, date] | None = None
    one_of: tuple[str, Collection[date]] | None = None
    hours: Collection[tuple[date, int]] = ()

    def predicate(self, spec: TableSpec) -> str:
        """The Delta predicate.

        Raises:
            ValueError: a column is no partition column of the table, or nothing is named.
        """
        if not spec.partition_by and self == Partitions():
            return "true"
        named = [*self.equals, *(p[0] for p in (self.among, self.between, self.one_of) if p)]
        named += ["date", "hour"] if self.hours else []
        if not named or set(named) - set(spec.partition_by):
            raise ValueError(f"{spec.name} is partitioned by {spec.partition_by}, not {named}")
        parts = [f"{column} = {_literal(value)}" for column, value in self.equals.items()]
        if self.among:
            column, names = self.among
            parts.append(f"{column} in ({', '.join(_literal(name) for name in sorted(names))})")
        if self.between:
            column, first, end = self.between
            parts.append(f"{column} >= {_literal(first)} and {column} < {_literal(end)}")
        if self.one_of:
            column, values = self.one_of
            parts.append(f"{column} in ({', '.join(_literal(v) for v in sorted(values))})")
        if self.hours:
            parts.append(
                f"({' or '.join(_hours_of_day(day, self.hours) for day in sorted({d for d, _ in self.hours}))})"
            )
        return " and ".join(parts)


def _hours_of_day(day: date, hours: Collection[tuple[date, int]]) -> str:
    mine = sorted({hour for other, hour in hours if other == day})
    return f"(date = {_literal(day)} and hour in ({', '.join(map(str, mine))}))"
