"""Tokens are refreshed before they end or when they are refused, once, and stored before they are used."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from metrics_pipeline.checks.tokens import ending_soon
from metrics_pipeline.collection.request import CollectionRequest
from metrics_pipeline.collection.summary import CollectionSummary
from metrics_pipeline.collection.tokens import TokenKeeper
from metrics_pipeline.control.accounts import AccountRecord, add_account, get_account
from metrics_pipeline.control.token_bundle import TokenBundle
from metrics_pipeline.control.token_refresh import claim_refresh, read_bundle
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.platforms.oauth import refresh
from metrics_pipeline.sandbox.server import PLATFORMS, SandboxServer
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import HOUR, Window

NOW = datetime(2026, 3, 16, 10, 50, tzinfo=UTC)
THIS_HOUR = Window(NOW.replace(minute=0), NOW.replace(minute=0) + HOUR)
ENDPOINT = {
    "youtube": "/token",
    "x": "/2/oauth2/token",
    "facebook": "/v26.0/oauth/access_token",
    "instagram": "/v26.0/oauth/access_token",
    "linkedin": "/oauth/v2/accessToken",
    "pinterest": "/v5/oauth/token",
    "threads": "/refresh_access_token",
    "tiktok": "/v2/oauth/token/",
    "tiktok accounts": "/open_api/v1.3/tt_user/oauth2/refresh_token/",
}
# Google and LinkedIn keep the refresh token, the others replace it (Facebook: the user token behind the Page's).
KEEPS_THE_REFRESH_TOKEN = ("linkedin", "youtube")
TAKES_A_REFRESH_TOKEN = [name for name in ENDPOINT if name not in ("instagram", "threads")]
CHECKS_THE_APPLICATION = [name for name in ENDPOINT if name != "threads"]

Make = Callable[..., Pipeline]


@pytest.fixture
def make(tmp_path: Path, sandbox: SandboxServer) -> Make:
    """A pipeline on the sandbox with one account `a` of a platform, holding the given tokens."""
    sandbox.requests.clear()

    def build(name: str, tokens: dict[str, object] | str, **settings: object) -> Pipeline:
        platform = name.split(maxsplit=1)[0]
        urls: dict[str, object] = {f"{p}_base_url": sandbox.base_url(p) for p in PLATFORMS}
        clients: dict[str, object] = {f"{platform}_client_id": "app", f"{platform}_client_secret": "secret-of-the-app"}
        api: dict[str, object] = {"tiktok_api": "accounts"} if name == "tiktok accounts" else {}
        pipeline = Pipeline(load_settings(data_dir=tmp_path, now=NOW, **(urls | clients | api | settings)))
        add_workspace(pipeline.control, "W", "w", now=NOW)
        text = tokens if isinstance(tokens, str) else json.dumps(tokens, indent=1)
        external_id = "UCtokens" if platform == "youtube" else "4711"
        add_account(pipeline.control, pipeline.ring, "w", platform, external_id, "a", text, now=NOW)
        return pipeline

    return build


def collect(pipeline: Pipeline, name: str) -> CollectionSummary:
    return pipeline.collector(name.split(maxsplit=1)[0]).run(CollectionRequest("counters", THIS_HOUR, "run"))


def stored(pipeline: Pipeline) -> TokenBundle:
    return read_bundle(pipeline.control, pipeline.ring, "w", "a", NOW)


def account(pipeline: Pipeline) -> AccountRecord:
    return get_account(pipeline.control, "a", "w")


def refreshes(sandbox: SandboxServer, name: str) -> int:
    return sandbox.requests.count(platform=name.split(maxsplit=1)[0], path=ENDPOINT[name])


@pytest.mark.parametrize("name", TAKES_A_REFRESH_TOKEN)
def test_a_refused_token_is_refreshed_once_and_the_account_collected(
    make: Make, sandbox: SandboxServer, name: str
) -> None:
    first = f"sandbox-refresh-a-{name.replace(' ', '-')}~4711"
    pipeline = make(name, {"access_token": "expired-1", "refresh_token": first})
    assert collect(pipeline, name).ok == 1
    assert refreshes(sandbox, name) == 1
    assert account(pipeline).status == "active"
    now_stored = stored(pipeline)
    assert now_stored.access_token.startswith("sandbox-page-4711" if name == "facebook" else "sandbox-access-")
    assert (now_stored.refresh_token == first) == (name in KEEPS_THE_REFRESH_TOKEN)
    assert (now_stored.expires_at is None) == (name == "facebook")
    assert collect(pipeline, name).ok == 1
    assert refreshes(sandbox, name) == 1


@pytest.mark.parametrize("name", sorted(ENDPOINT))
def test_a_token_that_ends_soon_is_renewed_before_it_is_used(make: Make, sandbox: SandboxServer, name: str) -> None:
    tokens = {"access_token": "sandbox-old", "expires_in": 300, "refresh_token": f"sandbox-refresh-b-{name[-3:]}~4711"}
    if name not in TAKES_A_REFRESH_TOKEN:  # the access token itself is exchanged
        del tokens["refresh_token"]
    pipeline = make(name, tokens)
    assert collect(pipeline, name).ok == 1
    assert refreshes(sandbox, name) == 1
    assert stored(pipeline).access_token != "sandbox-old"


def test_the_user_token_behind_a_page_is_kept_alive(make: Make, sandbox: SandboxServer) -> None:
    """The Page's token has no end, so the end of the user token counts: renewed ten days ahead, and not before."""
    tokens = {"access_token": "sandbox-page", "refresh_token": "sandbox-user", "refresh_expires_in": 11 * 86_400}
    pipeline = make("facebook", tokens)
    assert collect(pipeline, "facebook").ok == 1
    assert refreshes(sandbox, "facebook") == 0
    later = Pipeline(pipeline.settings.model_copy(update={"now": NOW + timedelta(days=2)}))
    hour = Window(THIS_HOUR.start + timedelta(days=2), THIS_HOUR.end + timedelta(days=2))
    assert later.collector("facebook").run(CollectionRequest("counters", hour, "run")).ok == 1
    assert refreshes(sandbox, "facebook") == 1
    fresh = stored(pipeline)
    assert fresh.access_token == "sandbox-page-4711"
    assert fresh.refresh_expires_at == NOW + timedelta(days=62)


