"""Accounts in trouble: the others go on, everything says why, and what can be filled fills itself."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from metrics_pipeline.assets.collection import OUTCOME_TAG
from metrics_pipeline_tests.proofs.conftest import MakeSite
from metrics_pipeline_tests.proofs.runs import Daemon
from metrics_pipeline_tests.proofs.site import Site, account_id, instant
from metrics_pipeline_tests.proofs.sizes import figure

WELL, EXPIRED, THROTTLED, REFUSED = "17841400000000001", "17841400000000002", "17841400000000003", "17841400000000004"
ACCOUNTS = [("acme", "instagram", WELL), ("acme", "instagram", EXPIRED)]
ACCOUNTS += [("bistro", "instagram", THROTTLED), ("cinema", "instagram", REFUSED)]
DAY = "2026-03-17"
NIGHT = instant("2026-03-18T02:30")


def query(site: Site, statement: str) -> list[dict[str, object]]:
    with site.at(None) as pipeline, pipeline.engine.session() as session:
        rows: list[dict[str, object]] = session.run(statement).read_all().to_pylist()
        return rows


def views_of_the_day(site: Site) -> dict[object, tuple[object, object]]:
    """External id -> (state, reason) of the day's views in daily_metrics."""
    rows = query(
        site,
        "select entity_id, state, reason from daily_metrics "
        f"where entity_type = 'account' and metric = 'views' and date = '{DAY}'",
    )
    return {str(row["entity_id"]).removeprefix("instagram-"): (row["state"], row["reason"]) for row in rows}


def statuses(site: Site, external_id: str) -> dict[object, tuple[object, object]]:
    """Metric -> (state, reason) of one account's day."""
    rows = query(
        site,
        "select metric, state, reason from collection_status where collection = 'insights' and \"window\" = 'P1D' "
        f"and account_id = '{account_id('instagram', external_id)}' and date = '{DAY}'",
    )
    return {row["metric"]: (row["state"], row["reason"]) for row in rows}


def test_accounts_in_trouble_do_not_stop_the_others_and_gaps_fill_themselves(make_site: MakeSite) -> None:
    site = make_site(ACCOUNTS, METRICS_GAP_LOOKBACK_DAYS="2")
    faults = site.sandbox.faults
    faults.switch_on("instagram", EXPIRED, "token_expired", token="token-acme")
    faults.switch_on("instagram", THROTTLED, "throttled", reset_seconds=3600)
    faults.switch_on("instagram", REFUSED, "refused_metric", metric="views")
    daemon = Daemon(site)

    result = daemon.execute(NIGHT, "collect_instagram_insights", [DAY])

    assert result.success
    assert daemon.run_tags(result.run_id)[OUTCOME_TAG] == "PARTIAL"
    (check,) = [c for c in result.get_asset_check_evaluations() if c.check_name == "accounts_ok"]
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert not {state for state, _ in statuses(site, WELL).values()} & {"failed", "not_permitted", "not_supported"}
    expired, throttled, refused = (statuses(site, who) for who in (EXPIRED, THROTTLED, REFUSED))
    assert {state for state, _ in expired.values()} == {"not_permitted"}
    assert {state for state, _ in throttled.values()} == {"failed"}
    assert refused["views"][0] in ("not_supported", "not_permitted")
    assert refused["likes"][0] == refused["reach"][0] == "value"
    for states in (expired, throttled):
        assert all(isinstance(reason, str) and reason for _, reason in states.values())
    assert refused["views"][1]

    assert daemon.execute(NIGHT, "daily_close", [DAY]).success
    before = views_of_the_day(site)
    assert before[WELL][0] == "value"
    assert [before[who][0] for who in (EXPIRED, THROTTLED)] == ["not_permitted", "failed"]
    assert before[REFUSED][0] == refused["views"][0]
    assert all(before[who][1] for who in (EXPIRED, THROTTLED, REFUSED))

    # Nothing has changed yet: the throttled account is asked again after an hour, the expired one is not asked at all.
    for job in ("collect_instagram_insights", "daily_close"):  # the other day that the gap filler looks at
        assert daemon.execute(NIGHT, job, ["2026-03-16"]).success
    assert daemon.execute(NIGHT, "daily_snapshots", ["2026-03-16", DAY]).success
    assert not daemon.tick(NIGHT + timedelta(minutes=30))
    site.sandbox.requests.clear()
    assert daemon.tick(NIGHT + timedelta(minutes=90))
    assert site.sandbox.requests.count("instagram", EXPIRED) == 0
    assert views_of_the_day(site)[THROTTLED][0] == "failed"

    # Mended: a new token by the command line, and the throttle is over.
    faults.clear("instagram", THROTTLED)
    site.run(
        *("account", "token", account_id("instagram", EXPIRED), "--token-stdin"),
        now=NIGHT + timedelta(hours=7),
        stdin="a-new-token\n",
    )
    ticks = [daemon.tick(NIGHT + timedelta(hours=8, minutes=30 * n)) for n in range(3)]
    assert ticks[0]
    daemon.schedule(NIGHT + timedelta(hours=9, minutes=35), "daily_refresh")
    after = views_of_the_day(site)
    assert [after[who][0] for who in (WELL, EXPIRED, THROTTLED)] == ["value"] * 3
    assert not ticks[-1], "a filled gap is asked for again"
    weeks = query(
        site,
        "select entity_id from weekly_metrics where entity_type = 'account' and metric = 'views' "
        "and week_start = '2026-03-16' and value is not null",
    )
    assert {account_id("instagram", who) for who in (WELL, EXPIRED, THROTTLED)} <= {row["entity_id"] for row in weeks}
    figure("ticks of the gap filler until all was filled", 1 + next(n for n, t in enumerate(ticks) if not t))

    # A metric that was refused is not asked for again by itself; the next night's restatement pass reads it.
    faults.clear()
    daemon.schedule(NIGHT + timedelta(days=1), "instagram_insights_daily")
    daemon.schedule(NIGHT + timedelta(days=1, minutes=30), "daily_close")
    assert views_of_the_day(site)[REFUSED][0] == "value"
