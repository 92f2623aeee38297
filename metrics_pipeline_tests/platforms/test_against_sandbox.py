"""The adapters against the project's own sandbox: another reading of the same APIs must agree with this one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, State
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.outcomes import COUNTERS, SERIES, expected_outcomes
from metrics_pipeline.platforms.registry import build_adapter
from metrics_pipeline.sandbox.faults import Fault
from metrics_pipeline.sandbox.server import PLATFORMS, SandboxServer
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
IDS = {
    "instagram": "17841400000001",
    "linkedin": "4500001",
    "pinterest": "5500001",
    "facebook": "1000400000001",
    "threads": "2600000001",
    "tiktok": "sandbox-open-id-01",
    "tiktok accounts": "sandbox-open-id-02",
    "whatsapp": "1020000000000005",
    "x": "4400001",
    "youtube": "UCsandboxchannel00000001",
}
# A second way to read a platform: its name and, after the blank, the value of the setting that chooses it.
SECOND_WAYS = {"tiktok accounts": {"tiktok_api": "accounts"}}
WITHOUT_SERIES = {"tiktok", "x"}  # by default
WITHOUT_POST_COUNTERS = {"whatsapp"}  # templates have series only
WAYS = (*PLATFORMS, *SECOND_WAYS)
TOKEN = "sandbox-token"
DAYS = Window.of_days(date(2026, 11, 1), date(2026, 11, 21))


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def sandbox(running: SandboxServer) -> SandboxServer:
    running.faults.clear()
    return running


def name_of(way: str) -> str:
    return way.split(maxsplit=1)[0]


def settings_of(sandbox: SandboxServer, way: str) -> Settings:
    values = {f"{name_of(way)}_base_url": sandbox.base_url(name_of(way)), "now": NOW, **SECOND_WAYS.get(way, {})}
    return Settings(**values)  # type: ignore[arg-type]


def turn(
    sandbox: SandboxServer,
    platform: str,
    window: Window | None = None,
    known: tuple[str, ...] = (),
    at: datetime = NOW,
) -> tuple[AccountResult, PlatformError | None]:
    result = AccountResult()

    async def no_sleep(_seconds: float) -> None:
        return

    async def run() -> PlatformError | None:
        adapter = build_adapter(name_of(platform), settings_of(sandbox, platform), sleep=no_sleep)
        account = Account("w", "a", name_of(platform), IDS[platform], f"{TOKEN}~{IDS[platform]}")
        context = CollectionContext(NOW, at, known)
        try:
            if window is None:
                await adapter.counters(account, context, result)
            else:
                await adapter.insights(account, window, context, result)
        except PlatformError as error:
            return error
        finally:
            await adapter.aclose()
        return None

    return result, asyncio.run(run())


@pytest.mark.parametrize("platform", WAYS)
def test_everything_expected_is_accounted_for_and_every_field_known(sandbox: SandboxServer, platform: str) -> None:
    spec = catalog().platforms[name_of(platform)]
    counters, error = turn(sandbox, platform)
    assert error is None
    series, error = turn(sandbox, platform, DAYS, tuple(p.post_id for p in counters.posts))
    assert error is None
    for result, kinds, days in ((counters, COUNTERS, [NOW.date()]), (series, SERIES, DAYS.days())):
        assert [o for o in result.outcomes if o.state is State.FAILED] == []
        daily = [(o.level, o.metric, o.date) for o in result.outcomes if o.window == "P1D"]
        assert sorted(daily) == sorted(expected_outcomes(spec, kinds, days))
        assert result.unknown_fields == set()
    assert len(counters.readings) > 20 or platform in WITHOUT_POST_COUNTERS
    assert len(series.readings) > 100 or platform in WITHOUT_SERIES


@pytest.mark.parametrize("platform", WAYS)
def test_counters_of_a_past_instant_are_lower_and_dated_then(sandbox: SandboxServer, platform: str) -> None:
    before, _ = turn(sandbox, platform, at=NOW - timedelta(days=9))
    after, _ = turn(sandbox, platform)
    assert {r.date for r in before.readings} == {date(2026, 11, 11)}
    earlier = {(r.post_id, r.metric): r.value for r in before.readings if r.level == "post" and r.kind == "counter"}
    later = {(r.post_id, r.metric): r.value for r in after.readings if r.level == "post" and r.kind == "counter"}
    shared = [key for key in earlier.keys() & later.keys() if key[1] in ("views", "impressions")]
    assert shared or platform in WITHOUT_POST_COUNTERS
    assert all(earlier[key] <= later[key] for key in shared)


def test_x_series_where_the_plan_has_them_and_in_the_new_vocabulary(sandbox: SandboxServer) -> None:
    plain, _ = turn(sandbox, "x")
    for fault in ("analytics_enabled", "new_vocabulary"):
        sandbox.faults.add(Fault(platform="x", external_id=IDS["x"], fault=fault))
    renamed, error = turn(sandbox, "x")
    assert error is None
    assert renamed.readings == plain.readings
    series, error = turn(sandbox, "x", DAYS, tuple(p.post_id for p in plain.posts))
    assert error is None
    assert {r.metric for r in series.readings} >= {"impressions", "likes", "reposts", "shares"}


# Per platform a metric of the account's series as the platform names it, and what of the catalogue goes with it.
REFUSED = {
    "facebook": ("page_media_view", {"views"}),
    "instagram": ("likes", {"likes"}),
    "linkedin": ("likeCount", {"likes", "interactions"}),
    "pinterest": ("SAVE", {"saves"}),
    "threads": ("likes", {"likes"}),
    "whatsapp": ("COST", {"message_cost"}),
}


@pytest.mark.parametrize("platform", REFUSED)
def test_a_refused_metric_leaves_the_rest(sandbox: SandboxServer, platform: str) -> None:
    source, lost = REFUSED[platform]
    whole, _ = turn(sandbox, platform, DAYS)
    sandbox.faults.add(Fault(platform=platform, external_id=IDS[platform], fault="refused_metric", metric=source))
    rest, error = turn(sandbox, platform, DAYS)
    assert error is None
    assert {r.metric for r in whole.readings} - {r.metric for r in rest.readings} == lost
    assert not {o.state for o in rest.outcomes if o.metric in lost} & {State.VALUE, State.ZERO}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_spent_quota_asks_to_wait_and_names_how_long(sandbox: SandboxServer, platform: str) -> None:
    values = {"platform": platform, "external_id": IDS[platform], "fault": "throttled", "reset_seconds": 900}
    sandbox.faults.add(Fault.model_validate(values))
    result, error = turn(sandbox, platform)
    assert error is not None
    assert error.act is Act.WAIT
    assert (error.wait_seconds or 0) >= 60
    assert result.readings == []
    assert "sandbox-token" not in str(error) + repr(result)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_token_is_in_no_result(sandbox: SandboxServer, platform: str) -> None:
    counters, _ = turn(sandbox, platform)
    series, _ = turn(sandbox, platform, DAYS, tuple(p.post_id for p in counters.posts))
    for result in (counters, series):
        assert "sandbox-token" not in repr(result)
        assert "access_token=SANDBOX" not in repr(result)


@pytest.mark.parametrize(
    ("platform", "refused", "metric"), [("tiktok", "share_count", "shares"), ("tiktok accounts", "favorites", "saves")]
)
def test_a_refused_field_on_tiktok_leaves_the_rest(
    sandbox: SandboxServer, platform: str, refused: str, metric: str
) -> None:
    whole, _ = turn(sandbox, platform)
    fault = Fault(platform="tiktok", external_id=IDS[platform], fault="refused_metric", metric=refused)
    sandbox.faults.add(fault)
    rest, error = turn(sandbox, platform)
    assert error is None
    assert rest.readings == [r for r in whole.readings if r.metric != metric]
    assert {o.state for o in rest.outcomes if o.metric == metric} == {State.NOT_SUPPORTED}


@pytest.mark.parametrize("platform", WAYS)
def test_a_throttled_account_waits_and_nothing_holds_its_token(sandbox: SandboxServer, platform: str) -> None:
    fine, _ = turn(sandbox, platform)
    sandbox.faults.add(Fault(platform=name_of(platform), external_id=IDS[platform], fault="throttled"))
    held_up, error = turn(sandbox, platform)
    assert error is not None
    assert error.act is Act.WAIT
    assert held_up.readings == []
    assert TOKEN not in repr([fine, held_up, error])


@pytest.mark.parametrize("platform", WAYS)
def test_a_deleted_post_becomes_a_tombstone(sandbox: SandboxServer, platform: str) -> None:
    before, _ = turn(sandbox, platform)
    known = tuple(p.post_id for p in before.posts if p.post_type != "story")
    fault = Fault(platform=name_of(platform), external_id=IDS[platform], fault="deleted_post", post_id=known[0])
    sandbox.faults.add(fault)
    after, error = turn(sandbox, platform, known=known)
    assert error is None
    assert [p.post_id for p in after.posts if p.deleted] == [known[0]]


@pytest.mark.parametrize("platform", WAYS)
def test_an_expired_token_asks_for_a_new_sign_in(sandbox: SandboxServer, platform: str) -> None:
    sandbox.faults.add(Fault(platform=name_of(platform), external_id=IDS[platform], fault="token_expired"))
    _, error = turn(sandbox, platform)
    assert error is not None
    assert error.act is Act.REAUTH


@pytest.mark.parametrize("platform", WAYS)
@pytest.mark.parametrize("fault", ["malformed", "server_errors"])
def test_hiccups_change_nothing(sandbox: SandboxServer, platform: str, fault: str) -> None:
    window = DAYS if platform in WITHOUT_POST_COUNTERS else None  # one request is too few to hiccup
    smooth, _ = turn(sandbox, platform, window)
    more = {"every": 2} if fault == "server_errors" else {"requests": 2}
    values = {"platform": name_of(platform), "external_id": IDS[platform], "fault": fault, **more}
    sandbox.faults.add(Fault.model_validate(values))
    bumpy, error = turn(sandbox, platform, window)
    assert error is None
    assert bumpy.readings == smooth.readings
    assert bumpy.calls > smooth.calls


@pytest.mark.parametrize("platform", WAYS)
def test_accounts_side_by_side_share_a_client_and_not_their_failures(sandbox: SandboxServer, platform: str) -> None:
    ids = [f"{IDS[platform]}{n}" for n in range(6)]
    sandbox.faults.add(Fault(platform=name_of(platform), external_id=ids[2], fault="token_expired"))
    settings = settings_of(sandbox, platform)
    results = [AccountResult() for _ in ids]

    async def run() -> list[BaseException | None]:
        adapter = build_adapter(name_of(platform), settings)
        turns = [
            adapter.counters(Account("w", i, name_of(platform), i, f"token~{i}"), CollectionContext(NOW, NOW), result)
            for i, result in zip(ids, results, strict=True)
        ]
        try:
            return list(await asyncio.gather(*turns, return_exceptions=True))
        finally:
            await adapter.aclose()

    errors = asyncio.run(run())
    assert [isinstance(error, PlatformError) for error in errors] == [n == 2 for n in range(6)]
    assert [bool(result.readings) for result in results] == [n != 2 for n in range(6)]
