"""Runs a question: the points of an entity's series, what they come to together, and what that is compared with."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.api.reading.question import Question
from metrics_pipeline.api.reading.times import Span
from metrics_pipeline.connection import READ_AS_OF, AsOf
from metrics_pipeline.lake.connect import read_statement
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter, Session
from metrics_pipeline.periods import Period, relations_of
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY

MOST_POINTS = 10_000
Row = dict[str, Any]

_POINTS_FROM = {"week": "weekly_metrics", "month": "monthly_metrics"}
_SERIES = ("metric", "platform", "account_id")
# What single metrics of an own span need: distinct people are counted anew, never summed.
_PEOPLE = {"viewer_days": "unique_viewers", "app_messages": "contacts_active"}


class SeriesReader:
    """Answers questions from the newest known versions of the tables."""

    def __init__(self, reads: ReadConnection, settings: Settings) -> None:
        self._reads = reads
        self._settings = settings

    def generation(self, question: Question, *, with_accounts: bool = False) -> str:
        """Changes whenever a file that an answer would be read from does, and not with other days."""
        tables = self._reads.tables
        if question.as_of is not None:
            return tables.generation(dict.fromkeys(READ_AS_OF))
        return tables.generation(_read(question, with_accounts))

    def series_and_totals(self, question: Question, now: datetime) -> tuple[list[Row], list[Row]]:
        """A row for each series: metric, platform, account_id; `points`, a JSON list; and what the points have in
        common: is_complete, approximate, last_read_at. And what the days of each come to together: none where it is
        answered by the hour.

        Raises:
            LakeUnavailable: a table cannot be read.
            Problem: 400, there would be too many points.
        """
        with self.session(question) as session:
            return self.series_and_totals_in(session, question, now)

    def totals(self, question: Question, now: datetime) -> list[Row]:
        """What the days of each series come to together; none by the hour."""
        with self.session(question) as session:
            self._narrow(session, question)
            return self._totals(session, question, now)

    def points(self, question: Question, now: datetime) -> pa.Table:
        """The points as one flat table, in the order of their series."""
        with self.session(question) as session:
            self._narrow(session, question)
            ordered = f"select * from ({self._points(question)}) order by metric, platform, account_id, start"  # noqa: S608
            parameters = self._parameters(question, now)
            limited: pa.Table = session.run(f"{ordered} limit {MOST_POINTS + 1}", parameters).read_all()
        _refuse_too_many(limited.num_rows)
        return limited

    def _series(self, session: Session, question: Question, now: datetime) -> list[Row]:
        """The rows of the series."""
        self._narrow(session, question)
        points = self._points(question)
        parameters = self._parameters(question, now)
        named = [c for c in session.columns(points, parameters) if c[0] not in _SERIES]
        fields = ", ".join(f"'{name}': {_as_json(name, kind)}" for name, kind in named)
        rows = session.run(
            f"select {', '.join(_SERIES)}, json_list(list({{{fields}}} order by start)) as points, "  # noqa: S608
            "count(*) as length, bool_and(is_complete) as is_complete, bool_or(approximate) as approximate, "
            f"max(last_read_at) as last_read_at from ({points}) group by all order by all",
            parameters,
        ).read_all()
        found: list[Row] = rows.to_pylist()
        _refuse_too_many(sum(row["length"] for row in found))
        return found

    def series_and_totals_in(
        self, session: Session, question: Question, now: datetime, *, with_accounts: bool = False
    ) -> tuple[list[Row], list[Row]]:
        """As `series_and_totals`, in a session that knows the tables.

        with_accounts: of a workspace, also the totals of its accounts.
        """
        series = self._series(session, question, now)
        totals = [] if question.is_hourly else self._totals(session, question, now, with_accounts=with_accounts)
        return series, totals

    def session(self, question: Question, *, with_accounts: bool = False) -> AbstractContextManager[Session]:
        """A session that may read what a question needs, and the totals of a workspace's accounts."""
        if question.as_of is not None:
            compared = question.span.compared(question.compare, question.granularity) or question.span
            first = min(compared.first, question.span.first)
            return self._reads.known_session(self._settings, AsOf(question.as_of, first, question.span.end))
        read = _read(question, with_accounts)
        return self._reads.session(*read, only=read)

    def _narrow(self, session: Session, question: Question) -> None:
        """Read the entity's days once: both its points and its totals are made of them."""
        if not question.is_hourly:
            parameters = self._parameters(question, None)
            session.narrow("daily_metrics", read_statement("api/entity_days.sql"), parameters)

    def _points(self, question: Question) -> str:
        return read_statement(f"api/points_{'hour' if question.is_hourly else question.granularity}.sql")

    def _totals(self, session: Session, question: Question, now: datetime, *, with_accounts: bool = False) -> list[Row]:
        span, compared = question.span, question.span.compared(question.compare, question.granularity)
        people = _people_of(question)
        parameters = self._parameters(question, now)
        for name in people:
            mine = f"select * from {name} where workspace_id = $workspace_id"  # noqa: S608 - names of ours
            session.narrow(name, mine, parameters)
        # values of the platforms' own windows belong to calendar weeks and months: see the points of those
        session.leave_out("insight_readings", *(_PEOPLE.keys() - set(people)))
        window = Period(span.first, span.end, span.first - DAY if compared is None else compared.first)
        before = [] if compared is None else [Period(compared.first, compared.end, compared.first - DAY)]
        today = now.astimezone(UTC).date()
        for name, relation in relations_of([*before, window], before, today, self._settings.week_start_index).items():
            session.register(name, relation)
        file = "api/totals.sql" if compared is None else "api/compared_totals.sql"
        parameters |= {
            "with_accounts": with_accounts,
            "window": "none",
            "first": span.first if compared is None else compared.first,
            "viewers_from": today - self._settings.events_days * DAY,
        }
        found: list[Row] = session.run_file(file, parameters).read_all().to_pylist()
        return found

    def _parameters(self, question: Question, now: datetime | None) -> dict[str, Parameter]:
        span = question.span
        compared = span.compared(question.compare, question.granularity) or Span(span.first, span.first)
        found: dict[str, Parameter] = {
            "workspace_id": question.workspace_id,
            "level": question.level,
            "entity_id": question.entity_id,
            "account_id": question.account_id,
            "first": span.first,
            "end": span.end,
            "compared_first": compared.first,
            "compared_end": compared.end,
            "metrics": ",".join(question.metrics),
            "platforms": ",".join(question.platforms),
        }
        if question.is_hourly:
            zone = ZoneInfo(question.timezone)
            found |= {
                "first": span.first - DAY,
                "end": span.end + DAY,
                "from": _midnight(span.first, zone),
                "until": _midnight(span.end, zone),
                "granularity": question.granularity,
                "timezone": question.timezone,
                "now": now,
                "lateness_days": self._settings.event_lateness_days,
            }
        return found


