"""What an import writes, that the same again changes nothing, and that a revert restores the tables exactly."""

from __future__ import annotations

import random
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.control.imports import ImportRecord, list_imports
from metrics_pipeline.errors import UserError
from metrics_pipeline.imports.metric_names import Meaning, NameUse, meaning
from metrics_pipeline.imports.readings import check_file, store_checked
from metrics_pipeline.imports.revert import revert_readings
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.imports.conftest import NOW, Lines, stored

VIEWS = "acme,youtube,chan,,views,2026-03-0{},{},,,"


def bring(pipeline: Pipeline, path: Path) -> ImportRecord:
    return store_checked(pipeline, check_file(pipeline, path))


def everything(pipeline: Pipeline) -> list[list[dict[str, object]]]:
    return [stored(pipeline, table) for table in ("insight_readings", "counter_readings")]


def test_a_series_row(pipeline: Pipeline, lines: Lines) -> None:
    record = bring(pipeline, lines("acme,youtube,chan,vid,estimatedMinutesWatched,2026-03-01,2.5,,,"))
    (row,) = stored(pipeline, "insight_readings")
    end_of_day = datetime(2026, 3, 2, tzinfo=UTC)
    assert row == {
        "workspace_id": "acme",
        "platform": "youtube",
        "account_id": "chan",
        "post_id": "vid",
        "date": date(2026, 3, 1),
        "window": "P1D",
        "read_at": end_of_day,
        "confirmed_at": end_of_day,
        "metric": "watch_time_seconds",
        "source_metric": "estimatedMinutesWatched",
        "value": 150.0,
        "numerator": None,
        "denominator": None,
        "source": "import",
        "api": "import",
        "post_type": None,
        "day_timezone": "UTC",
        "definition_version": 1,
        "metadata": None,
        "import_id": record.import_id,
        "run_id": record.import_id,
    }
    assert stored(pipeline, "counter_readings") == []


def test_totals_and_levels_go_to_the_counters(pipeline: Pipeline, lines: Lines) -> None:
    bring(
        pipeline,
        lines(
            "acme,youtube,chan,,followers,2026-03-01,10,,,",
            "acme,youtube,chan,,views,2026-03-01,900,counter,2026-03-01T07:30:00Z,",
            "acme,youtube,chan,,viewCount,2026-03-02,950,,2026-03-03T00:10:00Z,",
            "acme,instagram,ig,p1,reach,2026-03-02,70,counter,,",
            "acme,tiktok,tt,,followers,2026-03-02,8,counter,,",
        ),
    )
    columns = ("metric", "kind", "date", "hour", "observed_at", "value")
    rows = {tuple(row.values()) for row in stored(pipeline, "counter_readings", columns)}
    first, second = date(2026, 3, 1), date(2026, 3, 2)

    def at(day: int, hour: int, minute: int = 0) -> datetime:
        return datetime(2026, 3, day, hour, minute, tzinfo=UTC)

    assert rows == {
        ("followers", "gauge", first, 23, at(1, 23), 10.0),
        ("views", "counter", first, 7, at(1, 7, 30), 900.0),
        ("views", "counter", second, 23, at(3, 0, 10), 950.0),
        ("reach", "unique_counter", second, 23, at(2, 23), 70.0),
        ("followers", "gauge", second, 23, at(2, 23), 8.0),
    }
    assert stored(pipeline, "insight_readings") == []


def test_the_unit_follows_the_name(pipeline: Pipeline) -> None:
    def scale(platform: str, name: str, level: str, kind: str | None = None) -> tuple[str, str, float]:
        found = meaning(pipeline.catalog, NameUse(platform, name, level, kind))
        assert isinstance(found, Meaning)
        return found.metric, found.kind, found.scale

    assert scale("youtube", "averageViewPercentage", "account") == ("completion_rate", "series", 0.01)
    assert scale("youtube", "completion_rate", "account") == ("completion_rate", "series", 1.0)
    assert scale("youtube", "estimatedMinutesWatched", "post", "counter") == ("watch_time_seconds", "counter", 60.0)
    assert scale("youtube", "views", "account") == ("views", "series", 1.0)
    assert scale("youtube", "viewCount", "account") == ("views", "counter", 1.0)
    assert scale("linkedin", "impressions", "account") == ("impressions", "series", 1.0)


def test_the_definition_in_force_on_the_day(pipeline: Pipeline, lines: Lines) -> None:
    broken = next(s for s in catalog().platforms["youtube"].sources if s.source == "views" and s.definition_breaks)
    change = broken.definition_breaks[0].date
    days = [change - timedelta(days=1), change]
    later = Pipeline(pipeline.settings.model_copy(update={"now": datetime(2027, 1, 1, tzinfo=UTC)}))
    bring(later, lines(*(f"acme,youtube,chan,,views,{day},1,,," for day in days)))
    versions = [row["definition_version"] for row in stored(later, "insight_readings", ["date", "definition_version"])]
    assert versions == [broken.definition_version(day) for day in days] == [1, 2]


def test_the_same_rows_change_nothing(pipeline: Pipeline, lines: Lines) -> None:
    data = [VIEWS.format(n, n) for n in (1, 2, 3)] + ["acme,x,a,,followers,2026-03-01,5,gauge,,"]
    path = lines(*data)
    assert check_file(pipeline, path).earlier is None
    first = bring(pipeline, path)
    before = everything(pipeline)
    earlier = check_file(pipeline, path).earlier
    assert earlier is not None
    assert earlier.import_id == first.import_id
    again = bring(pipeline, path)
    turned = bring(pipeline, lines(*reversed(data), name="turned.csv"))
    assert everything(pipeline) == before
    assert (first.rows_unchanged, again.rows_unchanged, turned.rows_unchanged) == (0, 4, 4)
    assert (first.first_date, first.last_date, first.rows_accepted) == (date(2026, 3, 1), date(2026, 3, 3), 4)
    assert len({record.import_id for record in list_imports(pipeline.control)}) == 3
    for record in (again, turned):  # they added nothing, so there is nothing to take back
        assert revert_readings(pipeline, record.import_id).rows == 0
    assert everything(pipeline) == before


