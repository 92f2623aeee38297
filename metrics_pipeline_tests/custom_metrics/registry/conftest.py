"""A registry on SQLite and on Postgres, with one workspace and some people in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from metrics_pipeline.clock import FixedClock
from metrics_pipeline.control.people import ADMIN, DEFINE, PUBLISH, READ, add_principal
from metrics_pipeline.control.teams import add_team, join_team
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.registry.registry import Registry
from metrics_pipeline_tests.control.conftest import engine, migrated_file, migrated_postgres, settings

__all__ = ["engine", "migrated_file", "migrated_postgres", "settings"]

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
CLOCK = FixedClock(NOW)
WRITER = frozenset({READ, DEFINE})


def person(name: str, *roles: str, teams: tuple[str, ...] = (), workspace: str = "acme") -> Actor:
    return Actor(workspace, name, "principal", frozenset(roles), frozenset(teams))


ADA = person("ada", READ, DEFINE, PUBLISH, teams=("growth",))
BEN = person("ben", READ, DEFINE, teams=("growth",))
CY = person("cy", READ, DEFINE)
BOSS = person("boss", READ, DEFINE, PUBLISH, ADMIN)
READER = person("reader", READ)
GUEST = person("guest")
EVERYBODY = {actor.principal: actor for actor in (ADA, BEN, CY, BOSS, READER, GUEST)}


def populate(engine: Engine) -> None:
    """The workspace, its people, and the team growth of Ada and Ben."""
    add_workspace(engine, "acme", now=NOW)
    for actor in EVERYBODY.values():
        add_principal(engine, "acme", actor.principal, actor.roles, None, now=NOW)
    add_team(engine, "acme", "growth", None, now=NOW)
    for member in ("ada", "ben"):
        join_team(engine, "acme", "growth", member, now=NOW)


@pytest.fixture
def registry(engine: Engine) -> Registry:
    populate(engine)
    return Registry(engine, CLOCK)


def simple(name: str, expr: str = "amount", **said: object) -> dict[str, object]:
    return {"name": name, "type": "simple", "dataset": "orders", "agg": "sum", "expr": expr, **said}


def derived(name: str, *inputs: str, **said: object) -> dict[str, object]:
    return {"name": name, "type": "derived", "expr": " + ".join(inputs), "input_metrics": list(inputs), **said}


def ratio(name: str, above: str, below: str, **said: object) -> dict[str, object]:
    return {"name": name, "type": "ratio", "numerator": above, "denominator": below, **said}


def cumulative(name: str, of: str, **said: object) -> dict[str, object]:
    return {"name": name, "type": "cumulative", "input_metric": of, "window": "30 days", **said}
