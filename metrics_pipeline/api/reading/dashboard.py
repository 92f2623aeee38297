"""A workspace on one page: totals, series, accounts, the best posts and content, growth, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

from metrics_pipeline.api.reading.connection import SIDE_BY_SIDE, ReadConnection
from metrics_pipeline.api.reading.formats import envelope
from metrics_pipeline.api.reading.lists import top_performing_in, trending_in
from metrics_pipeline.api.reading.question import Question
from metrics_pipeline.api.reading.series import Row, SeriesReader
from metrics_pipeline.api.reading.series_answers import described, meta_of, metric_facts, tier_of
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter, Session
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, week_start_of

METRICS = (
    "clicks", "comments", "conversion_rate", "delivery_rate", "engagement", "engagement_rate", "follower_growth",
    "followers", "impressions", "likes", "messages_delivered", "messages_read", "messages_replied", "messages_sent",
    "posts_published", "read_rate", "reply_rate", "saves", "shares", "views", "watch_time_seconds",
)  # fmt: skip
TOP = 5
_COVERED_DAYS = 2
_SERIES = ("metric", "platform", "account_id")
_CONTENT = ("content", "content_metrics")


class Dashboard:
    """The bundle of one workspace and span."""

    def __init__(self, reads: ReadConnection, series: SeriesReader, settings: Settings) -> None:
        self._reads = reads
        self._series = series
        self._settings = settings
        self._halves = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="dashboard")

    def generation(self, question: Question, now: datetime) -> str:
        """Changes whenever a file that the bundle would be read from does."""
        wanted: dict[str, Partitions | None] = dict.fromkeys((*_CONTENT, "posts"))
        lists = self._reads.tables.generation(wanted | self._read(question, now))
        return f"{self._series.generation(question, with_accounts=True)}.{lists}"

    def body(self, question: Question, now: datetime) -> bytes:
        """The answer; `question` is one about the workspace.

        Raises:
            LakeUnavailable: a table cannot be read.
        """
        # half of the time goes into planning statements, which takes one core each
        beside = self._halves.submit(self._lists, question, now)
        series, totals = self._numbers(question, now)
        own = [row for row in totals if row["entity_type"] == "workspace"]
        data = {
            "workspace_id": question.workspace_id,
            "series": described(series, own),
            "accounts": _accounts(totals),
            **beside.result(),
        }
        return envelope(data, meta_of(question, series, own, tier_of(question, now)))

    def close(self) -> None:
        """Wait for what runs."""
        self._halves.shutdown()

    def _numbers(self, question: Question, now: datetime) -> tuple[list[Row], list[Row]]:
        with self._series.session(question, with_accounts=True) as session:
            return self._series.series_and_totals_in(session, question, now, with_accounts=True)

    def _lists(self, question: Question, now: datetime) -> dict[str, object]:
        read, week = self._read(question, now), self._full_week(now)
        with self._reads.session(*read, *_CONTENT, "posts", only=read) as session:
            posts = self._of_span(session, "api/dashboard_posts.sql", question)
            growth = self._of_span(session, "api/dashboard_growth.sql", question, week=week)
            coverage = self._of_span(session, "api/coverage.sql", question, **self._covered(now))
            content: list[Row] = []
            trending: list[Row] = []
            if self._reads.tables.has_rows("content_metrics"):  # not everybody sends events
                best = top_performing_in(question.workspace_id, "", "views", question.span)
                content, _ = best.page_in(session, TOP, None)
                trending, _ = trending_in(question.workspace_id).page_in(session, TOP, None)
        return {
            "growth": {"week_start": week, "metrics": [{**row, **_named(row["metric"])} for row in growth]},
            "top_posts": posts,
            "top_content": content,
            "trending": trending,
            "coverage": coverage,
        }

    def _read(self, question: Question, now: datetime) -> dict[str, Partitions]:
        """What the lists are read from, of tables that have days."""
        span, week, covered = question.span, self._full_week(now), self._covered(now)
        return {
            "daily_metrics": Partitions(equals={"entity_type": "post"}, between=("date", span.first, span.end)),
            "weekly_metrics": Partitions(between=("week_start", week, week + DAY)),
            "content_daily": Partitions(between=("date", span.first, span.end)),
            "collection_status": Partitions(between=("date", covered["start"], covered["end"])),
        }

    def _full_week(self, now: datetime) -> date:
        """The first day of the last week that is over."""
        return week_start_of(now.astimezone(UTC).date(), self._settings.week_start_index) - 7 * DAY

    def _covered(self, now: datetime) -> dict[str, date]:
        today = now.astimezone(UTC).date()
        return {"start": today - (_COVERED_DAYS - 1) * DAY, "end": today + DAY}

    def _of_span(self, session: Session, file: str, question: Question, **more: Parameter) -> list[Row]:
        parameters: dict[str, Parameter] = {
            "workspace_id": question.workspace_id,
            "first": question.span.first,
            "end": question.span.end,
            "metrics": ",".join(question.metrics),
            "platform": None,
        }
        rows: list[Row] = session.run_file(file, parameters | more).read_all().to_pylist()
        return rows


def _accounts(totals: Sequence[Row]) -> list[dict[str, Any]]:
    """What the span came to for each account of each platform, by metric."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in totals:
        if row["entity_type"] == "account":
            metrics = found.setdefault((row["platform"], row["entity_id"]), {})
            metrics[row["metric"]] = {
                name: value for name, value in row.items() if name not in (*_SERIES, "entity_type", "entity_id")
            }
    return [
        {"account_id": account_id, "platform": platform, "metrics": metrics}
        for (platform, account_id), metrics in sorted(found.items())
    ]


def _named(metric: str) -> dict[str, object]:
    facts = metric_facts(metric)
    return {"label": facts["label"], "unit": facts["unit"]}
