"""The merges of sql/merge/: any order and any repetition of batches gives one table, and nobody's rows are lost."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.collection.store import merge_days
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.aggregation.readings import Row, World, at, counter, day, insight, post, rows_of, status

MEASURED = day("2026-03-02")
START = datetime(2026, 3, 3, tzinfo=UTC)
Reads = list[tuple[int, int]]


@pytest.fixture(scope="module")
def memory() -> MemoryEngine:
    return MemoryEngine()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    lake = Lake(str(tmp_path / "lake"))
    lake.initialise()
    return Engine(lake)


def instant(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def merge_reads(memory: MemoryEngine, reads: Reads) -> list[tuple[datetime, datetime, float]]:
    """Merge reads of one series, a batch each, in this order; returns the (read_at, confirmed_at, value) runs."""
    memory.clear()
    for hour, value in reads:
        merge_days(memory, "insight_readings", "instagram", rows_of("insight_readings", [read(hour, value)]))
    rows = memory.tables["insight_readings"].to_pylist()
    return [(r["read_at"], r["confirmed_at"], r["value"]) for r in rows]


def read(hour: int, value: int) -> Row:
    return insight("likes", MEASURED, value, read_at=instant(hour))


def runs_of(reads: Reads) -> list[tuple[datetime, datetime, float]]:
    """The oracle: equal neighbours in time are one run."""
    runs = []
    for value, group in itertools.groupby(sorted(set(reads)), key=lambda r: r[1]):
        hours = [hour for hour, _ in group]
        runs.append((instant(hours[0]), instant(hours[-1]), float(value)))
    return runs


def known_at(runs: list[tuple[datetime, datetime, float]], moment: datetime) -> float | None:
    return next((value for first, _, value in reversed(runs) if first <= moment), None)


_read_lists = st.lists(
    st.tuples(st.integers(0, 23), st.integers(0, 2)), min_size=1, max_size=8, unique_by=lambda r: r[0]
)


@histories(5)
@given(reads=_read_lists, data=st.data())
def test_reads_in_time_order_are_run_lengths_and_repeating_any_changes_nothing(
    memory: MemoryEngine, reads: Reads, data: st.DataObject
) -> None:
    reads = sorted(reads)
    repeated = data.draw(st.lists(st.sampled_from(reads), max_size=3))
    assert merge_reads(memory, reads) == runs_of(reads)
    assert merge_reads(memory, reads + repeated) == runs_of(reads)


@pytest.mark.parametrize("values", [(1, 1, 1), (1, 2, 1), (1, 1, 2), (2, 1, 1), (1, 2, 3)])
def test_three_runs_that_overtake_each_other_in_any_order_leave_one_table(
    memory: MemoryEngine, values: tuple[int, int, int]
) -> None:
    reads = list(zip((1, 5, 9), values, strict=True))
    for order in itertools.permutations(reads):
        assert merge_reads(memory, list(order)) == runs_of(reads)
        assert merge_reads(memory, [*order, order[0]]) == runs_of(reads)


@histories(6)
@given(reads=_read_lists, data=st.data())
def test_a_run_that_is_overtaken_once_changes_no_value_as_of_any_read(
    memory: MemoryEngine, reads: Reads, data: st.DataObject
) -> None:
    reads = sorted(reads)
    order = list(reads)
    n = data.draw(st.integers(0, max(0, len(order) - 2)))
    order[n : n + 2] = reversed(order[n : n + 2])
    runs = merge_reads(memory, order)
    for hour, value in reads:
        assert known_at(runs, instant(hour)) == value


def test_a_late_read_splits_the_run_it_contradicts(memory: MemoryEngine) -> None:
    # what the run was confirmed with in between is not kept: the newer value stands until its last confirmation
    runs = merge_reads(memory, [(1, 5), (4, 5), (9, 5), (3, 7)])
    assert runs == [(instant(1), instant(1), 5), (instant(3), instant(3), 7), (instant(9), instant(9), 5)]


@histories(3)
@given(
    values=st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(0, 3), st.integers(0, 9)),
        min_size=1,
        max_size=15,
        unique_by=lambda r: r[:3],
    ),
    data=st.data(),
)
def test_counters_and_status_do_not_depend_on_order_or_repetition(
    memory: MemoryEngine, values: list[tuple[str, int, int, int]], data: st.DataObject
) -> None:
    def tables(order: list[tuple[str, int, int, int]]) -> list[list[Row]]:
        memory.clear()
        for account, n, hour, value in order:
            seen = datetime(2026, 3, 2 + n, hour, 50, tzinfo=UTC)
            state = "value" if value else "failed"
            World(
                counters=[counter("views", seen, value, account=account)],
                statuses=[status("views", seen.date(), state, read_at=seen, account=account)],
            ).write(memory)
        return [sorted(memory.tables[t].to_pylist(), key=str) for t in ("counter_readings", "collection_status")]

    readings, statuses = tables(values)
    assert len(readings) == len(values)
    assert len(statuses) == len({(a, n) for a, n, _, _ in values})
    shuffled = data.draw(st.permutations(values))
    assert tables([*shuffled, shuffled[0]]) == [readings, statuses]


def test_a_later_attempt_stands_and_remembers_when_a_value_last_came(memory: MemoryEngine) -> None:
    memory.clear()
    for hour, state in ((5, "value"), (9, "failed"), (7, "zero")):
        World(statuses=[status("likes", MEASURED, state, read_at=instant(hour))]).write(memory)
    (row,) = memory.tables["collection_status"].to_pylist()
    assert (row["state"], row["last_read_at"], row["last_value_at"]) == ("failed", instant(9), instant(7))


SIGHTS = {
    "alive": post("p", at("2026-03-01 08:00"), seen_at=instant(1), post_type="reel", title="Spring"),
    "renamed": post("p", at("2026-03-01 08:00"), seen_at=instant(4), post_type="reel", title="Summer"),
    "gone": post("p", None, seen_at=instant(6), deleted_at=instant(6)),
    "still gone": post("p", None, seen_at=instant(9), deleted_at=instant(9)),
    "back": post("p", at("2026-03-01 08:00"), seen_at=instant(12), post_type="reel", title="Autumn"),
}


def merged(memory: MemoryEngine, *names: str) -> Row:
    memory.clear()
    for name in names:
        incoming = rows_of("posts", [SIGHTS[name]])
        memory.merge("posts", "merge/posts.sql", incoming, Partitions(equals={"platform": "instagram"}))
    (row,) = memory.tables["posts"].to_pylist()
    found: Row = row
    return found


@pytest.mark.parametrize(
    "names", [("alive", "renamed", "gone"), ("alive", "gone", "still gone"), ("alive", "gone", "back")]
)
def test_posts_do_not_depend_on_order_or_repetition(memory: MemoryEngine, names: tuple[str, ...]) -> None:
    expected = merged(memory, *names)
    for order in itertools.permutations(names):
        assert merged(memory, *order, order[0]) == expected


def test_a_tombstone_keeps_what_was_known_however_often_it_comes(memory: MemoryEngine) -> None:
    row = merged(memory, "alive", "renamed", "gone", "still gone", "gone")
    assert (row["post_type"], row["title"], row["published_at"]) == ("reel", "Summer", at("2026-03-01 08:00"))
    assert (row["first_seen_at"], row["last_seen_at"], row["deleted_at"]) == (instant(1), instant(4), instant(6))


def test_a_post_that_comes_back_is_alive(memory: MemoryEngine) -> None:
    row = merged(memory, "alive", "gone", "back")
    assert (row["title"], row["last_seen_at"], row["deleted_at"]) == ("Autumn", instant(12), None)


def test_runs_of_two_accounts_leave_each_other_alone_in_the_lake(engine: Engine) -> None:
    def run(account: str, value: int) -> World:
        return World(
            [insight("likes", MEASURED, value, account=account)],
            [counter("views", instant(1), value, account=account)],
            [post("p", START, account=account)],
            [status("likes", MEASURED, "value", account=account)],
        )

    def contents() -> dict[str, pa.Table]:
        with engine.session() as session:
            return {
                t: session.run(f"select * from {t} order by all").read_all()
                for t in ("insight_readings", "counter_readings", "posts", "collection_status")
            }

    for world in (run("a", 1), run("b", 2)):
        world.write(engine)
    before = contents()
    assert all(sorted(map(str, rows["account_id"].to_pylist())) == ["a", "b"] for rows in before.values())
    run("a", 1).write(engine)
    assert contents() == before
    run("b", 5).write(engine)
    assert [r["value"] for r in contents()["counter_readings"].to_pylist()] == [1, 5]


def test_a_replay_corrects_what_a_parser_got_wrong(engine: Engine) -> None:
    rows = [insight("likes", MEASURED, v, read_at=instant(h)) for h, v in ((1, 50), (5, 50), (9, 60))]
    World(insights=rows).write(engine)
    World(insights=[{**r, "value": float(str(r["value"])) / 10} for r in rows]).write(engine)
    with engine.session() as session:
        found = session.run("select value, read_at, confirmed_at from insight_readings order by read_at").read_all()
    assert [tuple(r.values()) for r in found.to_pylist()] == [
        (5.0, instant(1), instant(5)),
        (6.0, instant(9), instant(9)),
    ]


def test_a_measured_day_is_its_own_series(engine: Engine) -> None:
    days: list[date] = [MEASURED, MEASURED + timedelta(days=1)]
    World(insights=[insight("likes", d, 4, read_at=instant(30)) for d in days]).write(engine)
    with engine.session() as session:
        assert session.run("select date from insight_readings order by date").read_all()["date"].to_pylist() == days
