"""Custom metrics over the events of a month in three workspaces: each aggregate, and a build of a hundred metrics.

Run with `make bench-custom-metrics`; `--events 1000000` for one size. The weights in `custom_metrics/costs.py` are the
processor time of each aggregate against that of a sum.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from deltalake import DeltaTable

from benchmarks.costs import Cost, alone, cost_of
from benchmarks.event_day import write_events
from metrics_pipeline.catalog.application import load_application
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.custom_metrics.asking import Surroundings, question
from metrics_pipeline.custom_metrics.building import ValueBuilder
from metrics_pipeline.custom_metrics.calculating import Asked, Calculated, Calculator
from metrics_pipeline.custom_metrics.checking import Checker
from metrics_pipeline.custom_metrics.datasets import Datasets
from metrics_pipeline.custom_metrics.model import content_hash, inputs_of
from metrics_pipeline.custom_metrics.parsing import parse_definition
from metrics_pipeline.custom_metrics.periods import MONDAYS
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window, midnight

FIRST, DAYS, WORKSPACES = date(2026, 3, 1), 30, 3
END = FIRST + timedelta(days=DAYS)
AROUND = Surroundings(midnight(END), FIRST, MONDAYS, None)
ROUNDS = 3

Document = Mapping[str, object]


def simple(agg: str, expr: str | None = None, **said: object) -> Document:
    formula = {} if expr is None else {"expr": expr}
    return {"name": "asked", "type": "simple", "dataset": "events", "agg": agg, **formula, **said}


def over_30_days(inner: Document) -> list[Document]:
    wide = {"name": "asked", "type": "cumulative", "input_metric": "base", "window": "30 days"}
    return [{**inner, "name": "base"}, wide]


# The last of each list is asked for.
ASKED: Mapping[str, Sequence[Document]] = {
    "sum": [simple("sum", "watch_time")],
    "count": [simple("count")],
    "average": [simple("average", "watch_time")],
    "count_distinct": [simple("count_distinct", "viewer")],
    "approximate count_distinct": [simple("count_distinct", "viewer", approximate=True)],
    "percentile": [simple("percentile", "watch_time", percentile=0.95)],
    "sum over 30 days": over_30_days(simple("sum", "watch_time")),
    "percentile over 30 days": over_30_days(simple("percentile", "watch_time", percentile=0.95)),
    "count_distinct over 30 days": over_30_days(simple("count_distinct", "viewer")),
}


def version_of(documents: Sequence[Document], workspace: str = "workspace-1") -> MetricVersion:
    """The last of the documents, the others by their names below it."""
    known: dict[str, MetricVersion] = {}
    for document in documents:
        definition = parse_definition(document)
        inputs = {entry.name: known[entry.name] for _, entry in inputs_of(definition)}
        digest = content_hash(definition, {name: entry.content_hash for name, entry in inputs.items()})
        name = definition.name
        known[name] = MetricVersion(f"id-{name}", workspace, 1, definition, digest, inputs=inputs)
    return list(known.values())[-1]


def calculator_of(lake: Lake, settings: Settings) -> Calculator:
    datasets = Datasets(lake.tables, load_application(), catalog().metrics.values())

    def tables(names: Sequence[str]) -> dict[str, DeltaTable]:
        return {name: lake.table(name) for name in names}

    return Calculator(lake.location, lake.tables, datasets, settings, tables)


def draw_month(directory: Path, events: int) -> Cost:
    lake = Lake(str(directory))
    lake.initialise()

    def draw() -> None:
        for n in range(DAYS):
            write_events(lake, FIRST + timedelta(days=n), events // DAYS, n, WORKSPACES)

    return cost_of(draw)


def answered(directory: Path, documents: Sequence[Document], dimensions: tuple[str, ...]) -> Cost:
    """A month by day: the median of some rounds in one process."""
    calculator = calculator_of(Lake(str(directory)), Settings(data_dir=directory, custom_metric_seconds=600))
    version = version_of(documents)
    asked = Asked(version, question(version, "day", MONDAYS.periods("day", FIRST, END), AROUND, dimensions))

    def answer() -> None:
        (found,) = calculator.calculate([calculator.cost(asked)])
        if not isinstance(found, Calculated) or found.rows.num_rows < DAYS:
            raise SystemExit(f"not answered: {found}")

    costs = [cost_of(answer) for _ in range(ROUNDS)]
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.processor for cost in costs),
        costs[-1].gigabytes,
    )


def hundred(directory: Path) -> Cost:
    """A hundred metrics of three workspaces over 35 days, in one build."""
    lake = Lake(str(directory))
    calculator = calculator_of(lake, Settings(data_dir=directory, custom_metric_seconds=600))
    builder = ValueBuilder(Engine(lake), calculator, Checker(calculator.datasets))
    kinds = (*list(ASKED.values())[:6], [simple("count", fill_nulls_with=0)], [simple("max", "watch_time")])
    histories = []
    for n in range(100):
        *below, last = kinds[n % len(kinds)]
        filtered = {**last, "name": f"metric_{n}", "filter": f"watch_time >= {n % 5} or watch_time is null"}
        histories.append([version_of([*below, filtered], f"workspace-{n % WORKSPACES}")])
    periods = MONDAYS.periods("day", *days_of(Window.of_days(END - timedelta(days=35), END)))

    def build() -> None:
        built = builder.build(histories, "day", periods, AROUND, None)
        if built.metrics != 100:
            raise SystemExit(built.problems()[0])

    return cost_of(build)


def days_of(window: Window) -> tuple[date, date]:
    return window.first_day, window.end_day


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 5_000_000, 10_000_000])
    with tempfile.TemporaryDirectory() as directory:
        for events in parser.parse_args().events:
            lake = Path(directory) / str(events)
            print(f"{events:,} events of {DAYS} days in {WORKSPACES} workspaces written, {os.cpu_count()} processors")
            print(f"  drawn {alone(draw_month, lake, events)}")
            for dimensions in ((), ("country",)):
                base = 0.0
                for name, documents in ASKED.items():
                    cost = alone(answered, lake, documents, dimensions)
                    base = base or cost.processor
                    said = f"{name}{' by country' if dimensions else ''}"
                    print(f"  {said:40} {cost}, {cost.processor / base:4.1f} x a sum", flush=True)
            print(f"  100 metrics over 35 days {alone(hundred, lake)}", flush=True)


if __name__ == "__main__":
    main()
