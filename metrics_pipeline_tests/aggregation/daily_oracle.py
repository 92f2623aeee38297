"""daily_metrics of posts and accounts by brute force, from raw reads: the rules of docs/metrics.md, day by day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline_tests.aggregation.day_rows import Day, state_of
from metrics_pipeline_tests.aggregation.measured_oracle import Entity, Measured, Moment, start_of
from metrics_pipeline_tests.aggregation.readings import World

PARTS = ("comments", "likes", "saves", "shares")


def post_days(world: World, catalog: Catalog, days: Iterable[date], moment: Moment) -> list[Day]:
    measured = Measured(world, catalog, moment)
    rows: list[Day] = []
    for day in days:
        base = [m for e, metric in measured.subjects("post") if (m := measured.value(e, metric, day))]
        rows += base + _derived(base, catalog, "post")
    return rows


def account_days(world: World, catalog: Catalog, days: Iterable[date], moment: Moment) -> list[Day]:
    measured = Measured(world, catalog, moment)
    days = list(days)
    posts = post_days(world, catalog, days, moment)
    rows: list[Day] = []
    for day in days:
        own = {_key(m): m for e, metric in measured.subjects("account") if (m := measured.value(e, metric, day))}
        sums = {_key(s): s for s in _post_sums([p for p in posts if p.date == day], catalog)}
        attempts = {_key(a): a for a in _attempts(world, day, moment)}
        base: list[Day] = []
        for key in own.keys() | sums.keys() | attempts.keys():
            ranked = [r[key] for r in (own, sums, attempts) if key in r]
            base.append(min(ranked, key=lambda r: r.value is None))
        base += [_follower_growth(f, measured) for f in base if f.metric == "followers"]
        base += _posts_published(world, day, moment)
        rows += [s for s in _stale(world, day, moment) if _key(s) not in {_key(b) for b in base}]
        derived = _derived(base, catalog, "account")
        rows += base + [_over_posts(d, base, [p for p in posts if p.date == day], catalog) for d in derived]
    return rows


def _over_posts(row: Day, base: list[Day], posts: list[Day], catalog: Catalog) -> Day:
    """A rate whose denominator is a sum of posts counts the posts that have both parts, and no others."""
    under = [b for b in base if _key(b) == (*_key(row)[:3], catalog.metrics[row.metric].denominator)]
    if not under or under[0].source != "posts":
        return row
    both = [p for p in posts if _key(p) == _key(row) and None not in (p.numerator, p.denominator)]
    row.numerator = sum(p.numerator or 0.0 for p in both) if both else None
    row.denominator = sum(p.denominator or 0.0 for p in both) if both else None
    row.value = row.numerator / row.denominator if row.numerator is not None and row.denominator else None
    if not both:
        row.state = "no_components"
    else:
        row.state = state_of(row.value) if row.value is not None else "insufficient_data"
    row.reason = f"over the {len(both)} posts that have both"
    return row


def _key(d: Day) -> tuple[str, str, str | None, str]:
    return d.workspace_id, d.platform, d.account_id, d.metric


def _post_sums(posts: list[Day], catalog: Catalog) -> list[Day]:
    rows = []
    for key in {_key(p) for p in posts}:
        metric = catalog.metrics[key[3]]
        group = [p for p in posts if _key(p) == key]
        values = [p.value for p in group if p.value is not None]
        if metric.additivity != "additive" or metric.derived or "account" not in metric.levels or not values:
            continue
        spans = [p.days_spanned for p in group if p.days_spanned]
        row = replace(group[0], entity_type="account", entity_id=str(key[2]), source="posts", lifetime_value=None)
        row.value, row.state, row.reason = sum(values), state_of(sum(values)), "sum of its posts"
        row.is_complete = len(values) == len(group) and all(p.is_complete for p in group)
        row.is_provisional = any(p.is_provisional for p in group)
        row.definition_version = max(p.definition_version for p in group)
        row.day_timezone = min(p.day_timezone for p in group)
        row.readings, row.readings_expected = sum(p.readings for p in group), sum(p.readings_expected for p in group)
        row.days_spanned = max(spans, default=None)
        row.entities_present, row.entities_expected = len(values), len(group)
        row.last_read_at = max(p.last_read_at for p in group if p.last_read_at)
        rows.append(row)
    return rows


def _attempts(world: World, day: date, moment: Moment) -> list[Day]:
    """Days that were asked for and gave nothing, with the reason most worth telling."""
    severity = ("failed", "not_permitted", "unknown")
    found: dict[tuple[str, str, str | None, str], tuple[int, str, Day]] = {}
    for s in cast(list[dict[str, Any]], world.statuses):
        gave = s["state"] in ("value", "zero")
        if s["level"] != "account" or s["window"] != "P1D" or s["date"] != day or gave:
            continue
        if s["last_read_at"] > moment.as_of:
            continue
        row = Day(day, s["workspace_id"], s["platform"], "account", s["account_id"], s["account_id"], s["metric"])
        row.state, row.reason, row.source = s["state"], s["reason"], "none"
        row.is_complete, row.is_provisional, row.readings = False, True, 0
        row.last_read_at = s["last_read_at"]
        rank = severity.index(s["state"]) if s["state"] in severity else len(severity)
        entry = (rank, s["collection"], row)
        found[_key(row)] = min(found.get(_key(row), entry), entry, key=lambda e: e[:2])
    return [row for _, _, row in found.values()]


def _stale(world: World, day: date, moment: Moment) -> list[Day]:
    """Account counters that nobody read on the day, though they were in the week before."""
    seen: dict[tuple[str, str, str | None, str], list[dict[str, Any]]] = {}
    for r in cast(list[dict[str, Any]], world.counters):
        if r["post_id"] is None and r["observed_at"] <= moment.as_of and r["date"] <= day:
            seen.setdefault((r["workspace_id"], r["platform"], r["account_id"], r["metric"]), []).append(r)
    rows = []
    for key, readings in seen.items():
        newest = max(r["date"] for r in readings)
        last = max(r["observed_at"] for r in readings)
        end = min(moment.now, start_of(day + timedelta(days=1)))
        is_old = (day - newest).days <= moment.carry_days and last + timedelta(hours=3) < end
        if newest < day <= moment.now.date() and is_old:
            of_day = [r for r in readings if r["date"] == newest]
            row = Day(day, key[0], key[1], "account", str(key[2]), key[2], key[3], state="stale", source="none")
            row.is_complete, row.readings, row.last_read_at = False, 0, last
            row.definition_version = max(r["definition_version"] for r in of_day)
            row.day_timezone = min(r["day_timezone"] for r in of_day)
            row.reason = f"last read at {last:%Y-%m-%d %H:%M}"
            rows.append(row)
    return rows


def _follower_growth(followers: Day, measured: Measured) -> Day:
    entity: Entity = (followers.workspace_id, followers.platform, str(followers.account_id), None)
    row = replace(followers, metric="follower_growth", source="derived", value=None, lifetime_value=None)
    row.numerator = row.denominator = row.days_spanned = None
    row.readings, row.readings_expected, row.is_complete, row.state = (
        int(followers.value is not None),
        2,
        False,
        "unknown",
    )
    earlier, back = None, 0
    while earlier is None and back < measured.moment.lookback_days:
        back += 1
        earlier = measured.value(entity, "followers", followers.date - timedelta(days=back))
    if followers.value is None:
        return row
    if earlier is None or earlier.value is None:
        row.reason = "no earlier reading to compare with"
        return row
    row.value, row.days_spanned, row.readings = followers.value - earlier.value, back, 2
    row.state, row.is_complete = state_of(row.value), followers.is_complete and back == 1
    row.reason = f"covers {back} days: no reading in between" if back > 1 else None
    return row


def _posts_published(world: World, day: date, moment: Moment) -> list[Day]:
    """Zero is only known where the posts were listed."""
    counts: dict[tuple[str, str, str], int] = {}
    listed: dict[tuple[str, str, str], Any] = {}
    seen: dict[tuple[str, str, str], Any] = {}
    for p in cast(list[dict[str, Any]], world.posts):
        if p["published_at"] is not None and p["published_at"].date() == day:
            key = (p["workspace_id"], p["platform"], p["account_id"])
            counts[key] = counts.get(key, 0) + 1
            seen[key] = max(seen.get(key, p["last_seen_at"]), p["last_seen_at"])
    for s in cast(list[dict[str, Any]], world.statuses):
        if s["collection"] == "counters" and s["date"] == day and s["last_value_at"] is not None:
            key = (s["workspace_id"], s["platform"], s["account_id"])
            listed[key] = max(listed.get(key, s["last_value_at"]), s["last_value_at"])
    rows = []
    for key in counts.keys() | listed.keys():
        row = Day(day, key[0], key[1], "account", key[2], key[2], "posts_published", source="posts")
        row.value = float(counts.get(key, 0))
        row.state = state_of(row.value)
        row.last_read_at = listed.get(key) or seen[key]
        is_late = key in listed and listed[key] >= start_of(day) + timedelta(hours=23)
        row.is_complete = is_late and day < moment.now.date()
        rows.append(row)
    return rows


def _derived(base: list[Day], catalog: Catalog, level: str) -> list[Day]:
    rows: list[Day] = []
    for entity in {(d.date, d.workspace_id, d.platform, d.account_id, d.entity_id) for d in base}:
        by_metric = {
            d.metric: d for d in base if (d.date, d.workspace_id, d.platform, d.account_id, d.entity_id) == entity
        }
        asked = [by_metric[m] for m in PARTS if m in by_metric and by_metric[m].state != "not_supported"]
        if asked:
            by_metric["engagement"] = _engagement(asked)
            rows.append(by_metric["engagement"])
        for metric in catalog.metrics.values():
            if metric.derived and metric.additivity == "ratio" and level in metric.levels:
                over, under = by_metric.get(str(metric.numerator)), by_metric.get(str(metric.denominator))
                if over and under:
                    rows.append(_ratio(metric.name, over, under))
    return rows


def _plain(like: Day, metric: str) -> Day:
    row = Day(like.date, like.workspace_id, like.platform, like.entity_type, like.entity_id, like.account_id, metric)
    row.source = "derived"
    return row


def _engagement(asked: list[Day]) -> Day:
    present = [p for p in asked if p.value is not None]
    row = _plain(asked[0], "engagement")
    row.readings, row.readings_expected = len(present), len(asked)
    row.is_complete = len(present) == len(asked) and all(p.is_complete for p in present)
    row.is_provisional = any(p.is_provisional for p in asked)
    row.definition_version = max(p.definition_version for p in asked)
    row.day_timezone = min(p.day_timezone for p in asked)
    row.days_spanned = max((p.days_spanned for p in present if p.days_spanned), default=None)
    row.last_read_at = max(p.last_read_at for p in (present or asked) if p.last_read_at)
    if present:
        row.value = sum(p.value for p in present if p.value is not None)
        row.state, row.reason = state_of(row.value), "of " + ", ".join(p.metric for p in present)
    else:
        row.state, row.reason = "no_components", "no value for " + ", ".join(p.metric for p in asked)
    return row


def _ratio(metric: str, over: Day, under: Day) -> Day:
    row = _plain(over, metric)
    row.numerator, row.denominator, row.day_timezone = over.value, under.value, over.day_timezone
    if over.value is None or under.value is None:
        missing = over if over.value is None else under
        row.state, row.reason = "no_components", f"no value for {missing.metric}"
    elif under.value == 0:
        row.state, row.reason = "insufficient_data", f"{under.metric} is zero"
    else:
        row.value = over.value / under.value
        row.state = state_of(row.value)
    row.is_complete = over.is_complete and under.is_complete
    row.is_provisional = over.is_provisional or under.is_provisional
    row.definition_version = max(over.definition_version, under.definition_version)
    row.days_spanned = max((d.days_spanned for d in (over, under) if d.days_spanned), default=None)
    row.last_read_at = min(d.last_read_at for d in (over, under) if d.last_read_at)
    row.readings = (over.value is not None) + (under.value is not None)
    row.readings_expected = 2
    return row