def test_revert_restores_the_tables_exactly(pipeline: Pipeline, lines: Lines) -> None:
    bring(pipeline, lines(*(VIEWS.format(n, n) for n in (1, 2)), "acme,x,a,,likes,2026-03-01,5,counter,,"))
    before = everything(pipeline)
    second = bring(
        pipeline,
        lines(
            VIEWS.format(1, 1),  # known
            VIEWS.format(2, 20),  # a correction
            VIEWS.format(3, 3),  # new
            "acme,youtube,chan,,views,2026-03-01,1,,2026-03-04T00:00:00Z,",  # a later read of the same value
            "acme,x,a,,likes,2026-03-01,6,counter,,",  # a correction of a total
            name="second.csv",
        ),
    )
    assert second.rows_unchanged == 1
    reverted = revert_readings(pipeline, second.import_id)
    assert (reverted.rows, reverted.record.reverted_at) == (4, NOW)
    assert everything(pipeline) == before
    with pytest.raises(UserError, match="reverted already"):
        revert_readings(pipeline, second.import_id)
    with pytest.raises(UserError, match="no import 'nope'"):
        revert_readings(pipeline, "nope")


def test_a_correction_counts_until_it_is_taken_back(pipeline: Pipeline, lines: Lines) -> None:
    def day_value() -> object:
        pipeline.builder.daily("account", Window.of_day(date(2026, 3, 1)), NOW)
        return {row["metric"]: row["value"] for row in stored(pipeline, "daily_metrics")}["views"]

    bring(pipeline, lines(VIEWS.format(1, 1)))
    correction = bring(pipeline, lines(VIEWS.format(1, 2), name="second.csv"))
    assert day_value() == 2
    revert_readings(pipeline, correction.import_id)
    assert day_value() == 1


def test_the_one_that_confirmed_is_named_and_can_come_again(pipeline: Pipeline, lines: Lines) -> None:
    first = bring(pipeline, lines(VIEWS.format(1, 1)))
    both = lines(VIEWS.format(1, 1), VIEWS.format(2, 2), name="second.csv")
    second = bring(pipeline, both)
    assert [r.import_id for r in revert_readings(pipeline, first.import_id).also_in] == [second.import_id]
    assert [row["date"] for row in stored(pipeline, "insight_readings")] == [date(2026, 3, 2)]
    again = bring(pipeline, both)
    assert [row["date"] for row in stored(pipeline, "insight_readings")] == [date(2026, 3, 1), date(2026, 3, 2)]
    assert again.rows_unchanged == 1


def test_after_a_revert_the_same_file_is_new(pipeline: Pipeline, lines: Lines) -> None:
    path = lines(VIEWS.format(1, 1))
    revert_readings(pipeline, bring(pipeline, path).import_id)
    checked = check_file(pipeline, path)
    assert checked.earlier is None
    assert store_checked(pipeline, checked).rows_unchanged == 0


def test_an_import_that_was_interrupted_goes_on_under_its_id(pipeline: Pipeline, lines: Lines) -> None:
    """Rows in the lake, no record: as a crash between the two leaves it."""
    from metrics_pipeline.control.database import writing
    from metrics_pipeline.control.models import Import

    path = lines(VIEWS.format(1, 1))
    lost = bring(pipeline, path)
    with writing(pipeline.control) as session:
        session.delete(session.get_one(Import, lost.import_id))
    assert bring(pipeline, path).import_id == lost.import_id
    assert revert_readings(pipeline, lost.import_id).rows == 1


def test_a_later_collection_leaves_imports_apart(pipeline: Pipeline, lines: Lines) -> None:
    """Fetched rows of the same day go through the collector's merge, which must not fold two imports into one."""
    from metrics_pipeline.collection.store import merge_days
    from metrics_pipeline.imports.reading_rows import lake_rows

    bring(pipeline, lines(VIEWS.format(1, 1)))
    bring(pipeline, lines("acme,youtube,chan,,views,2026-03-01,1,,2026-03-04T00:00:00Z,", name="second.csv"))
    before = everything(pipeline)
    other = check_file(pipeline, lines("acme,youtube,other,,views,2026-03-01,9,,,", name="third.csv")).rows.accepted
    merge_days(
        pipeline.engine, "insight_readings", "youtube", lake_rows(pipeline.engine, other, "x")["insight_readings"]
    )
    kept = [row for row in stored(pipeline, "insight_readings") if row["account_id"] == "chan"]
    assert kept == before[0]


def test_a_big_file_takes_seconds(pipeline: Pipeline, tmp_path: Path) -> None:
    names = ["views", "likes", "comments", "shares", "estimatedMinutesWatched"]
    days = [date(2026, 3, 1) - timedelta(days=n) for n in range(100)]
    rows = [
        f"acme,youtube,chan{account},post{post},{name},{day},{post}"
        for account in range(20)
        for post in range(20)
        for name in names
        for day in days
    ]
    random.Random(7).shuffle(rows)
    path = tmp_path / "big.csv"
    path.write_text("\n".join(["workspace_id,platform,account_id,post_id,metric,date,value", *rows]))
    started = time.monotonic()
    record = bring(pipeline, path)
    assert time.monotonic() - started < 15  # about 3 s on two idle cores
    assert (record.rows_accepted, record.rows_rejected) == (200_000, 0)
