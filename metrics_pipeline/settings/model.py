"""All settings in one class: those of platforms and of content here, the rest from the modules beside it."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator

from metrics_pipeline.catalog.cadence import Cadence
from metrics_pipeline.settings.caching import CacheSettings
from metrics_pipeline.settings.custom_metrics import CustomMetricSettings
from metrics_pipeline.settings.live import LiveSettings
from metrics_pipeline.settings.realtime import RealtimeSettings
from metrics_pipeline.settings.serving import ServingSettings
from metrics_pipeline.settings.triggers import TriggerSettings
from metrics_pipeline.settings.watching import WatchSettings

Network = IPv4Network | IPv6Network
BudgetItem = Literal["calls", "calls_per_endpoint", "calls_per_account", "units", "usd"]


class Settings(
    WatchSettings,
    CacheSettings,
    CustomMetricSettings,
    LiveSettings,
    RealtimeSettings,
    TriggerSettings,
    ServingSettings,
):
    """One field per environment variable `METRICS_<NAME>`; `.env.example` lists them all."""

    facebook_base_url: str | None = Field(None, description="Sandbox or proxy for Facebook; may contain {at}.")
    instagram_base_url: str | None = Field(None, description="Sandbox or proxy for Instagram; may contain {at}.")
    linkedin_base_url: str | None = Field(None, description="Sandbox or proxy for LinkedIn; may contain {at}.")
    pinterest_base_url: str | None = Field(None, description="Sandbox or proxy for Pinterest; may contain {at}.")
    tiktok_base_url: str | None = Field(None, description="Sandbox or proxy for TikTok; may contain {at}.")
    whatsapp_base_url: str | None = Field(None, description="Sandbox or proxy for WhatsApp; may contain {at}.")
    x_base_url: str | None = Field(None, description="Sandbox or proxy for X; may contain {at}.")
    youtube_base_url: str | None = Field(None, description="Sandbox or proxy for YouTube; may contain {at}.")
    facebook_client_id: str | None = Field(None, description="App id at Meta, to exchange the user token of a Page.")
    facebook_client_secret: SecretStr | None = Field(None, description="Its secret.")
    instagram_client_id: str | None = Field(None, description="Application (client) id at Meta, to renew tokens.")
    instagram_client_secret: SecretStr | None = Field(None, description="Its secret.")
    linkedin_client_id: str | None = Field(None, description="Application (client) id at LinkedIn, to refresh tokens.")
    linkedin_client_secret: SecretStr | None = Field(None, description="Its secret.")
    pinterest_client_id: str | None = Field(
        None, description="Application (client) id at Pinterest, to refresh tokens."
    )
    pinterest_client_secret: SecretStr | None = Field(None, description="Its secret.")
    threads_client_secret: SecretStr | None = Field(
        None, description="Secret of the Threads app, to exchange a short token; renewing a long one needs none."
    )
    tiktok_client_id: str | None = Field(
        None, description="Client key (Display API) or app id (Accounts API) at TikTok, to refresh tokens."
    )
    tiktok_client_secret: SecretStr | None = Field(None, description="Its secret.")
    whatsapp_client_secret: SecretStr | None = Field(
        None,
        description="Secret of the Meta app that tells statuses of messages: its notifications are signed with it.",
    )
    whatsapp_verify_token: SecretStr | None = Field(
        None, description="Word of your own that Meta repeats when the webhook for statuses of messages is set up."
    )
    x_client_id: str | None = Field(None, description="Application (client) id at X, to refresh tokens.")
    x_client_secret: SecretStr | None = Field(None, description="Its secret.")
    youtube_client_id: str | None = Field(None, description="Application (client) id at Google, to refresh tokens.")
    youtube_client_secret: SecretStr | None = Field(None, description="Its secret.")
    token_warning_days: int = Field(
        7, ge=1, description="Days before the end of a token, beyond refreshing, that a check warns."
    )
    threads_base_url: str | None = Field(None, description="Sandbox or proxy for Threads; may contain {at}.")
    facebook_graph_version: str = Field("v26.0", description="Graph API version for Pages, as for Instagram.")
    instagram_graph_version: str = Field("v26.0", description="Graph API version; v26.0 is served until at least 2028.")
    instagram_series_day_shift: int = Field(
        -1,
        ge=-1,
        le=0,
        description="Days added to a follower_count point's end_time to get its measured day; sources say -1 or 0.",
    )
    linkedin_version: str = Field(
        "202608",
        pattern=r"^20\d{2}(0[1-9]|1[0-2])$",
        description="LinkedIn-Version header, YYYYMM; a version is served for about a year, then every call is a 426.",
    )
    pinterest_newest_first: bool = Field(
        False,
        description="Stop listing pins at the first page older than the posts to read; the order is not documented.",
    )
    threads_api_version: str = Field("v1.0", description="Version of the Threads API; it has no other yet.")
    threads_series_day_shift: int = Field(
        -1,
        ge=-1,
        le=0,
        description="Days added to a Threads point's end_time to get its measured day, as on Pages: -1.",
    )
    tiktok_api: Literal["display", "accounts"] = Field(
        "display",
        description="TikTok product the tokens belong to: Display API (counters only) or Accounts API for Business.",
    )
    tiktok_watched_rate: Literal["share", "percent"] = Field(
        "share",
        description="Unit of full_video_watched_rate: 0 to 1 or 0 to 100; a share above 1 is refused as unknown.",
    )
    whatsapp_graph_version: str = Field("v26.0", description="Graph API version for WhatsApp, as for Pages.")
    whatsapp_time_zones: dict[str, str] = Field(
        {},
        description='Zones by timezone_id as JSON, {"1": "America/Los_Angeles"}; without one a day has its UTC offset.',
    )
    x_vocabulary: Literal["tweet", "post"] = Field(
        "tweet",
        description="X renames its query parameters: the spelling tried first; the other one is tried when refused.",
    )
    youtube_short_max_seconds: int = Field(
        180, ge=1, description="Videos up to this long count as shorts; the Data API does not say it itself."
    )
    x_analytics: Literal["auto", "off"] = Field(
        "auto",
        description="Daily series of X posts: probe once a run (auto) or never ask (off); access depends on the plan.",
    )

    parallel_workspaces: int = Field(
        10, ge=1, le=100, description="Workspaces collected at the same time per platform."
    )
    http_timeout_seconds: float = Field(30.0, gt=0, description="Limit of one request, connect to last byte.")
    http_max_attempts: int = Field(4, ge=1, le=10, description="Tries of one request that fails in a retryable way.")
    http_max_wait_seconds: float = Field(
        60.0,
        ge=0,
        description="Longest wait for a rate-limit window inside a run; a longer one ends the account's turn.",
    )
    budgets: dict[str, dict[BudgetItem, Annotated[float, Field(gt=0)]]] = Field(
        {},
        description='Most a day may cost, by platform: {"x": {"usd": 5}, "linkedin": {"calls_per_endpoint": 400}}.',
    )
    request_budget: int = Field(2000, ge=1, description="Requests one account may spend in one run.")
    cadence: dict[str, str] = Field(
        {},
        description='How often posts are read by age, by platform or "default": {"x": "1d:6h 30d:1d"}.',
    )
    counter_lookback_days: int = Field(
        35,
        ge=1,
        description="How far back a counter's earlier reading may lie before its difference is unknown.",
    )
    level_carry_days: int = Field(
        7, ge=0, description="Days a missing account's last follower count still counts in a workspace sum."
    )

    event_lateness_days: int = Field(
        7,
        ge=1,
        le=365,
        description="Days an event may arrive late; an older one is refused. Ids are remembered a day longer.",
    )
    event_queue_size: int = Field(
        20_000, ge=1, description="Events that may wait to be committed; more are answered with retry."
    )
    event_commit_milliseconds: int = Field(
        5, ge=0, le=1000, description="How long the first event of a group waits for others before they are committed."
    )
    event_commit_size: int = Field(2000, ge=1, description="Events after which a group is committed without waiting.")
    event_drain_rows: int = Field(
        50_000, ge=1, description="Events that go from the inbox to the lake in one commit; a few KB of memory each."
    )
    trending_floor: float = Field(100.0, ge=0, description="Views per hour below which content is not trending.")

    events_interval_seconds: int = Field(60, ge=5, description="How often events go from the inbox into the lake.")
    content_days_interval_seconds: int = Field(
        3600, ge=60, description="How often days of content are rebuilt whose events changed, with distinct viewers."
    )

    counters_cron: str = Field(
        "50 * * * *", description="Hourly counters: late in the hour, so the last hour closes the day."
    )
    insights_cron: str = Field(
        "30 2 * * *", description="Daily series with their restatement window, before the daily close."
    )
    daily_cron: str = Field("0 3 * * *", description="Daily close.")
    weekly_cron: str = Field("0 4 * * 1", description="Weekly close; the default suits weeks that start on Monday.")
    monthly_cron: str = Field("0 5 2 * *", description="Monthly close, on the 2nd: platforms restate for 48 hours.")
    snapshots_daily_cron: str = Field("20 3 * * *", description="Daily snapshots, after the daily close.")
    snapshots_weekly_cron: str = Field("20 4 * * 1", description="Weekly snapshots, after the weekly close.")
    snapshots_monthly_cron: str = Field("20 5 2 * *", description="Monthly snapshots, after the monthly close.")
    refresh_cron: str = Field("5 * * * *", description="Refresh of yesterday and the running day.")
    gap_interval_seconds: int = Field(1800, ge=30, description="How often the gap filler looks.")
    late_interval_seconds: int = Field(
        600, ge=30, description="How often days whose readings changed after their close are looked for."
    )
    maintenance_cron: str = Field("0 6 * * *", description="Lake maintenance: compact, vacuum, expire.")
    gap_lookback_days: int = Field(14, ge=1, description="How far back the gap filler looks.")
    gap_max_runs: int = Field(4, ge=1, description="Runs the gap filler may request at one tick.")
    api_responses_days: int = Field(30, ge=1, description="Days raw responses are kept.")
    view_max_hours: int = Field(
        24, ge=1, le=168, description="Hours after its start that progress still belongs to a view of content."
    )
    events_days: int = Field(
        90, ge=1, description="Days raw content events are kept; older days keep their numbers and are not rebuilt."
    )
    vacuum_hours: int = Field(168, ge=24, description="Hours superseded lake files stay readable.")
    api_user_track_per_minute: int = Field(
        100, ge=1, description="Single events one end user may send in a minute, behind a browser key or with a JWT."
    )
    api_user_batches_per_minute: int = Field(
        10, ge=1, description="Batches of events one end user may send in a minute, behind a browser key or with a JWT."
    )
    api_browser_key_events_per_minute: int = Field(
        60_000,
        ge=100,
        description="Events a minute through one browser key: anyone can read it, and call himself anyone.",
    )
    api_server_key_events_per_minute: int = Field(
        1_200_000, ge=100, description="Events a minute through one server key, whoever they are about."
    )
    api_refresh_seconds: float = Field(
        1.0, ge=0, le=60, description="How long after a commit the read API may still answer from the version before."
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of proxies, by comma, whose X-Forwarded-For is believed; none by default.",
    )
    geoip_file: Path | None = Field(
        None,
        description="CSV or Parquet of networks and places: fills in country and region that an event does not say.",
    )
    area_minimum_viewers: int = Field(
        5, ge=1, description="Distinct people under which a place in content_by_area is not named."
    )

    @field_validator("cadence")
    @classmethod
    def _are_cadences(cls, value: dict[str, str]) -> dict[str, str]:
        for text in value.values():
            Cadence.parse(text)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        try:
            networks_of(value)
        except ValueError:
            raise ValueError("write addresses or networks with commas between, such as 10.0.0.0/8,::1") from None
        return value

    @field_validator("whatsapp_time_zones")
    @classmethod
    def _known_zones(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(value.values()) - available_timezones())
        if unknown:
            raise ValueError(f"there is no time zone {unknown[0]!r}")
        return value


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks of a list with commas; an address is a network of one. Raises ValueError."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
