"""Windows against a recount of all updates in plain Python."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics_pipeline.realtime.backend import Query
from metrics_pipeline.realtime.memory import MemoryBackend
from metrics_pipeline.realtime.updates import make_update
from metrics_pipeline.realtime.widths import LONGEST_WINDOW, WIDTHS, micros
from metrics_pipeline_tests.realtime.conftest import IS_PROOF, NOON, MovedClock

EXAMPLES = 1000 if IS_PROOF else 25


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    width=st.sampled_from(WIDTHS),
    share=st.floats(0.01, 1),
    aligned=st.booleans(),
    begin=st.integers(0, 3_600_000_000),
    agos=st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 9)), max_size=80),
)
def test_windows_hold_what_a_recount_holds(
    width: object, share: float, aligned: bool, begin: int, agos: list[tuple[int, int]]
) -> None:
    chosen = next(each for each in WIDTHS if each is width)
    clock = MovedClock()
    clock.instant = NOON + (timedelta() if aligned else timedelta(microseconds=begin))
    shortest = 1 if chosen is WIDTHS[0] else WIDTHS[WIDTHS.index(chosen) - 1].reach + 1
    window = max(shortest, round(share * chosen.reach))
    if aligned:
        window = min(chosen.reach, -(-window // chosen.seconds) * chosen.seconds)
    backend = MemoryBackend(clock)
    now = clock.now()
    # spread over a little more than the window, but not over more than is taken
    spread = min(window * 1_300_000, 49 * 3_600_000_000)
    received = [(now - timedelta(microseconds=ago * spread // 10**9), amount) for ago, amount in agos]

    async def read() -> tuple[int, float]:
        await backend.add([make_update("w", "views", "counter", amount, at) for at, amount in received])
        await backend.add([make_update("w", "speed", "rate", amount, at) for at, amount in received])
        reading = await backend.read(Query.of("w", "views", window))
        assert reading.resolution_seconds == chosen.seconds
        begins = now - timedelta(seconds=window)
        assert begins <= reading.counted_from < begins + timedelta(seconds=chosen.seconds)
        if aligned:
            assert reading.counted_from == begins
        exact = sum(amount for at, amount in received if reading.counted_from <= at <= now)
        assert (reading.figures.value or 0) == exact
        rate = (await backend.read(Query.of("w", "speed", window))).figures
        if received:
            assert rate.value is not None
            assert rate.covered_seconds is not None
            oldest = min(at for at, _ in received)
            assert chosen.seconds <= rate.covered_seconds + 1e-9 or rate.covered_seconds == window
            assert rate.covered_seconds <= window
            assert rate.covered_seconds >= min(window, (now - oldest).total_seconds())
            within = sum(amount for at, amount in received if at > begins - timedelta(seconds=chosen.seconds))
            assert exact <= rate.value * rate.covered_seconds + 1e-6
            assert rate.value * rate.covered_seconds <= within + 1e-6
        return 0, 0

    asyncio.run(read())


@pytest.mark.parametrize(
    ("window", "seconds"), [(1, 1), (120, 1), (121, 10), (900, 10), (901, 60), (21_600, 60), (21_601, 3600)]
)
def test_the_finest_width_that_reaches_answers(window: int, seconds: int) -> None:
    reading = asyncio.run(MemoryBackend(MovedClock()).read(Query.of("w", "views", window)))
    assert reading.resolution_seconds == seconds


def test_every_width_is_an_exact_recount() -> None:
    """Also over more time than a width keeps, with buckets forgotten on the way."""
    clock = MovedClock()
    backend = MemoryBackend(clock)
    received: list[int] = []

    async def run() -> None:
        for step in range(3000):
            clock.go((step * 7919) % 97 + 0.123456)
            received.append(micros(clock.now()))
            await backend.add([make_update("w", "views", "counter", 1, clock.now())])
            if step % 500 == 499:
                await backend.expire(clock.now())
        now = micros(clock.now())
        for width in WIDTHS:
            recount: dict[int, int] = {}
            for at in received:
                if width.is_kept(width.number(at), now):
                    recount[width.number(at)] = recount.get(width.number(at), 0) + 1
            held = await backend.buckets("w", "views", width.seconds, 0, 10**12)
            assert {bucket.number: bucket.content for bucket in held} == {b: {"n": n} for b, n in recount.items()}
        assert received[0] < now - LONGEST_WINDOW * 500_000

    asyncio.run(run())
