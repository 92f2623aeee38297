"""Readings that come in any order, with gaps and restatements, lead to the tables of a clean load.

After each batch only what the lake's commits call changed is built again, the way the sensors do it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from metrics_pipeline.aggregation.build import Builder, EntityType
from metrics_pipeline.aggregation.dirty import dirty_days, versions_now
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.changes import changes_since
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window, runs_of_days
from metrics_pipeline_tests.aggregation.readings import Row, World, counter, insight, post, status
from metrics_pipeline_tests.proofs.sizes import figure, size

FIRST = date(2024, 2, 1)  # a leap year, and summer time begins and ends in it
DAYS = size(40, 366)
SEEDS = range(size(1, 2))
BATCHES = size(4, 12)
LEVELS: tuple[EntityType, ...] = ("post", "account", "workspace")
TABLES = ("daily_metrics", "weekly_metrics", "monthly_metrics")
NOW = datetime(FIRST.year, FIRST.month, FIRST.day, 12, tzinfo=UTC) + DAYS * DAY
ACCOUNTS = (("acme", "instagram", "a"), ("acme", "x", "b"), ("globex", "youtube", "c"))


def year_of(seed: int) -> World:
    """Series that are restated for some days, counters of posts, levels, refusals, and days nobody was asked."""
    dice = random.Random(seed)
    world = World()
    for workspace, platform, account in ACCOUNTS:
        where: Row = {"workspace_id": workspace, "platform": platform, "account_id": account}
        world.posts.append(post("p", _at(FIRST + 3 * DAY, 9)) | where)
        total = 100.0
        for n in range(DAYS):
            day = FIRST + n * DAY
            if dice.random() < 0.15:
                if dice.random() < 0.5:
                    world.statuses.append(status("views", day, "failed", reason="no answer") | where)
                continue
            zone: Row = {"day_timezone": "America/Los_Angeles"} if platform == "youtube" else {}
            for metric in ("views", "likes", "reach"):
                value = float(dice.randrange(50))
                for later in sorted(dice.sample(range(6), dice.randrange(1, 4))):
                    value += dice.choice((0, 0, 1, 4))
                    read = _at(day + DAY, 2) + later * DAY
                    world.insights.append(insight(metric, day, value, read_at=read) | zone | where)
            total += dice.randrange(-3, 8)
            world.counters.append(counter("followers", _at(day, 23), total, kind="gauge") | where)
            if n >= 3:
                world.counters.append(counter("saves", _at(day, 23), total * 2) | where | {"post_id": "p"})
            world.statuses.append(status("views", day, "value") | where)
    return world


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)


class Site:
    """A lake with its builder, and what a daemon would remember."""

    def __init__(self, directory: Path) -> None:
        lake = Lake(str(directory))
        lake.initialise()
        self.settings = Settings(now=NOW)
        self.builder = Builder(Engine(lake), catalog(), self.settings)
        self.lake = lake
        self.seen = versions_now(lake, self.settings)

    def take(self, world: World) -> None:
        world.write(self.builder.engine)

    def build(self, windows: Iterable[Window]) -> None:
        """Days, then the weeks and months of those that changed, and the ones compared with them."""
        before = self.lake.version("daily_metrics")
        for window in windows:
            for level in LEVELS:
                self.builder.daily(level, window, NOW)
        changes = changes_since("daily_metrics", self.lake.table("daily_metrics"), before)
        changed = {day for change in changes or () for day in change.days}
        for days in runs_of_days(day + n * DAY for day in changed for n in range(8)):
            self.builder.weekly(days, NOW)
        for days in runs_of_days(day + n * DAY for day in changed for n in range(32)):
            self.builder.monthly(days, NOW)

    def catch_up(self) -> frozenset[date]:
        dirty = dirty_days(self.lake, self.settings, self.seen)
        self.build(runs_of_days(dirty.days))
        self.seen = dict(dirty.versions)
        return dirty.days

    def rows(self) -> Mapping[str, pa.Table]:
        end = FIRST + DAYS * DAY
        with self.builder.engine.session() as session:
            return {
                table: session.run(
                    f"select * from {table} where {column} < date '{end}' order by all"
                ).read_all()
                for table, column in zip(TABLES, ("date", "week_start", "month_start"), strict=True)
            }  # fmt: skip


def batches_of(world: World, seed: int) -> list[World]:
    """Everything the platforms said, dealt out at random: late, early and out of order."""
    dice = random.Random(seed)
    dealt = [World() for _ in range(BATCHES)]
    for name in ("insights", "counters", "posts", "statuses"):
        rows: list[Row] = list(getattr(world, name))
        dice.shuffle(rows)
        for row in rows:
            getattr(dice.choice(dealt), name).append(row)
    return dealt


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_ends_in_the_tables_of_a_clean_load(tmp_path: Path, seed: int) -> None:
    world = year_of(seed)
    clean = Site(tmp_path / "clean")
    clean.take(world)
    clean.build([Window.of_days(FIRST, NOW.date() + DAY)])

    late = Site(tmp_path / "late")
    for batch in batches_of(world, seed):
        late.take(batch)
        late.catch_up()
    expected, found = clean.rows(), late.rows()
    for table in TABLES:
        assert found[table].num_rows == expected[table].num_rows > 0
        assert found[table].equals(expected[table]), table
    figure(f"daily rows, seed {seed}", expected["daily_metrics"].num_rows)
    figure(f"readings in random order, seed {seed}", len(world.insights) + len(world.counters))


def test_one_late_value_rewrites_its_days_weeks_and_months_only(tmp_path: Path) -> None:
    world = year_of(7)
    site = Site(tmp_path / "lake")
    site.take(world)
    site.build([Window.of_days(FIRST, FIRST + DAYS * DAY)])
    site.catch_up()  # nothing of it is new
    files = {table: set(site.lake.file_uris(table)) for table in TABLES}

    day = FIRST + 10 * DAY
    site.take(World(insights=[insight("views", day, 4_711.0, read_at=NOW, platform="x", account="b")]))
    site.catch_up()

    written = {table: sorted(set(site.lake.file_uris(table)) - files[table]) for table in TABLES}
    touched = {table: sorted({uri.split(f"{table}/")[1].split("/")[0] for uri in written[table]}) for table in TABLES}
    assert touched == {
        "daily_metrics": [f"date={day}"],
        "weekly_metrics": ["week_start=2024-02-05", "week_start=2024-02-12"],
        "monthly_metrics": ["month_start=2024-02-01", "month_start=2024-03-01"],
    }


def test_a_read_that_changes_nothing_rewrites_nothing(tmp_path: Path) -> None:
    world = year_of(8)
    site = Site(tmp_path / "lake")
    site.take(world)
    site.build([Window.of_days(FIRST, FIRST + DAYS * DAY)])
    site.catch_up()
    versions = {table: site.lake.version(table) for table in TABLES}
    site.take(World(insights=world.insights[:40], counters=world.counters[:40], statuses=world.statuses[:5]))
    assert not site.catch_up()
    assert {table: site.lake.version(table) for table in TABLES} == versions
