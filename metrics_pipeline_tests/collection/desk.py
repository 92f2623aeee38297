"""Accounts of one platform on a sandbox, collected at instants of the test's choosing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from metrics_pipeline.collection.request import CollectionRequest
from metrics_pipeline.collection.summary import CollectionSummary
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import HOUR, Window

CADENCE = "1d:1h 7d:6h 20d:1d 35d:1w"
WEDNESDAY = datetime(2026, 3, 18, 9, 50, tzinfo=UTC)


def account_ids(platform: str, count: int) -> list[str]:
    return [f"UCchannel{n}" if platform == "youtube" else f"{1001 + n}" for n in range(count)]


class Desk:
    """The pipeline of one data directory.

    The sandbox is asked like a real platform: about the present only, so that documented limits bind.
    """

    def __init__(
        self, sandbox: SandboxServer, data_dir: Path, platform: str, accounts: int = 1, **settings: object
    ) -> None:
        self.platform = platform
        self._base_url = sandbox.base_url(platform)
        self._values = {"cadence": {platform: CADENCE}, **settings}
        self._data_dir = data_dir
        self.accounts = account_ids(platform, accounts)
        pipeline = self.at(WEDNESDAY)
        add_workspace(pipeline.control, "W", "w", now=WEDNESDAY)
        for external_id in self.accounts:
            token = f"sandbox-token~{external_id}"
            add_account(pipeline.control, pipeline.ring, "w", platform, external_id, external_id, token, now=WEDNESDAY)

    @property
    def account(self) -> str:
        return self.accounts[0]

    def at(self, now: datetime) -> Pipeline:
        url = self._base_url.replace("{at}", f"{now:%Y-%m-%dT%H:%M:%SZ}")
        return Pipeline(
            load_settings(data_dir=self._data_dir, now=now, **{f"{self.platform}_base_url": url}, **self._values)
        )

    def collect(self, now: datetime, **more: object) -> CollectionSummary:
        hour = now.replace(minute=0)
        request = CollectionRequest("counters", Window(hour, hour + HOUR), f"run-{now:%d%H%M}", **more)  # type: ignore[arg-type]
        return self.at(now).collector(self.platform).run(request)

    def collect_series(self, now: datetime, first: date, end: date) -> CollectionSummary:
        request = CollectionRequest("insights", Window.of_days(first, end), f"series-{now:%d%H%M}")
        return self.at(now).collector(self.platform).run(request)

    def collect_nightly(self, now: datetime) -> CollectionSummary:
        """What the nightly schedule asks for: yesterday and every day that may still be restated."""
        days = self.at(now).catalog.platforms[self.platform].restatement_days
        return self.collect_series(now, now.date() - timedelta(days=days + 1), now.date())

    def rows(self, table: str) -> list[dict[str, object]]:
        with self.at(WEDNESDAY).engine.session() as session:
            return session.run(f"select * from {table} order by all").read_all().to_pylist()
