"""Insights of an Instagram account: day series with `end_time`, and totals of an explicit window.

A series point's `end_time` is the end of the measured Pacific day (07:00 or 08:00 UTC), and a window holds the
points with since < end_time <= until. A total covers exactly the instants since <= t < until. Both are low while
younger than 48 hours, and the running day holds what has happened so far.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import invalid
from metrics_pipeline.sandbox.graph_paging import window_links
from metrics_pipeline.sandbox.graph_time import Span, insight_span
from metrics_pipeline.sandbox.instagram_audience import LIFETIME_METRICS, audience_insights
from metrics_pipeline.sandbox.instagram_numbers import follow_changes, window_total
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import DAY_SECONDS, PACIFIC, day_edges, day_of, day_start, iso

_PRODUCT, _FOLLOW, _BUTTON = "media_product_type", "follow_type", "contact_button_type"


@dataclass(frozen=True, slots=True)
class AccountMetric:
    """How an account metric may be asked: as a series, as a total, and by which breakdowns."""

    series: bool = False
    total: bool = True
    breakdowns: tuple[str, ...] = ()


METRICS: Mapping[str, AccountMetric] = {
    "reach": AccountMetric(series=True, breakdowns=(_PRODUCT, _FOLLOW)),
    "follower_count": AccountMetric(series=True, total=False),
    "views": AccountMetric(breakdowns=(_PRODUCT, _FOLLOW)),
    "accounts_engaged": AccountMetric(),
    "total_interactions": AccountMetric(breakdowns=(_PRODUCT,)),
    "likes": AccountMetric(breakdowns=(_PRODUCT,)),
    "comments": AccountMetric(breakdowns=(_PRODUCT,)),
    "saves": AccountMetric(breakdowns=(_PRODUCT,)),
    "shares": AccountMetric(breakdowns=(_PRODUCT,)),
    "replies": AccountMetric(),
    "reposts": AccountMetric(),
    "follows_and_unfollows": AccountMetric(breakdowns=(_FOLLOW,)),
    "profile_links_taps": AccountMetric(breakdowns=(_BUTTON,)),
    "profile_views": AccountMetric(),
    "website_clicks": AccountMetric(),
}
# Days a series point covers; only reach has the rolling ones.
_PERIODS: Mapping[str, int] = {"day": 1, "week": 7, "days_28": 28}
_MAX_DAYS = 30
_FOLLOWERS_NEEDED = 100
_FOLLOWER_COUNT_DAYS = 30


def account_insights(call: Call, account: AccountWorld) -> dict[str, object]:
    """The insights edge of an account. One metric that does not fit fails the whole request.

    Raises:
        RefusedError: a metric, period, metric_type, breakdown or window the platform does not accept.
    """
    names = call.listed("metric")
    if not names:
        raise invalid("The parameter metric is required")
    refused = call.faults.names("instagram", account.external_id)
    known = (set(METRICS) | set(LIFETIME_METRICS)) - refused
    for place, name in enumerate(names):
        if name not in known:
            raise invalid(f"metric[{place}] must be one of the following values: {', '.join(sorted(known))}")
    period = call.params.get("period", "")
    if any(name in LIFETIME_METRICS for name in names):
        return audience_insights(call, account, names)
    if period not in _PERIODS or (period != "day" and names != ["reach"]):
        raise invalid(f"The following metrics periods ({period}) are incompatible with the metrics: {','.join(names)}")
    span = insight_span(call, _MAX_DAYS)
    if _metric_type(call, names) == "total_value":
        if period != "day":
            raise invalid(f"The following metrics periods ({period}) are incompatible with metric_type=total_value")
        entries = _totals(call, account, names, span)
    else:
        entries = _series(call, account, names, span, period)
    return {"data": entries, "paging": window_links(call, span)}


def _metric_type(call: Call, names: Sequence[str]) -> str:
    chosen = call.params.get("metric_type", "time_series")
    if chosen not in ("time_series", "total_value"):
        raise invalid("metric_type must be one of the following values: time_series, total_value")
    total_only = [name for name in names if not METRICS[name].series]
    series_only = [name for name in names if not METRICS[name].total]
    if chosen == "time_series" and total_only:
        raise invalid(
            f"The following metrics ({', '.join(total_only)}) should be specified with parameter "
            "metric_type=total_value"
        )
    if chosen == "total_value" and series_only:
        raise invalid(f"The following metrics ({', '.join(series_only)}) do not support metric_type=total_value")
    breakdown = call.params.get("breakdown")
    if breakdown and (chosen == "time_series" or any(breakdown not in METRICS[name].breakdowns for name in names)):
        raise invalid(f"Incompatible breakdowns ({breakdown}) for the metrics requested")
    return chosen


def _series(
    call: Call, account: AccountWorld, names: Sequence[str], span: Span, period: str
) -> list[dict[str, object]]:
    first, last = day_of(span.since - 1, PACIFIC), day_of(min(span.until, call.at + 2 * DAY_SECONDS), PACIFIC)
    edges = day_edges(first, last, PACIFIC) if last >= first else []
    days = [
        (start, end)
        for start, end in itertools.pairwise(edges)
        if span.since < end <= span.until and start < call.at and end > account.created
    ]
    entries = []
    for name in names:
        if name == "follower_count":
            values = _new_followers(call, account, span, days)
            if values is None:
                continue
        else:
            values = []
            for start, end in days:
                begin = day_start(day_of(end - _PERIODS[period] * DAY_SECONDS + 7_200, PACIFIC), PACIFIC)
                total = window_total(call, account, "reach", begin if period != "day" else start, end)
                values.append({"value": total, "end_time": iso(end, "+0000")})
        entries.append(_entry(account, name, period) | {"values": values})
    return entries


def _new_followers(
    call: Call, account: AccountWorld, span: Span, days: Sequence[tuple[int, int]]
) -> list[dict[str, object]] | None:
    """Gross new followers a day; None below 100 followers."""
    today = day_of(call.at, PACIFIC)
    running = day_start(today, PACIFIC)
    if span.since < running - _FOLLOWER_COUNT_DAYS * DAY_SECONDS - DAY_SECONDS:
        raise invalid(
            "(follower_count) metric only supports querying data for the last 30 days excluding the current day"
        )
    if account.followers(call.at) < _FOLLOWERS_NEEDED:
        return None
    finished = [(start, end) for start, end in days if end <= running]
    return [
        {"value": follow_changes(call, account, start, end)[0], "end_time": iso(end, "+0000")}
        for start, end in finished
    ]


def _totals(call: Call, account: AccountWorld, names: Sequence[str], span: Span) -> list[dict[str, object]]:
    if span.since >= call.at:
        return []
    breakdown = call.params.get("breakdown")
    entries = []
    for name in names:
        if name == "follows_and_unfollows":
            # Without its breakdown the two opposite counts have no total; small accounts have none at all.
            if breakdown is None or account.followers(call.at) < _FOLLOWERS_NEEDED:
                continue
            gained, lost = follow_changes(call, account, span.since, span.until)
            value: dict[str, object] = {"breakdowns": [_parts(_FOLLOW, {"FOLLOWER": gained, "NON_FOLLOWER": lost})]}
        else:
            value = {"value": window_total(call, account, name, span.since, span.until)}
            if breakdown is not None:
                value["breakdowns"] = [_parts(breakdown, _split(call, account, name, breakdown, span))]
        entries.append(_entry(account, name, "day") | {"total_value": value})
    return entries


def _split(call: Call, account: AccountWorld, name: str, breakdown: str, span: Span) -> dict[str, int]:
    if breakdown == _PRODUCT:
        groups = {"POST": ("image", "carousel"), "REEL": ("reel",), "STORY": ("story",)}
        parts = {
            label: window_total(call, account, name, span.since, span.until, kinds) for label, kinds in groups.items()
        }
        return {label: count for label, count in parts.items() if count}
    total = window_total(call, account, name, span.since, span.until)
    if breakdown == _BUTTON:
        calls = int(total * 0.25)
        return {"CALL": calls, "EMAIL": total - calls}
    followers = int(total * 0.6)
    return {"FOLLOWER": followers, "NON_FOLLOWER": total - followers}


def _parts(breakdown: str, counts: Mapping[str, int]) -> dict[str, object]:
    results = [{"dimension_values": [label], "value": count} for label, count in counts.items()]
    return {"dimension_keys": [breakdown], "results": results}


def _entry(account: AccountWorld, name: str, period: str) -> dict[str, object]:
    return {
        "name": name,
        "period": period,
        "title": name.replace("_", " ").capitalize(),
        "description": f"{name.replace('_', ' ').capitalize()} of this account.",
        "id": f"{account.external_id}/insights/{name}/{period}",
    }
