"""`changes`: from a number back to the runs that made it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.changes import writing_as
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.readings import World, insight
from metrics_pipeline_tests.cli.conftest import Run

DAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 18, tzinfo=UTC)


def test_a_number_is_followed_back_to_its_readings(run: Run) -> None:
    assert "No commit is in the log" in run("changes")
    pipeline = Pipeline(load_settings())
    with writing_as("collecting"):
        World(insights=[insight("views", day, 5.0) for day in (DAY, date(2026, 2, 11))]).write(pipeline.engine)
    with writing_as("closing"):
        pipeline.builder.daily("account", Window.of_day(DAY), NOW)
        pipeline.builder.weekly(Window.of_day(DAY), NOW)
    found = json.loads(run("changes --day 2026-03-04 --format json"))
    assert [(row["table"], row["run"], row["days"]) for row in found] == [
        ("weekly_metrics", "closing", "2026-03-02"),
        ("daily_metrics", "closing", "2026-03-04"),
        ("insight_readings", "collecting", "2026-02-11, 2026-03-04"),
    ]
    assert "insight_readings 1" in found[1]["built_from"]
    assert len(json.loads(run("changes --table daily_metrics --format json"))) == 1
    assert json.loads(run("changes --day 2026-03-05 --table daily_metrics --format json")) == []


def test_an_unknown_table_is_one_sentence(run: Run) -> None:
    with pytest.raises(UserError, match="no table 'dayly'"):
        run("changes --table dayly")
