"""The demo, small, as a newcomer runs it, and the commands one tries next: real processes, real exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metrics_pipeline.demo.accounts import ACCOUNTS

PROGRAM = str(Path(sys.executable).with_name("metrics-pipeline"))


class Shell:
    """Runs the program on one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("METRICS_", "DAGSTER_"))}

    def __call__(self, *arguments: str, code: int = 0) -> str:
        command = [PROGRAM, *arguments, "--data-dir", str(self.data_dir)]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=300, check=False)
        assert done.returncode == code, done.stderr[-3000:]
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stderr

    def rows(self, query: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self("sql", query, "--format", "json"))
        return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("demo") / "data")
    output = shell("demo", "--days", "3")
    assert f"{len(ACCOUNTS)} accounts" in output
    return shell


@pytest.mark.slow
def test_every_account_has_weeks_and_months(demo: Shell) -> None:
    for table in ("daily_metrics", "weekly_metrics", "monthly_metrics"):
        query = f"select count(distinct entity_id) as accounts from {table} "
        query += "where entity_type = 'account' and platform <> 'app'"
        assert demo.rows(query) == [{"accounts": len(ACCOUNTS)}], table
    assert demo.rows("select count(distinct workspace_id) as n from workspace_weekly") == [{"n": 3}]


@pytest.mark.slow
def test_days_were_restated_and_the_first_reading_is_kept(demo: Shell) -> None:
    restated = demo.rows(
        "select count(*) as n from (select 1 from insight_readings group by workspace_id, account_id, post_id, metric, "
        'source_metric, date, "window" having count(distinct value) > 1)'
    )
    assert restated[0]["n"] != 0


@pytest.mark.slow
def test_no_token_is_anywhere_in_the_data(demo: Shell) -> None:
    for path in demo.data_dir.rglob("*"):
        if path.is_file():
            assert b"sandbox-token" not in path.read_bytes(), path
    bodies = demo.rows(
        "select count(*) as n from api_responses where body like '%sandbox-token%' or params like '%token-%'"
    )
    assert bodies == [{"n": 0}]


@pytest.mark.slow
def test_a_finished_demo_says_what_to_do_next(demo: Shell) -> None:
    message = demo("demo", "--days", "3", code=2)
    assert "--reset" in message
    assert "metrics-pipeline sql" in message


@pytest.mark.slow
def test_the_commands_one_tries_next(demo: Shell) -> None:
    assert "instagram-17841400000000001" in demo("status")
    assert "FAIL" not in demo("doctor")
    assert "files compacted" in demo("maintain")
    today = str(demo.rows("select max(date) as d from daily_metrics")[0]["d"])
    planned = demo("backfill", "weekly_metrics", "platforms/youtube/insights", "--from", today, "--dry-run")
    assert "weekly_metrics: 1 partitions" in planned
    assert "calls" in planned
    before = demo.rows("select * from weekly_metrics order by all")
    assert "Done: 1 partitions in 1 runs" in demo("backfill", "weekly_metrics", "--from", today)
    assert demo.rows("select * exclude (is_provisional) from weekly_metrics order by all") == [
        {k: v for k, v in row.items() if k != "is_provisional"} for row in before
    ]


def test_a_demo_leaves_other_data_alone(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell("workspace", "add", "Real")
    assert "holds data that no demo made" in shell("demo", code=2)
    assert "nothing was removed" in shell("demo", "--reset", code=2)
    assert "real" in shell("workspace", "list")


def test_days_out_of_range_are_refused(tmp_path: Path) -> None:
    assert "between 1 and 365" in Shell(tmp_path)("demo", "--days", "0", code=2)


CUSTOM = """
select dimensions, value, numerator, denominator from custom_metric_values
where definition_name = '{name}' and grain = 'month' and is_current and period_start = (
    select max(period_start) from custom_metric_values where grain = 'month'
) order by dimensions
"""
BY_HAND = {
    "revenue_per_customer": """
        select '{}' as dimensions, sum(amount_cents) / 100 / count(distinct customer_id) as value,
            sum(amount_cents) / 100 as numerator, count(distinct customer_id) as denominator
        from app_orders where date >= date_trunc('month', (select max(date) from daily_metrics))
    """,
    "asset_utilisation": """
        select * from (
            select '{}' as dimensions, sum(hours_used) / sum(hours_available) as value, sum(hours_used) as numerator,
                sum(hours_available) as denominator
            from app_assets where date >= date_trunc('month', (select max(date) from daily_metrics))
            union all
            select '{"category":"' || category || '"}', sum(hours_used) / sum(hours_available), sum(hours_used),
                sum(hours_available)
            from app_assets where date >= date_trunc('month', (select max(date) from daily_metrics)) group by category
        ) order by dimensions
    """,
    "licence_renewal_rate": """
        with due as (
            from app_licences
            where date_trunc('month', expires_at) = date_trunc('month', (select max(date) from daily_metrics))
        )
        select * from (
            select '{}' as dimensions, count_if(renewed) / count(*) as value, count_if(renewed) as numerator,
                count(*) as denominator from due
            union all
            select '{"industry":"' || industry || '"}', count_if(renewed) / count(*), count_if(renewed), count(*)
            from due group by industry
        ) order by dimensions
    """,
    "active_users_30d": """
        select '{}' as dimensions, count(distinct user_id) as value, null as numerator, null as denominator
        from events
        where not is_bot and workspace_id = 'acme' and date > (select max(date) from daily_metrics) - 30
    """,
    "roi": """
        with month as (select date_trunc('month', (select max(date) from daily_metrics)) as begins),
        income as (select sum(amount_cents) / 100 as amount from app_orders, month where date >= begins),
        cost as (
            select coalesce(sum(cost_cents), 0) / 100 as amount from app_campaigns, month
            where started_at >= begins and workspace_id = 'acme'
        )
        select '{}' as dimensions, (income.amount - cost.amount) / nullif(cost.amount, 0) as value, null as numerator,
            null as denominator
        from income, cost
    """,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_a_metric_that_was_defined_is_what_plain_sql_says(demo: Shell, name: str) -> None:
    computed = demo.rows(CUSTOM.format(name=name))
    expected = demo.rows(BY_HAND[name])

    assert [row["dimensions"] for row in computed] == [row["dimensions"] for row in expected]
    for row, by_hand in zip(computed, expected, strict=True):
        for column in ("value", "numerator", "denominator"):
            assert row[column] == (None if by_hand[column] is None else pytest.approx(by_hand[column], rel=1e-12))
