"""Workspace rows against the brute-force oracle, over random account rows."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.tables import DAILY_METRICS
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.day_rows import Day, assert_same_rows, days_from, state_of, table_from
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.aggregation.workspace_oracle import workspace_days

KEYS = ("date", "workspace_id", "platform", "entity_type", "entity_id", "account_id", "metric")
# the reason is prose; test_workspace_rules.py reads it
COLUMNS = [f.name for f in fields(Day) if f.name not in (*KEYS, "reason")]
FIRST = date(2026, 3, 2)
ACCOUNTS = (("acme", "instagram", "a"), ("acme", "instagram", "b"), ("acme", "x", "c"), ("globex", "x", "d"))
METRICS = ("followers", "likes", "views", "reach", "engagement_rate", "engagement_rate_by_reach")
MISSING = ("failed", "not_permitted", "not_supported", "unknown")


@st.composite
def account_rows(draw: st.DrawFn) -> list[Day]:
    rows = {}
    for _ in range(draw(st.integers(30, 90))):
        workspace, platform, account = draw(st.sampled_from(ACCOUNTS))
        metric, n = draw(st.sampled_from(METRICS)), draw(st.integers(0, 17))
        day = FIRST + timedelta(days=n)
        row = Day(day, workspace, platform, "account", account, account, metric)
        row.last_read_at = datetime(day.year, day.month, day.day, draw(st.integers(0, 23)), tzinfo=UTC)
        row.is_complete, row.is_provisional = draw(st.booleans()), draw(st.booleans())
        row.days_spanned, row.definition_version = draw(st.sampled_from((None, 1, 3))), draw(st.integers(1, 2))
        if metric.startswith("engagement_rate"):
            row.numerator, row.denominator = (
                draw(st.sampled_from((None, 0.0, 4.0))),
                draw(st.sampled_from((None, 0.0, 8.0))),
            )
            if row.denominator and row.numerator is not None:
                row.value = row.numerator / row.denominator
            row.state = "no_components" if row.value is None else state_of(row.value)
        elif draw(st.integers(0, 3)):
            row.value = float(draw(st.integers(-3, 9)))
            row.state = state_of(row.value)
        else:
            row.state = draw(st.sampled_from(MISSING))
        rows[account, metric, n] = row
    return list(rows.values())


@histories(15)
@given(accounts=account_rows())
def test_every_workspace_row_is_what_its_accounts_say(
    memory: MemoryEngine, memory_builder: Builder, accounts: list[Day]
) -> None:
    memory.clear()
    memory.tables["daily_metrics"] = table_from(accounts, DAILY_METRICS.schema)
    window = Window.of_days(FIRST + timedelta(days=7), FIRST + timedelta(days=18))
    memory_builder.daily("workspace", window, datetime(2026, 4, 1, tzinfo=UTC))

    actual = [d for d in days_from(memory.tables["daily_metrics"]) if d.entity_type == "workspace"]
    expected = workspace_days(accounts, catalog(), window.days())
    assert_same_rows(map(vars, actual), map(vars, expected), KEYS, COLUMNS)
