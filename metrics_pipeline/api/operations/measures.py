"""What this process counts of its own work, for Prometheus. Labels have few values: no id is one."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

# Kept answers take a few milliseconds, computed ones tens, what was known on a day a second.
BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
# Set by the process that starts several others: they keep their counts in files there, and each tells those of all.
SHARED_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

disable_created_metrics()  # type: ignore[no-untyped-call]


class Measures:
    """Counters of this process, and of the others where several serve together."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "metrics_pipeline_http_requests",
            "Answers by method, route and class of status; aborted: the client was gone before.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "metrics_pipeline_http_request_seconds",
            "From the head of a request to the head of its answer.",
            ["method", "route"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._cache = Counter(
            "metrics_pipeline_cache_requests",
            "Cached reads by kind of answer and what became of them: hit, miss, shared or stale.",
            ["kind", "outcome"],
            registry=registry,
        )
        self._refusals = Counter(
            "metrics_pipeline_quota_refusals",
            "Requests that were one too many, by quota.",
            ["policy"],
            registry=registry,
        )

    def count_request(self, method: str, route: str, status: int | None, seconds: float) -> None:
        """An answer that begins; route: its template. status: None where it never began."""
        method = method if method in METHODS else "other"
        self._requests.labels(method, route, "aborted" if status is None else f"{status // 100}xx").inc()
        self._seconds.labels(method, route).observe(seconds)

    def count_cached(self, kind: str, outcome: str) -> None:
        """A read that went through the cache."""
        self._cache.labels(kind, outcome).inc()

    def count_refused(self, policies: Iterable[str]) -> None:
        """A request that these quotas had no room for."""
        for policy in policies:
            self._refusals.labels(policy).inc()

    def text(self, *others: Iterable[Metric]) -> bytes:
        """The counts in Prometheus's text format, and what else is given."""
        registry = self._registry
        if SHARED_DIRECTORY in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(_Given([_build(), *(m for each in others for m in each)]))


class _Given(CollectorRegistry):
    """Metrics that were made beforehand."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        super().__init__()
        self.register(_Made(metrics))


class _Made(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        return iter(self._metrics)


def _build() -> Metric:
    family = GaugeMetricFamily(
        "metrics_pipeline_build_info", "Always 1; the labels say what runs.", labels=["version", "python"]
    )
    family.add_metric([version("metrics-pipeline"), platform.python_version()], 1)
    return family