def test_a_page_token_without_its_user_token_is_never_exchanged(make: Make, sandbox: SandboxServer) -> None:
    pipeline = make("facebook", "expired-page")
    assert collect(pipeline, "facebook").ok == 0
    assert refreshes(sandbox, "facebook") == 0
    assert account(pipeline).status == "needs_reauth"


def test_threads_needs_no_application_for_a_long_token_and_its_secret_for_a_short_one(
    make: Make, sandbox: SandboxServer
) -> None:
    pipeline = make("threads", {"access_token": "short-1", "expires_in": 3_000})
    without = Pipeline(pipeline.settings.model_copy(update={"threads_client_secret": None}))
    assert collect(without, "threads").ok == 1  # an hour's token is good for this run
    assert stored(pipeline).access_token == "short-1"
    assert collect(pipeline, "threads").ok == 1
    assert sandbox.requests.count(platform="threads", path="/access_token") == 1
    long_lived = stored(pipeline)
    assert long_lived.expires_at == NOW + timedelta(days=60)
    later = without.settings.model_copy(update={"now": NOW + timedelta(days=51)})
    hour = Window(THIS_HOUR.start + timedelta(days=51), THIS_HOUR.end + timedelta(days=51))
    assert Pipeline(later).collector("threads").run(CollectionRequest("counters", hour, "run")).ok == 1
    assert stored(pipeline).expires_at == NOW + timedelta(days=111)


def test_a_token_with_time_left_is_left_alone(make: Make, sandbox: SandboxServer) -> None:
    pipeline = make("youtube", {"access_token": "sandbox-1", "expires_in": 3000, "refresh_token": "sandbox-refresh"})
    assert collect(pipeline, "youtube").ok == 1
    assert refreshes(sandbox, "youtube") == 0


@pytest.mark.parametrize("name", sorted(ENDPOINT))
def test_a_revoked_grant_asks_for_the_owner(make: Make, name: str) -> None:
    """TikTok says so with status 200, its other API with a number, Meta with code 190."""
    tokens = {"access_token": "expired-1", "expires_in": -60, "refresh_token": "revoked-1~4711"}
    pipeline = make(name, tokens)
    assert collect(pipeline, name).ok == 0
    assert account(pipeline).status == "needs_reauth"
    assert "revoked" in str(account(pipeline).status_reason)
    assert "revoked-1" not in str(account(pipeline).status_reason)


def test_without_the_applications_credentials_the_operator_is_asked_not_the_owner(make: Make) -> None:
    tokens = {"access_token": "expired-1", "refresh_token": "sandbox-refresh"}
    pipeline = make("youtube", tokens, youtube_client_id=None, youtube_client_secret="")
    settings = pipeline.settings.model_copy(update={"youtube_client_secret": None})
    summary = collect(Pipeline(settings), "youtube")
    assert "METRICS_YOUTUBE_CLIENT_SECRET" in str(summary.accounts[0].problem)
    assert account(pipeline).status == "active"


