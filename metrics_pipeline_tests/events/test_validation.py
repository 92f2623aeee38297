"""What is taken, what is refused and why; that both spellings mean the same; that nothing private stays."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from metrics_pipeline.events.drain import to_arrow
from metrics_pipeline.events.fields import ABOUT_A_CREATOR, EVENT_TYPES, Value
from metrics_pipeline.events.inbox import StoredRow
from metrics_pipeline.events.model import Event, Handover, Refused, viewer_hash
from metrics_pipeline.lake.event_tables import EVENTS, REJECTED_EVENTS
from metrics_pipeline_tests.events.samples import (
    FULL,
    LATENESS,
    NOW,
    Sent,
    checked,
    columns,
    flat,
    like,
    refusal,
)

SMALLEST = {"eventType": "view_start", "contentId": "c1", "sessionId": "s1"}

FULL_COLUMNS: dict[str, Value] = {
    "event_type": "view_progress",
    "content_id": "c1",
    "creator_id": "k1",
    "user_id": "u1",
    "session_id": "s1",
    "event_id": "e1",
    "client_ts": datetime(2026, 3, 10, 11, 59, tzinfo=UTC),
    "watch_time": 1.0,
    "total_watch_time": 12.5,
    "progress": 0.4,
    "duration": 30.0,
    "completion_percent": 41.5,
    "is_rewatch": True,
    "loop_count": 2,
    "source_type": "for_you",
    "referrer": "app",
    "entry_point": "feed",
    "campaign": "spring",
    "device_type": "mobile",
    "device_platform": "ios",
    "device_model": "iPhone 15",
    "device_os": "17.5",
    "app_version": "3.2.1",
    "screen_size": "1170x2532",
    "country": "DE",
    "region": "Berlin",
    "city": "Berlin",
    "timezone": "Europe/Berlin",
    "latitude": 52.5,
    "longitude": 13.4,
    "location_consent": True,
    "network_type": "wifi",
    "network_quality": "good",
    "age_group": "18-24",
    "gender": "female",
    "event_ts": datetime(2026, 3, 10, 11, 59, tzinfo=UTC),
    "ts_source": "client",
    "received_at": NOW,
    "is_bot": False,
    "workspace_id": "acme",
    "viewer_hash": viewer_hash("acme", "u1", "s1"),
    "origin": "api",
}


def test_the_smallest_event_is_taken() -> None:
    found = columns(SMALLEST)
    assert len(str(found.pop("event_id"))) == 36
    assert found == {
        "event_type": "view_start",
        "content_id": "c1",
        "session_id": "s1",
        "event_ts": NOW,
        "ts_source": "received",
        "received_at": NOW,
        "location_consent": False,
        "is_bot": False,
        "workspace_id": "acme",
        "viewer_hash": viewer_hash("acme", None, "s1"),
        "origin": "api",
    }


def test_every_field_of_the_nested_form_has_its_column() -> None:
    assert columns(FULL) == FULL_COLUMNS


def test_the_flat_form_means_the_same() -> None:
    assert columns(flat(FULL)) == FULL_COLUMNS


def test_every_column_of_the_table_can_be_filled() -> None:
    made_later = {"date", "sequence", "import_id"}
    only_sometimes = {"skew_ms", "sent_at", "bot_reason"}
    assert set(EVENTS.schema.names) - made_later - only_sometimes == set(FULL_COLUMNS)


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_every_type_needs_its_content_or_its_creator(name: str) -> None:
    needed, other = ("creatorId", "contentId") if name in ABOUT_A_CREATOR else ("contentId", "creatorId")
    assert columns({"eventType": name, "sessionId": "s1", needed: "x"})["event_type"] == name
    assert refusal({"eventType": name, "sessionId": "s1", other: "x"}) == ("missing_field", f"/{needed}")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"eventType": None}, "missing_field", "/eventType"),
        ({"eventType": "viewed"}, "unknown_type", "/eventType"),
        ({"eventType": ["like"]}, "wrong_type", "/eventType"),
        ({"sessionId": ""}, "missing_field", "/sessionId"),
        ({"sessionId": "  "}, "missing_field", "/sessionId"),
        ({"contentId": 7}, "wrong_type", "/contentId"),
        ({"contentId": "x" * 201}, "too_long", "/contentId"),
        ({"userId": "a\0b"}, "bad_text", "/userId"),
        ({"userId": "\ud800"}, "bad_text", "/userId"),
        ({"viewData": 3}, "wrong_type", "/viewData"),
        ({"viewData": {"watchTime": True}}, "wrong_type", "/viewData/watchTime"),
        ({"viewData": {"watchTime": "3"}}, "wrong_type", "/viewData/watchTime"),
        ({"viewData": {"watchTime": float("nan")}}, "not_finite", "/viewData/watchTime"),
        ({"viewData": {"watchTime": float("inf")}}, "not_finite", "/viewData/watchTime"),
        ({"viewData": {"watchTime": -0.1}}, "out_of_range", "/viewData/watchTime"),
        ({"viewData": {"watchTime": 10**400}}, "out_of_range", "/viewData/watchTime"),
        ({"viewData": {"progress": 1.5}}, "out_of_range", "/viewData/progress"),
        ({"viewData": {"loopCount": 1.5}}, "wrong_type", "/viewData/loopCount"),
        ({"viewData": {"isRewatch": 1}}, "wrong_type", "/viewData/isRewatch"),
        ({"watch_time": -1}, "out_of_range", "/watch_time"),
        ({"location": {"latitude": 90.5}}, "out_of_range", "/location/latitude"),
        ({"timestamp": "2026-03-10T12:00:00"}, "no_offset", "/timestamp"),
        ({"timestamp": "2026-03-10"}, "no_offset", "/timestamp"),
        ({"timestamp": "yesterday"}, "bad_timestamp", "/timestamp"),
        ({"timestamp": 1773144000000}, "wrong_type", "/timestamp"),
        ({"timestamp": "9999-12-31T23:59:59-12:00"}, "bad_timestamp", "/timestamp"),
        ({"timestamp": "2026-03-01T12:00:00Z"}, "too_old", "/timestamp"),
    ],
)
def test_a_refusal_names_one_reason_and_where(change: Sent, code: str, pointer: str) -> None:
    assert refusal({**SMALLEST, **change}) == (code, pointer)


@pytest.mark.parametrize("event", [None, 3, "like", ["like"], {}])
def test_what_is_no_event_is_refused(event: object) -> None:
    assert refusal(event)[0] in {"wrong_type", "missing_field"}


def test_a_refusal_never_repeats_the_value() -> None:
    secret = "mallory@example.org"
    for field in ("eventType", "timestamp", "location"):
        found = checked({**SMALLEST, field: secret})
        assert isinstance(found, Refused)
        assert secret not in found.detail + found.pointer + found.code


def test_a_flat_event_is_told_of_missing_fields_in_its_own_spelling() -> None:
    assert refusal({"event_type": "like", "session_id": "s1"}) == ("missing_field", "/content_id")


def test_unknown_fields_and_second_spellings_are_left_out_and_counted() -> None:
    found = checked({**SMALLEST, "content_id": "c2", "mood": "happy", "viewData": {"speed": 2}, "userId": None})
    assert isinstance(found, Event)
    assert (found.columns["content_id"], found.ignored) == ("c1", 3)


def test_a_position_a_frame_past_the_end_is_the_end() -> None:
    assert columns(like(progress=1.004))["progress"] == 1.0


def test_precise_places_need_consent() -> None:
    place = {"country": "DE", "city": "Berlin", "latitude": 52.5, "longitude": 13.4}
    for consent in ({}, {"consent": False}):
        found = columns(like(location={**place, **consent}))
        assert found["country"] == "DE"
        assert not {"city", "latitude", "longitude"} & set(found)
    assert columns(like(location={**place, "consent": True}))["city"] == "Berlin"
    assert "latitude" not in columns(like(location={"latitude": 52.5, "consent": True}))


def test_what_is_kept_of_a_refused_event_holds_no_address_agent_or_unagreed_place() -> None:
    event = {
        "eventType": "liked",
        "eventId": "e1",
        "userId": "u1",
        "userAgent": "secret",
        "ip": "secret",
        "context": {"ip_address": "secret", "page": "home"},
        "location": {"country": "DE", "city": "secret", "latitude": "secret"},
        "user_agent": "secret",
        "note": "half a pair: \ud800",
        "watch_time": float("nan"),
    }
    found = checked(event)
    assert isinstance(found, Refused)
    assert (found.event_id, found.columns["user_id"]) == ("e1", "u1")
    kept = json.loads(str(found.columns["payload"]))
    assert "secret" not in json.dumps(kept)
    assert kept["context"] == {"page": "home"}
    assert kept["location"] == {"country": "DE"}


@pytest.mark.parametrize("event", [like(mood="x" * 40_000, eventType="liked"), like(eventType="liked", d=[[[[[[]]]]]])])
def test_a_refused_event_is_told_whatever_it_holds(event: Sent) -> None:
    found = checked(event)
    assert isinstance(found, Refused)
    assert to_arrow([StoredRow(1, "rejected", found.payload())], REJECTED_EVENTS, "received_at").num_rows == 1


def test_an_import_may_take_old_events_and_is_named() -> None:
    told = Handover("acme", NOW, origin="import", import_id="i1", take_old=True)
    found = columns(like(timestamp="2020-01-01T00:00:00Z"), told)
    assert (found["event_ts"], found["origin"], found["import_id"]) == (
        datetime(2020, 1, 1, tzinfo=UTC),
        "import",
        "i1",
    )


def test_exactly_the_lateness_window_is_in_time() -> None:
    edge = NOW - LATENESS
    assert columns(like(timestamp=edge.isoformat()))["event_ts"] == edge
    assert refusal(like(timestamp=(edge - timedelta(microseconds=1)).isoformat()))[0] == "too_old"


def test_a_viewer_is_the_person_else_the_session_within_the_workspace() -> None:
    assert viewer_hash("a", "u", "s1") == viewer_hash("a", "u", "s2")
    assert len({viewer_hash("a", "x", "s"), viewer_hash("a", None, "x"), viewer_hash("b", "x", "s")}) == 3
    # stored for good: it may never come out otherwise
    assert viewer_hash("acme", "u1", "s1") == -4_368_926_670_424_889_449
