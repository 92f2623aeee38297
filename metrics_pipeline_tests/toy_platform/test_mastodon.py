"""The adapter alone, over HTTP on loopback: answers in, readings, posts and outcomes out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from metrics_pipeline.catalog.loader import METRICS_FILE, load_catalog
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, State
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.http import PlatformClient
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.toy_platform.mastodon import DIALECT, MastodonAdapter, classify
from metrics_pipeline_tests.toy_platform.server import ACCOUNT_ID, TOKEN, MastodonServer

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
SPEC = load_catalog(METRICS_FILE, [Path(__file__).with_name("mastodon.yaml")]).platforms["mastodon"]
WHOLE = CollectionContext(NOW, NOW)


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    running = MastodonServer(NOW)
    yield running
    running.stop()


def turn(server: MastodonServer, context: CollectionContext = WHOLE, token: str = TOKEN) -> AccountResult:
    """One account's counters."""
    result = AccountResult()

    async def run() -> None:
        settings = Settings(mastodon_base_url=server.url, now=NOW)
        adapter = MastodonAdapter(SPEC, settings, PlatformClient(SPEC, DIALECT, settings))
        try:
            await adapter.counters(Account("w", "a", "mastodon", ACCOUNT_ID, token), context, result)
        finally:
            await adapter.aclose()

    asyncio.run(run())
    return result


def states(result: AccountResult) -> dict[str, State]:
    return {outcome.metric: outcome.state for outcome in result.outcomes}


def test_every_source_of_the_yaml_becomes_readings_and_an_outcome(server: MastodonServer) -> None:
    result = turn(server)

    account = {r.metric: r.value for r in result.readings if r.level == "account"}
    assert account == {"followers": 1200, "following": 12, "posts_count": 111}
    assert {(r.metric, r.value) for r in result.readings if r.level == "post"} == {
        ("likes", 3),
        ("shares", 2),
        ("comments", 0),
    }
    assert states(result) == {s.metric: State.ZERO if s.metric == "comments" else State.VALUE for s in SPEC.sources}
    assert result.unknown_fields == set()


def test_pages_are_read_until_posts_are_too_old(server: MastodonServer) -> None:
    assert len(turn(server).posts) == 110
    day = CollectionContext(NOW, NOW, post_age=timedelta(days=1))
    server.asked.clear()
    assert len(turn(server, day).posts) == 100
    assert [asked.params.get("max_id") for asked in server.asked[1:]] == [None, "961", "921"]


def test_only_what_is_due_is_asked(server: MastodonServer) -> None:
    turn(server, CollectionContext(NOW, NOW, post_age=None))
    assert server.paths() == [f"/api/v1/accounts/{ACCOUNT_ID}"]
    server.asked.clear()
    one = turn(server, CollectionContext(NOW, NOW, ["950"], post_age=None, reads_account=False))
    assert server.paths() == ["/api/v1/statuses/950"]
    assert {r.post_id for r in one.readings} == {"950"}


def test_a_known_post_that_is_gone_leaves_a_tombstone(server: MastodonServer) -> None:
    del server.statuses[5]
    result = turn(server, CollectionContext(NOW, NOW, ["995", "996"]))
    assert [post.post_id for post in result.posts if post.deleted] == ["995"]


def test_an_absent_number_is_no_zero_and_an_unknown_field_is_told(server: MastodonServer) -> None:
    for status in server.statuses:
        del status["replies_count"]
        status["quotes_count"] = 1
    result = turn(server)
    assert "comments" not in {r.metric for r in result.readings}
    assert states(result)["comments"] is State.UNKNOWN
    assert result.unknown_fields == {"status.quotes_count"}


def test_a_refused_token_ends_the_turn_and_is_in_no_text(server: MastodonServer) -> None:
    with pytest.raises(PlatformError, match="The access token is invalid") as refused:
        turn(server, token="someone-elses")
    assert refused.value.act is Act.REAUTH
    assert "someone-elses" not in repr(refused.value)


@pytest.mark.parametrize(
    ("status", "act"),
    [
        (200, None),
        (401, Act.REAUTH),
        (403, Act.PERMISSION),
        (404, Act.SKIP_OBJECT),
        (410, Act.SKIP_OBJECT),
        (422, Act.CONFIG),
        (429, Act.WAIT),
        (503, Act.RETRY),
    ],
)
def test_errors(status: int, act: Act | None) -> None:
    error = classify(Answer(status, {}, {"error": "as the server puts it"}), NOW)
    assert (error and error.act) == act
    assert error is None or str(error) == "as the server puts it"
