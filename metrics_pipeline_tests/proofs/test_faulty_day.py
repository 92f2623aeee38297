"""A day on which every platform is unreliable: nothing is lost that can still be had, and every gap says why.

One request in twenty fails, one in a hundred hangs. Of each platform's three accounts one has nothing else to bear, one
is refused its token from the morning to the afternoon, one is throttled in the evening. The same day without faults is
what the numbers are compared with.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from metrics_pipeline.collection.request import CollectionRequest
from metrics_pipeline.collection.summary import CollectionSummary
from metrics_pipeline.sandbox.server import PLATFORMS
from metrics_pipeline.windows import DAY, HOUR, Window
from metrics_pipeline_tests.proofs.conftest import MakeSite
from metrics_pipeline_tests.proofs.runs import Daemon
from metrics_pipeline_tests.proofs.site import Site, account_id, instant
from metrics_pipeline_tests.proofs.sizes import FULL, figure, size

MIDNIGHT = instant("2026-03-17T00:00")
NIGHT = instant("2026-03-18T02:30")
HOURS = range(24 - size(6, 24), 24)
REFUSED_HOURS, THROTTLED_HOUR = range(18, 21), 22
WELL, EXPIRED, THROTTLED = 1, 2, 3
COUNTER_COLUMNS = "account_id, post_id, metric, hour, value"
SERIES_COLUMNS = 'account_id, post_id, metric, date, "window", value'

Row = tuple[object, ...]


def external_id(platform: str, number: int) -> str:
    return f"UCfaulty{number}" if platform == "youtube" else f"{660_000 + number}"


def accounts(platforms: Sequence[str]) -> list[tuple[str, str, str]]:
    return [(f"w{n}", p, external_id(p, n)) for p in platforms for n in (WELL, EXPIRED, THROTTLED)]


def rows(site: Site, statement: str) -> set[Row]:
    with site.at(None) as pipeline, pipeline.engine.session() as session:
        return {tuple(row.values()) for row in session.run(statement).read_all().to_pylist()}


def collect(site: Site, platform: str, now: datetime) -> CollectionSummary:
    hour = now.replace(minute=0)
    with site.at(now) as pipeline:
        request = CollectionRequest("counters", Window(hour, hour + HOUR), f"{platform}-{hour:%H}")
        return pipeline.collector(platform).run(request)


def spend_the_day(site: Site, platforms: Sequence[str], *, faulty: bool) -> dict[tuple[str, int], CollectionSummary]:
    """Every hour's counters of every platform, with the faults of that hour."""
    faults = site.sandbox.faults
    summaries = {}
    for hour in HOURS:
        now = MIDNIGHT + hour * HOUR + timedelta(minutes=50)
        for platform in platforms:
            if faulty and hour == REFUSED_HOURS[0]:
                faults.switch_on(platform, external_id(platform, EXPIRED), "token_expired", token=f"token-w{EXPIRED}")
            if faulty and hour == REFUSED_HOURS[-1] + 1:
                token = account_id(platform, external_id(platform, EXPIRED))
                site.run("account", "token", token, "--token-stdin", now=now, stdin="a-new-token\n")
            if faulty and hour == THROTTLED_HOUR:
                faults.switch_on(platform, external_id(platform, THROTTLED), "throttled", reset_seconds=1200)
            summaries[platform, hour] = collect(site, platform, now)
            faults.clear(platform, external_id(platform, THROTTLED), "throttled")
    return summaries


def spend_the_night(site: Site, platforms: Sequence[str], *, ticks: int) -> int:
    """The series and the close, the gap filler's looks afterwards, the next night; returns the busy looks."""
    daemon = Daemon(site)
    for platform in platforms:
        daemon.schedule(NIGHT, f"{platform}_insights_daily")
    daemon.schedule(NIGHT + timedelta(minutes=30), "daily_close")
    busy = sum(bool(daemon.tick(NIGHT + HOUR * (2 + tick))) for tick in range(ticks))
    for platform in platforms:
        daemon.schedule(NIGHT + DAY, f"{platform}_insights_daily")
    daemon.schedule(NIGHT + DAY + timedelta(minutes=30), "daily_close")
    return busy


