"""Many processes on one table: writers of different partitions never meet, writers of one settle on one winner."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline_tests.proofs.sizes import figure, size
from metrics_pipeline_tests.proofs.writers import (
    DAY,
    ROWS,
    SPAWN,
    daily_rows,
    maintain_generations,
    merge_in_rounds,
    read_generations,
    replace_in_rounds,
    together,
    write_generations,
)


@pytest.fixture
def location(tmp_path: Path) -> str:
    lake = Lake(str(tmp_path / "lake"))
    lake.initialise()
    return lake.location


def test_six_writers_two_readers_and_maintenance_never_disturb_each_other(location: str) -> None:
    """Different days and different entity types of one day, with readers that look at the whole table."""
    seconds = float(size(3, 60))
    places = [(DAY + timedelta(days=day), entity) for day in range(3) for entity in ("account", "post")]
    barrier = SPAWN.Barrier(len(places) + 3)
    found = together(
        *((f"writer {d} {e}", write_generations, (location, d, e, barrier, seconds)) for d, e in places),
        *((f"reader {n}", read_generations, (location, barrier, seconds)) for n in (1, 2)),
        ("maintenance", maintain_generations, (location, barrier, seconds)),
    )
    commits = {name: told["commits"] for name, told in found.items() if name.startswith("writer")}
    with Engine(Lake(location)).session() as session:
        left = (
            session.run(
                "select date, entity_type, count(*) as rows, min(readings) as low, max(readings) as high "
                "from daily_metrics group by all order by all"
            )
            .read_all()
            .to_pylist()
        )
    assert [(f"writer {r['date']} {r['entity_type']}", r["rows"], r["low"], r["high"]) for r in left] == [
        (name, ROWS, count, count) for name, count in sorted(commits.items())
    ]
    assert all(count > 1 for count in commits.values()), commits
    readers = [told["looks"] for name, told in found.items() if name.startswith("reader")]
    assert min(readers) > 1
    figure("commits of six writers", sum(commits.values()))
    figure("looks of two readers, none at half a partition", sum(readers))


def test_two_writers_of_one_partition_leave_one_of_the_two(location: str) -> None:
    """Also where the partition was empty before, and where one of them writes nothing."""
    rounds = size(10, 200)
    first = [ROWS if number % 3 != 1 else 0 for number in range(rounds)]
    second = [ROWS // 2 if number % 4 != 2 else 0 for number in range(rounds)]
    lake = Lake(location)
    held = Partitions(equals={"entity_type": "account"}, between=("date", DAY, DAY + timedelta(days=rounds)))
    before = [daily_rows(DAY + timedelta(days=number), "account", 9, 50) for number in range(0, rounds, 2)]
    lake.replace("daily_metrics", held, lambda _: pa.concat_tables(before))
    barrier = SPAWN.Barrier(2)
    together(
        ("1", replace_in_rounds, (location, "1", first, barrier)),
        ("2", replace_in_rounds, (location, "2", second, barrier)),
    )
    with Engine(lake).session() as session:
        rows = (
            session.run(
                "select date, readings as writer, count(*) as rows, count(distinct entity_id) as entities "
                "from daily_metrics group by all"
            )
            .read_all()
            .to_pylist()
        )
    seen = {row["date"]: row for row in rows}
    assert len(rows) == len(seen), "rows of both writers stand side by side"
    wins = {1: 0, 2: 0}
    for number in range(rounds):
        row = seen.get(DAY + timedelta(days=number))
        written = {1: first[number], 2: second[number]}
        if row is None:
            assert 0 in written.values()
            continue
        assert row["rows"] == row["entities"] == written[row["writer"]], row
        wins[row["writer"]] += 1
    figure("rounds won by each of two writers of one partition", wins)


def test_two_merges_into_one_partition_lose_nothing(location: str) -> None:
    rounds = size(10, 200)
    barrier = SPAWN.Barrier(2)
    found = together(
        ("a", merge_in_rounds, (location, "a", rounds, barrier)),
        ("b", merge_in_rounds, (location, "b", rounds, barrier)),
    )
    with Engine(Lake(location)).session() as session:
        rows = session.run("select account_id, observed_at from counter_readings").read_all().to_pylist()
    keys = {(row["account_id"], row["observed_at"]) for row in rows}
    # five accounts of each process and the one they share, once per round
    assert len(rows) == len(keys) == rounds * 11
    assert found["a"]["gained"] + found["b"]["gained"] == len(rows)
    figure("rows of two merging processes, none lost", len(rows))
