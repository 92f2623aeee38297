"""The same work cut differently, or done twice, leaves the same rows."""

from __future__ import annotations

import pytest

from metrics_pipeline_tests.proofs.conftest import MakeSite
from metrics_pipeline_tests.proofs.runs import Daemon
from metrics_pipeline_tests.proofs.site import assert_same, instant
from metrics_pipeline_tests.proofs.sizes import size

NOW = instant("2026-03-20T10:30")
ACCOUNTS = [
    ("acme", "instagram", "17841400000000001"),
    ("acme", "x", "2244994945"),
    ("bistro", "youtube", "UCbistronord0000000000001"),
]
DAYS = [f"2026-03-{day:02}" for day in range(15 - size(0, 10), 18)]
HOURS = [f"2026-03-16-{hour:02}:00" for hour in range(24 - size(4, 24), 24)]
WEEKS = ["2026-03-09", "2026-03-16"]
MONTHS = ["2026-02-01", "2026-03-01"]


@pytest.mark.parametrize("platform", ["instagram", "x", "youtube"])
def test_collectors_a_range_is_the_sum_of_its_parts_and_twice_is_once(make_site: MakeSite, platform: str) -> None:
    accounts = [account for account in ACCOUNTS if account[1] == platform]
    whole, parts = Daemon(make_site(accounts, "whole")), Daemon(make_site(accounts, "parts"))
    insights, counters = f"collect_{platform}_insights", f"collect_{platform}_counters"
    for job, keys in ((counters, HOURS), (insights, DAYS)):
        assert whole.execute(NOW, job, keys).success
        for key in keys:
            assert parts.execute(NOW, job, [key]).success
    once = whole.site.tables()
    assert once["counter_readings"].num_rows > 0
    assert_same(once, parts.site.tables())
    for job, keys in ((insights, DAYS), (counters, HOURS)):
        assert whole.execute(NOW, job, keys).success
    assert_same(once, whole.site.tables())


def test_aggregates_a_range_is_the_sum_of_its_parts_and_twice_is_once(make_site: MakeSite) -> None:
    accounts = ACCOUNTS[: size(1, 3)]
    daemon = Daemon(make_site(accounts))
    for _, platform, _ in accounts:
        assert daemon.execute(NOW, f"collect_{platform}_insights", DAYS).success
        edges = [f"{DAYS[-2]}-23:00", f"{DAYS[-1]}-00:00"]  # two readings an hour apart make a counter's day
        assert daemon.execute(NOW, f"collect_{platform}_counters", edges).success
    work = (("daily_close", DAYS), ("weekly_close", WEEKS), ("monthly_close", MONTHS))
    tables = ("daily_metrics", "weekly_metrics", "monthly_metrics")
    for job, keys in work:
        for key in keys:
            assert daemon.execute(NOW, job, [key]).success
    parts = daemon.site.tables(tables)
    assert all(parts[name].num_rows > 0 for name in tables)
    for _ in range(size(1, 2)):
        for job, keys in work:
            assert daemon.execute(NOW, job, keys).success
        assert_same(parts, daemon.site.tables(tables))
