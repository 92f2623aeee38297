"""Puts the pieces together: settings, lake, engine, catalogue, control database, adapters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from metrics_pipeline.catalog.loader import Catalog, catalog
from metrics_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine as ControlEngine

    from metrics_pipeline.aggregation.build import Builder
    from metrics_pipeline.collection.collector import Collector
    from metrics_pipeline.collection.replay import Replayer
    from metrics_pipeline.control.key_ring import KeyRing
    from metrics_pipeline.lake.engine import Engine
    from metrics_pipeline.lake.lake import Lake


@dataclass(frozen=True)
class Pipeline:
    """One process's view of everything. Parts open when they are first asked for."""

    settings: Settings

    @classmethod
    def from_environment(cls) -> Pipeline:
        return cls(load_settings())

    @cached_property
    def catalog(self) -> Catalog:
        return catalog()

    @cached_property
    def lake(self) -> Lake:
        from metrics_pipeline.application.lake_tables import open_lake

        return open_lake(self.settings)

    @cached_property
    def engine(self) -> Engine:
        from metrics_pipeline.lake.engine import Engine

        return Engine(self.lake)

    @cached_property
    def builder(self) -> Builder:
        from metrics_pipeline.aggregation.build import Builder

        return Builder(self.engine, self.catalog, self.settings)

    @cached_property
    def control(self) -> ControlEngine:
        from metrics_pipeline.control.database import open_control

        return open_control(self.settings)

    @cached_property
    def ring(self) -> KeyRing:
        from metrics_pipeline.control.key_ring import load_key_ring

        return load_key_ring(self.settings)

    def collector(self, platform: str) -> Collector:
        """The collector of one platform.

        Raises:
            UserError: nobody knows the platform.
        """
        from metrics_pipeline.collection.collector import Collector
        from metrics_pipeline.collection.tokens import TokenKeeper
        from metrics_pipeline.platforms.oauth import refresh
        from metrics_pipeline.platforms.registry import build_adapter, can_observe_past

        return Collector(
            spec=self.catalog.platforms[platform],
            settings=self.settings,
            engine=self.engine,
            control=self.control,
            tokens=TokenKeeper(self.catalog.platforms[platform], self.settings, self.control, self.ring, refresh),
            build_adapter=lambda meter: build_adapter(platform, self.settings, meter=meter),
            can_observe_past=can_observe_past(platform, self.settings),
        )

    def replayer(self, platform: str) -> Replayer:
        """What re-runs the parsers of one platform over recorded responses.

        Raises:
            UserError: nobody knows the platform.
        """
        from metrics_pipeline.collection.replay import Replayer
        from metrics_pipeline.control.accounts import list_accounts
        from metrics_pipeline.platforms.registry import build_adapter, known_platform

        spec = self.catalog.platforms[known_platform(platform)]
        accounts = list_accounts(self.control, platform=platform, include_removed=True)
        return Replayer(
            spec,
            self.settings,
            self.engine,
            {(a.workspace_id, a.account_id): a.external_id for a in accounts},
            lambda settings, sleep, transport: build_adapter(platform, settings, sleep=sleep, transport=transport),
        )
