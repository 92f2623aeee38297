"""Small lakes of random rows, all workspaces in the same tables: days around changes of clocks, years and months."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from metrics_pipeline.application.lake_tables import table_spec
from metrics_pipeline.catalog.application import load_application
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.custom_metrics.calculating import Calculator
from metrics_pipeline.custom_metrics.checking import Checker
from metrics_pipeline.custom_metrics.compiler.question import Question
from metrics_pipeline.custom_metrics.compiler.statement import compile_metric
from metrics_pipeline.custom_metrics.datasets import Datasets
from metrics_pipeline.custom_metrics.guarded import GuardedLake, Limits
from metrics_pipeline.custom_metrics.model import content_hash, inputs_of
from metrics_pipeline.custom_metrics.parsing import parse_definition
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.settings import Settings

Row = dict[str, object]
Rows = dict[str, list[Row]]
Document = dict[str, object]
T = TypeVar("T")

# Days with something about them: a leap day, the ends of years, and every change of clocks of the zones below.
CENTRES = (
    date(2024, 2, 29),
    date(2024, 12, 30),
    date(2025, 3, 9),
    date(2025, 3, 30),
    date(2025, 4, 6),
    date(2025, 10, 26),
    date(2025, 11, 2),
)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
# Names that a careless comparison takes for one another.
WORKSPACES = ("acme", "Acme", "acme_", "acme%")


@cache
def specs() -> Mapping[str, TableSpec]:
    return TABLES | {spec.name: spec for spec in map(table_spec, load_application())}


@cache
def datasets() -> Datasets:
    return Datasets(specs(), load_application(), catalog().metrics.values())


@cache
def checker() -> Checker:
    return Checker(datasets())


def version_of(documents: Mapping[str, Document], name: str, workspace: str = "acme", number: int = 1) -> MetricVersion:
    """A metric with its inputs, as the registry would have them."""
    definition = parse_definition(documents[name])
    inputs = {entry.name: version_of(documents, entry.name, workspace) for _, entry in inputs_of(definition)}
    digest = content_hash(definition, {key: entry.content_hash for key, entry in inputs.items()})
    return MetricVersion(f"id-{name}", workspace, number, definition, digest, inputs=inputs)


@dataclass
class World:
    """A directory with tables, and the rows in them."""

    directory: Path
    rows: Rows = field(repr=False)
    settings: Settings = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.settings = Settings(data_dir=self.directory)
        for name, rows in self.rows.items():
            self.write(name, rows)

    def write(self, name: str, rows: Sequence[Row]) -> None:
        """Replace a table."""
        spec = specs()[name]
        filled = [{column: row.get(column) for column in spec.schema.names} for row in rows]
        data = pa.Table.from_pylist(filled, schema=spec.schema)
        partitions = list(spec.partition_by) or None
        write_deltalake(self.directory / name, data, mode="overwrite", partition_by=partitions)
        self.rows[name] = list(rows)

    def tables(self, names: Sequence[str]) -> dict[str, DeltaTable]:
        return {name: DeltaTable(self.directory / name) for name in names if (self.directory / name).exists()}

    @property
    def calculator(self) -> Calculator:
        return Calculator(str(self.directory), specs(), datasets(), self.settings, self.tables)

    def opened(self) -> GuardedLake:
        """All of it in one database, for many statements."""
        reads = dict.fromkeys([*self.rows, "application_reads"])
        limits = Limits("1GB", 20)
        return GuardedLake(str(self.directory), specs(), self.tables(list(reads)), reads, limits)


def ask(lake: GuardedLake, version: MetricVersion, question: Question) -> list[Row]:
    """The rows of an answer."""
    rows: list[Row] = lake.run(compile_metric(version, question, datasets())).to_pylist()
    return rows


def random_rows(seed: int) -> Rows:
    """Every data set's rows, of all workspaces and of none where the application names none."""
    draw = random.Random(seed)
    rows: Rows = {
        "events": [_event(draw, workspace, n) for workspace in WORKSPACES for n in range(90)],
        "app_orders": [_order(draw, n) for n in range(160)],
        "app_licences": [_licence(draw, n) for n in range(80)],
        "app_campaigns": [_campaign(draw, n) for n in range(80)],
        "app_assets": _assets(draw),
        "daily_metrics": [row for workspace in WORKSPACES[:2] for row in _measured(draw, workspace)],
    }
    rows["application_reads"] = _reads(draw)
    return rows


def _instant(draw: random.Random) -> datetime:
    """Near midnight of some zone, or anywhere in a day."""
    day = draw.choice(CENTRES) + timedelta(days=draw.randint(-1, 1))
    hour = draw.choice((0, 4, 5, 13, 14, 18, 22, 23))
    beside = draw.choice((-1, 0, 1, 30 * 60, -15 * 60, 20 * 60, draw.randrange(3600)))
    micro = draw.choice((0, 0, 1, 999_999))
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC) + timedelta(seconds=beside, microseconds=micro)


def _maybe(draw: random.Random, value: T, share: float = 0.2) -> T | None:
    return None if draw.random() < share else value


