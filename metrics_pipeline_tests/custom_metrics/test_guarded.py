"""The second wall alone: statements that no gate has seen, run as they are."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from metrics_pipeline.custom_metrics.compiler.statement import Statement
from metrics_pipeline.custom_metrics.guarded import GuardedLake, Limits, NoQueryError, NotComputedError, OverLimitsError
from metrics_pipeline_tests.custom_metrics.test_rules import event, noon
from metrics_pipeline_tests.custom_metrics.worlds import World, specs

DAY, OTHER = date(2025, 3, 5), date(2025, 3, 6)
SECONDS = 1.0
REFUSED = (duckdb.Error, NotComputedError, NoQueryError)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    rows = {
        "events": [event(noon(day), user_id=f"u{day}") for day in (DAY, OTHER)],
        "app_orders": [{"workspace_id": "acme", "date": DAY, "id": "secret", "amount_cents": 1}],
    }
    return World(tmp_path_factory.mktemp("guarded"), rows)


@pytest.fixture(scope="module")
def lake(world: World) -> Iterator[GuardedLake]:
    """May read one day of one table."""
    reads = {"events": (DAY, OTHER)}
    limits = Limits("200MB", SECONDS)
    with GuardedLake(str(world.directory), specs(), world.tables(["events"]), reads, limits) as lake:
        yield lake


def statement(text: str) -> Statement:
    empty = pa.table({"period": pa.array([], pa.int32())})
    return Statement(text, {}, empty, empty, {})


def file_of(world: World, table: str, day: date) -> str:
    return next(str(path) for path in (world.directory / table).rglob("*.parquet") if f"date={day}" in str(path))


def test_reads_what_it_was_given(lake: GuardedLake) -> None:
    assert lake.run(statement("select user_id from events")).to_pylist() == [{"user_id": f"u{DAY}"}]


def test_opens_no_other_file(world: World, lake: GuardedLake) -> None:
    # by a name that says nothing: what is refused is the file, and not how it is asked for
    link = world.directory / "link.parquet"
    link.unlink(missing_ok=True)
    os.symlink(file_of(world, "events", OTHER), link)
    mine = file_of(world, "events", DAY)
    assert lake.run(statement(f"select count(*) as n from read_parquet('{mine}')")).to_pylist() == [{"n": 1}]
    outside = [
        file_of(world, "events", OTHER),
        file_of(world, "app_orders", DAY),
        str(link),
        str(Path(mine).parent / ".." / f"date={OTHER}" / Path(file_of(world, "events", OTHER)).name),
        str(world.directory / "events" / "*" / "*.parquet"),
        str(world.directory / "events" / "_delta_log" / "00000000000000000000.json"),
        "/etc/passwd",
        "/proc/self/environ",
        "https://example.org/x.parquet",
        "s3://bucket/x.parquet",
    ]
    for path in outside:
        for reader in ("read_parquet", "read_csv", "read_text", "read_blob", "read_json", "parquet_metadata"):
            with pytest.raises(REFUSED):
                lake.run(statement(f"select * from {reader}('{path}')"))
        with pytest.raises(REFUSED):
            lake.run(statement(f"from '{path}'"))


def test_lists_no_directory(world: World, lake: GuardedLake) -> None:
    for pattern in (str(world.directory / "*"), "/etc/*", "/**"):
        with pytest.raises(REFUSED):
            lake.run(statement(f"select * from glob('{pattern}')"))


def test_writes_nothing_loads_nothing_and_stays_as_it_is(world: World, lake: GuardedLake) -> None:
    before = sorted(world.directory.rglob("*"))
    mine = file_of(world, "events", DAY)
    content = Path(mine).read_bytes()
    for text in (
        f"copy (select 1) to '{world.directory}/out.csv'",
        f"copy (select 1 as x) to '{mine}' (format parquet)",
        f"copy (select 1 as x) to '{mine}' (format parquet, use_tmp_file false)",
        f"attach '{world.directory}/other.db' as other",
        f"attach '{mine}' as other",
        f"export database '{world.directory}/out'",
        f"import database '{world.directory}'",
        "create table kept as select * from events",
        "create or replace view events as select 1",
        "drop view events",
        "install httpfs",
        "load httpfs",
        "load json",
        "set memory_limit = '10GB'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        f"set allowed_directories = ['{world.directory}']",
        "set max_execution_time = 0",
        "reset memory_limit",
        "pragma memory_limit = '10GB'",
        "create secret s (type s3)",
        "call pragma_version()",
        "explain select 1",
        "select 1; select 2",
        "",
    ):
        with pytest.raises(NoQueryError):
            lake.run(statement(text))
    for text in (
        "select getenv('HOME')",
        "select * from limits",  # a variable of Python
        "select * from SECONDS",
        f"select * from query('copy (select 1) to ''{mine}'' (use_tmp_file false)')",
        f"with x as (copy (select 1) to '{mine}') select * from x",
    ):
        with pytest.raises(REFUSED):
            lake.run(statement(text))
    assert sorted(world.directory.rglob("*")) == before
    assert Path(mine).read_bytes() == content
    assert lake.run(statement("select count(*) as n from events")).to_pylist() == [{"n": 1}]


def test_endless_statements_are_stopped(lake: GuardedLake) -> None:
    for text in (
        "select count(*) from range(10000000) a, range(10000000) b where (a.range * b.range) % 7 = 3",
        "with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) from r",
        "select sum(sqrt(a.range)) from range(100000000000) a",
    ):
        started = time.monotonic()
        with pytest.raises(OverLimitsError, match="longer than 1 s"):
            lake.run(statement(text))
        assert time.monotonic() - started < SECONDS + 2
    # and the next one runs
    assert lake.run(statement("select 1 as n")).to_pylist() == [{"n": 1}]


def test_memory_is_limited(lake: GuardedLake) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for text in (
        "select count(*) from (select distinct range, hash(range) from range(60000000))",
        "select len(list(hash(range))) from range(60000000)",
    ):
        with pytest.raises(OverLimitsError):
            lake.run(statement(text))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000, "more than 400 MB"
    assert lake.run(statement("select 1 as n")).to_pylist() == [{"n": 1}]
