"""The rules of messages one by one: what joins, what counts once, levels on idle days, scores, weeks, workspaces."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from metrics_pipeline.aggregation.build import Builder, EntityType
from metrics_pipeline.aggregation.messaging import MessagingStateBuilder
from metrics_pipeline.lake.connect import read_statement
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window
from metrics_pipeline_tests.messaging.conftest import DayEngine
from metrics_pipeline_tests.messaging.test_messaging_oracle import put
from metrics_pipeline_tests.messaging.worlds import World

NOW = datetime(2026, 3, 25, 6, tzinfo=UTC)
MONTH = Window.of_days(date(2026, 3, 1), date(2026, 3, 26))
TALK = {"conversation_id": "v", "contact_id": "c"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=UTC)


def values(memory: DayEngine, kind: str, day: str, entity: str = "acme") -> dict[str, Any]:
    """The rows' values by metric."""
    rows = memory.tables["daily_metrics"].to_pylist()
    chosen = (r for r in rows if (r["entity_type"], r["entity_id"]) == (kind, entity) and str(r["date"])[8:] == day)
    return {r["metric"]: r["value"] for r in chosen}


def build(builder: Builder, memory: DayEngine, world: World, *kinds: EntityType) -> None:
    put(memory, world)
    for kind in kinds or ("workspace",):
        builder.daily(kind, MONTH, NOW)


