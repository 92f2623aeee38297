"""Ten days of a channel's views, one of them missing, through to weeks and the month."""

from __future__ import annotations

import json
from datetime import date

import pytest

from metrics_pipeline.imports.readings import check_file, store_checked
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.imports.conftest import NOW, Lines, stored

VIEWS = {16: 36, 17: 21, 18: 29, 19: 63, 20: 62, 21: "", 22: 74, 23: 35, 24: 18, 25: 18}


def test_weeks_and_month_of_imported_days(pipeline: Pipeline, lines: Lines) -> None:
    path = lines(*(f"acme,youtube,chan,,views,2021-07-{day},{value},series,," for day, value in VIEWS.items()))
    checked = check_file(pipeline, path)
    assert checked.rows.without_value == 1
    store_checked(pipeline, checked)
    window = Window.of_days(date(2021, 7, 16), date(2021, 7, 26))
    pipeline.builder.daily("account", window, NOW)
    pipeline.builder.weekly(window, NOW)
    pipeline.builder.monthly(window, NOW)

    days = [row for row in stored(pipeline, "daily_metrics") if row["metric"] == "views"]
    assert {row["date"].day: row["value"] for row in days if isinstance(row["date"], date)} == {
        day: value for day, value in VIEWS.items() if value != ""
    }
    assert {(row["source"], row["state"], row["is_complete"]) for row in days} == {("import", "value", True)}

    first, second = (row for row in stored(pipeline, "weekly_metrics") if row["metric"] == "views")
    assert (first["week_start"], first["value"], first["days_present"]) == (date(2021, 7, 12), 86, 3)
    assert (first["growth_state"], first["change"]) == ("no_base", None)
    assert (second["week_start"], second["value"], second["days_present"]) == (date(2021, 7, 19), 270, 6)
    assert (second["change"], second["growth_state"], second["compared_days"]) == (184, "partial", 3)
    assert second["growth_rate"] == pytest.approx(-15 / 86)

    (month,) = (row for row in stored(pipeline, "monthly_metrics") if row["metric"] == "views")
    assert (month["value"], month["days_present"], month["days_expected"]) == (356, 9, 31)
    parts = json.loads(str(month["weekly_breakdown"]))
    assert sum(part["value"] or 0 for part in parts) == 356
