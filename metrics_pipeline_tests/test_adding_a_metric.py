"""docs/adding_a_metric.md, carried out: its YAML entries alone bring a new metric from the platform to the week."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from metrics_pipeline.aggregation.build import Builder, EntityType
from metrics_pipeline.catalog.loader import METRICS_FILE, Catalog, load_catalog
from metrics_pipeline.catalog.platform_names import PLATFORM_DIR
from metrics_pipeline.collection.collector import Collector
from metrics_pipeline.collection.request import CollectionKind, CollectionRequest
from metrics_pipeline.collection.tokens import TokenKeeper
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.platforms.http import PlatformClient
from metrics_pipeline.platforms.oauth import refresh
from metrics_pipeline.platforms.registry import load_adapter
from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import HOUR, Window

PAGE = Path(__file__).resolve().parents[1] / "docs" / "adding_a_metric.md"
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
EXTERNAL_IDS = {"instagram": "17841400000000002", "youtube": "UCacmeoutdoor000000000001"}
LEVELS: tuple[EntityType, ...] = ("post", "account", "workspace")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def pipeline(tmp_path: Path, sandbox: SandboxServer) -> Pipeline:
    """A pipeline whose accounts live in the sandbox."""
    urls = {f"{platform}_base_url": sandbox.base_url(platform) for platform in EXTERNAL_IDS}
    made = Pipeline(Settings(data_dir=tmp_path / "data", now=NOW, **urls))  # type: ignore[arg-type]
    add_workspace(made.control, "Acme", "acme", now=NOW)
    for platform, external_id in EXTERNAL_IDS.items():
        add_account(made.control, made.ring, "acme", platform, external_id, "main-" + platform, "token", now=NOW)
    return made


@pytest.fixture
def edited(tmp_path: Path) -> Catalog:
    """The catalogue with the entries of the page: a metric, its source, and a rate."""
    metric, source, rate = (dedent(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL))
    metrics = tmp_path / "metrics.yaml"
    metrics.write_text(METRICS_FILE.read_text() + _entry(metric) + _entry(rate))
    platforms = [tmp_path / file.name for file in sorted(PLATFORM_DIR.glob("*.yaml"))]
    for file in platforms:
        added = _entry(source) if file.name == "instagram.yaml" else ""
        file.write_text((PLATFORM_DIR / file.name).read_text() + added)
    return load_catalog(metrics, platforms)


def _entry(block: str) -> str:
    """One entry, indented as the entries of the catalogue's files are."""
    return "".join(f"  {line}\n" for line in block.strip().splitlines())


def collect(pipeline: Pipeline, edited: Catalog, platform: str, kind: CollectionKind, window: Window) -> None:
    spec, settings = edited.platforms[platform], pipeline.settings
    dialect, make = load_adapter(platform)
    collector = Collector(
        spec=spec,
        settings=settings,
        engine=pipeline.engine,
        control=pipeline.control,
        tokens=TokenKeeper(spec, settings, pipeline.control, pipeline.ring, refresh),
        build_adapter=lambda _meter: make(spec, settings, PlatformClient(spec, dialect, settings)),
        can_observe_past=True,
    )
    assert collector.run(CollectionRequest(kind, window, "run")).ok == 1


def week_of(pipeline: Pipeline, edited: Catalog, window: Window, metric: str) -> dict[str, float | None]:
    """The metric's value of the week that the window lies in, by entity type, after building days and weeks."""
    builder = Builder(pipeline.engine, edited, pipeline.settings)
    for level in LEVELS:
        builder.daily(level, window, NOW)
    builder.weekly(window, NOW)
    with pipeline.engine.session() as session:
        rows = session.run(
            "select entity_type, value from weekly_metrics where metric = $metric and entity_type <> 'post'",
            {"metric": metric},
        ).read_all()
    return {row["entity_type"]: row["value"] for row in rows.to_pylist()}


def test_two_entries_bring_a_counter_from_posts_to_the_workspace(pipeline: Pipeline, edited: Catalog) -> None:
    for day in (18, 19):
        last_hour = datetime(2026, 11, day, 23, tzinfo=UTC)
        collect(pipeline, edited, "instagram", "counters", Window(last_hour, last_hour + HOUR))

    found = week_of(pipeline, edited, Window.of_days(date(2026, 11, 18), date(2026, 11, 20)), "total_views")

    assert found["account"] is not None
    assert found["account"] > 0
    assert found == {"account": found["account"], "workspace": found["account"]}


def test_one_entry_brings_a_rate_that_is_a_ratio_of_sums(pipeline: Pipeline, edited: Catalog) -> None:
    week = Window.of_days(date(2026, 11, 9), date(2026, 11, 16))
    collect(pipeline, edited, "youtube", "insights", week)

    rate = week_of(pipeline, edited, week, "card_click_rate")
    clicks = week_of(pipeline, edited, week, "card_clicks")
    shown = week_of(pipeline, edited, week, "card_impressions")

    assert clicks["account"] is not None
    assert shown["account"]
    assert rate["account"] == pytest.approx(clicks["account"] / shown["account"])
    assert rate["workspace"] == rate["account"]
