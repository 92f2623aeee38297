"""A site per test, and one sandbox for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from metrics_pipeline.clock import FixedClock
from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline_tests.proofs.site import AccountSpec, Site

MakeSite = Callable[..., Site]


@pytest.fixture(scope="package")
def _sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(seed=7, clock=FixedClock(datetime(2026, 3, 20, 10, 30, tzinfo=UTC))) as server:
        yield server


@pytest.fixture
def sandbox(_sandbox: SandboxServer) -> SandboxServer:
    _sandbox.faults.clear()
    _sandbox.requests.clear()
    return _sandbox


@pytest.fixture
def make_site(tmp_path: Path, sandbox: SandboxServer) -> MakeSite:
    """`make_site(accounts, name="a")`: a fresh data directory with these accounts."""

    def make(accounts: list[AccountSpec], name: str = "site", **environment: str) -> Site:
        site = Site(tmp_path / name, sandbox, dict(environment))
        site.register(accounts)
        return site

    return make
