"""Random histories of readings: gaps, restatements read later, counters that fall, imports, failed attempts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from metrics_pipeline_tests.aggregation.readings import Row, World, counter, insight, post, status

FIRST = date(2026, 3, 2)  # a Monday
DAYS = 12
NOW = datetime(2026, 3, 20, tzinfo=UTC)
REDEFINED_FROM = FIRST + timedelta(days=7)

ACCOUNTS = (("acme", "instagram", "a"), ("acme", "instagram", "b"), ("acme", "x", "c"), ("globex", "youtube", "d"))
POSTS = (None, None, "p1", "p2")
SERIES = ("likes", "comments", "shares", "views", "engaged_views", "reach", "followers", "completion_rate")
GAUGES = ("followers", "following")
COUNTERS = {"views": "counter", "likes": "counter", "saves": "counter", "impressions": "counter"}
POST_COUNTERS = {**COUNTERS, "reach": "unique_counter"}
STATES = ("value", "zero", "failed", "not_permitted", "not_supported", "unknown")

_account = st.sampled_from(ACCOUNTS)
_day = st.integers(0, DAYS - 1)
_value = st.integers(0, 12)


def _place(account: tuple[str, str, str]) -> Row:
    workspace, platform, name = account
    return {"workspace_id": workspace, "platform": platform, "account_id": name}


@st.composite
def _insight(draw: st.DrawFn) -> Row:
    account, n, metric, post_id = (
        draw(_account),
        draw(_day),
        draw(st.sampled_from(SERIES)),
        draw(st.sampled_from(POSTS)),
    )
    measured = FIRST + timedelta(days=n)
    columns: Row = {"post_id": None if metric in ("followers", "completion_rate") else post_id}
    if metric == "followers" or draw(st.integers(0, 4)) == 0:
        columns["source"] = "import"
    if account[1] == "youtube":
        columns["day_timezone"] = "America/Los_Angeles"
    if metric == "views" and measured >= REDEFINED_FROM:
        columns["definition_version"] = 2
    number = draw(_value)
    value: float = number
    if metric == "completion_rate":
        value = number / 20
        columns |= {"numerator": float(number), "denominator": 20.0}
    return {**insight(metric, measured, value, read_at=_read(measured, draw)), **_place(account), **columns}


def _read(measured: date, draw: st.DrawFn) -> datetime:
    """From the middle of the day itself to four days later."""
    return datetime(measured.year, measured.month, measured.day, 12, tzinfo=UTC) + timedelta(
        hours=draw(st.sampled_from((0, 11, 12, 18, 20, 36, 84)))
    )


@st.composite
def _counter(draw: st.DrawFn) -> Row:
    account, post_id = draw(_account), draw(st.sampled_from(POSTS))
    hour = draw(st.sampled_from((0, 9, 23)))
    # now and then a reading from so long ago that it no longer counts as the one before
    n = draw(st.sampled_from((*range(DAYS), *range(DAYS), -30)))
    observed = datetime(FIRST.year, FIRST.month, FIRST.day, hour, 50, tzinfo=UTC) + timedelta(days=n)
    columns: Row = {}
    if post_id is None:
        metric = draw(st.sampled_from((*GAUGES, *GAUGES, "views")))
        kind = "gauge" if metric in GAUGES else "counter"
    else:
        metric = draw(st.sampled_from(tuple(POST_COUNTERS)))
        kind = POST_COUNTERS[metric]
        columns["post_id"] = post_id
    if metric == "views" and observed.date() >= REDEFINED_FROM:
        columns["definition_version"] = 2
    if draw(st.integers(0, 5)) == 0:
        columns["source"] = "import"
    return {**counter(metric, observed, draw(_value), kind=kind), **_place(account), **columns}


@st.composite
def _status(draw: st.DrawFn) -> Row:
    account, n = draw(_account), draw(_day)
    metric = draw(st.sampled_from(("followers", "likes", "views", "comments", "reach")))
    measured = FIRST + timedelta(days=n)
    read = datetime(measured.year, measured.month, measured.day, tzinfo=UTC) + timedelta(
        hours=draw(st.sampled_from((5, 23)))
    )
    state = draw(st.sampled_from(STATES))
    kind = draw(st.sampled_from(("counters", "insights")))
    row = status(metric, measured, state, reason=f"it was {state}", read_at=read, collection=kind)
    return {**row, **_place(account)}


@st.composite
def worlds(draw: st.DrawFn, size: int = 60) -> World:
    """A history of up to `size` rows of each kind; no two rows share a key."""
    insights = draw(st.lists(_insight(), min_size=size // 4, max_size=size, unique_by=_insight_key))
    counters = draw(st.lists(_counter(), min_size=size // 4, max_size=size, unique_by=_counter_key))
    statuses = draw(st.lists(_status(), max_size=size // 3, unique_by=_status_key))
    published = draw(st.lists(_day, min_size=8, max_size=8))
    names = [(a, p) for a in ACCOUNTS for p in ("p1", "p2")]
    start = datetime(FIRST.year, FIRST.month, FIRST.day, 8, tzinfo=UTC)
    posts = [{**post(p, start + timedelta(days=n)), **_place(a)} for (a, p), n in zip(names, published, strict=True)]
    return World(insights, counters, posts, statuses)


def _insight_key(r: Row) -> tuple[object, ...]:
    return tuple(r[c] for c in ("platform", "account_id", "post_id", "metric", "date", "source", "read_at"))


def _counter_key(r: Row) -> tuple[object, ...]:
    return tuple(r[c] for c in ("platform", "account_id", "post_id", "metric", "observed_at", "source"))


def _status_key(r: Row) -> tuple[object, ...]:
    return tuple(r[c] for c in ("platform", "account_id", "metric", "date", "collection"))
