"""What may be said of a content item over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics_pipeline.events.content_fields import ATTRIBUTES, inbox_row, parse_attributes
from metrics_pipeline.events.drain import read_payloads
from metrics_pipeline.events.fields import Invalid, Value
from metrics_pipeline.events.inbox import StoredRow
from metrics_pipeline.lake.event_tables import CONTENT
from metrics_pipeline_tests.events.samples import NOW

FULL: dict[str, object] = {
    "contentId": "v1",
    "creatorId": "anna",
    "contentType": "video",
    "caption": "x" * 300,
    "thumbnailUrl": "https://cdn.example/1.jpg?w=2",
    "durationSeconds": 34,
    "publishedAt": "2026-03-01T12:00:00+02:00",
    "deletedAt": None,
    "metadata": {"tags": ["a", "ü"], "n": 1},
    "updatedAt": "2020-01-01T00:00:00Z",
    "workspaceId": "elsewhere",
}


def refused(body: object) -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        parse_attributes("v1", body)
    return caught.value.code, caught.value.pointer


def test_both_spellings_say_the_same() -> None:
    snake = {next((column for column, _, camel in ATTRIBUTES if camel == name), name): v for name, v in FULL.items()}
    columns = parse_attributes("v1", FULL)
    assert parse_attributes("v1", snake | {"content_id": "v1"}) == columns
    assert columns == {
        "creator_id": "anna",
        "content_type": "video",
        "caption": "x" * 280,
        "thumbnail_url": "https://cdn.example/1.jpg?w=2",
        "duration_seconds": 34.0,
        "published_at": datetime(2026, 3, 1, 10, tzinfo=UTC),
        "metadata": '{"n": 1, "tags": ["a", "ü"]}',
    }


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ([], "wrong_type", ""),
        ({"captoin": "x"}, "unknown_field", "/captoin"),
        ({"a/b\u0000": "x"}, "unknown_field", ""),
        ({"contentId": "v2"}, "other_content_id", "/contentId"),
        ({"creator_id": "a", "creatorId": "a"}, "duplicate_field", "/creatorId"),
        ({"creatorId": 7}, "wrong_type", "/creatorId"),
        ({"creatorId": "x" * 201}, "too_long", "/creatorId"),
        ({"contentType": "x" * 65}, "too_long", "/contentType"),
        ({"caption": "x" * 10_001}, "too_long", "/caption"),
        ({"caption": "\ud800"}, "bad_text", "/caption"),
        ({"thumbnail_url": "javascript:alert(1)"}, "bad_url", "/thumbnail_url"),
        ({"thumbnail_url": "https://[::1"}, "bad_url", "/thumbnail_url"),
        ({"thumbnail_url": "https://a b/"}, "bad_url", "/thumbnail_url"),
        ({"durationSeconds": -1}, "out_of_range", "/durationSeconds"),
        ({"durationSeconds": float("inf")}, "not_finite", "/durationSeconds"),
        ({"durationSeconds": True}, "wrong_type", "/durationSeconds"),
        ({"durationSeconds": 10**400}, "out_of_range", "/durationSeconds"),
        ({"publishedAt": "2026-03-01T12:00:00"}, "no_offset", "/publishedAt"),
        ({"publishedAt": 5}, "wrong_type", "/publishedAt"),
        ({"metadata": "x"}, "wrong_type", "/metadata"),
        ({"metadata": {"a": float("inf")}}, "not_finite", "/metadata"),
        ({"metadata": {"a": "\udfff"}}, "bad_text", "/metadata"),
        ({"metadata": {"a": "x" * 16_384}}, "too_long", "/metadata"),
        ({"metadata": json.loads("[" * 9 + "]" * 9)}, "wrong_type", "/metadata"),
        ({"metadata": {"a": json.loads("[" * 400 + "]" * 400)}}, "too_deep", "/metadata"),
    ],
)
def test_what_cannot_be_meant_is_refused(body: object, code: str, pointer: str) -> None:
    assert refused(body) == (code, pointer)


NAMES = [name for column, _, camel in ATTRIBUTES for name in (column, camel)] + ["contentId", "updatedAt", "odd"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("2026-03-01T10:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def parsed(body: dict[str, object]) -> tuple[dict[str, Value], Invalid | None]:
    try:
        return parse_attributes("v1", body), None
    except Invalid as reason:
        return {}, reason


@settings(max_examples=150, deadline=None)
@given(body=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6))
def test_whatever_is_sent_is_taken_whole_or_refused_by_a_rule(body: dict[str, object]) -> None:
    columns, refusal = parsed(body)
    if refusal is not None:
        assert refusal.code
        assert refusal.detail
        assert refusal.pointer.removeprefix("/") in NAMES
        return
    row = inbox_row("acme", "v1", columns, NOW)
    stored = read_payloads([StoredRow(1, row.kind, row.payload)], CONTENT).to_pylist()
    [read] = stored
    assert (read["workspace_id"], read["content_id"], read["updated_at"]) == ("acme", "v1", NOW)
    assert {name: value for name, value in read.items() if name in columns} == columns