def test_a_message_takes_the_earliest_instants_and_the_highest_rank_of_both_sources(
    memory: DayEngine, builder: Builder
) -> None:
    world = World()
    world.message("late", at("11 00:00:05"), status="failed", failed_at=at("11 00:01"))
    world.status("late", sent_at=at("10 23:59:58"), delivered_at=at("11 00:02"), status="delivered")
    world.message("lost", at("10 10:00"), failed_at=at("10 10:05"))
    world.status("told", read_at=at("10 12:00"), status="read")

    build(builder, memory, world)

    day = values(memory, "workspace", "10")
    assert [day[f"messages_{n}"] for n in ("attempted", "sent", "delivered", "read", "failed")] == [3, 3, 2, 1, 1]
    assert (day["delivery_rate"], day["failure_rate"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert "messages_sent" not in values(memory, "workspace", "11")


def test_a_reply_counts_once_per_message_over_midnight_and_at_most_a_reply_window_later(
    memory: DayEngine, builder: Builder
) -> None:
    world = World()
    world.message("a", at("10 23:50"), campaign_id="k", **TALK)
    world.message("b", at("10 23:55"), **TALK)
    world.message("r1", at("11 00:05"), direction="inbound", **TALK)
    world.message("r2", at("11 00:06"), direction="inbound", **TALK)
    world.message("early", at("12 00:00"), conversation_id="w")
    world.message("too-late", at("15 00:00:01"), direction="inbound", conversation_id="w", contact_id="d")

    build(builder, memory, world)

    assert [values(memory, "workspace", d)["messages_replied"] for d in ("10", "12")] == [2, 0]
    # what was replied to arrived and was read, whatever receipts say
    assert values(memory, "workspace", "10")["messages_delivered"] == 2
    assert values(memory, "workspace", "10")["message_engagement_rate"] == 1


def test_a_burst_waits_for_the_first_answer_that_is_no_template(memory: DayEngine, builder: Builder) -> None:
    world = World()
    world.message("q1", at("10 23:58"), direction="inbound", **TALK)
    world.message("q2", at("10 23:59"), direction="inbound", **TALK)
    world.message("t", at("10 23:59:30"), is_template=True, **TALK)
    world.message("r", at("11 00:08"), **TALK)
    world.message("q3", at("11 01:00"), direction="inbound", **TALK)

    build(builder, memory, world, "account")

    first, second = (values(memory, "account", day, "a1") for day in ("10", "11"))
    assert (first["messages_answered"], first["messages_unanswered"], first["average_response_time"]) == (1, 0, 600)
    assert (second["messages_answered"], second["messages_unanswered"], second["average_response_time"]) == (0, 1, None)


def test_a_workspace_counts_its_messages_once_and_in_no_total_of_platforms(memory: DayEngine, builder: Builder) -> None:
    world = World()
    for account in ("a1", "a2", None):
        world.message(f"in-{account}", at("10 08:00"), account_id=account, direction="inbound", **TALK)
        world.message(f"out-{account}", at("10 09:00"), account_id=account)
    world.message("nobody's", at("10 09:00"), workspace_id=None)

    build(builder, memory, world, "account", "workspace")

    assert values(memory, "account", "10", "a1")["messages_sent"] == 1
    day = values(memory, "workspace", "10")
    assert (day["messages_sent"], day["messages_inbound"], day["contacts_active"]) == (3, 3, 1)
    rows = memory.tables["daily_metrics"].to_pylist()
    assert {(r["workspace_id"], r["platform"]) for r in rows} == {("acme", "app")}


def test_levels_stand_on_idle_days_and_a_day_nobody_read_is_unknown(memory: DayEngine, builder: Builder) -> None:
    world = World()
    world.add("app_contacts", workspace_id="acme", id="c", date=date(2026, 3, 5), created_at=at("05 10:00"),
              blocked_at=at("09 10:00"))  # fmt: skip
    world.add("app_conversations", workspace_id="acme", id="v", account_id="a1", date=date(2026, 3, 6),
              opened_at=at("06 10:00"), closed_at=at("12 10:00"))  # fmt: skip
    for n in range(1, 25):
        day = date(2026, 3, n)
        for table in ("messages", "contacts", "conversations"):
            if (table, n) != ("contacts", 20) and (table, n) != ("messages", 21):
                world.add("application_reads", table_name=table, date=day, last_read_at=at(f"{n + 1:02} 02:40"))

    build(builder, memory, world)

    found = [values(memory, "workspace", f"{n:02}") for n in range(1, 26)]
    assert [d.get("contacts_total") for d in found[3:]] == [None, *[1] * 21]
    assert [d.get("contacts_blocked") for d in found[4:]] == [0, 0, 0, 0, *[1] * 17]
    assert [d.get("conversations_open") for d in found[5:]] == [*[1] * 6, *[0] * 14]
    assert sum(d.get("conversations_closed") or 0 for d in found) == 1
    assert "messages_sent" not in found[9], "an idle day that was read has no row of what did not happen"
    state = {(r["metric"], r["date"].day): (r["state"], r["is_complete"]) for r in
             memory.tables["daily_metrics"].to_pylist() if r["entity_type"] == "workspace"}  # fmt: skip
    assert state[("contacts_new", 19)] == ("zero", True)
    assert state[("contacts_new", 20)] == ("unknown", False)
    assert state[("contacts_total", 20)] == ("value", False)
    assert state[("messages_sent", 21)] == ("unknown", False)
    assert state[("contact_engagement_score", 19)] == ("insufficient_data", True)

    world.message("m", at("17 10:00"))
    build(builder, memory, world)
    builder.weekly(Window.of_days(date(2026, 3, 9), date(2026, 3, 23)), NOW)
    weeks = {(r["metric"], r["week_start"].day): r for r in memory.tables["weekly_metrics"].to_pylist()
             if r["entity_type"] == "workspace"}  # fmt: skip
    assert weeks[("contacts_new", 9)]["is_complete"]
    assert (weeks[("messages_sent", 16)]["value"], weeks[("messages_sent", 16)]["is_complete"]) == (1, False)
    assert (weeks[("contacts_total", 16)]["is_complete"], weeks[("contacts_total", 16)]["growth_rate"]) == (True, 0)


def test_active_contacts_of_a_week_are_distinct_and_of_accounts_their_own(memory: DayEngine, builder: Builder) -> None:
    world = World()
    for n, (day, contact, account) in enumerate(
        (("09", "c", "a1"), ("10", "c", "a2"), ("15", "d", "a1"), ("16", "d", "a1"))
    ):
        world.message(f"m{n}", at(f"{day} 23:59:59"), direction="inbound", contact_id=contact, account_id=account)

    build(builder, memory, world, "account", "workspace")
    builder.weekly(Window.of_days(date(2026, 3, 9), date(2026, 3, 23)), NOW)
    builder.monthly(MONTH, NOW)

    def of(table: str, column: str) -> dict[tuple[str, int], float]:
        rows = memory.tables[table].to_pylist()
        return {(r["entity_id"], r[column].day): r["value"] for r in rows if r["metric"] == "contacts_active"}

    assert of("weekly_metrics", "week_start") == {
        ("acme", 9): 2, ("a1", 9): 2, ("a2", 9): 1, ("acme", 16): 1, ("a1", 16): 1
    }  # fmt: skip
    assert of("monthly_metrics", "month_start") == {("acme", 1): 2, ("a1", 1): 2, ("a2", 1): 1}


def scored(memory: DayEngine, file: str, relation: str, **rates: object) -> dict[str, Any]:
    rows: list[dict[str, Any]] = memory.select(
        read_statement(file), relations={relation: pa.Table.from_pylist([rates])}
    ).read_all().to_pylist()  # fmt: skip
    return rows[0]


def test_the_scores_are_those_of_their_definition(memory: DayEngine) -> None:
    rates = {"delivery_rate": 0.95, "read_rate": 0.6, "reply_rate": 0.1, "conversion_rate": 0.02}
    tracked = scored(memory, "messaging/campaign_scores.sql", "campaign_rates", **rates, conversions_tracked=True)
    assert tracked["campaign_score"] == 59.75
    untracked = scored(memory, "messaging/campaign_scores.sql", "campaign_rates", **rates, conversions_tracked=False)
    assert untracked["campaign_score"] == pytest.approx((59.75 - 3) / 0.85, abs=1e-6)
    weights = ("delivery_weight", "read_weight", "reply_weight", "conversion_weight")
    assert sum(untracked[w] for w in weights) == pytest.approx(1)
    person = {"read_rate": 0.6, "reply_rate": 0.1, "days_since_inbound": 14}
    assert scored(memory, "messaging/contact_scores.sql", "contact_rates", **person)["engagement_score"] == 37.5


def test_the_state_of_campaigns_and_contacts_is_that_of_their_days(tmp_path: Any) -> None:
    """On a lake on disk, where a build opens the files of its days only."""
    from metrics_pipeline.catalog.loader import catalog

    lake = Lake(str(tmp_path))
    lake.initialise()
    engine, settings = Engine(lake), Settings()
    world = World()
    for n in range(6):
        sent = at(f"{10 + n} 10:00")
        talk = {"conversation_id": f"v{n}", "contact_id": f"c{n % 3}"}
        world.message(f"m{n}", sent, campaign_id="k", delivered_at=sent + timedelta(hours=30), is_template=True, **talk)
        if n % 2:
            world.message(f"r{n}", sent + timedelta(days=2), direction="inbound", **talk)
    world.add("app_campaigns", workspace_id="acme", id="k", date=date(2026, 3, 10), started_at=at("10 09:00"),
              recipients=12, status="active")  # fmt: skip
    world.add("app_contacts", workspace_id="acme", id="c9", date=date(2026, 3, 1), blocked_at=at("02 10:00"))
    for name, table in world.tables().items():
        lake.append(name, table)
    builder, state = Builder(engine, catalog(), settings), MessagingStateBuilder(engine, settings)

    for day in range(15, 9, -1):  # whatever the order in which days are built
        builder.daily("campaign", Window.of_day(date(2026, 3, day)), NOW)
    builder.daily("workspace", Window.of_day(NOW.date()), NOW)
    assert (state.campaigns(NOW), state.contacts(NOW)) == (1, 4)

    def rows(query: str) -> list[dict[str, Any]]:
        with engine.session() as session:
            found: list[dict[str, Any]] = session.run(query).read_all().to_pylist()
            return found

    (campaign,) = rows("select * from campaign_metrics")
    assert (campaign["messages_sent"], campaign["messages_delivered"], campaign["messages_replied"]) == (6, 6, 3)
    assert (campaign["conversions_tracked"], campaign["conversion_weight"]) == (False, 0)
    days = rows(
        "select metric, lifetime_value from daily_metrics where entity_type = 'campaign' and date = '2026-03-15'"
    )
    last = {row["metric"]: row["lifetime_value"] for row in days}
    assert (last["messages_replied"], last["campaign_score"]) == (3, campaign["campaign_score"])
    contacts = {r["contact_id"]: r for r in rows("select * from contact_metrics")}
    assert (contacts["c9"]["is_blocked"], contacts["c9"]["engagement_score"]) == (True, None)
    mean = sum(contacts[c]["engagement_score"] for c in ("c0", "c1", "c2")) / 3
    (level,) = rows("select value from daily_metrics where metric = 'contact_engagement_score'")
    assert level["value"] == pytest.approx(mean)
    assert NOW.date() - contacts["c0"]["days_since_inbound"] * DAY == contacts["c0"]["last_inbound_at"].date()