@pytest.mark.parametrize("name", CHECKS_THE_APPLICATION)
def test_a_wrong_client_secret_is_a_mistake_of_the_settings(make: Make, name: str) -> None:
    tokens = {"access_token": "expired-1", "expires_in": -60, "refresh_token": "sandbox-refresh~4711"}
    pipeline = make(name, tokens, **{f"{name.split(maxsplit=1)[0]}_client_secret": "wrong-secret"})
    summary = collect(pipeline, name)
    assert summary.accounts[0].error_class == "config"
    assert account(pipeline).status == "active"
    assert "wrong-secret" not in str(summary.accounts[0].problem)


def test_a_refresh_that_fails_early_does_not_cost_a_token_that_is_still_good(make: Make) -> None:
    tokens = {"access_token": "sandbox-1", "expires_in": 300, "refresh_token": "revoked-2"}
    pipeline = make("youtube", tokens)
    assert collect(pipeline, "youtube").ok == 1
    assert stored(pipeline).access_token == "sandbox-1"


def test_a_bare_token_that_is_refused_needs_its_owner(make: Make, sandbox: SandboxServer) -> None:
    pipeline = make("x", "expired-bare")
    assert collect(pipeline, "x").ok == 0
    assert refreshes(sandbox, "x") == 0
    assert account(pipeline).status == "needs_reauth"


def test_ten_at_once_refresh_once(make: Make, sandbox: SandboxServer) -> None:
    pipeline = make("x", {"access_token": "expired-1", "refresh_token": "sandbox-refresh-many"})
    spec = pipeline.catalog.platforms["x"]
    stale, record = stored(pipeline), account(pipeline)

    async def all_of_them() -> list[TokenBundle]:
        keepers = [TokenKeeper(spec, pipeline.settings, pipeline.control, pipeline.ring, refresh) for _ in range(10)]
        return await asyncio.gather(*(keeper.renewed(record, stale) for keeper in keepers))

    fresh = asyncio.run(all_of_them())
    assert len({bundle.access_token for bundle in fresh}) == 1
    assert refreshes(sandbox, "x") == 1


def test_a_claim_ends_by_itself_and_nobody_else_may_store(make: Make) -> None:
    pipeline = make("x", {"access_token": "expired-1", "refresh_token": "sandbox-refresh"})
    minute = timedelta(minutes=1)
    assert claim_refresh(pipeline.control, "w", "a", "first", now=NOW, lease=minute)
    assert not claim_refresh(pipeline.control, "w", "a", "second", now=NOW, lease=minute)
    assert claim_refresh(pipeline.control, "w", "a", "second", now=NOW + minute, lease=minute)


@pytest.mark.parametrize("name", ["x", "facebook", "tiktok accounts"])
def test_no_token_and_no_secret_stands_in_a_file_or_a_log(
    make: Make, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    refresh_token = f"sandbox-refresh-seen-{name.replace(' ', '-')}~4711"
    pipeline = make(name, {"access_token": "expired-seen", "refresh_token": refresh_token})
    with caplog.at_level(logging.INFO):
        assert collect(pipeline, name).ok == 1
    fresh = stored(pipeline)
    for secret in ("expired-seen", "sandbox-refresh-seen", fresh.access_token, "secret-of-the-app"):
        assert secret not in caplog.text
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for secret in ("expired-seen", "sandbox-refresh-seen", fresh.access_token, "secret-of-the-app"):
                assert secret.encode() not in content, path


@pytest.mark.parametrize(
    ("tokens", "days", "warned"),
    [
        ({"access_token": "t", "expires_in": 6 * 86_400}, 7, True),
        ({"access_token": "t", "expires_in": 8 * 86_400}, 7, False),
        ({"access_token": "t", "expires_in": 60, "refresh_token": "r"}, 7, False),
        ({"access_token": "t", "expires_in": 60, "refresh_token": "r", "refresh_expires_in": 86_400}, 7, True),
        ("bare", 7, False),
    ],
)
def test_the_owner_is_asked_days_ahead(make: Make, tokens: dict[str, object] | str, days: int, warned: bool) -> None:
    pipeline = make("youtube", tokens, token_warning_days=days)
    assert bool(ending_soon(pipeline, "youtube")) == warned
