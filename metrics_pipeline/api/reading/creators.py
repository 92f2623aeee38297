"""What a creator's content came to in a span: totals, averages per item, the best items, where views came from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.api.reading.formats import envelope
from metrics_pipeline.api.reading.lists import top_performing_in
from metrics_pipeline.api.reading.question import Question
from metrics_pipeline.api.reading.series import Row, SeriesReader
from metrics_pipeline.api.reading.series_answers import metric_facts
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter

TOP = 5
# What the catalogue has of creators; unique viewers of the span are counted anew.
METRICS = (
    "average_watch_time", "comments", "completion_rate", "engagement", "engagement_rate", "follows", "impressions",
    "likes", "rewatches", "saves", "share_rate", "shares", "unfollows", "unique_viewers", "views", "watch_time_seconds",
)  # fmt: skip
_IMPLIED = ("entity_type", "entity_id", "platform", "account_id")
_READ = ("content", "content_daily", "content_metrics", "content_audience_daily")


def creator_generation(reads: ReadConnection, series: SeriesReader, question: Question) -> str:
    """Changes whenever a file that the answer would be read from does."""
    wanted: dict[str, Partitions | None] = dict.fromkeys(_READ)
    wanted |= reads.within((question.span.first, question.span.end), *_READ)
    return f"{series.generation(question)}.{reads.tables.generation(wanted)}"


def creator_body(reads: ReadConnection, series: SeriesReader, question: Question, now: datetime, tier: Tier) -> bytes:
    """The answer, also for a creator of whom nothing is known in the span."""
    totals = series.totals(question, now)
    first, end = question.span.first, question.span.end
    with reads.session(*_READ, only=reads.within((first, end), *_READ)) as session:
        best = top_performing_in(question.workspace_id, question.entity_id, "views", question.span)
        top, _ = best.page_in(session, TOP, None)
        asked: dict[str, Parameter] = {
            "workspace_id": question.workspace_id,
            "entity_id": question.entity_id,
            "first": first,
            "end": end,
        }
        countries: list[Row] = session.run_file("api/creator_countries.sql", asked).read_all().to_pylist()
        [counted] = session.run_file("api/creator_items.sql", asked).read_all().to_pylist()
    items = int(counted["contents"])
    compared = question.span.compared(question.compare, question.granularity)
    data = {
        "creator_id": question.entity_id,
        "workspace_id": question.workspace_id,
        "contents": items,
        "totals": [{**_described(row, items)} for row in totals],
        "top_content": top,
        "top_countries": countries,
    }
    meta = {
        "start": first,
        "end": end,
        "compared_start": None if compared is None else compared.first,
        "compared_end": None if compared is None else compared.end,
        "data_through": max((row["last_read_at"] for row in totals if row["last_read_at"]), default=None),
        "complete": bool(totals) and all(row["is_complete"] for row in totals),
        "approximate": any(row["approximate"] for row in totals),
        "cache": tier.value,
    }
    return envelope(data, meta)


def _described(row: Row, items: int) -> dict[str, Any]:
    facts = metric_facts(row["metric"])
    is_sum = facts["additivity"] == "additive" and row["value"] is not None and items > 0
    kept = {name: value for name, value in row.items() if name not in _IMPLIED}
    return {**kept, **facts, "per_item": row["value"] / items if is_sum else None}
