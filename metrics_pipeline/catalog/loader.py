"""Loads and cross-checks the catalogue: metrics.yaml and one YAML per platform."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from metrics_pipeline.catalog.models import Metric, PlatformSpec, SourceMetric
from metrics_pipeline.catalog.platform_names import PLATFORM_DIR, PLATFORM_NAMES

METRICS_FILE = Path(__file__).with_name("metrics.yaml")


class CatalogError(ValueError):
    """The catalogue contradicts itself; says which file and which entry."""


@dataclass(frozen=True)
class Catalog:
    """Every metric by name and every platform by name."""

    metrics: dict[str, Metric]
    platforms: dict[str, PlatformSpec]

    def resolve(self, platform: str, name: str, level: str) -> tuple[str, SourceMetric | None] | None:
        """A catalogue name, or a platform's own name, as (metric, source); None if nobody knows it."""
        spec = self.platforms.get(platform)
        named = [s for s in (spec.sources if spec else []) if s.level == level and name in (s.source, s.metric)]
        if name in self.metrics:
            return name, next((s for s in named if s.metric == name), None)
        return (named[0].metric, named[0]) if named else None


def load_catalog(metrics_file: Path = METRICS_FILE, platform_files: list[Path] | None = None) -> Catalog:
    """Read and validate the catalogue.

    Raises:
        CatalogError: an entry is malformed, repeated, or maps to a metric that does not exist, or a platform's file
            has another name than the platform.
    """
    files = [PLATFORM_DIR / f"{name}.yaml" for name in PLATFORM_NAMES] if platform_files is None else platform_files
    try:
        metrics = [Metric.model_validate(entry) for entry in _load_yaml(metrics_file)["metrics"]]
        platforms = {f: PlatformSpec.model_validate(_load_yaml(f)) for f in files}
    except (ValidationError, yaml.YAMLError) as error:
        raise CatalogError(f"the catalogue cannot be read: {error}") from error
    by_name = {metric.name: metric for metric in metrics}
    if len(by_name) != len(metrics):
        raise CatalogError(f"{metrics_file.name}: a metric is listed twice")
    for metric in metrics:
        for part in (metric.numerator, metric.denominator):
            if part is not None and part not in by_name:
                raise CatalogError(f"{metrics_file.name}: {metric.name} divides by an unknown metric: {part}")
    for file, spec in platforms.items():
        if file.stem != spec.platform:
            raise CatalogError(f"{file.name} describes the platform {spec.platform}: both need the same name")
        _check_platform(file.name, spec, by_name)
    return Catalog(by_name, {spec.platform: spec for spec in platforms.values()})


def _load_yaml(file: Path) -> dict[str, list[object]]:
    # the C loader is ten times faster where PyYAML was built with it; both build plain values only
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, list[object]] = yaml.load(file.read_text(), Loader=loader)  # noqa: S506
    return content


def _check_platform(file: str, spec: PlatformSpec, metrics: dict[str, Metric]) -> None:
    seen: set[tuple[str, str, str, str]] = set()
    for source in spec.sources:
        metric = metrics.get(source.metric)
        if metric is None:
            raise CatalogError(f"{file}: {source.source} maps to an unknown metric: {source.metric}")
        if metric.derived:
            raise CatalogError(f"{file}: {source.source} maps to {metric.name}, which is computed, not read")
        if source.level not in metric.levels:
            raise CatalogError(f"{file}: {source.source}: {metric.name} does not exist at {source.level} level")
        key = (source.api, source.level, source.source, source.kind)
        if key in seen:
            raise CatalogError(f"{file}: {source.source} is listed twice for {source.level}")
        seen.add(key)


@cache
def catalog() -> Catalog:
    """The project's own catalogue, read once."""
    return load_catalog()
