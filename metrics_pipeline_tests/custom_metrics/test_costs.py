"""What a calculation costs: rows of the partitions it reads, by the table's log."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from metrics_pipeline.custom_metrics.asking import Surroundings, question
from metrics_pipeline.custom_metrics.calculating import Asked, Calculator
from metrics_pipeline.custom_metrics.compiler.plan import Plan
from metrics_pipeline.custom_metrics.costs import weighted_rows
from metrics_pipeline.custom_metrics.periods import MONDAYS
from metrics_pipeline_tests.custom_metrics.test_rules import ONE, count, event, noon
from metrics_pipeline_tests.custom_metrics.worlds import Document, World, datasets, specs, version_of

D = date(2025, 3, 5)


def test_only_days_that_may_matter_are_counted(tmp_path: Path) -> None:
    rows = [event(noon(D + n * ONE), workspace_id=f"w{n % 2}") for n in range(-20, 20)]
    world = World(tmp_path, {"events": rows})
    wide: Document = {"name": "wide", "type": "cumulative", "input_metric": "base", "window": "7 days"}
    around = Surroundings(noon(D + 40 * ONE), date(2020, 1, 1), MONDAYS, None)

    def cost(name: str, zone: str = "UTC", medium: int = 10) -> tuple[int, str]:
        documents = {"base": count(timezone=zone), "wide": wide | {"timezone": zone}}
        settings = world.settings.model_copy(update={"custom_metric_cost_medium": medium})
        calculator = Calculator(str(tmp_path), specs(), datasets(), settings, world.tables)
        version = version_of(documents, name)
        asked = Asked(version, question(version, "day", MONDAYS.periods("day", D, D + ONE), around))
        costed = calculator.cost(asked)
        return costed.rows_scanned, costed.cost

    assert cost("base") == (1, "low")
    assert cost("base", "Asia/Kathmandu") == (3, "low"), "hours of the days beside it"
    assert cost("wide") == (7, "low")
    assert cost("wide", medium=7) == (7, "medium")


def test_a_window_over_every_value_weighs_more_than_one_over_sums() -> None:
    def weight(agg: str, **said: object) -> int:
        base = count() if agg == "count" else count(agg=agg, expr="user_id")
        wide: Document = {"name": "wide", "type": "cumulative", "input_metric": "base", **said}
        documents = {"base": base, "wide": wide}
        plan = Plan.of(version_of(documents, "wide" if said else "base"))
        return weighted_rows(plan, {"events": 1000}, {"events": "events"})

    assert [weight("count"), weight("count_distinct"), weight("count", window="30 days")] == [1000] * 3
    assert weight("count_distinct", window="30 days") == 4000
    assert weight("count_distinct", grain_to_date="month") == 4000
    assert weight("count_distinct", window="1 year") == 37_000


def test_the_clock_of_a_question_is_the_day_in_its_zone() -> None:
    at = datetime.fromisoformat("2025-03-05T23:30:00+00:00")
    around = Surroundings(at, date(2020, 1, 1), MONDAYS, None)
    days = MONDAYS.periods("day", D - ONE, D + timedelta(days=3))
    asked = {
        zone: question(version_of({"base": count(timezone=zone)}, "base"), "day", days, around)
        for zone in ("America/New_York", "Europe/Berlin")
    }
    assert [asked[zone].today for zone in asked] == [D, D + ONE]
    assert [len(asked[zone].periods) for zone in asked] == [2, 3]
