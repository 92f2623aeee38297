"""The back end that the settings name, the cap of metrics, and the checks of what comes in."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime

import pytest

from metrics_pipeline.clock import SystemClock
from metrics_pipeline.errors import UserError
from metrics_pipeline.realtime.backend import Query, Refused
from metrics_pipeline.realtime.memory import MemoryBackend
from metrics_pipeline.realtime.realtime import Realtime
from metrics_pipeline.realtime.refusals import RealtimeError
from metrics_pipeline.realtime.series import Series
from metrics_pipeline.realtime.updates import Update, make_update
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.conftest import RedisServer

pytestmark = pytest.mark.anyio

LABELS = {f"label_{n}": "x" for n in range(11)}


def one(metric: str) -> Update:
    return make_update("acme", metric, "counter", 1, datetime.now(UTC))


async def test_without_redis_numbers_are_those_of_the_process() -> None:
    realtime = Realtime.open(load_settings())
    await realtime.add([one("views")])
    reading = await realtime.read(Query.of("acme", "views"))
    assert (reading.figures.value, reading.scope, reading.degraded) == (1, "process", False)
    await realtime.close()


async def test_with_redis_they_are_those_of_all(redis_server: RedisServer) -> None:
    opened = [
        Realtime.open(load_settings(redis_url=redis_server.url)),
        Realtime.open(load_settings(redis_url="redis://127.0.0.1:1/0", realtime_redis_url=redis_server.url)),
    ]
    for each in opened:
        await each.add([one("views")])
    reading = await opened[0].read(Query.of("acme", "views"))
    assert (reading.figures.value, reading.scope, reading.degraded) == (2, "shared", False)
    for each in opened:
        await each.close()
    with pytest.raises(UserError, match="is no Redis URL"):
        Realtime.open(load_settings(redis_url="localhost"))


async def test_a_clock_that_goes_wrong_is_told(redis_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    for now in (None, datetime(2100, 1, 1, tzinfo=UTC)):
        realtime = Realtime.open(load_settings(redis_url=redis_server.url, now=now))
        await realtime.check_clock()
        await realtime.close()
        assert ("The clock of Redis is -" in caplog.text) == (now is not None)


async def test_threads_may_write_beside_readers() -> None:
    backend = MemoryBackend(SystemClock())

    def write() -> None:
        for number in range(2000):
            backend.add_now(
                [make_update("acme", f"m_{number % 7}", "counter", 1, datetime.now(UTC), {"of": str(number)})]
            )

    writing = [asyncio.create_task(asyncio.to_thread(write)) for _ in range(3)]
    while not all(each.done() for each in writing):
        await backend.read(Query.of("acme", "m_3", group_by=["of"]))
        await asyncio.sleep(0)
    totals = [(await backend.read(Query.of("acme", f"m_{n}", 3600))).figures.value or 0 for n in range(7)]
    assert sum(totals) == 6000


async def test_a_workspace_has_so_many_metrics() -> None:
    realtime = Realtime.open(load_settings(realtime_metrics=2))
    added = await realtime.add([one("m1"), one("m2"), one("m3"), one("m1")])
    assert (added.accepted, added.refused) == (3, (Refused(2, "metric_limit"),))
    assert (await realtime.add([one("m3")])).refused == (Refused(0, "metric_limit"),)
    assert await realtime.backend.delete_series(Series.of("acme", "m1"))
    assert (await realtime.add([one("m3")])).accepted == 1


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("metric_name", ("acme", "Views", "counter", 1)),
        ("metric_name", ("acme", "v", "counter", 1)),
        ("metric_name", ("acme", "views\n", "counter", 1)),
        ("workspace_id", ("", "views", "counter", 1)),
        ("kind", ("acme", "views", "sum", 1)),
        ("counter_negative", ("acme", "views", "counter", -1)),
        ("counter_negative", ("acme", "views", "rate", -0.5)),
        ("value_not_finite", ("acme", "views", "gauge", math.nan)),
        ("value_not_finite", ("acme", "views", "histogram", math.inf)),
        ("value_range", ("acme", "views", "up_down", -(10**13))),
        ("value_type", ("acme", "views", "counter", "1")),
        ("value_type", ("acme", "views", "counter", True)),
        ("value_type", ("acme", "views", "distinct", 1)),
    ],
)
def test_what_cannot_be_counted_has_a_code(code: str, arguments: tuple[str, str, str, float | str]) -> None:
    with pytest.raises(RealtimeError) as refused:
        make_update(*arguments, datetime.now(UTC))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("code", "labels"),
    [
        ("too_many_labels", LABELS),
        ("label_name", {"__overflow__": "true"}),
        ("label_name", {"a": "x"}),
        ("label_value", {"aa": "x" * 129}),
        ("label_value", {"aa": "\ud800"}),
    ],
)
def test_labels_that_cannot_be_have_a_code(code: str, labels: dict[str, str]) -> None:
    with pytest.raises(RealtimeError) as refused:
        Series.of("acme", "views", labels)
    assert refused.value.code == code
