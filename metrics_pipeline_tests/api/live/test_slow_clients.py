"""A client that takes less than it is sent: nothing is lost without a word, and what it gets stays in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from metrics_pipeline.api.live.hub import KEPT_PER_WORKSPACE, LINGER_SECONDS, Hub
from metrics_pipeline.api.live.messages import MOST_NAMES, Draft, Message, merged
from metrics_pipeline.api.live.subscription import Control, LiveStats, Subscription
from metrics_pipeline.api.server import ApiServer
from metrics_pipeline_tests.api.live.conftest import websocket

CHANNEL = "workspace:acme"


def draft(day: int, channel: str = CHANNEL, table: str = "daily_metrics", **data: object) -> Draft:
    days = {"first": f"2026-11-{day:02}", "last": f"2026-11-{day:02}"}
    return Draft("acme", channel, "metrics.updated", "", {"table": table, "days": days, "values": None, **data})


def taken(subscription: Subscription) -> list[Message | Control]:
    async def take() -> list[Message | Control]:
        found = []
        while (item := await subscription.next(0)) is not None:
            found.append(item)
        return found

    return asyncio.run(take())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 28)), max_size=60), st.integers(3, 8))
def test_whatever_is_put_together_names_every_day_and_stays_in_order(
    told: Sequence[tuple[str, int]], bound: int
) -> None:
    stats = LiveStats()
    hub = Hub(stats)
    slow, fast = Subscription("sse", bound, stats), Subscription("sse", 1000, stats)
    hub.open_room("acme", "e")
    for subscription in (slow, fast):
        for name in "abc":
            hub.join(subscription, name, "acme")
    slow.tell(Control("subscribed", {}))
    for channel, day in told:
        hub.add(draft(day, channel))
    everything = taken(fast)
    acknowledged, *got = taken(slow)
    assert isinstance(acknowledged, Control)
    assert len(got) <= bound
    sequences = [item.sequence for item in got if isinstance(item, Message)]
    assert sequences == sorted(set(sequences))
    assert sum(1 + item.conflated for item in got if isinstance(item, Message)) == len(everything) == len(told)
    for name in "abc":
        days = [day for channel, day in told if channel == name]
        spans = [i.draft.data["days"] for i in got if isinstance(i, Message) and i.draft.channel == name]
        if days:
            assert min(span["first"] for span in spans) == f"2026-11-{min(days):02}"
            assert max(span["last"] for span in spans) == f"2026-11-{max(days):02}"
            newest = [i for i in got if isinstance(i, Message) and i.draft.channel == name][-1]
            assert newest.sequence == max(n for n, (channel, _) in enumerate(told, 1) if channel == name)


def test_more_different_things_than_may_wait_are_a_reset() -> None:
    stats = LiveStats()
    hub = Hub(stats)
    subscription = Subscription("sse", 3, stats)
    hub.open_room("acme", "e")
    hub.join(subscription, CHANNEL, "acme")
    for n in range(5):
        hub.add(draft(1, table=f"table-{n}"))
    reset, after = taken(subscription)
    assert isinstance(reset, Control)
    assert (reset.type, reset.fields["reason"], reset.id) == ("reset", "too_slow", "e-4")
    assert isinstance(after, Message)
    assert after.id == "e-5"
    assert stats.resets == 1


def test_what_is_put_together_says_all_or_that_it_is_too_much() -> None:
    value = {
        "date": "2026-11-02",
        "entity_type": "account",
        "entity_id": "a",
        "platform": "x",
        "metric": "m",
        "value": 1,
    }
    one = {"metrics": ["b"], "values": [value], "scope": "rows"}
    two = {"metrics": ["a"], "values": [{**value, "value": 2}, {**value, "metric": "n"}], "scope": "range"}
    together = merged(one, two)
    assert together["metrics"] == ["a", "b"]
    assert [(v["metric"], v["value"]) for v in together["values"]] == [("m", 2), ("n", 1)]
    assert together["scope"] == "range"
    assert merged(one, {**two, "values": [{**value, "date": "2026-11-03"}]})["values"][0]["date"] == "2026-11-03"
    assert merged(one, {"metrics": [str(n) for n in range(MOST_NAMES)], "values": None})["metrics"] is None


def test_so_many_are_kept_for_so_long() -> None:
    now = [0.0]
    hub = Hub(LiveStats(), lambda: now[0])
    room = hub.open_room("acme", "e")
    for _ in range(KEPT_PER_WORKSPACE + 5):
        hub.add(draft(1))
    assert room.after("e-4") is None
    missed = room.after("e-5")
    assert missed is not None
    assert [message.sequence for message in missed] == list(range(6, KEPT_PER_WORKSPACE + 6))
    assert room.after(room.position) == []
    now[0] = LINGER_SECONDS
    assert hub.watched() == {"acme"}
    now[0] += 1
    assert hub.watched() == frozenset()
    assert hub.open_room("acme", "f").after("e-5") is None


def test_a_slow_websocket_is_told_what_it_did_not_get_one_by_one(server: ApiServer, acme_key: str) -> None:
    assert server._server is not None
    live = server._server._services.live  # type: ignore[attr-defined]
    loop = server._server.servers[0].get_loop()
    most = 1500  # of 20 KB: far more than the system's buffers take
    with websocket(server, acme_key, CHANNEL, max_queue=1) as slow:

        async def publish() -> None:
            for n in range(most):
                live.hub.add(draft(1 + n % 28, padding="x" * 20_000))
                await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(publish(), loop).result(20)
        covered, last = 0, 0
        while covered < most:
            told = slow.hear()
            place = int(told["id"].rpartition("-")[2])
            assert place > last
            last = place
            covered += 1 + told.get("conflated", 0)
        assert last == covered == most
        assert live.stats.conflated > 0
        assert live.stats.connections == {"sse": 0, "websocket": 1}
