"""What the processes of the concurrency proofs do. Each function is started in a process of its own (spawn)."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import pyarrow as pa

from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.maintenance import Retention, maintain_table
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.lake.tables import COUNTER_READINGS, DAILY_METRICS

ROWS = 400
DAY = date(2026, 3, 10)
SPAWN = get_context("spawn")

Note = tuple[str, dict[str, int] | str]
"""Who speaks, and its figures, or the traceback it died of."""


def daily_rows(day: date, entity_type: str, generation: int, rows: int = ROWS) -> pa.Table:
    """A partition of daily_metrics whose every row carries the same generation number."""
    filled: dict[str, Sequence[object]] = {
        "date": [day] * rows,
        "workspace_id": ["acme"] * rows,
        "platform": ["x"] * rows,
        "entity_type": [entity_type] * rows,
        "entity_id": [f"e{number}" for number in range(rows)],
        "metric": ["views"] * rows,
        "readings": [generation] * rows,
    }
    return columns(filled, rows, DAILY_METRICS)


def columns(filled: Mapping[str, Sequence[object]], rows: int, spec: TableSpec) -> pa.Table:
    """A table of the specification's columns, null where nothing is given."""
    arrays = [pa.array(filled.get(f.name, [None] * rows), f.type) for f in spec.schema]
    return pa.Table.from_arrays(arrays, schema=spec.schema)


def partition(day: date, entity_type: str) -> Partitions:
    return Partitions(equals={"entity_type": entity_type}, between=("date", day, day + timedelta(days=1)))


@dataclass(frozen=True)
class Told:
    """Runs a process's work and tells its figures, or why it could not end."""

    name: str
    work: Callable[..., dict[str, int]]

    def __call__(self, notes: Queue[Note], *arguments: object) -> None:
        try:
            notes.put((self.name, self.work(*arguments)))
        except BaseException:
            notes.put((self.name, traceback.format_exc()))
            raise


def together(*processes: tuple[str, Callable[..., dict[str, int]], tuple[object, ...]]) -> dict[str, dict[str, int]]:
    """Run the processes at the same time; gives the figures of each.

    Raises:
        AssertionError: one of them failed; carries its traceback.
    """
    notes: Queue[Note] = SPAWN.Queue()
    running: list[SpawnProcess] = []
    for name, work, arguments in processes:
        process = SPAWN.Process(target=Told(name, work), args=(notes, *arguments), daemon=True)
        process.start()
        running.append(process)
    found: dict[str, dict[str, int]] = {}
    for _ in running:
        name, said = notes.get(timeout=300)
        assert not isinstance(said, str), f"{name} failed:\n{said}"
        found[name] = said
    for process in running:
        process.join(30)
        assert process.exitcode == 0
    return found


def _replace(lake: Lake, day: date, entity_type: str, rows: pa.Table) -> None:
    lake.replace("daily_metrics", partition(day, entity_type), lambda _: rows)


def write_generations(location: str, day: date, entity_type: str, barrier: Barrier, seconds: float) -> dict[str, int]:
    """Replace one partition again and again, each time with the next generation."""
    lake = Lake(location)
    daily_rows(day, entity_type, 0)  # Arrow's first table loads pandas: not on the clock
    barrier.wait()
    end, generation = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        generation += 1
        _replace(lake, day, entity_type, daily_rows(day, entity_type, generation))
    return {"commits": generation}


def read_generations(location: str, barrier: Barrier, seconds: float) -> dict[str, int]:
    """Read the whole table again and again; a partition has all rows of one generation, and never an older one."""
    engine = Engine(Lake(location))
    newest: dict[tuple[date, str], int] = {}
    with engine.session():
        barrier.wait()
    end, looks = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        with engine.session() as session:
            seen = session.run(
                "select date, entity_type, count(*) as rows, count(distinct entity_id) as entities, "
                "min(readings) as low, max(readings) as high from daily_metrics group by all"
            ).read_all()
        for row in seen.to_pylist():
            key = (row["date"], row["entity_type"])
            assert row["rows"] == row["entities"] == ROWS, row
            assert row["low"] == row["high"], row
            assert row["low"] >= newest.get(key, 0), (row, newest)
            newest[key] = row["low"]
        assert len(seen) >= len(newest), "a partition vanished"
        looks += 1
    return {"looks": looks, "partitions": len(newest), "newest": max(newest.values(), default=0)}


def maintain_generations(location: str, barrier: Barrier, seconds: float) -> dict[str, int]:
    """Compact and vacuum the table beside its writers, as the daily maintenance does."""
    lake = Lake(location)
    barrier.wait()
    end, done = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        maintain_table(lake, "daily_metrics", DAY, Retention(30, 90), 24)
        done += 1
        time.sleep(0.5)
    return {"maintained": done}


def replace_in_rounds(location: str, name: str, counts: Sequence[int], barrier: Barrier) -> dict[str, int]:
    """Replace the same partition as somebody else does, at the same moment, round by round.

    `counts` says how many rows this process writes in each round; generation is its own number.
    """
    lake = Lake(location)
    mine = int(name)
    for number, rows in enumerate(counts):
        day = DAY + timedelta(days=number)
        barrier.wait()
        _replace(lake, day, "account", daily_rows(day, "account", mine, rows))
    return {"rounds": len(counts)}


def merge_in_rounds(location: str, name: str, rounds: int, barrier: Barrier) -> dict[str, int]:
    """Merge rows of one's own into the same partition as somebody else, at the same moment, round by round."""
    engine = Engine(Lake(location))
    gained = 0
    for number in range(rounds):
        barrier.wait()
        rows = counter_rows(name, number)
        gained += engine.merge("counter_readings", "merge/counter_readings.sql", rows, counter_partition())
    return {"gained": gained}


def counter_partition() -> Partitions:
    return Partitions(equals={"platform": "x"}, one_of=("date", [DAY]))


def counter_rows(name: str, number: int, accounts: int = 5) -> pa.Table:
    """A round's observations: one per account, and one that every process brings alike."""
    seen = datetime(2026, 3, 10, tzinfo=UTC) + timedelta(minutes=number)
    names = [*(f"{name}-{n}" for n in range(accounts)), "shared"]
    rows = len(names)
    filled: dict[str, Sequence[object]] = {
        "platform": ["x"] * rows,
        "date": [DAY] * rows,
        "hour": [seen.hour] * rows,
        "kind": ["gauge"] * rows,
        "observed_at": [seen] * rows,
        "source": ["fetched"] * rows,
        "workspace_id": ["acme"] * rows,
        "metric": ["followers"] * rows,
        "source_metric": ["followers_count"] * rows,
        "account_id": names,
        "value": [float(number)] * rows,
    }
    return columns(filled, rows, COUNTER_READINGS)
