"""LinkedIn's statistics: totals per post, and buckets per day or month, counted from the posts of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from metrics_pipeline.sandbox.calls import Body, Call
from metrics_pipeline.sandbox.linkedin_errors import bad_request
from metrics_pipeline.sandbox.linkedin_posts import ORGANIZATION, PLATFORM, find_post
from metrics_pipeline.sandbox.linkedin_query import intervals, urn_list
from metrics_pipeline.sandbox.reach import people
from metrics_pipeline.sandbox.series import LINKEDIN_SETTLING, follower_changes, increments
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import DAY_SECONDS, UTC_ZONE, day_of, day_start

_COUNTS: Mapping[str, str] = {
    "impressionCount": "views",
    "clickCount": "clicks",
    "likeCount": "likes",
    "commentCount": "comments",
    "shareCount": "shares",
}
_KEPT_DAYS = 365
_LONGEST_DAYS = 425  # 14 months
_PAGE_SECTIONS = ("overviewPageViews", "aboutPageViews", "jobsPageViews")
_TOO_SHORT = "End time must be greater than start time by at least one multiple of the granularity type"


def share_statistics(call: Call, account: AccountWorld, given: Mapping[str, str]) -> list[Body]:
    """Totals of posts, buckets of the page, or the page's total."""
    posts = [("share", urn_list(given, "shares")), ("ugcPost", urn_list(given, "ugcPosts"))]
    if any(urns is not None for _, urns in posts):
        found = (_post_total(call, account, kind, urn) for kind, urns in posts for urn in urns or [])
        return [element for element in found if element is not None]
    spans = _spans(call, account, given)
    entity = {"organizationalEntity": f"{ORGANIZATION}{account.external_id}"}
    if spans is None:
        counts = {name: account.total(counter, call.at) for name, counter in _COUNTS.items()}
        return [entity | {"totalShareStatistics": _with_rates(call, account, counts)}]
    return [
        entity
        | {
            "timeRange": _range(span),
            "totalShareStatistics": _with_rates(call, account, _bucket(call, account, _COUNTS, span)),
        }
        for span in spans
    ]


