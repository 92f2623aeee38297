"""A narrowed run leaves the others alone; a restated day changes what rests on it and stays readable as it was."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow.compute as pc

from metrics_pipeline.lake.tables import INSIGHT_READINGS
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.proofs.conftest import MakeSite
from metrics_pipeline_tests.proofs.runs import Daemon
from metrics_pipeline_tests.proofs.site import Site, account_id, assert_same, instant
from metrics_pipeline_tests.proofs.sizes import size

ONE, OTHER = "17841400000000001", "17841400000000002"
ACCOUNTS = [("acme", "instagram", ONE), ("acme", "instagram", OTHER)]
DAYS = ["2026-03-16", "2026-03-17"]
NOW = instant("2026-03-18T10:30")
VIEWS = "entity_type = 'account' and metric = 'views'"


def test_a_run_for_one_account_leaves_the_others_rows_as_they_were(make_site: MakeSite) -> None:
    daemon = Daemon(make_site(ACCOUNTS))
    insights, counters = "collect_instagram_insights", "collect_instagram_counters"
    assert daemon.execute(NOW, insights, DAYS).success
    assert daemon.execute(NOW, counters, ["2026-03-18-10:00"]).success
    names = ("counter_readings", "insight_readings", "collection_status", "posts")
    before = daemon.site.tables(names, leave_out=())

    later = NOW + timedelta(minutes=20)
    for job, keys in ((insights, DAYS), (counters, ["2026-03-18-10:00"])):
        op = f"platforms__instagram__{job.rsplit('_', 1)[-1]}"
        config = {"ops": {op: {"config": {"accounts": [account_id("instagram", ONE)]}}}}
        assert daemon.execute(later, job, keys, config).success

    after = daemon.site.tables(names, leave_out=())
    for name in names:  # the run did something, and nothing to anybody else; run ids and all
        others = {name: before[name].filter(pc.field("account_id") != account_id("instagram", ONE))}
        assert others[name].num_rows > 0
        assert_same(others, {name: after[name].filter(pc.field("account_id") != account_id("instagram", ONE))})
        assert not before[name].equals(after[name])


def test_overlapping_restatement_runs_at_once_leave_no_duplicate(make_site: MakeSite) -> None:
    site = make_site(ACCOUNTS)
    for round_number in range(size(1, 5)):
        started = NOW + timedelta(hours=round_number)
        site.sandbox.faults.switch_on("instagram", ONE, "restated", day="2026-03-16", factor=2.0 + round_number)
        work = ("backfill", "platforms/instagram/insights")
        running = [
            site.start(*work, "--from", "2026-03-15", "--to", "2026-03-17", now=started),
            site.start(*work, "--from", "2026-03-16", "--to", "2026-03-18", now=started + timedelta(seconds=40)),
        ]
        for process in running:
            _, errors = process.communicate()
            assert process.returncode == 0, errors
    keys = ", ".join(f'"{key}"' for key in INSIGHT_READINGS.keys)
    with site.at(NOW) as pipeline, pipeline.engine.session() as session:
        doubled = session.run(f"select {keys}, count(*) as n from insight_readings group by all having n > 1")
        assert doubled.read_all().num_rows == 0
        days = session.run("select distinct date from insight_readings where \"window\" = 'P1D' order by all")
        assert [f"{row['date']}" for row in days.read_all().to_pylist()] == ["2026-03-15", *DAYS]


def test_a_restated_day_changes_what_is_built_on_it_and_the_old_value_stays_readable(make_site: MakeSite) -> None:
    site = make_site(ACCOUNTS)
    daemon = Daemon(site)

    def built() -> dict[str, float]:
        return {
            "day": _value(site, f"select value from daily_metrics where {VIEWS} and date = '2026-03-16'"),
            "week": _value(site, f"select value from weekly_metrics where {VIEWS}"),
            "month": _value(site, f"select value from monthly_metrics where {VIEWS}"),
        }

    def night(now_text: str) -> dict[str, float]:
        now = instant(now_text)
        assert daemon.execute(now, "collect_instagram_insights", DAYS[:1]).success
        assert daemon.execute(now, "daily_close", DAYS[:1]).success
        assert daemon.execute(now, "weekly_close", ["2026-03-16"]).success
        assert daemon.execute(now, "monthly_close", ["2026-03-01"]).success
        return built()

    first = night("2026-03-18T02:30")
    site.sandbox.faults.switch_on("instagram", ONE, "restated", day="2026-03-16", factor=3.0)
    second = night("2026-03-19T02:30")

    gained = second["day"] - first["day"]
    assert gained > first["day"]
    assert second["week"] - first["week"] == gained
    assert second["month"] - first["month"] == gained

    reads = (
        "select read_at, value from insight_readings where metric = 'views' and post_id is null "
        f"and account_id = '{account_id('instagram', ONE)}' and date = '2026-03-16' and \"window\" = 'P1D' order by all"
    )
    with site.at(NOW) as pipeline, pipeline.engine.session() as session:
        rows = session.run(reads).read_all().to_pylist()
    assert [(f"{row['read_at']:%d %H:%M}", row["value"]) for row in rows] == [
        ("18 02:30", first["day"]),
        ("19 02:30", second["day"]),
    ]
    with site.at(instant("2026-03-19T03:00")) as pipeline:
        window, now = Window.of_day(date(2026, 3, 16)), pipeline.settings.clock.now()
        pipeline.builder.daily("account", window, now, as_of=instant("2026-03-18T12:00"))
    assert built()["day"] == first["day"]


def _value(site: Site, statement: str) -> float:
    """The one number that the statement gives for the restated account."""
    with site.at(None) as pipeline, pipeline.engine.session() as session:
        (row,) = session.run(f"{statement} and entity_id = '{account_id('instagram', ONE)}'").read_all().to_pylist()
    return float(row["value"])
