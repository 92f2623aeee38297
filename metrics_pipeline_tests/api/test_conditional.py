"""Entity tags and the headers that say how fresh an answer is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metrics_pipeline.api.caching.conditional import cache_headers, etag_of, matches
from metrics_pipeline.api.caching.entries import Entry, Found, Status
from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline_tests.api.caching.samples import NOW

FOUND = Found(Entry(b"", "application/json", '"e"', NOW, frozenset()), "hit", 60.7, False, 239.3)


def test_a_tag_is_of_the_tenant_the_type_and_the_bytes() -> None:
    parts = [
        ("acme", "text/csv", b"1"),
        ("beta", "text/csv", b"1"),
        ("acme", "text/html", b"1"),
        ("acme", "text/csv", b""),
    ]
    tags = [etag_of(*part) for part in (*parts, ("acmetext", "/csv", b"1"))]
    assert len(set(tags)) == 5
    assert all(len(tag) == 26 and tag[0] == tag[-1] == '"' for tag in tags)
    assert etag_of(*parts[0]) == tags[0]


@pytest.mark.parametrize(
    ("header", "is_match"),
    [
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", W/"abc" ,"y"', True),
        (" * ", True),
        ('"a,b","abc"', True),
        (None, False),
        ("", False),
        ("abc", False),
        ('"ABC"', False),
        ('"x*", "abcd"', False),
        ('"a, "abc', False),
        ('"' * 10_000, False),
    ],
)
def test_if_none_match(header: str | None, is_match: bool) -> None:
    assert matches(header, '"abc"') is is_match


@pytest.mark.parametrize(
    ("status", "tier", "control", "told"),
    [
        ("hit", Tier.DASHBOARD, "private, max-age=30", "metrics-pipeline; hit; ttl=239"),
        ("hit", Tier.CLOSED, "private, max-age=300", "metrics-pipeline; hit; ttl=239"),
        ("miss", Tier.LIVE, "private, max-age=30", "metrics-pipeline; fwd=miss; stored; ttl=239"),
        ("shared", Tier.LIVE, "private, max-age=30", "metrics-pipeline; fwd=miss; collapsed; ttl=239"),
        ("stale", Tier.CLOSED, "private, no-cache", 'metrics-pipeline; hit; ttl=239; detail="stale-if-error"'),
    ],
)
def test_headers_say_where_an_answer_came_from(status: Status, tier: Tier, control: str, told: str) -> None:
    headers = cache_headers(tier, replace(FOUND, status=status))
    assert headers == {
        "Cache-Control": control,
        "Age": "60",
        "Vary": "Authorization, Accept",
        "Cache-Status": told,
    }
    away = cache_headers(tier, replace(FOUND, status=status, is_degraded=True))
    assert away["Cache-Status"].endswith('redis-away"')
