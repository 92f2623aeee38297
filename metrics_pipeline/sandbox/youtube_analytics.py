"""YouTube Analytics reports: which queries exist, and their result tables.

Days are Pacific. A day appears 48 to 72 hours after its end, slightly low, and is final six days after it. A table
ends at the last day that is ready; days without anything are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.ids import exists
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.youtube_errors import WORDS, bad, google_error, missing, not_supported
from metrics_pipeline.sandbox.youtube_numbers import METRICS, Cell, last_ready_day, per_day, per_video
from metrics_pipeline.sandbox.youtube_owner import PLATFORM, token_owner

_MONEY = frozenset(
    {
        "estimatedRevenue",
        "estimatedAdRevenue",
        "grossRevenue",
        "cpm",
        "playbackBasedCpm",
        "monetizedPlaybacks",
        "adImpressions",
    }
)
_DIMENSIONS = ("", "day", "month", "video")
_MAX_VIDEOS_IN_FILTER = 500
_MAX_TOP_VIDEOS = 200


@dataclass(frozen=True, slots=True)
class Query:
    """A report that exists. videos None is the whole channel."""

    metrics: Sequence[str]
    dimension: str
    first: date
    last: date
    videos: Sequence[str] | None
    sort: Sequence[str]
    limit: int | None
    skip: int


def report(call: Call) -> dict[str, object]:
    """Answer `reports`.

    Raises:
        RefusedError: a parameter is missing, a metric is unknown or needs another scope, the combination of
            dimension, filter, sort and maxResults is not supported, or the channel is nobody's.
    """
    external_id = _channel(call)
    call.guard(WORDS, external_id)
    query = _query(call, external_id)
    account = call.world.account(PLATFORM, external_id, call.at) if exists(external_id) else None
    if account is None:
        raise google_error(403, "forbidden", "Forbidden")
    rows = _sorted(_rows(call, account, query), query)
    rows = rows[query.skip :][: query.limit] if query.limit is not None else rows[query.skip :]
    return {"kind": "youtubeAnalytics#resultTable", "columnHeaders": _headers(query), "rows": rows}


def _channel(call: Call) -> str:
    ids = call.params.get("ids")
    if not ids:
        raise missing("ids")
    kind, _, external_id = ids.partition("==")
    if kind != "channel" or not external_id:
        raise bad(f"Invalid value '{ids}' for parameter ids", "invalid")
    return token_owner(call) if external_id == "MINE" else external_id


def _query(call: Call, external_id: str) -> Query:
    metrics = call.listed("metrics")
    if not metrics:
        raise missing("metrics")
    refused = call.faults.names(PLATFORM, external_id)
    for name in metrics:
        if name in _MONEY:
            raise google_error(403, "forbidden", "Insufficient permission to access this report.")
        if name not in METRICS or name in refused:
            raise bad(f"Unknown identifier ({name}) given in field parameters.metrics.")
    dimension = call.params.get("dimensions", "")
    if dimension not in _DIMENSIONS:
        raise not_supported()
    first, last = _day(call, "startDate"), _day(call, "endDate")
    if last < first:
        raise bad(f"Invalid value for endDate: {last} is before startDate {first}", "invalid")
    if dimension == "month" and (first.day != 1 or last.day != 1):
        raise not_supported()
    sort, limit = call.listed("sort"), _number(call, "maxResults")
    if any(name.removeprefix("-") not in {*metrics, *([dimension] if dimension else [])} for name in sort):
        raise bad("Sort fields must be among the requested metrics and dimensions.")
    if dimension == "video" and (not sort or limit is None or not 1 <= limit <= _MAX_TOP_VIDEOS):
        raise not_supported()
    start_index = _number(call, "startIndex")
    if start_index is not None and (start_index < 1 or (dimension == "video" and start_index > 1)):
        raise not_supported()
    return Query(metrics, dimension, first, last, _videos(call), sort, limit, (start_index or 1) - 1)


def _day(call: Call, name: str) -> date:
    text = call.params.get(name)
    if not text:
        raise missing(name)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad(f"Invalid value '{text}' for parameter {name}", "invalid") from None


def _number(call: Call, name: str) -> int | None:
    text = call.params.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise bad(f"Invalid value '{text}' for parameter {name}", "invalid")
    return int(text)


def _videos(call: Call) -> Sequence[str] | None:
    text = call.params.get("filters", "")
    if not text:
        return None
    name, separator, values = text.partition("==")
    videos = [value for value in values.split(",") if value]
    if name != "video" or not separator or ";" in values or not videos:
        raise not_supported()
    if len(videos) > _MAX_VIDEOS_IN_FILTER:
        raise bad(f"A filter may name at most {_MAX_VIDEOS_IN_FILTER} videos.")
    return videos


def _rows(call: Call, account: AccountWorld, query: Query) -> list[list[Cell]]:
    last = query.last
    if query.dimension == "month":
        last = (last + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    last = min(last, last_ready_day(account, call.at))
    if last < query.first:
        return []
    if query.dimension == "video":
        return per_video(call, account, query.metrics, query.first, last, query.videos)
    return per_day(call, account, query.metrics, query.first, last, query.videos, query.dimension)


def _sorted(rows: list[list[Cell]], query: Query) -> list[list[Cell]]:
    columns = [*([query.dimension] if query.dimension else []), *query.metrics]
    for name in reversed(query.sort):
        place = columns.index(name.removeprefix("-"))
        if name.removeprefix("-") == query.dimension:
            rows.sort(key=lambda row, place=place: str(row[place]), reverse=name.startswith("-"))  # type: ignore[misc]
        else:
            rows.sort(key=lambda row, place=place: float(row[place]), reverse=name.startswith("-"))  # type: ignore[misc]
    return rows


def _headers(query: Query) -> list[Mapping[str, str]]:
    dimension = [{"name": query.dimension, "columnType": "DIMENSION", "dataType": "STRING"}] if query.dimension else []
    metrics = [{"name": name, "columnType": "METRIC", "dataType": METRICS[name]} for name in query.metrics]
    return [*dimension, *metrics]
