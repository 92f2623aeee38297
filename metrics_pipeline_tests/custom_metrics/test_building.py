"""Stored values: the same however they are built, of every version, and none of another workspace's business."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from metrics_pipeline.application.lake_tables import table_spec
from metrics_pipeline.catalog.application import load_application
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.custom_metrics.asking import Surroundings
from metrics_pipeline.custom_metrics.building import Built, History, ValueBuilder
from metrics_pipeline.custom_metrics.calculating import Calculator
from metrics_pipeline.custom_metrics.checking import Checker
from metrics_pipeline.custom_metrics.datasets import Datasets
from metrics_pipeline.custom_metrics.faults import DefinitionError
from metrics_pipeline.custom_metrics.periods import MONDAYS, Period
from metrics_pipeline.custom_metrics.spans import Grain
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.lake.custom_metric_tables import CUSTOM_METRIC_VALUES
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.custom_metrics.worlds import Document, Row, World, random_rows, specs, version_of

FIRST, END = date(2025, 3, 24), date(2025, 4, 7)
NOW = datetime(2025, 4, 6, 12, tzinfo=UTC)
AROUND = Surroundings(NOW, date(2025, 3, 1), MONDAYS, "acme")

DOCUMENTS: dict[str, Document] = {
    "plays": {"name": "plays", "type": "simple", "dataset": "events", "agg": "count", "fill_nulls_with": 0},
    "watched": {
        "name": "watched",
        "type": "simple",
        "dataset": "events",
        "agg": "sum",
        "expr": "watch_time / 3",
        "dimensions": ["country", "is_bot"],
        "timezone": "Europe/Berlin",
    },
    "people": {"name": "people", "type": "simple", "dataset": "events", "agg": "count_distinct", "expr": "user_id"},
    "people_3": {"name": "people_3", "type": "cumulative", "input_metric": "people", "window": "3 days"},
    "revenue": {"name": "revenue", "type": "simple", "dataset": "orders", "agg": "sum", "expr": "amount_cents / 100.0"},
    "per_play": {
        "name": "per_play",
        "type": "derived",
        "expr": "revenue / plays",
        "input_metrics": ["revenue", {"name": "plays", "offset_window": "1 week"}],
    },
}
NAMES = ("plays", "watched", "people_3", "per_play")


class Store:
    """A world whose values are stored in a lake of their own."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.lake = Lake(str(directory))
        self.lake.tables = {CUSTOM_METRIC_VALUES.name: CUSTOM_METRIC_VALUES}
        self.lake.initialise()

    def build(
        self,
        histories: Sequence[History],
        periods: Sequence[Period],
        around: Surroundings = AROUND,
        grain: Grain = "day",
        calculator: Calculator | None = None,
    ) -> Built:
        calculator = calculator or self.world.calculator
        builder = ValueBuilder(Engine(self.lake), calculator, Checker(calculator.datasets))
        return builder.build(histories, grain, periods, around, "run")

    @property
    def version(self) -> int:
        return self.lake.version(CUSTOM_METRIC_VALUES.name)

    def rows(self, *without: str) -> list[Row]:
        table = self.lake.table(CUSTOM_METRIC_VALUES.name).to_pyarrow_table()
        keys: list[tuple[str, Literal["ascending", "descending"]]] = [
            (column, "ascending") for column in CUSTOM_METRIC_VALUES.keys
        ]
        rows: list[Row] = table.drop_columns(list(without)).sort_by(keys).to_pylist()
        return rows


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"), random_rows(7))


@pytest.fixture
def store(world: World, tmp_path: Path) -> Store:
    return Store(world, tmp_path)


def history(name: str, *, number: int = 1, since: date | None = None, **said: object) -> MetricVersion:
    documents = DOCUMENTS | {name: DOCUMENTS[name] | said}
    return replace(version_of(documents, name, number=number), effective_from=since)


def days(first: date = FIRST, end: date = END) -> list[Period]:
    return MONDAYS.periods("day", first, end)


