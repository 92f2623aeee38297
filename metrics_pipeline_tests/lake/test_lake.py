"""The lake under one writer and under many: creation, replacement, conflicts, exactly-once, time travel."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.maintenance import Retention, maintain_table, purge_workspace
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.tables import DAILY_METRICS, TABLES
from metrics_pipeline.settings import load_settings

DAY = date(2026, 3, 2)


def daily_rows(day: date, values: list[float], entity_type: str = "account", workspace: str = "w") -> pa.Table:
    rows = [
        {
            "date": day,
            "workspace_id": workspace,
            "platform": "x",
            "entity_type": entity_type,
            "entity_id": f"e{n}",
            "metric": "likes",
            "value": value,
            "is_complete": True,
        }
        for n, value in enumerate(values)
    ]
    return pa.Table.from_pylist(
        [{c.name: row.get(c.name) for c in DAILY_METRICS.columns} for row in rows], schema=DAILY_METRICS.schema
    )


def of_day(day: date, entity_type: str = "account") -> Partitions:
    return Partitions(equals={"entity_type": entity_type}, one_of=("date", [day]))


def values(lake: Lake) -> list[float]:
    with Engine(lake).session() as session:
        rows = session.run("select value from daily_metrics order by value").read_all()
    return [float(value) for value in rows["value"].to_pylist() if value is not None]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path / "lake"))
    lake.initialise()
    return lake


def test_every_table_exists_and_is_empty_after_initialisation(lake: Lake) -> None:
    with Engine(lake).session() as session:
        for name, spec in TABLES.items():
            empty = session.run(f"select * from {name}").read_all()
            assert empty.num_rows == 0
            assert empty.schema.names == spec.schema.names


def _initialise(location: str) -> None:
    Lake(location).initialise()


def test_six_processes_may_initialise_one_lake_at_once(tmp_path: Path) -> None:
    location = str(tmp_path / "lake")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_initialise, args=(location,)) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [p.exitcode for p in processes] == [0] * 6
    assert Lake(location).version("daily_metrics") == 0


def test_an_older_lake_gains_the_columns_that_were_added(tmp_path: Path) -> None:
    spec = DAILY_METRICS
    older = pa.schema([field for field in spec.schema if field.name != "days_spanned"])
    DeltaTable.create(str(tmp_path / "lake" / spec.name), schema=older, partition_by=list(spec.partition_by))
    lake = Lake(str(tmp_path / "lake"))
    older_rows = daily_rows(DAY, [1.0]).drop_columns(["days_spanned"])
    write_deltalake(lake.table(spec.name), older_rows, mode="append")
    for _ in range(2):  # with files that all lack the column, and with one that has it
        lake.initialise()
        with Engine(lake).session() as session:
            found = session.run("select days_spanned, value from daily_metrics").read_all().to_pylist()
        assert {"days_spanned": None, "value": 1.0} in found
        lake.replace(spec.name, of_day(date(2026, 3, 3)), lambda _: daily_rows(date(2026, 3, 3), [2.0]))


def test_a_lake_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot be written"):
        Lake(str(tmp_path / "file" / "lake")).initialise()


def test_replacing_touches_the_named_partitions_only(lake: Lake) -> None:
    other = date(2026, 3, 3)
    lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, [1.0, 2.0]))
    lake.replace("daily_metrics", of_day(other), lambda _: daily_rows(other, [10.0]))
    lake.replace("daily_metrics", of_day(DAY, "post"), lambda _: daily_rows(DAY, [100.0], "post"))
    lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, [3.0]))
    assert values(lake) == [3.0, 10.0, 100.0]


def test_replacing_with_nothing_empties_the_partition(lake: Lake) -> None:
    lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, [1.0]))
    lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, []))
    assert values(lake) == []


def test_rows_outside_the_partition_are_refused(lake: Lake) -> None:
    with pytest.raises(DeltaError):
        lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(date(2026, 3, 9), [1.0]))
    assert values(lake) == []


@pytest.mark.parametrize("start", [[], [7.0]], ids=["empty", "filled"])
def test_a_writer_that_was_overtaken_redoes_its_work_on_the_new_version(lake: Lake, start: list[float]) -> None:
    if start:
        lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, start))
    calls = []

    def slow(target: DeltaTable) -> pa.Table:
        calls.append(target.version())
        if len(calls) == 1:  # somebody else commits between our opening and our writing
            lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, [1.0]))
        return daily_rows(DAY, [2.0])

    lake.replace("daily_metrics", of_day(DAY), slow)
    assert len(calls) == 2
    assert calls[1] > calls[0]
    assert values(lake) == [2.0]


def test_writers_of_different_partitions_do_not_disturb_each_other(lake: Lake) -> None:
    calls = []

    def slow(_: DeltaTable) -> pa.Table:
        calls.append(1)
        lake.replace("daily_metrics", of_day(date(2026, 3, 3)), lambda _: daily_rows(date(2026, 3, 3), [10.0]))
        return daily_rows(DAY, [2.0])

    lake.replace("daily_metrics", of_day(DAY), slow)
    assert len(calls) == 1
    assert values(lake) == [2.0, 10.0]


def test_append_once_appends_once(lake: Lake) -> None:
    rows = daily_rows(DAY, [1.0])
    assert lake.append_once("daily_metrics", rows, "drain", 1)
    assert not lake.append_once("daily_metrics", rows, "drain", 1)
    assert lake.append_once("daily_metrics", rows, "drain", 2)
    assert not lake.append_once("daily_metrics", rows, "drain", 1)
    assert lake.append_once("daily_metrics", rows, "other", 1)
    assert values(lake) == [1.0, 1.0, 1.0]


def test_older_versions_stay_readable(lake: Lake) -> None:
    lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, [1.0]))
    before, instant = lake.version("daily_metrics"), datetime.now(UTC)
    lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, [2.0]))
    assert lake.file_uris("daily_metrics", version=before) != lake.file_uris("daily_metrics")
    assert lake.file_uris("daily_metrics", at=instant) == lake.file_uris("daily_metrics", version=before)


def test_purging_a_workspace_leaves_the_others(lake: Lake) -> None:
    rows = pa.concat_tables([daily_rows(DAY, [1.0]), daily_rows(DAY, [5.0], workspace="other's")])
    lake.replace("daily_metrics", of_day(DAY), lambda _: rows)
    assert purge_workspace(lake, "other's")["daily_metrics"] == 1
    assert values(lake) == [1.0]


def test_maintenance_keeps_the_rows_and_drops_superseded_files(lake: Lake, tmp_path: Path) -> None:
    for n in range(5):
        lake.append("daily_metrics", daily_rows(DAY, [float(n)]))
    done = maintain_table(lake, "daily_metrics", DAY, Retention(30, 90), vacuum_hours=0)
    assert done.files_compacted == 5
    assert done.files_removed == 5
    assert values(lake) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert (
        len(list((tmp_path / "lake" / "daily_metrics").rglob("*.parquet"))) == len(lake.file_uris("daily_metrics")) + 1
    )


@pytest.mark.parametrize(("table", "kept"), [("events", 1), ("viewer_days", 1), ("content_daily", 2)])
def test_raw_events_and_viewers_expire_and_what_was_counted_stays(lake: Lake, table: str, kept: int) -> None:
    spec = TABLES[table]
    old, new = DAY - timedelta(days=91), DAY - timedelta(days=90)
    rows = [{"workspace_id": "w", "content_id": "c", "date": day, "event_id": str(day)} for day in (old, new)]
    known = [{name: value for name, value in row.items() if name in spec.schema.names} for row in rows]
    lake.append(table, pa.Table.from_pylist(known, schema=spec.schema))
    maintain_table(lake, table, DAY, Retention(30, 90), vacuum_hours=0)
    with Engine(lake).session() as session:
        assert session.run(f"select * from {table}").read_all().num_rows == kept


def test_a_lake_behind_a_url_is_read_and_written_the_same_way(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, lake_url=f"file://{tmp_path}/remote")
    (tmp_path / "remote").mkdir()
    lake = Lake.open(settings)
    assert not lake.is_local
    lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, [1.0]))
    lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, [2.0]))
    assert values(lake) == [2.0]


def test_partitions_name_partition_columns_only() -> None:
    with pytest.raises(ValueError, match="partitioned by"):
        Partitions(equals={"workspace_id": "w"}).predicate(DAILY_METRICS)
    with pytest.raises(ValueError, match="partitioned by"):
        Partitions().predicate(DAILY_METRICS)
    quoted = Partitions(equals={"entity_type": "it's"}, between=("date", DAY, date(2026, 3, 4)))
    assert quoted.predicate(DAILY_METRICS) == "entity_type = 'it''s' and date >= '2026-03-02' and date < '2026-03-04'"
