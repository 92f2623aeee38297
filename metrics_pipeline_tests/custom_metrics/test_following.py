"""Which values may have changed since an earlier look, beside what rows and definitions say."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.custom_metrics.following import StaleFinder
from metrics_pipeline.custom_metrics.registry.actors import cli_actor
from metrics_pipeline.custom_metrics.registry.registry import Registry
from metrics_pipeline.lake.application_tables import APPLICATION_READS, ORDERS
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline_tests.control.conftest import migrated_file
from metrics_pipeline_tests.custom_metrics.worlds import Document, datasets

__all__ = ["migrated_file"]

D = date(2026, 3, 3)
ONE = timedelta(days=1)
ORDER_COUNT: Document = {"name": "order_count", "type": "simple", "dataset": "orders", "agg": "count"}


class Looks:
    """One metric over orders, looked at again and again."""

    def __init__(self, directory: Path, migrated: Path, document: Document) -> None:
        self.lake = Lake(str(directory / "lake"))
        self.lake.tables = {spec.name: spec for spec in (ORDERS, APPLICATION_READS)}
        self.lake.initialise()
        shutil.copy(migrated, directory / "control.db")
        self.settings: Settings = load_settings(data_dir=directory, pipeline_start="2026-02-01", now=_at(D, 8))
        self.control = open_control(self.settings)
        add_workspace(self.control, "acme", now=_at(D, 8))
        self.registry = Registry(self.control, self.settings.clock)
        self.registry.create(cli_actor("acme"), document)
        self.cursor: dict[str, object] = {}

    def read(self, day: date, at: datetime) -> None:
        row = {"table_name": "orders", "date": day, "last_read_at": at}
        stored = self.lake.table("application_reads").to_pyarrow_table().to_pylist()
        rows = [*(entry for entry in stored if entry["date"] != day), row]
        table = pa.Table.from_pylist(rows, schema=APPLICATION_READS.schema)
        self.lake.replace("application_reads", Partitions(), lambda _: table)

    def look(self, now: datetime) -> set[tuple[date, date]]:
        """The days that are stale."""
        settings = self.settings.model_copy(update={"now": now})
        found = StaleFinder(self.lake, self.registry, datasets(), settings).find(self.cursor)
        self.cursor = dict(found.cursor)
        return set(found.spans)


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def test_a_day_that_is_known_by_now_is_computed_anew_without_a_row_that_changed(
    tmp_path: Path, migrated_file: Path
) -> None:
    looks = Looks(tmp_path, migrated_file, ORDER_COUNT)
    looks.look(_at(D, 8))
    looks.read(D, _at(D, 20))
    assert looks.look(_at(D, 21)) == {(D, D + ONE)}
    assert looks.look(_at(D, 22)) == set()
    assert looks.look(_at(D + ONE, 0)) == {(D, D + 2 * ONE)}
    looks.read(D, _at(D + ONE, 1))  # after its end: nothing was ordered, but now that is known
    assert looks.look(_at(D + ONE, 2)) == {(D, D + ONE)}
    looks.read(D, _at(D + ONE, 3))  # it was known already
    assert looks.look(_at(D + ONE, 4)) == set()


@pytest.mark.parametrize(("zone", "since"), [("UTC", D), ("America/New_York", D - ONE)])
def test_a_day_that_was_running_elsewhere_is_computed_once_it_is_over(
    tmp_path: Path, migrated_file: Path, zone: str, since: date
) -> None:
    looks = Looks(tmp_path, migrated_file, ORDER_COUNT | {"timezone": zone})
    looks.look(_at(D, 1))  # it is still the day before in New York
    assert looks.look(_at(D, 9)) == set()
    assert looks.look(_at(D + ONE, 1)) == {(since, D + 2 * ONE)}