def _read(question: Question, with_accounts: bool) -> dict[str, Partitions]:
    """The tables that are read, and of which days."""
    span = question.span
    if question.is_hourly:
        return {"content_hourly": Partitions(between=("date", span.first - DAY, span.end + DAY))}
    compared = span.compared(question.compare, question.granularity) or span
    first = min(compared.first, span.first)
    read = {"daily_metrics": _days_of_levels(question, first, with_accounts)}
    if question.granularity != "day":
        read[_POINTS_FROM[question.granularity]] = Partitions(
            between=(f"{question.granularity}_start", span.first, span.end)
        )
    return read | {name: Partitions(between=("date", first, span.end)) for name in _people_of(question)}


def _days_of_levels(question: Question, first: date, with_accounts: bool) -> Partitions:
    """Partitions of daily_metrics with the entity's rows and, where they count, those of a workspace's accounts.

    Growth of a workspace's levels is judged over the accounts that both spans have.
    """
    is_over_accounts = question.level == "workspace" and (with_accounts or question.compare != "none")
    levels = (question.level, "account") if is_over_accounts else (question.level,)
    return Partitions(among=("entity_type", levels), between=("date", first, question.span.end))


def _people_of(question: Question) -> list[str]:
    """Tables of persons that have to be read, because distinct people are asked for by name."""
    if question.as_of is not None or question.is_hourly:
        return []
    return [name for name, metric in _PEOPLE.items() if metric in question.metrics]


def _as_json(name: str, kind: str) -> str:
    """A column as JSON has it: instants in ISO form, a breakdown as the list that it is."""
    if kind.upper().startswith("TIMESTAMP"):
        return f'instant_text("{name}")'
    return f'cast("{name}" as json)' if name == "weekly_breakdown" else f'"{name}"'


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _refuse_too_many(points: int) -> None:
    if points > MOST_POINTS:
        raise Problem(
            400, "too_many_points", f"More than {MOST_POINTS} points; ask for fewer metrics, a shorter span or weeks."
        )
