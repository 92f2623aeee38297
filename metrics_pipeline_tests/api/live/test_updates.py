"""What is told of a commit: to whom, about what, in which order; over real connections."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from metrics_pipeline.api.live.feed import Feed
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.api.reading.lake_tables import LakeTables
from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.live.conftest import DAY, Socket, Tables, events, websocket


def test_a_commit_is_told_to_those_whose_rows_it_changed(
    server: ApiServer, tables: Tables, acme_key: str, key: Callable[..., str]
) -> None:
    with (
        websocket(server, acme_key, "workspace:acme", "account:acme/a1") as acme,
        websocket(server, key("beta", "read"), "workspace:beta") as beta,
    ):
        tables.put(7.0)
        told = [acme.hear(), acme.hear()]
        assert acme.hears_nothing()
        assert beta.hears_nothing(), "the file holds rows of both, and those of one are as before"
        assert [message["channel"] for message in told] == ["workspace:acme", "account:acme/a1"]
        for message in told:
            assert message["type"] == "metrics.updated"
            assert message["data"] == {
                "table": "daily_metrics",
                "scope": "rows",
                "days": {"first": str(DAY), "last": str(DAY)},
                "platforms": ["x"],
                "metrics": ["views"],
                "entities": [{"entity_type": "account", "entity_id": "a1"}],
                "generation": message["id"],
                "values": [
                    {
                        "date": str(DAY),
                        "entity_type": "account",
                        "entity_id": "a1",
                        "platform": "x",
                        "metric": "views",
                        "value": 7.0,
                    }
                ],
            }
        tables.write()
        assert acme.hears_nothing(), "read again, and the numbers are the same"
        tables.put(3.0, entity_type="post")
        assert acme.hear()["type"] == "post_metrics.updated"
        tables.put(9.0, "beta")
        heard = beta.hear()
        assert (heard["channel"], heard["data"]["values"][0]["value"]) == ("workspace:beta", 9.0)
        assert heard["id"].endswith("-1"), "ids tell nothing of what others do"


def test_many_commits_come_in_order_and_none_is_lost(server: ApiServer, tables: Tables, acme_key: str) -> None:
    with websocket(server, acme_key, "account:acme/a1") as socket, events(server, acme_key) as stream:
        name, snapshot = stream.next()
        assert name == "snapshot"
        assert snapshot["data"]["channels"] == [{"channel": "workspace:acme", "newest_day": str(DAY)}]
        for number in range(1, 21):
            tables.put(float(number), day=DAY - timedelta(days=number % 3))
        tables.put(21.0)
        for listener in (socket, stream):
            places: list[int] = []
            days: set[date] = set()
            value = 0.0
            while value < 21:
                message = listener.hear() if isinstance(listener, Socket) else listener.next()[1]
                places.append(int(message["id"].rpartition("-")[2]))
                span = [date.fromisoformat(message["data"]["days"][end]) for end in ("first", "last")]
                days |= {span[0] + timedelta(days=n) for n in range((span[1] - span[0]).days + 1)}
                value = max([value, *(found["value"] for found in message["data"]["values"])])
            assert places == sorted(set(places))
            assert days == {DAY - timedelta(days=n) for n in range(3)}


def test_who_comes_back_gets_exactly_what_was_missed(server: ApiServer, tables: Tables, acme_key: str) -> None:
    both = ("workspace:acme", "account:acme/a1")
    with events(server, acme_key, *both) as stream:
        stream.next()
        tables.put(1.5)
        first = stream.next()[1]["id"]
    with events(server, acme_key, *both) as witness:
        witness.next()
        for value in (2.5, 3.5):  # while the first one is away
            tables.put(value)
            seen = [witness.next()[1] for _ in range(2)]
        epoch, _, last = seen[-1]["id"].rpartition("-")
        assert int(last) == 6
        with events(server, acme_key, *both, after=first) as stream:
            name, snapshot = stream.next()
            assert (name, snapshot["data"]["resumed"], stream.last_id) == ("snapshot", True, first)
            told = [stream.next()[1] for _ in range(5)]
            assert [message["id"] for message in told] == [f"{epoch}-{n}" for n in range(2, 7)]
            assert told[-2:] == seen
            tables.put(4.5)
            assert stream.next()[1]["id"] == witness.next()[1]["id"] == f"{epoch}-7"
        with events(server, acme_key, "account:acme/a1", after=f"{epoch}-3") as stream:
            stream.next()
            assert [stream.next()[1]["id"] for _ in range(3)] == [f"{epoch}-{n}" for n in (4, 6, 8)]
    for unknown in ("deadbeef-3", f"{epoch}-99999", "x", "-1"):
        with events(server, acme_key, after=unknown) as stream:
            assert stream.next()[0] == "snapshot"
            name, reset = stream.next()
            assert (name, reset["reason"], stream.last_id) == ("reset", "unknown_id", f"{epoch}-8")


def test_large_commits_are_compared_in_portions_or_told_by_their_days(
    tables: Tables, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = ReadConnection(LakeTables(tables.lake, 0))
    feed = Feed(reads, settings.clock, 5.0)
    days = [DAY - timedelta(days=n) for n in range(6)]
    for day in days:
        for workspace in ("acme", "beta"):
            tables.put(1.0, workspace, day=day)
    monkeypatch.setattr("metrics_pipeline.api.live.changes.PORTION", 3)
    for most, scope in ((100, "rows"), (5, "range")):
        monkeypatch.setattr("metrics_pipeline.api.live.changes.MOST_FILES", most)
        feed.begin()
        for day in days:
            tables.put(float(most), day=day)
        [step] = feed.look(frozenset({"acme", "gamma"}))
        assert [draft.channel for draft in step.drafts] == ["workspace:acme", "account:acme/a1"]
        for draft in step.drafts:
            assert draft.data["scope"] == scope
            assert draft.data["days"] == {"first": str(days[-1]), "last": str(DAY)}
        values = step.drafts[0].data["values"]
        assert (None if values is None else [(v["date"], v["value"]) for v in values]) == (
            [(str(DAY), 100.0)] if scope == "rows" else None
        )
    [late] = feed.look(frozenset({"acme", "gamma", "beta"}))[:1]
    assert late.move is None, "told before, and again to those who came since"
    assert {draft.workspace_id for draft in late.drafts} == {"beta"}
    tables.lake.table("daily_metrics").optimize.compact()
    feed.begin()
    tables.write()
    assert [step.drafts for step in feed.look(frozenset({"acme"}))] == [[]]
    tables.lake.delete("daily_metrics", "workspace_id = 'acme'")
    monkeypatch.undo()
    [gone] = [step for step in feed.look(frozenset({"acme"})) if step.drafts]
    assert gone.drafts[0].data["metrics"] == ["views"]
    assert gone.drafts[0].data["values"] == []


@pytest.mark.parametrize(
    ("table", "row", "said"),
    [
        ("weekly_metrics", {"week_start": DAY, "metric": "views", "value": 3.0}, "periods"),
        (
            "monthly_metrics",
            {"month_start": DAY, "metric": "views", "value": math.nan},
            "periods",
        ),
        (
            "analytics_snapshots",
            {"snapshot_type": "daily", "date": DAY, "metrics": "{}"},
            "periods",
        ),
        ("content_metrics", {"content_id": "c1", "views": 3}, None),
    ],
)
def test_other_tables(tables: Tables, settings: Settings, table: str, row: dict[str, Any], said: str | None) -> None:
    feed = Feed(ReadConnection(LakeTables(tables.lake, 0)), settings.clock, 5.0)
    feed.begin()
    spec = tables.lake.tables[table]
    common = {"workspace_id": "acme", "platform": "x", "entity_type": "workspace", "entity_id": "acme"}
    rows = [
        {name: {**common, **row, **other}.get(name) for name in spec.schema.names}
        for other in ({}, {"workspace_id": "b"})
    ]
    for generated_at in (1, 2):
        for one in rows:
            one.update(
                {
                    name: datetime.fromtimestamp(generated_at, UTC)
                    for name in ("generated_at", "computed_at")
                    if name in one
                }
            )
        write_deltalake(tables.lake.table(table), pa.Table.from_pylist(rows, spec.schema), mode="overwrite")
        [step] = feed.look(frozenset({"acme"}))
        feed.accept(step)
        if generated_at == 2:
            assert step.drafts == [], "computed again, and the same"
            return
        [draft] = step.drafts
        assert draft.channel == "workspace:acme"
        assert draft.type == ("aggregates.updated" if said else "post_metrics.updated")
        assert {"days", "periods"} & set(draft.data) == ({said} if said else set())
        json.dumps(draft.data, allow_nan=False)