def page_statistics(call: Call, account: AccountWorld, given: Mapping[str, str]) -> list[Body]:
    """Views of the page by bucket; every section's views are part of the total."""
    elements: list[Body] = []
    for span in _spans(call, account, given) or []:
        views = _bucket(call, account, {"pageViews": "profile_visits"}, span)["pageViews"]
        counts = {"pageViews": views, "uniquePageViews": people(views, account.audience)}
        sections = {name: {"pageViews": views // (n + 3)} for n, name in enumerate(_PAGE_SECTIONS)}
        shown: Body = _without_refused(call, account, counts)
        elements.append(
            {
                "organization": f"{ORGANIZATION}{account.external_id}",
                "timeRange": _range(span),
                "totalPageStatistics": {
                    "clicks": {"careersPageClicks": {"careersPageJobsClicks": 0}},
                    "views": {"allPageViews": shown, **sections},
                },
            }
        )
    return elements


def follower_statistics(call: Call, account: AccountWorld, given: Mapping[str, str]) -> list[Body]:
    """Followers won less lost by bucket; nothing here is paid for."""
    elements: list[Body] = []
    for start, end in _spans(call, account, given) or []:
        gained, lost = follower_changes(account, [start, end], call.at, LINKEDIN_SETTLING)[0]
        gains = {"organicFollowerGain": gained - lost, "paidFollowerGain": 0}
        elements.append(
            {
                "organizationalEntity": f"{ORGANIZATION}{account.external_id}",
                "timeRange": _range((start, end)),
                "followerGains": _without_refused(call, account, gains),
            }
        )
    return elements


def _post_total(call: Call, account: AccountWorld, kind: str, urn: str) -> Body | None:
    """A post's totals; None for another page's, another kind's, an old or a gone post, and one without activity."""
    found = find_post(call, urn)
    if found is None or found[0] is not account or not urn.startswith(f"urn:li:{kind}:"):
        return None
    post = found[1]
    counts = {name: account.counter(post, counter, call.at) for name, counter in _COUNTS.items()}
    if not any(counts.values()) or post.published < call.at - _KEPT_DAYS * DAY_SECONDS:
        return None
    statistics = dict(_with_rates(call, account, counts))
    if post.hides_likes:  # some posts have no number of people
        statistics.pop("uniqueImpressionsCount", None)
    entity = f"{ORGANIZATION}{account.external_id}"
    return {"organizationalEntity": entity, kind: urn, "totalShareStatistics": statistics}


def _with_rates(call: Call, account: AccountWorld, counts: Mapping[str, int]) -> Body:
    impressions = counts["impressionCount"]
    interactions = sum(counts.values()) - impressions
    rates: dict[str, float] = {
        "uniqueImpressionsCount": people(impressions, account.audience),
        "engagement": interactions / impressions if impressions else 0,
    }
    return _without_refused(call, account, {**counts, **rates})


def _without_refused(call: Call, account: AccountWorld, numbers: Mapping[str, float]) -> Body:
    refused = call.faults.names(PLATFORM, account.external_id)
    return {name: value for name, value in numbers.items() if name not in refused}


def _bucket(call: Call, account: AccountWorld, counters: Mapping[str, str], span: tuple[int, int]) -> dict[str, int]:
    """Counts by name over one bucket, restated days included."""
    days = range(span[0], span[1] + 1, DAY_SECONDS)
    posts = account.active_posts(span[0], min(span[1], call.at))
    table = increments(account, posts, list(counters.values()), list(days), call.at, LINKEDIN_SETTLING)
    factors = call.faults.restated(PLATFORM, account.external_id, call.at)
    counts: dict[str, int] = {}
    for name, counter in counters.items():
        by_day = table[counter].sum(axis=0)
        counts[name] = sum(
            round(int(value) * factors.get(day_of(start, UTC_ZONE), 1.0))
            for start, value in zip(days, by_day, strict=False)
        )
    return counts


def _spans(call: Call, account: AccountWorld, given: Mapping[str, str]) -> list[tuple[int, int]] | None:
    """The buckets asked, as far as they are kept; None where no time was given.

    Raises:
        RefusedError: the span is too short or too long, or touches the running day on one of its moody days.
    """
    asked = intervals(given)
    if asked is None:
        return None
    start, end, granularity = asked
    first, last = day_of(start, UTC_ZONE), day_of(end - 1, UTC_ZONE)
    buckets = _buckets(first, last, granularity)
    if end <= start or not buckets:
        raise bad_request(f"Invalid timeIntervals parameter. {_TOO_SHORT}")
    if end - start > _LONGEST_DAYS * DAY_SECONDS:
        raise bad_request("Start time and end time must be less than 14 months apart")
    today = day_start(day_of(call.at, UTC_ZONE), UTC_ZONE)
    if end > today and account.luck("today", today) < 0.5:
        raise bad_request("Invalid timeIntervals parameter. The time range is not available yet")
    oldest = max(today - _KEPT_DAYS * DAY_SECONDS, account.created)
    return [span for span in buckets if oldest <= span[0] < call.at]


def _buckets(first: date, last: date, granularity: str) -> Sequence[tuple[int, int]]:
    """Whole days, or whole months inside first..last."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if granularity == "DAY":
        return [(day_start(day, UTC_ZONE), day_start(day + timedelta(days=1), UTC_ZONE)) for day in days]
    ends = [day for day in days if (day + timedelta(days=1)).day == 1 and day.replace(day=1) >= first]
    return [(day_start(d.replace(day=1), UTC_ZONE), day_start(d + timedelta(days=1), UTC_ZONE)) for d in ends]


def _range(span: tuple[int, int]) -> Body:
    return {"start": span[0] * 1000, "end": span[1] * 1000}
