"""What the routes work with, opened once per process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine

from metrics_pipeline.api.auth import Guard
from metrics_pipeline.api.caching.metric_cache import MetricCache
from metrics_pipeline.api.caching.warming import Warmer
from metrics_pipeline.api.client_address import ClientPlaces
from metrics_pipeline.api.live.live import Live
from metrics_pipeline.api.operations.measures import Measures
from metrics_pipeline.api.quotas.limits import Limits
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.api.reading.custom_metrics import CustomMetrics
from metrics_pipeline.api.reading.dashboard import Dashboard
from metrics_pipeline.api.reading.lake_tables import LakeTables
from metrics_pipeline.api.reading.series import SeriesReader
from metrics_pipeline.api.realtime.counts import Counts
from metrics_pipeline.api.realtime.telling import Telling
from metrics_pipeline.api.runs.dagster_client import DagsterClient
from metrics_pipeline.api.runs.launching import Launcher
from metrics_pipeline.api.tokens.token_guard import TokenGuard
from metrics_pipeline.api.warming_after_runs import WarmingAfterRuns
from metrics_pipeline.api.whatsapp_webhook import WhatsAppWebhook
from metrics_pipeline.application.lake_tables import known_lake
from metrics_pipeline.clock import Clock
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import KeyRing, load_key_ring
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.settings import Settings


@dataclass(frozen=True)
class Services:
    """Closed by the application when it stops: only then is everything that was answered with 202 out of its hands."""

    control: Engine
    guard: Guard
    limits: Limits
    measures: Measures
    ingestion: Ingestion
    clock: Clock
    load_ring: Callable[[], KeyRing]
    tables: LakeTables
    reads: ReadConnection
    series: SeriesReader
    dashboard: Dashboard
    custom_metrics: CustomMetrics
    settings: Settings
    counts: Counts
    live: Live
    places: ClientPlaces
    launcher: Launcher
    whatsapp: WhatsAppWebhook | None
    """None where no webhook is set up."""
    cache: MetricCache
    warmer: Warmer
    warming: WarmingAfterRuns

    @classmethod
    def open(cls, settings: Settings) -> Services:
        """Open the stores.

        Raises:
            UserError: one of them cannot be used.
        """
        lake = known_lake(settings)
        places = ClientPlaces(settings)  # first: a file that cannot be used leaves nothing open
        control = open_control(settings)
        measures = Measures()
        tables = LakeTables(lake, settings.api_refresh_seconds)
        reads = ReadConnection(tables)
        warmer = Warmer.open(settings)
        series = SeriesReader(reads, settings)
        tokens = TokenGuard.of(settings, control, lambda: load_key_ring(settings))
        counts = Counts.open(settings, control)
        guard = Guard(control, lambda: load_key_ring(settings), settings.clock, tokens)
        return cls(
            control=control,
            guard=guard,
            limits=Limits(settings, measures.count_refused),
            measures=measures,
            ingestion=Ingestion.open(settings, counts.feed.take),
            clock=settings.clock,
            load_ring=lambda: load_key_ring(settings),
            tables=tables,
            reads=reads,
            series=series,
            dashboard=Dashboard(reads, series, settings),
            custom_metrics=CustomMetrics(settings, control, tables),
            settings=settings,
            counts=counts,
            live=Live(settings, control, guard, reads, Telling(counts, settings.clock)),
            places=places,
            launcher=Launcher(DagsterClient(settings)),
            whatsapp=WhatsAppWebhook.of(settings),
            cache=MetricCache.open(settings),
            warmer=warmer,
            warming=WarmingAfterRuns(tables, warmer),
        )

    async def close(self) -> None:
        """Commit what waits, then let go of the stores."""
        await self.warming.close()
        await self.live.close()
        await self.ingestion.aclose()
        await self.counts.close()
        await self.guard.finish()
        await self.limits.close()
        await self.cache.close()
        await self.launcher.dagster.close()
        await asyncio.to_thread(self.dashboard.close)
        await asyncio.to_thread(self.custom_metrics.close)
        await asyncio.to_thread(self.reads.close)
        self.control.dispose()


def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)  # noqa: S101 - for the type checker: the application sets it
    return services


Parts = Annotated[Services, Depends(_services)]
