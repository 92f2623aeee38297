"""Series as an answer: what it says, for how long it may be kept, and as which bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline.api.reading.formats import JSON, Raw, envelope, rows_as
from metrics_pipeline.api.reading.question import Question
from metrics_pipeline.api.reading.series import Row, SeriesReader
from metrics_pipeline.catalog.loader import catalog

# Platforms restate for some days: before that an answer about a closed span is kept for an hour, not for a day.
RESTATED_FOR = timedelta(days=8)
_KEY = ("metric", "platform", "account_id")
_NOT_OF_TOTALS = (*_KEY, "entity_type", "entity_id")


def tier_of(question: Question, now: datetime) -> Tier:
    """How long an answer may be kept, by the end of its span."""
    today = now.astimezone(UTC).date()
    if question.as_of is not None:
        return Tier.AGGREGATE
    if question.span.end <= today - RESTATED_FOR:
        return Tier.CLOSED
    if question.span.end <= today:
        return Tier.AGGREGATE
    return Tier.LIVE if question.granularity == "hour" else Tier.DASHBOARD


def series_body(
    reader: SeriesReader, question: Question, now: datetime, media_type: str, exists: Callable[[], None]
) -> bytes:
    """The answer to a question. `exists` is called where nothing was found, and raises Problem 404 for what is not.

    Raises:
        Problem, LakeUnavailable: as SeriesReader does.
    """
    if media_type != JSON:
        rows = reader.points(question, now)
        if not rows.num_rows:
            exists()
        return rows_as(media_type, rows)
    series, totals = reader.series_and_totals(question, now)
    if not series:
        exists()
    return envelope(
        {
            "entity": {
                "type": question.level,
                "id": question.entity_id,
                "workspace_id": question.workspace_id,
            },
            "series": described(series, totals),
        },
        meta_of(question, series, totals, tier_of(question, now)),
    )


def described(series: Sequence[Row], totals: Sequence[Row]) -> list[dict[str, object]]:
    """Series with what the catalogue says of their metrics."""
    by_key = {tuple(row[name] for name in _KEY): row for row in totals}
    return [
        {
            **{name: row[name] for name in _KEY},
            **metric_facts(row["metric"]),
            "data_through": row["last_read_at"],
            "is_complete": row["is_complete"],
            "total": _without_key(by_key.get(tuple(row[name] for name in _KEY))),
            "points": Raw(row["points"]),
        }
        for row in series
    ]


def metric_facts(name: str) -> dict[str, object]:
    """Label, unit and additivity; a metric that left the catalogue is known by its name."""
    metric = catalog().metrics.get(name)
    if metric is None:
        return {"label": name, "unit": "count", "additivity": "unknown"}
    return {"label": metric.label, "unit": metric.unit, "additivity": metric.additivity}


def meta_of(question: Question, series: Sequence[Row], totals: Sequence[Row], tier: Tier) -> dict[str, object]:
    """What the numbers rest on."""
    compared = question.span.compared(question.compare, question.granularity)
    read = [row["last_read_at"] for row in series if row["last_read_at"] is not None]
    whole: Sequence[Mapping[str, object]] = totals or series
    return {
        "start": question.span.first,
        "end": question.span.end,
        "timezone": question.timezone,
        "granularity": question.granularity,
        "compared_start": None if compared is None else compared.first,
        "compared_end": None if compared is None else compared.end,
        "as_of": question.as_of,
        "data_through": max(read, default=None),
        "complete": bool(whole) and all(row["is_complete"] for row in whole),
        "approximate": any(row["approximate"] for row in series),
        "cache": tier.value,
    }


def _without_key(row: Row | None) -> dict[str, object] | None:
    return None if row is None else {name: value for name, value in row.items() if name not in _NOT_OF_TOTALS}