def test_a_day_of_faults_loses_nothing_and_explains_every_gap(make_site: MakeSite) -> None:
    platforms = PLATFORMS if FULL else ("x",)
    environment = {
        "METRICS_HTTP_MAX_ATTEMPTS": "3",
        "METRICS_HTTP_TIMEOUT_SECONDS": "0.6",
        "METRICS_GAP_LOOKBACK_DAYS": "3",
        "METRICS_PIPELINE_START": "2026-03-01",
    }
    calm = make_site(accounts(platforms), "calm", **environment)
    spend_the_day(calm, platforms, faulty=False)
    spend_the_night(calm, platforms, ticks=1)

    site = make_site(accounts(platforms), "faulty", **environment)
    for _, platform, name in accounts(platforms):
        site.sandbox.faults.switch_on(
            platform, name, "unreliable", error_share=0.05, hang_share=0.01, ms=1500, status=503
        )
    site.sandbox.requests.clear()
    started = time.perf_counter()
    summaries = spend_the_day(site, platforms, faulty=True)
    busy = spend_the_night(site, platforms, ticks=12)
    figure("the faulty day took", f"{time.perf_counter() - started:.0f} s, {site.sandbox.requests.count()} requests")
    figure("requests answered with an error", sum(n for a, n in site.sandbox.requests.items() if a.status >= 500))
    figure("ticks of the gap filler that had work", busy)

    # the days that the gap filler looks after
    series = f"select {SERIES_COLUMNS} from insight_readings where date between '2026-03-15' and '2026-03-17'"
    lost = rows(calm, series) - rows(site, series)
    figure("series values lost", len(lost))
    assert not lost
    assert rows(site, series) <= rows(calm, series), "a faulty day invents nothing"

    whole, had = (
        rows(s, f"select {COUNTER_COLUMNS} from counter_readings where date = '2026-03-17'") for s in (calm, site)
    )
    by_hour = {(a, p, m, h): v for a, p, m, h, v in whole}
    assert all(by_hour.get((a, p, m, h), v) == v for a, p, m, h, v in had), "what was read is right"
    missing = Counter((str(account), hour) for account, _, _, hour, _ in whole - had)
    figure("hours of accounts without some of their counters", f"{len(missing)} of {len(summaries) * 3}")
    troubled = {
        (report.account_id, hour)
        for (_, hour), summary in summaries.items()
        for report in summary.accounts
        if not report.is_ok
    }
    assert set(missing) <= troubled, "an hour without a number is an hour with a warning"

    states = (
        "select account_id, collection, level, metric, date, state, reason from collection_status "
        "where date = '2026-03-17'"
    )
    expected = {row[:5] for row in rows(calm, states)}
    told = {row[:5]: row[5:] for row in rows(site, states)}
    assert set(told) == expected
    silent = [key for key, (state, reason) in told.items() if state not in ("value", "zero") and not reason]
    assert silent == []
    figure("states at the end of the day", dict(Counter(str(state) for state, _ in told.values())))

    days = (
        "select entity_type, entity_id, metric, value, last_read_at, is_complete, state, reason from daily_metrics "
        "where date = '2026-03-17' and entity_type <> 'workspace'"
    )
    right = {row[:3]: row[3:] for row in rows(calm, days)}
    found = {row[:3]: row[3:] for row in rows(site, days)}
    assert set(found) <= set(right)
    unseen = {entity for kind, entity, _ in set(right) - set(found) if kind == "post"}
    figure("posts that no look of the day saw", len(unseen))
    assert {entity for _, entity, _ in set(right) - set(found)} == unseen
    assert not unseen & {post for _, post, _, _, _ in had}
    different = {key for key, row in found.items() if row[0] != right[key][0]}
    # a post that a failed look left over is read at another hour: another number, as right as the first
    same_instant = {key for key in different if found[key][1] == right[key][1]}
    figure("daily values", f"{len(right)}, {len(different)} of them read at another hour or missing")
    assert {key for key in same_instant if found[key][2]} == set(), (
        "a number that differs does not call itself complete"
    )
    assert all(state in ("value", "zero") or reason for _, _, _, state, reason in found.values())
