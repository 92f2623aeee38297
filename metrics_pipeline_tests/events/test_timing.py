"""Where events stand in time when clocks are wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.events.timing import FUTURE_TOLERANCE, place
from metrics_pipeline_tests.events.samples import NOW, columns, handover, like, refusal

ago = st.timedeltas(timedelta(0), timedelta(days=6))
skews = st.timedeltas(timedelta(days=-3000), timedelta(days=3000))
instants = st.timedeltas(timedelta(days=-9000), timedelta(days=9000)).map(lambda distance: NOW + distance)


@given(ago, skews)
def test_a_wrong_clock_makes_no_difference_when_the_client_says_when_it_sent(since: timedelta, skew: timedelta) -> None:
    placed = place(NOW, NOW - since + skew, NOW + skew)
    assert (placed.event_ts, placed.source) == (NOW - since, "corrected")
    assert placed.skew_ms == -skew // timedelta(milliseconds=1)


@given(instants, st.none() | instants, st.none() | instants)
def test_no_event_stands_further_in_the_future_than_clocks_may_differ(
    received_at: datetime, client_ts: datetime | None, sent_at: datetime | None
) -> None:
    placed = place(received_at, client_ts, sent_at)
    assert placed.event_ts <= received_at + FUTURE_TOLERANCE
    assert (placed.skew_ms is not None) == (placed.source == "corrected")
    if placed.source == "client":
        assert placed.event_ts == client_ts
    if placed.source in ("received", "clamped_future"):
        assert placed.event_ts == received_at


def test_the_edge_of_the_future_is_taken_and_beyond_it_is_not() -> None:
    edge = NOW + FUTURE_TOLERANCE
    assert place(NOW, edge, None).source == "client"
    assert place(NOW, edge + timedelta(microseconds=1), None).source == "clamped_future"


def test_a_sending_time_before_the_event_corrects_nothing() -> None:
    placed = place(NOW, NOW - timedelta(hours=1), NOW - timedelta(hours=2))
    assert (placed.event_ts, placed.source) == (NOW - timedelta(hours=1), "client")


def test_an_events_own_sending_time_wins_over_that_of_its_batch() -> None:
    event = like(timestamp="2026-03-10T08:00:00Z", sentAt="2026-03-10T09:00:00Z")
    found = columns(event, handover(sent_at=NOW))
    assert (found["event_ts"], found["ts_source"]) == (NOW - timedelta(hours=1), "corrected")
    assert found["skew_ms"] == 3 * 3_600_000


def test_the_sending_time_of_a_batch_may_have_any_offset_and_no_impossible_year() -> None:
    east = timezone(timedelta(hours=2))
    found = columns(like(timestamp="2026-03-10T08:00:00Z"), handover(sent_at=NOW.astimezone(east)))
    assert (str(found["sent_at"]), found["ts_source"]) == ("2026-03-10 12:00:00+00:00", "corrected")
    impossible = datetime(9999, 1, 1, tzinfo=UTC)
    assert refusal(like(timestamp="2026-03-10T08:00:00Z"), handover(sent_at=impossible))[0] == "bad_timestamp"
