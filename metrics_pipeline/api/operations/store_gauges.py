"""What stands in the stores, for Prometheus: computed now and then, off the event loop, whoever asks how often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from deltalake.exceptions import DeltaError
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy.exc import SQLAlchemyError

from metrics_pipeline.api.admin_reader import AdminReader
from metrics_pipeline.api.problems import LakeUnavailable
from metrics_pipeline.api.services import Services
from metrics_pipeline.events.inbox import InboxUnavailableError
from metrics_pipeline.windows import DAY

# They move by the minute; a scraper that comes more often, or a second one, costs nothing.
EVERY_SECONDS = 15.0
# Scrapers give up after 10 seconds by default; what is not ready by then is in the next answer.
LONGEST_SECONDS = 5.0
# Reconciliation looks at the last two months, and at the months themselves by their first day.
DRIFT_DAYS = 100

Families = list[GaugeMetricFamily]


class StoreGauges:
    """The newest state. A store that cannot be read has no values, and `metrics_pipeline_store_readable` says so."""

    def __init__(self, parts: Services) -> None:
        self._parts = parts
        self._newest: Families = []
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def families(self) -> Families:
        """Gauges that are at most some seconds old."""
        is_old = time.monotonic() - self._read_at >= EVERY_SECONDS
        if is_old and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._read())
        if self._reading is not None:
            done, _ = await asyncio.wait([self._reading], timeout=LONGEST_SECONDS)
            for reading in done:
                reading.result()  # what nobody expected is a fault of this request, and no silence
        return self._newest

    async def _read(self) -> None:
        pieces: dict[str, Callable[[], Families]] = {
            "inbox": self._inbox,
            "tables": self._tables,
            "collection": self._collection,
            "reconciliation": self._drift,
        }
        readable = GaugeMetricFamily(
            "metrics_pipeline_store_readable",
            "0 while these figures cannot be read and are left out.",
            labels=["figures"],
        )
        found: Families = []
        for name, piece in pieces.items():
            try:
                found += await self._parts.reads.run(piece)
            except (LakeUnavailable, DeltaError, SQLAlchemyError, InboxUnavailableError, OSError):
                readable.add_metric([name], 0)
            else:
                readable.add_metric([name], 1)
        self._newest, self._read_at = [*found, readable], time.monotonic()

    def _inbox(self) -> Families:
        state = AdminReader(self._parts).inbox()
        rows = GaugeMetricFamily("metrics_pipeline_inbox_rows", "Rows that wait for the lake.", value=state.waiting)
        oldest = state.oldest_received_at
        age = 0.0 if oldest is None else _age(oldest, self._parts.clock.now())
        return [
            rows,
            GaugeMetricFamily(
                "metrics_pipeline_inbox_oldest_seconds", "Age of the oldest of them; 0: none.", value=age
            ),
        ]

    def _tables(self) -> Families:
        family = GaugeMetricFamily(
            "metrics_pipeline_table_age_seconds", "Seconds since the newest commit of a table.", labels=["table"]
        )
        for state in AdminReader(self._parts).tables():
            if state.changed_at is not None:
                family.add_metric([state.table], _age(state.changed_at, datetime.now(UTC)))
        return [family]

    def _collection(self) -> Families:
        family = GaugeMetricFamily(
            "metrics_pipeline_platform_read_age_seconds",
            "Seconds since any account of a platform was last read, by collection; none within a week: left out.",
            labels=["platform", "collection"],
        )
        now = self._parts.clock.now()
        for row in AdminReader(self._parts).freshness(None, now.date()):
            if row.last_read_at is not None:
                family.add_metric([row.platform, row.collection], _age(row.last_read_at, now))
        return [family]

    def _drift(self) -> Families:
        family = GaugeMetricFamily(
            "metrics_pipeline_drift_ratio",
            "Largest relative drift of a comparison on the newest day it has; of complete ones that should meet.",
            labels=["comparison"],
        )
        for row in self._newest_drift(self._parts.clock.now().date()):
            family.add_metric([row["comparison"]], row["drift"])
        return [family]

    def _newest_drift(self, today: date) -> list[dict[str, Any]]:
        if self._parts.tables.table("reconciliations") is None:
            return []
        days = (today - timedelta(days=DRIFT_DAYS), today + DAY)
        wanted = self._parts.reads.within(days, "reconciliations")
        with self._parts.reads.session("reconciliations", only=wanted) as session:
            found: list[dict[str, Any]] = session.run_file("api/newest_drift.sql").read_all().to_pylist()
        return found


def live_gauges(connections: Mapping[str, int]) -> Families:
    """Open live connections of this process, by kind."""
    family = GaugeMetricFamily(
        "metrics_pipeline_live_connections", "Open live connections of the process that answers.", labels=["kind"]
    )
    for kind, number in sorted(connections.items()):
        family.add_metric([kind], number)
    return [family]


def _age(instant: datetime, now: datetime) -> float:
    return max(0.0, (now - instant).total_seconds())