def test_a_range_at_once_is_its_days_one_by_one_in_any_order(store: Store, world: World, tmp_path: Path) -> None:
    histories = [[history(name)] for name in NAMES]
    whole = store.build(histories, days())
    assert not whole.problems()
    version = store.version
    store.build(histories, days())
    for period in days()[2:4]:
        store.build(histories, [period])
    assert store.version == version, "the same again commits nothing"

    single = Store(world, tmp_path / "single")
    pieces = [(one, period) for one in histories for period in days()]
    random.Random(3).shuffle(pieces)
    for one, period in pieces[:6]:
        single.build([one], [period])
    for start in (7, 0):
        single.build(histories[::-1], days()[start : start + 7])
    assert single.rows() == store.rows()
    assert len(store.rows()) > 14 * 4


def test_rows_of_other_workspaces_change_nothing(tmp_path: Path) -> None:
    found = []
    for extra in (0, 1):
        rows = random_rows(11)
        if extra:
            for name, mine in rows.items():
                others = [row for row in mine if row.get("workspace_id") not in ("acme", None)]
                kept = [row for row in mine if row.get("workspace_id") in ("acme", None)]
                doubled = [row | {"watch_time": 1e9, "amount_cents": 10**12, "user_id": "canary"} for row in others]
                rows[name] = kept if name == "application_reads" else [*kept, *doubled, *doubled]
            rows["application_reads"] = random_rows(11)["application_reads"]
        store = Store(World(tmp_path / f"world{extra}", rows), tmp_path / f"lake{extra}")
        store.build([[history(name)] for name in NAMES], days())
        found.append(store.rows("generation"))
    assert found[0] == found[1]
    assert "canary" not in str(found)


def test_a_metric_whose_data_set_is_gone_keeps_its_values(store: Store, world: World) -> None:
    histories = [[history(name)] for name in ("plays", "per_play")]
    store.build(histories, days())
    before = store.rows()
    left = [table for table in load_application() if table.name != "orders"]
    datasets = Datasets(specs(), left, catalog().metrics.values())
    calculator = Calculator(str(world.directory), specs(), datasets, world.settings, world.tables)
    changed = [[history("plays", number=2, filter="country = 'DE'")], histories[1]]
    built = store.build(changed, days(), calculator=calculator)
    assert (built.metrics, len(built.problems())) == (1, 1)
    assert "per_play" in built.problems()[0]
    mine = [row for row in store.rows() if row["definition_name"] == "per_play"]
    assert mine == [row for row in before if row["definition_name"] == "per_play"]
    assert all(row["version"] == 2 for row in store.rows() if row["definition_name"] == "plays" and row["is_current"])


VISITS = """
tables:
  visits:
    key: [id]
    day: [day]
    columns: {id: string, workspace_id: string, day: timestamp%s}
"""
MORE = ", ended: timestamp, place: string, score: double"


@pytest.mark.parametrize(
    "said",
    [
        {"agg_time_dimension": "ended"},
        {"agg": "sum", "expr": "score"},
        {"filter": "place is null"},
        {"filters": [{"field": "place", "op": "is_null"}]},
        {"dimensions": ["place"]},
        {"non_additive_dimension": {"name": "day", "window_groupings": ["place"]}},
    ],
    ids="-".join,
)
def test_a_metric_whose_field_is_gone_holds_up_no_other(tmp_path: Path, said: Document) -> None:
    found = {}
    for more in (MORE, ""):
        file = tmp_path / f"visits{len(more)}.yaml"
        file.write_text(VISITS % more)
        found[more] = Datasets(specs(), load_application(file), catalog().metrics.values())
    documents = {"visits": {"name": "visits", "type": "simple", "dataset": "visits", "agg": "count"} | said}
    version = version_of(documents, "visits")
    Checker(found[MORE]).check(version)
    with pytest.raises(DefinitionError):
        Checker(found[""]).check(version)
    assert "day" in Checker(found[""]).grains(version)
    known = {spec.name: spec for spec in map(table_spec, load_application(tmp_path / "visits0.yaml"))}
    settings = Settings(data_dir=tmp_path)
    calculator = Calculator(str(tmp_path), {**specs(), **known}, found[""], settings, lambda _: {})
    built = Store(World(tmp_path / "world", {}), tmp_path / "lake").build([[version]], days(), calculator=calculator)
    assert len(built.problems()) == 1
    assert built.metrics == 0


