"""Declared tables as the database has them: what is missing, what differs, and their rows page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.sql.elements import ColumnElement

from metrics_pipeline.application.source_types import SqlType, bounds, fits, zone_of
from metrics_pipeline.catalog.application import ApplicationTable
from metrics_pipeline.errors import UserError
from metrics_pipeline.windows import Window

Join = Callable[..., ColumnElement[bool]]
NAMES_SHOWN = 30
# Whether a column has bounds does not depend on the day.
_ANY = Window.of_day(date(2000, 1, 1))


@dataclass(frozen=True)
class SourceTable:
    """A declared table that is there, with its columns' types as found, by declared name.

    undeclared: columns of the database that nobody reads. differences: `name: found, declared`, where values of the
    found type may not fit.
    """

    declared: ApplicationTable
    dialect: str
    types: dict[str, SqlType]
    undeclared: tuple[str, ...]
    differences: tuple[str, ...]

    def zone(self, column: str) -> tzinfo:
        """The zone of the column's times that come without one."""
        declared = UTC if self.declared.timezone == "UTC" else ZoneInfo(self.declared.timezone)
        return zone_of(self.types[column], declared)

    def page(self, window: Window | None, after: Sequence[object] | None, limit: int) -> sa.Select[tuple[object, ...]]:
        """The next rows by key: changed in the window or of its days, and a few more; all rows without a window.

        `after`: the last key of the page before, as the driver gave it. Columns come in the order of declaration, in
        the driver's own types: a value that SQLAlchemy cannot read would end the page.
        """
        table = self._table()
        keys = [table.c[self.declared.source_of(name)] for name in self.declared.key]
        statement = sa.select(*(table.c[self.declared.source_of(name)] for name in self.declared.columns))
        statement = statement.where(*(key.is_not(None) for key in keys))
        if window is not None:
            statement = statement.where(sa.or_(*self._in_window(table, window)))
        if after is not None:
            statement = statement.where(self._after(table, after))
        return statement.order_by(*keys).limit(limit)

    def without_day(self) -> sa.Select[int]:
        """How many rows have no day yet."""
        return self._count(sa.and_, self.declared.day)

    def without_key(self) -> sa.Select[int]:
        """How many rows lack a part of their key; they are never read."""
        return self._count(sa.or_, self.declared.key)

    def _count(self, joined: Join, names: Sequence[str]) -> sa.Select[int]:
        table = self._table()
        empty = [table.c[self.declared.source_of(name)].is_(None) for name in names]
        return sa.select(sa.func.count()).select_from(table).where(joined(*empty))

    def _table(self) -> sa.TableClause:
        names = dict.fromkeys(self.declared.source_of(name) for name in self.declared.columns)
        table = sa.table(self.declared.source_name, *(sa.column(name) for name in names))
        table.schema = self.declared.schema_name
        return table

    def _in_window(self, table: sa.TableClause, window: Window) -> Iterator[ColumnElement[bool]]:
        for name in dict.fromkeys((*self.declared.day, *self.declared.changes)):
            column = table.c[self.declared.source_of(name)]
            limits = bounds(window, self.types[name], self.dialect, self.zone(name))
            assert limits is not None, "inspect() refuses a day or change column without times"  # noqa: S101
            start, end = (sa.literal(value, limits.type) for value in (limits.start, limits.end))
            yield sa.and_(column >= start, column < end)
            if self.dialect == "sqlite":
                # a number in a column of times sorts before every text: it is read, to be reported
                yield column < sa.literal("", types.NullType())

    def _after(self, table: sa.TableClause, after: Sequence[object]) -> ColumnElement[bool]:
        """`(a, b) > (x, y)` spelled out: MySQL finds no index for the short form."""
        names = self.declared.key
        columns = [table.c[self.declared.source_of(name)] for name in names]
        last = [sa.literal(value, self._bind_type(name)) for name, value in zip(names, after, strict=True)]
        return sa.or_(
            *(sa.and_(*(columns[m] == last[m] for m in range(n)), columns[n] > last[n]) for n in range(len(names)))
        )

    def _bind_type(self, name: str) -> SqlType:
        # Postgres compares with a value of the column's own type only; the others take what they gave
        return self.types[name] if self.dialect == "postgresql" else types.NullType()


def inspect(connection: sa.Connection, declared: ApplicationTable) -> SourceTable:
    """Look a declared table up in the database.

    Raises:
        UserError: the table or a column is not there, or a column that tells the day holds no times.
    """
    inspector = sa.inspect(connection)
    dialect = "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name
    where = f"{declared.schema_name}.{declared.source_name}" if declared.schema_name else declared.source_name
    try:
        found = {str(c["name"]): c["type"] for c in inspector.get_columns(declared.source_name, declared.schema_name)}
    except sa.exc.NoSuchTableError:
        there = [*inspector.get_table_names(declared.schema_name), *inspector.get_view_names(declared.schema_name)]
        raise UserError(f"{declared.name}: the application database has no table {where}. {_there(there)}") from None
    missing = [name for name in declared.columns if declared.source_of(name) not in found]
    if missing:
        names = ", ".join(declared.source_of(name) for name in missing)
        raise UserError(f"{declared.name}: the table {where} has no column {names}. {_there(found)}")
    sources = {name: found[declared.source_of(name)] for name in declared.columns}
    differences = tuple(
        f"{name}: {_shown(sources[name])} in the database, {column.type} declared"
        for name, column in declared.columns.items()
        if not fits(column.type, sources[name], dialect)
    )
    read = {declared.source_of(name) for name in declared.columns}
    table = SourceTable(declared, dialect, sources, tuple(n for n in found if n not in read), differences)
    for name in dict.fromkeys((*declared.day, *declared.changes)):
        if bounds(_ANY, sources[name], dialect, UTC) is None:
            raise UserError(
                f"{declared.name}: the column {where}.{declared.source_of(name)} is {_shown(sources[name])}; a column "
                "of day or changes has to hold times or dates."
            )
    return table


def _there(names: Iterable[str]) -> str:
    known = sorted(names)
    shown = known[:NAMES_SHOWN]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f"There are: {', '.join(shown) or 'none'}{more}."


def _shown(found: SqlType) -> str:
    return type(found).__name__.upper()
