"""Settings of live updates over WebSocket and server-sent events."""

from __future__ import annotations

from pydantic import Field

from metrics_pipeline.settings.stores import StoreSettings


class LiveSettings(StoreSettings):
    """How soon clients hear of new numbers, and how many of them may listen."""

    live_poll_seconds: float = Field(
        1.0, gt=0, le=3600, description="How often tables are looked at for live updates: about how late one is."
    )
    live_queue: int = Field(
        256, ge=1, le=10_000, description="Live updates that wait for one slow client before they are put together."
    )
    live_heartbeat_seconds: float = Field(
        15.0, gt=0, le=300, description="A live connection is pinged so often; who does not answer is disconnected."
    )
    live_connections_per_workspace: int = Field(
        1000, ge=1, description="Live connections of one workspace, in each API process."
    )
    live_connections: int = Field(5000, ge=1, description="Live connections of one API process.")
    live_longest_seconds: float = Field(
        3600.0, gt=0, description="Life of a live connection; then the client is told to connect again."
    )
    live_key_check_seconds: float = Field(
        30.0, gt=0, le=3600, description="How often the key of a live connection is checked anew."
    )
