"""The SQL functions of what was known at an instant, in a connection that reads the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import duckdb

from metrics_pipeline.aggregation.as_of import AsOfStatements, Span, bound, chained, literal
from metrics_pipeline.errors import UserError
from metrics_pipeline.pipeline_start import PipelineStart
from metrics_pipeline.windows import DAY, midnight

# What stays readable under its own name at an earlier instant; of everything else only the present is known.
KEPT = ("insight_readings", "counter_readings", "posts", "collection_status", "account_history", "events")
METRIC_TABLES = ("daily_metrics", "weekly_metrics", "monthly_metrics")
AT = "as_of_instant(as_of)"
_EVER: Mapping[str, str] = {"first": "date '0001-01-01'", "end": "date '9999-12-31'"}


@dataclass(frozen=True)
class Known:
    """What can be asked about: from the first day to `latest`. A day stands for its end, today for now."""

    start: PipelineStart
    latest: datetime

    @property
    def first_day(self) -> date:
        """The first day that has numbers."""
        return self.start.pipeline.replace(day=1)

    def instant(self, text: str, option: str) -> datetime:
        """An instant written as a day or in ISO form; without a zone it is UTC.

        Raises:
            UserError: it is neither, it lies in the future, or before the first day.
        """
        try:
            if len(text) == len("2026-10-01"):
                day = date.fromisoformat(text)
                at = self.latest if day == self.latest.date() else midnight(day + DAY)
            else:
                parsed = datetime.fromisoformat(text)
                at = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        except (ValueError, OverflowError):
            raise UserError(
                f"{option} {text!r} is neither a day nor an instant: write 2026-10-01 for the end of that day (UTC), "
                "or 2026-10-01T14:30:00Z."
            ) from None
        if at > self.latest:
            raise UserError(f"{option} {text} lies in the future: it is {self.latest:%Y-%m-%dT%H:%M:%SZ}.")
        if at < midnight(self.first_day):
            raise UserError(f"{option} {text} lies before the first day that has numbers, {self.first_day}.")
        return at


def define_functions(connection: duckdb.DuckDBPyConnection, statements: AsOfStatements, known: Known) -> None:
    """Make daily_metrics_as_of, weekly_metrics_as_of and monthly_metrics_as_of callable.

    The connection has all lake tables, the catalogue's relations and `reading_cadence` under their names.
    """
    first, latest = literal(statements.first_day), literal(known.latest)
    last = "utc_day(instant - interval 1 microsecond) + 1"
    is_day = "typeof(given) = 'DATE' or (typeof(given) = 'VARCHAR' and length(cast(given as varchar)) = 10)"
    scalars = {
        # today's end lies in the future: its numbers are those of now
        "as_of_instant(given)": f"case when given is null then {latest} "
        f"when {is_day} then case when cast(given as date) = utc_day({latest}) then {latest} "
        "else day_start(cast(given as date) + 1) end else cast(given as timestamptz) end",
        "as_of_first(day)": f"greatest(coalesce(cast(day as date), {first}), {first})",
        "as_of_end(instant, day)": f"least(coalesce(cast(day as date), {last}), {last})",
        "as_of_known(instant)": f"case when instant > {latest} "
        f"then error(concat(instant, ' lies in the future: it is ', {latest})) "
        f"when instant < day_start({literal(known.first_day)}) "
        f"then error(concat(instant, ' lies before the first day that has numbers, ', {literal(known.first_day)})) "
        "else true end",
    }
    for name, body in scalars.items():
        connection.execute(f"create or replace macro {name} as {body}")
    span = Span(AT, "as_of_first(first_day)", f"as_of_end({AT}, end_day)")
    # the check is a query of its own: a condition on rows is never met where there are none
    tables = zip(METRIC_TABLES, (statements.daily, statements.weekly, statements.monthly), strict=True)
    for table, statement in tables:
        connection.execute(
            f"create or replace macro {table}_as_of(as_of, first_day := null, end_day := null) as table "
            f"select * from ({statement(span)}) as known where (select as_of_known({AT}))"
        )


def define_report(connection: duckdb.DuckDBPyConnection, statements: AsOfStatements) -> None:
    """Make restatements(since, until, first_day, end_day) callable, after `define_functions`."""
    since, until = "as_of_instant(since)", "as_of_instant(until)"
    changes = statements.restatements(
        since, until, "as_of_first(first_day)", f"least(as_of_end({since}, end_day), utc_day({since}))"
    )
    connection.execute(
        "create or replace macro restatements(since, until := null, first_day := null, end_day := null) as table "
        f"select * from ({changes}) as changes where (select as_of_known({since}) and as_of_known({until}) "
        f"and case when {since} < {until} then true else error('since has to lie before until') end)"
    )


def show_known_readings(connection: duckdb.DuckDBPyConnection, at: datetime) -> None:
    """Let the names of KEPT mean what was known at an instant; the lake's tables are attached as stored_NAME."""
    for name in KEPT:
        read = {name, "counter_readings"} if name == "collection_status" else {name}
        stored = [(table, f'select * from "stored_{table}"') for table in sorted(read)]
        known = bound(f"as_of/{name}.sql", {"as_of": literal(at), **_EVER})
        connection.execute(f'create view "{name}" as {chained(stored, f"select * from ({known}) as known")}')


def show_known_numbers(
    connection: duckdb.DuckDBPyConnection, at: datetime, first: date | None, end: date | None
) -> None:
    """Let the names of METRIC_TABLES mean the numbers as they were known at an instant, of these days or of all."""
    days = "".join(
        f", {name} := {literal(day)}" for name, day in (("first_day", first), ("end_day", end)) if day is not None
    )
    for table in METRIC_TABLES:
        connection.execute(f'create view "{table}" as select * from {table}_as_of({literal(at)}{days})')


def earliest_change(
    connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime, view_max_hours: int
) -> date | None:
    """The first day about which anything was learnt between two instants: no earlier number has changed."""
    terms = {"since": literal(since), "until": literal(until), "view_max_hours": str(view_max_hours)}
    ((found,),) = connection.execute(bound("as_of/earliest_change.sql", terms)).fetchall()
    return found if isinstance(found, date) else None
