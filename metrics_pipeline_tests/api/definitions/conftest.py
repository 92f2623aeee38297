"""A server with people, teams and rows that metrics may be made of, at a fixed instant."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa
import pytest
from sqlalchemy import Engine

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.application.lake_tables import open_lake
from metrics_pipeline.control.api_keys import Rights, create_key
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.people import ADMIN, DEFINE, PUBLISH, READ, add_principal
from metrics_pipeline.control.teams import add_team, join_team
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import Client

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
FIRST = date(2026, 2, 20)
DAYS = 26
PATH = "/v1/metric-definitions"
PEOPLE = {
    "ada": (READ, DEFINE, PUBLISH),
    "ben": (READ, DEFINE),
    "cy": (READ, DEFINE),
    "boss": (ADMIN,),
    "reader": (READ,),
}
Call = Callable[[str], httpx.Client]
Row = dict[str, Any]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"now": NOW, "pipeline_start": date(2026, 1, 1), "collection_start": date(2026, 1, 1)}
    )


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """Events of both workspaces on the same days, and what the application has declared."""
    lake = open_lake(settings)
    add_events(lake, "acme", 1)
    add_events(lake, "beta", 2)
    licences = [
        {"id": f"l{n}", "workspace_id": "acme", "industry": "retail" if n % 3 else "law", "renewed": n % 2 == 0,
         "expires_at": NOW - timedelta(days=n), "date": (NOW - timedelta(days=n)).date(), "extracted_at": NOW}
        for n in range(12)
    ]  # fmt: skip
    append(lake, "app_licences", licences)
    return lake


def append(lake: Lake, table: str, rows: list[Row]) -> None:
    schema = lake.tables[table].schema
    lake.append(table, pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema))


def add_events(lake: Lake, workspace: str, seed: int, count: int = 400) -> None:
    draw = random.Random(seed)
    rows: list[Row] = []
    for number in range(count):
        at = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(seconds=draw.randrange(DAYS * 86400))
        rows.append(
            {"workspace_id": workspace, "date": at.date(), "event_id": f"{workspace}-{seed}-{number}", "event_ts": at,
             "received_at": at, "event_type": draw.choice(("view_start", "like", "share")), "content_id": "c",
             "session_id": f"s{draw.randrange(40)}", "user_id": f"u{draw.randrange(30)}",
             "viewer_hash": draw.randrange(30), "country": draw.choice(("DE", "FR", None)),
             "watch_time": draw.random() * 60, "is_bot": draw.random() < 0.1}
        )  # fmt: skip
    append(lake, "events", rows)


@pytest.fixture
def people(control: Engine) -> None:
    """Of acme; Ada and Ben are in the team growth."""
    for name, roles in PEOPLE.items():
        add_principal(control, "acme", name, roles, None, now=NOW)
    add_team(control, "acme", "growth", None, now=NOW)
    for name in ("ada", "ben"):
        join_team(control, "acme", "growth", name, now=NOW)


@pytest.fixture
def server(settings: Settings, lake: Lake, people: None) -> Iterator[ApiServer]:
    with ApiServer(settings) as running:
        yield running


@pytest.fixture
def call(control: Engine, settings: Settings, client: Client) -> Call:
    """A client that acts for one of PEOPLE, or as: ingest, other (workspace), operator, browser."""

    def make(who: str) -> httpx.Client:
        rights = {
            "ingest": Rights("acme", ("ingest",)),
            "other": Rights("beta", ("read", "define", "admin")),
            "operator": Rights(None, ("read", "define", "admin")),
            "browser": Rights("acme", ("ingest",), ("https://app.example",)),
        }
        own = Rights("acme", ("admin",) if who == "boss" else ("read", "define"), principal_id=who)
        made = client(create_key(control, load_key_ring(settings), rights.get(who, own), now=NOW)[1].reveal())
        if who == "browser":
            made.headers["Origin"] = "https://app.example"
        if who == "operator":
            made.params = made.params.set("workspace_id", "acme")
        return made

    return make


def simple(name: str, agg: str = "count", expr: str | None = None, **said: object) -> Row:
    return {"name": name, "type": "simple", "dataset": "events", "agg": agg, **({"expr": expr} if expr else {}), **said}


def define(client: httpx.Client, *documents: Row, **query: str) -> list[Row]:
    answer = client.post(PATH, json={"metrics": list(documents)}, params=query)
    assert answer.status_code in (200, 201), answer.text
    data: list[Row] = answer.json()["data"]
    return data


def etag(client: httpx.Client, name: str) -> str:
    return str(client.get(f"{PATH}/{name}").headers["ETag"])
