"""SQL of the numbers as they were known at an instant: the statements that build the tables, over fewer readings.

A relation of a common table expression hides the table of its name. So the files of `sql/daily`, `sql/content` and
`sql/rollups` are put together as they are, behind relations that leave out what came later (`sql/as_of`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from metrics_pipeline.lake.connect import PARAMETER, names_in, read_statement
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.lake.tables import DAILY_METRICS
from metrics_pipeline.pipeline_start import PipelineStart
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import next_month, week_start_of

Parts = list[tuple[str, str]]
Terms = Mapping[str, str]

# Attributes of content have no history: the latest stand for all instants.
_KNOWN = frozenset({"content"})


def bound(file: str, terms: Terms) -> str:
    """The statement of a file of `sql/`, each parameter replaced by an expression.

    A parameter without one is null: only inputs that are left out need it (see `AsOfStatements.left_out`), or the
    tables at the present instant would differ from the stored ones.
    """
    return PARAMETER.sub(lambda match: f"({terms.get(match[1], 'null')})", read_statement(file))


def chained(parts: Sequence[tuple[str, str]], last: str) -> str:
    """One statement: `last`, which reads the parts by name, as each part reads those before it."""
    return "with " + ",\n".join(f'"{name}" as ({statement})' for name, statement in parts) + f"\n{last}"


def literal(value: date) -> str:
    """A day or an instant as SQL has it."""
    kind = "timestamptz" if isinstance(value, datetime) else "date"
    return f"{kind} '{value.isoformat()}'"


@dataclass(frozen=True)
class Span:
    """Expressions: what was known `at` (an instant) of the days from `first` up to, not including, `end`."""

    at: str
    first: str
    end: str


@dataclass(frozen=True)
class AsOfStatements:
    """The bodies of the functions `daily_metrics_as_of(as_of, first_day, end_day)` and its kind.

    start: where the partitions begin; numbers of earlier days are in no table. now: days whose raw events are no longer
    kept then are left out. tables: all lake tables. has_events: whether any content event is stored;
    without them the statements are half as long, which is most of the time that a small lake takes.
    """

    settings: Settings
    start: PipelineStart
    now: datetime
    tables: Mapping[str, TableSpec]
    has_events: bool = True

    def daily(self, span: Span) -> str:
        """daily_metrics of every day of the span."""
        return self._closed(self.days(span), f"select * from days where date >= {span.first}")

    def weekly(self, span: Span) -> str:
        """weekly_metrics of the weeks that overlap the span."""
        return self._rollup(span, "weekly_metrics", self._week_of(span.first), self._end_of_week(span.end))

    def monthly(self, span: Span) -> str:
        """monthly_metrics of the months that overlap the span; the first is the one the partitions begin with."""
        return self._rollup(span, "monthly_metrics", self._month_of(span.first), self._end_of_month(span.end))

    def compared(self, since: str, until: str, first: str, end: str, *, is_narrowed: bool = False) -> str:
        """The numbers of periods that had ended at `since` and overlap [first, end), as known then and at `until`.

        is_narrowed: only those of $workspace, a parameter of the statement; null is all.
        """
        over = f"utc_day({since})"
        days_end = f"least({over}, greatest({self._end_of_week(end)}, {self._end_of_month(end)}))"
        earliest = f"greatest(least({self._week_of(first)}, {self._month_of(first)}), {literal(self.first_day)})"
        sides = [
            (name, self._numbers(Span(at, earliest, days_end)))
            for name, at in (("numbers_then", since), ("numbers_now", until))
        ]
        pairs = bound("as_of/compared.sql", {"since": since, "first": first, "end": end})
        asked = " where $workspace is null or workspace_id = $workspace" if is_narrowed else ""
        return chained(sides, f"select * from ({pairs}) as pairs{asked}")

    def restatements(self, since: str, until: str, first: str, end: str, compared: str | None = None) -> str:
        """The numbers of `compared` that are not the same, and who brought the readings behind the change.

        compared: the name of a relation that holds them already.
        """
        given = f"select * from {compared}" if compared else self.compared(since, until, first, end)
        terms = {
            "since": since,
            "until": until,
            "lookback_days": str(self.settings.counter_lookback_days),
            "carry_days": str(self.settings.level_carry_days),
            "reads_first": f"{first} - {self.settings.counter_lookback_days + 31}",
            "reads_end": f"utc_day({until}) + 1",
        }
        parts = [("compared", given), ("metric_inputs", bound("as_of/metric_inputs.sql", {}))]
        return chained(parts, f"select * from ({bound('as_of/restatements.sql', terms)}) as changes")

    @property
    def first_day(self) -> date:
        """The first day that has a partition."""
        return self.start.week(self.settings.week_start_index)

    @property
    def _oldest_events(self) -> date:
        return self.now.date() - timedelta(days=self.settings.events_days)

    def _numbers(self, span: Span) -> str:
        weeks = self._periods(span, "weekly_metrics", self._week_of(span.first), self._end_of_week(span.end))
        months = self._periods(span, "monthly_metrics", self._month_of(span.first), self._end_of_month(span.end))
        parts = [*self.days(span), ("week_rows", weeks), ("month_rows", months)]
        return self._closed(parts, f"select * from ({bound('as_of/numbers.sql', {})}) as numbers")

    def _rollup(self, span: Span, table: str, first: str, end: str) -> str:
        """The periods from the one that begins on `first`, built from their days and those of the one before."""
        before = f"cast({first} - interval 1 month as date)" if table == "monthly_metrics" else f"{first} - 7"
        days = Span(span.at, f"greatest({before}, {literal(self.first_day)})", f"least({end}, {_day_after(span.at)})")
        periods = self._periods(span, table, first, end)
        return self._closed(self.days(days), f"select * from ({periods}) as periods")

    def _periods(self, span: Span, table: str, first: str, end: str) -> str:
        """Weeks or months from the relation `days`, those of content only where all their events are kept."""
        is_month = table == "monthly_metrics"
        oldest = self._oldest_events
        whole = (
            next_month(oldest - timedelta(days=1))
            if is_month
            else week_start_of(oldest + timedelta(days=6), self.settings.week_start_index)
        )
        terms = {
            "now": span.at,
            "first_period": first,
            "end": end,
            "first_weekday": str(self.settings.week_start_index),
            "first": f"cast({first} - interval 1 month as date)" if is_month else f"{first} - 7",
            "window": "'P1M'" if is_month else "'P7D'",
            "viewers_from": literal(oldest),
        }
        parts = [
            ("daily_metrics", f"select * from days where platform <> 'app' or date >= {literal(whole)}"),
            ("periods", bound(f"as_of/{'months' if is_month else 'weeks'}.sql", terms)),
            ("calendar", bound("as_of/calendar.sql", terms)),
        ]
        column = "month_start" if is_month else "week_start"
        kept = f"greatest({first}, {literal(self.start.month)})" if is_month else first
        last = f"select * from ({bound(f'rollups/{table}.sql', terms)}) as periods where {column} >= {kept}"
        return chained(parts, last)

    def days(self, span: Span) -> Parts:
        """Relations up to `days`: daily_metrics of the span, and of the days before it that a carried level needs."""
        first = f"greatest({span.first} - {self.settings.level_carry_days}, {literal(self.first_day)})"
        lookback = f"{first} - {self.settings.counter_lookback_days}"
        counted = f"greatest({span.first}, {literal(self._oldest_events)})"
        terms = {
            "as_of": span.at,
            "now": span.at,
            "start": first,
            "end": span.end,
            "first": lookback,
            "lookback": lookback,
            "lookback_days": str(self.settings.counter_lookback_days),
            "carry_days": str(self.settings.level_carry_days),
            "lateness_days": str(self.settings.event_lateness_days),
            "viewers_from": literal(self._oldest_events),
        }
        inputs = ("insight_readings", "counter_readings", "posts", "collection_status")
        columns = ", ".join(f'"{c.name}"' for c in DAILY_METRICS.columns)
        of_content = ("content", "creator") if self.has_events else ()
        return [
            *((name, bound(f"as_of/{name}.sql", terms)) for name in inputs),
            ("post_rows", bound("daily/post.sql", {**terms, "level": "'post'"})),
            ("account_rows", _over("post_rows", "daily/account.sql", {**terms, "level": "'account'"})),
            *(self._content(Span(span.at, counted, span.end)) if self.has_events else ()),
            (
                "workspace_rows",
                _over("account_rows", "daily/workspace.sql", {**terms, "start": span.first, "level": "'workspace'"}),
            ),
            *(
                (f"{kind}_rows", bound(f"daily/{kind}.sql", {**terms, "start": counted, "level": f"'{kind}'"}))
                for kind in of_content
            ),
            (
                "days",
                " union all ".join(
                    f"select {columns} from {kind}_rows where date >= {span.first} and date < {span.end}"
                    for kind in ("post", "account", "workspace", *of_content)
                ),
            ),
        ]

    def _content(self, span: Span) -> Parts:
        """content_daily and viewer_days of the span, counted from the events that had been received."""
        look_ahead = f"day_start({span.end}) + hours({self.settings.view_max_hours})"
        last_day = f"utc_day({look_ahead} - interval 1 microsecond) + 1"
        days = {"first": span.first, "end": last_day, "as_of": span.at}
        terms = {
            "start": f"day_start({span.first})",
            "end": f"day_start({span.end})",
            "look_ahead": look_ahead,
            "first_day": span.first,
            "end_day": span.end,
            "last_day": last_day,
            "view_max_hours": str(self.settings.view_max_hours),
        }
        steps = {"counted_events": "content/events_once.sql"}
        names = ("content_numbers", "session_views", "tangled_views", "followed_views", "content_hours", "content_days")
        steps |= {name: f"content/{name}.sql" for name in (*names, "viewers", "content_daily", "viewer_days")}
        return [
            ("events", bound("as_of/events.sql", days)),
            ("built_hours", bound("as_of/built_hours.sql", {"first": span.first, "end": span.end})),
            *((name, bound(file, terms)) for name, file in steps.items()),
        ]

    def _closed(self, parts: Parts, last: str) -> str:
        """The statement, with every lake table empty of which nobody knows what it was then."""
        empty = [(name, _no_rows(self.tables[name])) for name in self.left_out(parts, last)]
        return chained([*empty, *parts], last)

    def left_out(self, parts: Parts, last: str = "") -> list[str]:
        """Lake tables that the statements read and that no part hides: what they held then is not known."""
        made = {name for name, _ in parts}
        read = names_in(" ".join([last, *(statement for _, statement in parts)]), self.tables)
        return sorted(read - made - _KNOWN)

    def _week_of(self, day: str) -> str:
        return f"({day} - cast((iso_weekday({day}) + 6 - {self.settings.week_start_index}) % 7 as integer))"

    def _end_of_week(self, end: str) -> str:
        return f"({self._week_of(f'({end} - 1)')} + 7)"

    def _month_of(self, day: str) -> str:
        return f"cast(date_trunc('month', {day}) as date)"

    def _end_of_month(self, end: str) -> str:
        return f"cast({self._month_of(f'({end} - 1)')} + interval 1 month as date)"


def _no_rows(spec: TableSpec) -> str:
    """The columns of a table and nothing in them, also where the table itself is not attached."""
    columns = (f'cast(null as {c.sql_type}) as "{c.name}"' for c in spec.columns)
    return f"select {', '.join(columns)} where false"


def _over(relation: str, file: str, terms: Terms) -> str:
    """A statement that reads another relation as daily_metrics."""
    return chained([("daily_metrics", f"select * from {relation}")], f"select * from ({bound(file, terms)}) as rows")


def _day_after(at: str) -> str:
    """The first day that has not begun at an instant; midnight still belongs to the day that ends."""
    return f"(utc_day({at} - interval 1 microsecond) + 1)"
