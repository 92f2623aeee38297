"""What every back end does, on each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from metrics_pipeline.realtime import distinct, log_buckets
from metrics_pipeline.realtime.backend import Backend, Query, Reading, Refused, StoredBucket
from metrics_pipeline.realtime.distinct import Distinct
from metrics_pipeline.realtime.kinds import Kind, empty, take
from metrics_pipeline.realtime.refusals import RealtimeError
from metrics_pipeline.realtime.series import Series
from metrics_pipeline.realtime.updates import Update, make_update
from metrics_pipeline.realtime.widths import WIDTHS, micros
from metrics_pipeline_tests.realtime.conftest import NOON, MakeBackend, MovedClock

pytestmark = pytest.mark.anyio


def one(
    kind: Kind, value: float | str, ago: float = 0, labels: Mapping[str, str] | None = None, metric: str = "views"
) -> Update:
    return make_update("acme", metric, kind, value, NOON - timedelta(seconds=ago), labels)


async def asked(backend: Backend, window: int = 60, metric: str = "views", **more: object) -> Reading:
    return await backend.read(Query.of("acme", metric, window, **more))  # type: ignore[arg-type]


async def test_a_counter_in_windows_of_every_width(make: MakeBackend) -> None:
    backend = make(2000)
    await backend.add([one(Kind.COUNTER, 1, ago) for ago in (0, 1, 59, 60, 61, 500, 5000, 50_000)])
    await backend.add([one(Kind.COUNTER, 0.25, 0)])
    for window, resolution, value in (
        (60, 1, 4.25),
        (120, 1, 5.25),
        (900, 10, 6.25),
        (7200, 60, 7.25),
        (86_400, 3600, 8.25),
    ):
        reading = await asked(backend, window)
        assert (reading.figures.value, reading.resolution_seconds) == (value, resolution)
        assert reading.counted_from == NOON - timedelta(seconds=window)
        assert not reading.degraded
    with pytest.raises(RealtimeError, match="A window has"):
        await asked(backend, 48 * 3600 + 1)


async def test_up_and_down(make: MakeBackend) -> None:
    backend = make(2000)
    await backend.add([one(Kind.UP_DOWN, value) for value in (3, -5, 0.5)])
    assert (await asked(backend)).figures.value == -1.5


async def test_a_gauge_takes_the_newest_whatever_comes_last(make: MakeBackend, clock: MovedClock) -> None:
    backend = make(2000)

    def seen(value: float, ago: float, writer: str) -> Update:
        at = NOON - timedelta(seconds=ago)
        return make_update("acme", "temp", "gauge", value, NOON, observed_at=at, writer=writer)

    await backend.add([seen(1, 10, "a")])
    await backend.add([seen(2, 5, "a"), seen(3, 5, "é"), seen(4, 5, "b")])
    await backend.add([seen(5, 7, "z")])
    figures = (await asked(backend, metric="temp")).figures
    assert (figures.value, figures.age_seconds, figures.stale) == (3, 5, False)
    clock.go(296)
    assert (await asked(backend, metric="temp")).figures.stale
    held = await backend.gauge(Series.of("acme", "temp"))
    assert held is not None
    assert (held.value, bytes.fromhex(held.writer).decode()) == (3, "é")
    await backend.add([make_update("acme", "temp", "gauge", -7.5, clock.now(), {"room": "2"})])
    sums = await asked(backend, metric="temp", gauges_as="sum")
    assert (sums.figures.value, sums.figures.count, sums.figures.stale) == (-4.5, 2, False)


async def test_a_new_rate_is_not_divided_by_time_before_it(make: MakeBackend, clock: MovedClock) -> None:
    backend = make(2000)
    await backend.add([one(Kind.RATE, 10)])
    clock.go(5)
    figures = (await asked(backend)).figures
    assert (figures.value, figures.covered_seconds) == (2, 5)
    clock.go(54.5)
    assert (await asked(backend)).figures.value == pytest.approx(10 / 59.5)
    clock.go(1)  # a half of the bucket is in the window
    figures = (await asked(backend)).figures
    assert (figures.value, figures.covered_seconds) == (5 / 60, 60)
    assert (await asked(backend)).figures.sum == 0


async def test_percentiles_within_one_percent(make: MakeBackend) -> None:
    backend = make(2000)
    values = [round(1.01**n, 4) for n in range(1, 1500)] + [-3.0, -40.0, 0.0]
    await backend.add([one(Kind.HISTOGRAM, value) for value in values])
    reading = await asked(backend, percentiles=(0, 0.5, 0.99, 1))
    assert reading.figures.count == len(values)
    assert reading.figures.sum == pytest.approx(sum(values))
    values.sort()
    for share, value in reading.figures.percentiles.items():
        exact = values[int(share * (len(values) - 1))]
        assert abs(value - exact) <= 0.01 * abs(exact) * (1 + 1e-9)


async def test_beyond_the_bound_of_fields_the_lowest_are_put_together(
    make: MakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_buckets, "MOST_FIELDS", 8)
    backend = make(2000)
    for value in (5.0, 3e9, 0.0, 1.0, -2.0, 1e-9, 7.0, -9.0, 100.0, 1e5, 20.0, 1e-3):
        await backend.add([one(Kind.HISTOGRAM, value)])
    [bucket] = await backend.buckets("acme", "views", 60, 0, 10**12)
    together: dict[str, int] = {}
    for value in (1e-9, -9.0, 1e5, 100.0, 7.0, 20.0, 1e-3, 3e9, 5.0, -2.0, 1.0, 0.0):
        take(Kind.HISTOGRAM, together, "acme", value)
    assert bucket.content == together
    assert sum(name[0] in "pm" for name in together) == 8
    assert (await asked(backend)).figures.count == 12


async def test_distinct_is_exact_first_and_then_told_as_approximate(
    make: MakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distinct, "MOST_EXACT", 500)
    backend = make(2000)
    people = [f"person {n}" for n in range(3000)]
    await backend.add([one(Kind.DISTINCT, who, 30) for who in people[:400]])
    await backend.add([one(Kind.DISTINCT, who, 20) for who in people[200:500] * 2])
    exact = await asked(backend)
    assert (exact.figures.value, exact.figures.approximate) == (500, False)
    await backend.add([one(Kind.DISTINCT, who, 10) for who in people])
    rough = await asked(backend)
    assert rough.figures.approximate
    assert rough.figures.error_bound == pytest.approx(0.01625)
    assert rough.figures.value == pytest.approx(3000, rel=0.02)
    sketch = Distinct()
    sketch.add(distinct.hash_of("acme", who) for who in people)
    assert rough.figures.value == sketch.count()
    assert {bucket.content == sketch for bucket in await backend.buckets("acme", "views", 10, 0, 10**12)} == {
        True,
        False,
    }


async def test_beyond_the_cap_totals_stay_right(make: MakeBackend) -> None:
    backend = make(3)
    added = await backend.add([one(Kind.COUNTER, 1, labels={"page": str(n)}) for n in (0, 1, 2, 3, 1, 4)])
    assert (added.accepted, added.overflowed, added.refused) == (6, 2, ())
    reading = await asked(backend, group_by=["page"])
    assert (reading.figures.value, reading.overflow, reading.series) == (6, True, 4)
    assert {group.labels: group.figures.value for group in reading.groups} == {
        (("page", "0"),): 1,
        (("page", "1"),): 2,
        (("page", "2"),): 1,
        (("__overflow__", "true"),): 2,
    }
    of_one = await asked(backend, labels={"page": "1"})
    assert (of_one.figures.value, of_one.overflow) == (2, True)
    assert await backend.delete_series(Series.of("acme", "views", {"page": "0"}))
    assert (await backend.add([one(Kind.COUNTER, 1, labels={"page": "4"})])).overflowed == 0


async def test_what_cannot_be_right_is_refused(make: MakeBackend) -> None:
    backend = make(2000)
    kept = WIDTHS[-1].kept_seconds + 3600
    updates = [
        one(Kind.COUNTER, 1),
        one(Kind.HISTOGRAM, 1),
        one(Kind.COUNTER, 1, kept),
        one(Kind.COUNTER, 1, -61),
        one(Kind.HISTOGRAM, 1, metric="other"),
    ]
    added = await backend.add(updates)
    assert (added.accepted, added.refused) == (
        2,
        (Refused(1, "kind_conflict"), Refused(2, "too_late"), Refused(3, "in_the_future")),
    )
    assert (await asked(backend)).figures.value == 1
    assert await backend.metrics("acme") == ["other", "views"]
    stats = await backend.stats()
    assert (stats.accepted, stats.dropped) == (2, 0)


async def test_a_bucket_can_be_compared_and_put_right(make: MakeBackend) -> None:
    backend = make(2000)
    for kind, metric, values in (
        (Kind.COUNTER, "sums", [2, 0.5]),
        (Kind.HISTOGRAM, "sizes", [2.0, -0.5]),
        (Kind.DISTINCT, "people", ["a", "b"]),
    ):
        await backend.add([one(kind, value, 70, {"of": "x"}, metric) for value in values])
        await backend.add([one(kind, values[0], 0, {"of": "x"}, metric)])
        recount = empty(kind)
        for value in values:
            take(kind, recount, "acme", value)
        number = micros(NOON - timedelta(seconds=70)) // 60_000_000
        [stored] = await backend.buckets("acme", metric, 60, number, number + 1)
        assert stored == StoredBucket(Series.of("acme", metric, {"of": "x"}), kind, 60, number, recount)
        before = await backend.buckets("acme", metric, 60, 0, 10**12)
        for value in values:  # twice counted, as by a mistake
            await backend.add([one(kind, value, 70, {"of": "x"}, metric)])
        for _ in range(2):
            assert await backend.overwrite_bucket(stored, NOON)
        assert await backend.buckets("acme", metric, 60, 0, 10**12) == before
        assert await backend.overwrite_bucket(StoredBucket(stored.series, kind, 60, number, empty(kind)), NOON)
        assert [each.number for each in await backend.buckets("acme", metric, 60, 0, 10**12)] == [number + 2]


async def test_what_was_lost_can_be_made_anew(make: MakeBackend) -> None:
    backend = make(2)
    number = micros(NOON) // 60_000_000 - 10
    for page in ("1", "2"):
        lost = StoredBucket(
            Series.of("acme", "views", {"page": page}), Kind.COUNTER, 60, number, {"n": 4, "nf": 500_000}
        )
        assert await backend.overwrite_bucket(lost, NOON)
    other = replace(lost, series=Series.of("acme", "views", {"page": "3"}))
    assert not await backend.overwrite_bucket(other, NOON), "beyond the cap"
    assert await backend.overwrite_bucket(replace(other, series=other.series.overflow), NOON)
    assert not await backend.overwrite_bucket(replace(lost, kind=Kind.UP_DOWN, content={"p": 1}), NOON)
    reading = await asked(backend, 3600)
    assert (reading.figures.value, reading.overflow) == (13.5, True)
    assert await backend.metrics("acme") == ["views"]


async def test_what_is_old_is_forgotten(make: MakeBackend, clock: MovedClock) -> None:
    backend = make(2000)
    await backend.add([one(Kind.COUNTER, 1, labels={"page": "old"})])
    clock.go(3600)
    await backend.add([make_update("acme", "views", "counter", 1, clock.now(), {"page": "new"})])
    clock.go(51 * 3600 - 1800)
    assert await backend.expire(clock.now()) == 1
    assert [dict(each.series.labels) for each in await backend.series("acme", "views")] == [{"page": "new"}]
    clock.go(3600)
    assert await backend.expire(clock.now()) == 1
    assert await backend.metrics("acme") == []
    assert (await asked(backend)).kind is None
    added = await backend.add([make_update("acme", "views", "histogram", 1, clock.now())])
    assert added.accepted == 1, "a metric that was forgotten may become another kind"


async def test_nothing_a_caller_writes_makes_two_series_one(make: MakeBackend) -> None:
    backend = make(2000)
    nasty = [
        "x",
        "x:y",
        'x","y',
        "x|y",
        "}{",
        "a\x00b",
        "a\x00",
        "",
        " ",
        "é",
        "e\u0301",
        "__overflow__",
        "null",
        "\n",
        "%s",
    ]
    labels: list[dict[str, str]] = [{"aa": one_, "bb": other} for one_ in nasty for other in nasty]
    labels += [{"aa": each} for each in nasty] + [{"bb": each} for each in nasty] + [{}]
    workspaces = ["acme", "acme:views", "acme\x00", '["acme"', "{acme}", "ACME"]
    for place, workspace_id in enumerate(workspaces, 1):
        await backend.add(
            [
                make_update(workspace_id, "views", "counter", place * number, NOON, of)
                for number, of in enumerate(labels, 1)
            ]
        )
    for place, workspace_id in enumerate(workspaces, 1):
        held = await backend.series(workspace_id, "views")
        assert {each.series.labels for each in held} == {tuple(sorted(of.items())) for of in labels}
        reading = await backend.read(Query.of(workspace_id, "views", group_by=["aa", "bb"]))
        found = {group.labels: group.figures.value for group in reading.groups}
        expected = {(("aa", of.get("aa")), ("bb", of.get("bb"))): place * n for n, of in enumerate(labels, 1)}
        assert found == expected
    for of in labels[::7]:
        meant = [number for number, other in enumerate(labels, 1) if of.items() <= other.items()]
        assert (await asked(backend, labels=of)).figures.value == sum(meant), of
