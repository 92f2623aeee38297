"""Runs a question: the points of an entity's series, what they come to together, and what that is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pyarrow as pa

from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.api.reading.question import Question
from metrics_pipeline.api.reading.times import Span
from metrics_pipeline.lake.connect import read_statement
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Days, Parameter, Session
from metrics_pipeline.periods import Period, relations_of
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY

MOST_POINTS = 10_000
_POINTS_FROM = {"day": "daily_metrics", "week": "weekly_metrics", "month": "monthly_metrics"}
# What only single metrics of an own span need: distinct people are counted anew, never summed.
_PEOPLE = {"viewer_days": "unique_viewers", "app_messages": "contacts_active"}


@dataclass(frozen=True)
class Answered:
    """points: rows in the order of their series. totals: a row for each series, None by the hour."""

    points: pa.Table
    totals: pa.Table | None


class SeriesReader:
    """Answers questions from the newest known versions of the tables."""

    def __init__(self, reads: ReadConnection, settings: Settings) -> None:
        self._reads = reads
        self._settings = settings

    def generation(self, question: Question) -> str:
        """Changes whenever a file that an answer would be read from does, and not with other days."""
        tables = self._reads.tables
        wanted: dict[str, Partitions | None] = {
            name: Partitions(between=(str(tables.lake.tables[name].day_column), *days))
            for name, days in self._read_days(question).items()
        }
        return tables.generation(wanted)

    def answer(self, question: Question, now: datetime) -> Answered:
        """Read it.

        Raises:
            LakeUnavailable: a table cannot be read.
            Problem: 400, the answer would have too many points.
        """
        read = self._read_days(question)
        with self._reads.session(*read, days=read) as session:
            return answer_in(session, question, now, self._settings)

    def _read_days(self, question: Question) -> dict[str, Days]:
        """The tables that are read, and of which days."""
        span = question.span
        if question.is_hourly:
            return {"content_hourly": (span.first - DAY, span.end + DAY)}
        compared = question.span.compared(question.compare, question.granularity)
        whole = (compared.first if compared is not None else span.first, span.end)
        read = {"daily_metrics": whole, _POINTS_FROM[question.granularity]: (span.first, span.end)}
        read["daily_metrics"] = whole
        return read | {name: whole for name in _people_of(question)}


def answer_in(session: Session, question: Question, now: datetime, settings: Settings) -> Answered:
    """Read it in a session that knows the tables, of whatever instant."""
    if question.is_hourly:
        return Answered(_points(session, "hour", question, _hourly(question, now, settings)), None)
    points = _points(session, question.granularity, question, {})
    return Answered(points, _totals(session, question, now, settings))


def _points(session: Session, file: str, question: Question, more: Mapping[str, Parameter]) -> pa.Table:
    statement = (
        f"select * from ({read_statement(f'api/points_{file}.sql')}) "  # noqa: S608 - a file of sql/
        f"order by metric, platform, account_id, start limit {MOST_POINTS + 1}"
    )
    rows = session.run(statement, {**_parameters(question), **more}).read_all()
    if rows.num_rows > MOST_POINTS:
        raise Problem(
            400, "too_many_points", f"More than {MOST_POINTS} points; ask for fewer metrics, a shorter span or weeks."
        )
    return rows


def _totals(session: Session, question: Question, now: datetime, settings: Settings) -> pa.Table:
    span, compared = question.span, question.span.compared(question.compare, question.granularity)
    other = compared or Span(span.first, span.first)
    parameters = _parameters(question)
    parameters |= {"compared_first": other.first, "compared_end": other.end}
    session.narrow("daily_metrics", read_statement("api/entity_days.sql"), parameters)
    people = _people_of(question)
    for name in people:
        session.narrow(
            name, f"select * from {name} where workspace_id = $workspace_id", parameters  # noqa: S608 - names of ours
        )
    session.leave_out("insight_readings", *(_PEOPLE.keys() - set(people)))
    window = Period(span.first, span.end, other.first)
    periods = [window] if compared is None else [Period(other.first, other.end, other.first - DAY), window]
    relations = relations_of(periods, periods[:-1], now.astimezone(UTC).date(), settings.week_start_index)
    for name, relation in relations.items():
        session.register(name, relation)
    own = {
        # values of the platforms' own windows belong to calendar weeks and months: see the points
        "window": "none",
        "first": other.first if compared is not None else span.first,
        "end": span.end,
        "viewers_from": now.astimezone(UTC).date() - settings.events_days * DAY,
    }
    file = "api/totals.sql" if compared is None else "api/compared_totals.sql"
    return session.run_file(file, {**parameters, **own}).read_all()


def _people_of(question: Question) -> list[str]:
    """Tables of persons that have to be read, because distinct people are asked for by name or all metrics are."""
    if question.as_of is not None or question.level not in ("workspace", "content", "creator"):
        return []
    return [name for name, metric in _PEOPLE.items() if metric in question.metrics]


def _parameters(question: Question) -> dict[str, Parameter]:
    return {
        "workspace_id": question.workspace_id,
        "level": question.level,
        "entity_id": question.entity_id,
        "account_id": question.account_id,
        "first": question.span.first,
        "end": question.span.end,
        "metrics": ",".join(question.metrics),
        "platforms": ",".join(question.platforms),
    }


def _hourly(question: Question, now: datetime, settings: Settings) -> dict[str, Parameter]:
    zone = ZoneInfo(question.timezone)
    return {
        "first": question.span.first - DAY,
        "end": question.span.end + DAY,
        "from": _midnight(question.span.first, zone),
        "until": _midnight(question.span.end, zone),
        "granularity": question.granularity,
        "timezone": question.timezone,
        "now": now,
        "lateness_days": settings.event_lateness_days,
    }


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
