"""Names of answers: whatever ids say, two keys are never one, and nobody's pattern reaches another's answers."""

from __future__ import annotations

import fnmatch
import re
import time
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from metrics_pipeline.api.caching.entries import Entry, Record, Selection
from metrics_pipeline.api.caching.globs import LONGEST_GLOB, Glob
from metrics_pipeline.api.caching.keys import CacheKey, canonical_query
from metrics_pipeline_tests.api.caching.samples import NOW
from metrics_pipeline_tests.proofs.sizes import size

FEW = hypothesis_settings(max_examples=size(25, 2000), deadline=None)
# short and of few characters, so that parts which run into each other are found
PART = st.text(st.sampled_from(":%*?[]\\\n\x00a1/é\ud800"), max_size=4) | st.text(max_size=6)
KEYS = st.builds(CacheKey, PART, PART, PART, PART, PART, PART)


def test_a_key_is_readable() -> None:
    query = canonical_query({"metric": ["views", "likes"], "start": date(2026, 11, 1)})
    key = CacheKey("acme", "dashboard", "acme", "2026-11-01/2026-11-20", query, "12.7")
    assert re.fullmatch(r"acme:dashboard:acme:2026-11-01/2026-11-20:[0-9a-f]{32}:12\.7", key.text)
    assert key.text == key.stable + ":12.7"


@FEW
@given(KEYS, KEYS)
@example(CacheKey("a:b", "c", "", "", "", ""), CacheKey("a", "b:c", "", "", "", ""))
@example(CacheKey("a", "%3A", "", "", "", ""), CacheKey("a", ":", "", "", "", ""))
def test_two_keys_are_never_one(one: CacheKey, two: CacheKey) -> None:
    assert (one.text == two.text) == (one == two)
    parts_of_both = [(k.tenant, k.kind, k.entity, k.period, k.query) for k in (one, two)]
    assert (one.stable == two.stable) == (parts_of_both[0] == parts_of_both[1])
    assert one.text.count(":") == 5
    assert not re.search(r"[*?\[\]\\^\s]", one.text), "nothing that Redis reads as a pattern"


@FEW
@given(KEYS, PART, st.text(st.sampled_from("*?:a"), max_size=6))
@example(CacheKey("acme2", "k", "", "", "", ""), "acme", "*")
def test_no_pattern_reaches_another_tenants_answers(key: CacheKey, tenant: str, pattern: str) -> None:
    record = Record(Entry(b"", "", "", NOW, frozenset()), key.generation, 1, 1)
    if Selection(tenant, Glob(pattern)).takes(key.stable, record):
        assert tenant == key.tenant
    assert Selection(key.tenant, Glob("*")).takes(key.stable, record)


@FEW
@given(st.text(st.sampled_from("*?ab."), max_size=8), st.text(st.sampled_from("ab.\n"), max_size=10))
def test_a_glob_matches_as_the_shell_does(pattern: str, text: str) -> None:
    assert Glob(pattern).matches(text) == bool(re.fullmatch(fnmatch.translate(pattern), text))


def test_no_glob_is_slow() -> None:
    started = time.process_time()
    assert not Glob("*a" * (LONGEST_GLOB // 2 - 1) + "b").matches("a" * 20_000)
    assert time.process_time() - started < 0.5
    with pytest.raises(ValueError, match="at most"):
        Glob("a" * (LONGEST_GLOB + 1))


def test_a_query_is_written_in_one_way() -> None:
    class Granularity(Enum):
        DAY = "day"

    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    one = {"b": Granularity.DAY, "a": [1, None, True], "at": noon, "only": {"x", "y"}, "ä": {"n": 1.5}}
    two = {
        "ä": {"n": 1.5},
        "only": ["x", "y"],
        "at": noon.astimezone(timezone(timedelta(hours=3))),
        "a": (1, None, True),
    }
    assert canonical_query(one) == canonical_query({**two, "b": "day"})
    assert canonical_query({"a": 1}) != canonical_query({"a": "1"})
    for bad in (object(), noon.replace(tzinfo=None), {1: 2}, b"x"):
        with pytest.raises(TypeError):
            canonical_query({"a": bad})