def _event(draw: random.Random, workspace: str, number: int) -> Row:
    at = _instant(draw)
    return {
        "workspace_id": workspace,
        "date": at.date(),
        "event_id": f"e{number}",
        "event_type": draw.choice(("view_start", "like", "unlike", "share")),
        "user_id": _maybe(draw, f"u{draw.randrange(12)}"),
        "session_id": f"s{draw.randrange(40)}",
        "viewer_hash": _maybe(draw, draw.randrange(15), 0.1),
        "event_ts": at,
        "received_at": at + timedelta(seconds=draw.choice((0, 2, 3600, 90_000))),
        "watch_time": _maybe(draw, draw.randrange(-8, 400) / 8),
        "progress": _maybe(draw, draw.choice((0.0, 0.25, 0.5, 1.0))),
        "is_rewatch": _maybe(draw, draw.random() < 0.4),
        "loop_count": _maybe(draw, draw.randrange(-2, 4)),
        "country": _maybe(draw, draw.choice(("DE", "AT", "de", "Ö'\"%"))),
        "device_type": draw.choice(("mobile", "desktop")),
        "is_bot": _maybe(draw, draw.random() < 0.2),
    }


def _order(draw: random.Random, number: int) -> Row:
    at = _instant(draw)
    return {
        "workspace_id": draw.choice((None, *WORKSPACES)),
        "date": at.date(),
        "id": f"o{number}",
        "customer_id": _maybe(draw, f"c{draw.randrange(9)}"),
        "amount_cents": _maybe(draw, draw.randrange(-2_000, 90_000), 0.1),
        "created_at": at,
    }


def _licence(draw: random.Random, number: int) -> Row:
    return {
        "workspace_id": draw.choice((None, *WORKSPACES)),
        "id": f"l{number}",
        "industry": _maybe(draw, draw.choice(("retail", "bank"))),
        "expires_at": _maybe(draw, _instant(draw), 0.1),
        "renewed": _maybe(draw, draw.random() < 0.5),
    }


def _campaign(draw: random.Random, number: int) -> Row:
    at = _instant(draw)
    return {
        "workspace_id": draw.choice((None, *WORKSPACES)),
        "date": at.date(),
        "id": f"k{number}",
        "status": draw.choice(("completed", "failed")),
        "recipients": _maybe(draw, draw.randrange(50)),
        "cost_cents": draw.randrange(5_000),
        "started_at": at,
        "completed_at": _maybe(draw, at + timedelta(hours=draw.randrange(60)), 0.3),
    }


def _assets(draw: random.Random) -> list[Row]:
    days = [centre + timedelta(days=n) for centre in CENTRES for n in range(-2, 3)]
    return [
        {
            "workspace_id": draw.choice((None, *WORKSPACES)),
            "date": day,
            "id": f"a{n}",
            "category": draw.choice(("crane", "van")),
            "hours_used": _maybe(draw, draw.randrange(240) / 10),
            "hours_available": _maybe(draw, draw.choice((0.0, 24.0))),
        }
        for day in days
        for n in range(draw.randrange(4))
    ]


def _measured(draw: random.Random, workspace: str) -> list[Row]:
    """daily_metrics: accounts and posts of two platforms, sums over platforms, days that failed or are not over."""
    entities = [
        ("instagram", "account", "i1", "i1"),
        ("instagram", "account", "i2", "i2"),
        ("youtube", "account", "y1", "y1"),
        ("instagram", "post", "p1", "i1"),
        ("all", "workspace", workspace, None),
        ("all", "account", "odd", "odd"),
    ]
    rows: list[Row] = []
    for centre in CENTRES:
        for day in (centre + timedelta(days=n) for n in range(-2, 3)):
            for platform, kind, entity, account in entities:
                for metric in ("followers", "views", "likes", "reach"):
                    if draw.random() < 0.45:
                        continue
                    fails = draw.random() < 0.2
                    value = None if fails else float(draw.randrange(-3 if metric == "likes" else 0, 40))
                    rows.append(
                        {
                            "workspace_id": workspace,
                            "date": day,
                            "platform": platform,
                            "entity_type": kind,
                            "entity_id": entity,
                            "account_id": account,
                            "metric": metric,
                            "value": value,
                            "state": "failed" if fails else "zero" if value == 0 else "value",
                            "is_complete": not fails and draw.random() < 0.8,
                        }
                    )
    return rows


def _reads(draw: random.Random) -> list[Row]:
    """Which days of the application were read: most after their end, some before, some never."""
    days = [centre + timedelta(days=n) for centre in CENTRES for n in range(-9, 10)]
    ways = (timedelta(hours=24), timedelta(hours=30), timedelta(hours=47), timedelta(days=9), timedelta(hours=20), None)
    return [
        {"table_name": table, "date": day, "last_read_at": datetime(day.year, day.month, day.day, tzinfo=UTC) + after}
        for table in ("orders", "campaigns", "assets")
        for day in dict.fromkeys(days)
        if (after := draw.choices(ways, (8, 8, 8, 8, 1, 1))[0]) is not None
    ]
