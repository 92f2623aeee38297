"""Tokens are refreshed before they end or when they are refused, once, and stored before they are used."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
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
ENDPOINT = {"youtube": "/token", "x": "/2/oauth2/token", "instagram": "/v26.0/oauth/access_token"}

Make = Callable[..., Pipeline]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def make(tmp_path: Path, sandbox: SandboxServer) -> Make:
    """A pipeline on the sandbox with one account `a` of a platform, holding the given tokens."""
    sandbox.requests.clear()

    def build(platform: str, tokens: dict[str, object] | str, **settings: object) -> Pipeline:
        urls: dict[str, object] = {f"{p}_base_url": sandbox.base_url(p) for p in PLATFORMS}
        clients: dict[str, object] = {f"{platform}_client_id": "app", f"{platform}_client_secret": "secret-of-the-app"}
        pipeline = Pipeline(load_settings(data_dir=tmp_path, now=NOW, **(urls | clients | settings)))
        add_workspace(pipeline.control, "W", "w", now=NOW)
        text = tokens if isinstance(tokens, str) else json.dumps(tokens, indent=1)
        external_id = "UCtokens" if platform == "youtube" else "4711"
        add_account(pipeline.control, pipeline.ring, "w", platform, external_id, "a", text, now=NOW)
        return pipeline

    return build


def collect(pipeline: Pipeline, platform: str) -> CollectionSummary:
    return pipeline.collector(platform).run(CollectionRequest("counters", THIS_HOUR, "run"))


def stored(pipeline: Pipeline) -> TokenBundle:
    return read_bundle(pipeline.control, pipeline.ring, "w", "a", NOW)


def account(pipeline: Pipeline) -> AccountRecord:
    return get_account(pipeline.control, "a", "w")


def refreshes(sandbox: SandboxServer, platform: str) -> int:
    return sandbox.requests.count(platform=platform, path=ENDPOINT[platform])


@pytest.mark.parametrize("platform", ["youtube", "x"])
def test_a_refused_token_is_refreshed_once_and_the_account_collected(
    make: Make, sandbox: SandboxServer, platform: str
) -> None:
    pipeline = make(platform, {"access_token": "expired-1", "refresh_token": "sandbox-refresh-a"})
    summary = collect(pipeline, platform)
    assert summary.ok == 1
    assert refreshes(sandbox, platform) == 1
    assert account(pipeline).status == "active"
    now_stored = stored(pipeline)
    assert now_stored.access_token.startswith("sandbox-access-")
    # X gives a new refresh token with each access token, Google keeps the old one
    assert (now_stored.refresh_token == "sandbox-refresh-a") == (platform == "youtube")
    assert now_stored.expires_at is not None
    assert collect(pipeline, platform).ok == 1
    assert refreshes(sandbox, platform) == 1


@pytest.mark.parametrize("platform", ["youtube", "x", "instagram"])
def test_a_token_that_ends_soon_is_renewed_before_it_is_used(make: Make, sandbox: SandboxServer, platform: str) -> None:
    tokens = {"access_token": "sandbox-old", "expires_in": 300, "refresh_token": "sandbox-refresh-b"}
    if platform == "instagram":  # Meta exchanges the access token itself
        del tokens["refresh_token"]
    pipeline = make(platform, tokens)
    assert collect(pipeline, platform).ok == 1
    assert refreshes(sandbox, platform) == 1
    assert stored(pipeline).access_token != "sandbox-old"


def test_a_token_with_time_left_is_left_alone(make: Make, sandbox: SandboxServer) -> None:
    pipeline = make("youtube", {"access_token": "sandbox-1", "expires_in": 3000, "refresh_token": "sandbox-refresh"})
    assert collect(pipeline, "youtube").ok == 1
    assert refreshes(sandbox, "youtube") == 0


def test_a_revoked_grant_asks_for_the_owner(make: Make) -> None:
    pipeline = make("x", {"access_token": "expired-1", "refresh_token": "revoked-1"})
    summary = collect(pipeline, "x")
    assert summary.ok == 0
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


def test_a_wrong_client_secret_is_a_mistake_of_the_settings(make: Make) -> None:
    tokens = {"access_token": "expired-1", "refresh_token": "sandbox-refresh"}
    pipeline = make("youtube", tokens, youtube_client_secret="wrong-secret")
    summary = collect(pipeline, "youtube")
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


def test_no_token_and_no_secret_stands_in_a_file(make: Make, tmp_path: Path) -> None:
    pipeline = make("x", {"access_token": "expired-seen", "refresh_token": "sandbox-refresh-seen"})
    collect(pipeline, "x")
    fresh = stored(pipeline)
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