def test_a_statement_over_its_limits_keeps_its_values_too(store: Store, world: World) -> None:
    histories = [[history("plays")], [history("watched")]]
    store.build(histories, days())
    before = store.rows()
    settings = world.settings.model_copy(update={"custom_metric_groups": 3})
    calculator = Calculator(str(world.directory), specs(), world.calculator.datasets, settings, world.tables)
    built = store.build(histories, days(), calculator=calculator)
    assert built.metrics == 1
    assert store.rows() == before


def test_values_of_a_version_survive_later_ones(store: Store) -> None:
    one, two = history("plays"), history("plays", number=2, filter="country = 'DE'")
    store.build([[one]], days())
    first = store.rows("is_current", "computed_at")
    store.build([[one, two]], days(), replace(AROUND, now=NOW + timedelta(minutes=5)))
    later = store.rows("computed_at")
    of_one = [{k: v for k, v in row.items() if k != "is_current"} for row in later if row["version"] == 1]
    assert of_one == first
    assert [row["version"] for row in later if row["is_current"]] == [2] * 14
    # an earlier version in force again is current again, and nothing of it has changed
    store.build([[one]], days())
    again = store.rows("computed_at")
    assert [row["version"] for row in again if row["is_current"]] == [1] * 14
    assert len(again) == 28
    assert [r for r in again if r["version"] == 2] == [r | {"is_current": False} for r in later if r["version"] == 2]


def test_a_version_makes_the_periods_from_its_first_day_on(store: Store) -> None:
    since = FIRST + timedelta(days=5)
    versions = [history("plays"), history("plays", number=2, since=since, filter="country = 'DE'")]
    store.build([versions], days())
    assert [row["version"] for row in store.rows()] == [1] * 5 + [2] * 9
    # of a week that has begun before, the version is the earlier one
    weeks = MONDAYS.periods("week", FIRST, END)
    store.build([versions], weeks, grain="week")
    assert [row["version"] for row in store.rows() if row["grain"] == "week"] == [1, 2]


def test_a_later_version_without_the_grain_stores_nothing_by_it(store: Store) -> None:
    since = FIRST + timedelta(days=5)
    versions = [history("plays"), history("plays", number=2, since=since, time_grains=["week"])]
    built = store.build([versions], days())
    assert not built.problems()
    assert [row["version"] for row in store.rows()] == [1] * 5
    # nor does one whose offset has no counterpart by that grain take the earlier one's values along
    months = [{"name": "plays", "offset_window": "1 month"}, "revenue"]
    versions = [history("per_play"), history("per_play", number=2, since=since, input_metrics=months)]
    built = store.build([versions], days())
    assert not built.problems()
    assert [row["version"] for row in store.rows() if row["definition_name"] == "per_play"] == [1] * 5


def test_parts_that_are_gone_leave_and_periods_to_come_are_not_there(store: Store, tmp_path: Path) -> None:
    at = datetime(2025, 4, 6, 8, tzinfo=UTC)
    row: Row = {"workspace_id": "acme", "date": at.date(), "event_ts": at, "is_bot": False, "watch_time": 3.0}
    world = World(tmp_path / "own", {"events": [row | {"country": "DE"}, row | {"country": "AT"}]})
    store = Store(world, tmp_path / "lake")
    asked = [[history("watched", dimensions=["country"], timezone="UTC")]]
    store.build(asked, days(date(2025, 4, 6), date(2025, 4, 9)))
    assert [r["dimensions"] for r in store.rows()] == ['{"country":"AT"}', '{"country":"DE"}', "{}"]
    world.write("events", [row | {"country": "AT"}])
    store.build(asked, days(date(2025, 4, 6), date(2025, 4, 9)))
    assert [(r["dimensions"], r["value"]) for r in store.rows()] == [('{"country":"AT"}', 1.0), ("{}", 1.0)]
