"""A typed client of the HTTP interface: reading, sending events and starting runs."""

from __future__ import annotations

from metrics_pipeline.client.answers import ContentAttributes, SeriesAnswer
from metrics_pipeline.client.buffer import EventBuffer
from metrics_pipeline.client.client import MetricsClient
from metrics_pipeline.client.errors import ApiError, AuthError, NotFound, RateLimited, Unavailable

__all__ = [
    "ApiError",
    "AuthError",
    "ContentAttributes",
    "EventBuffer",
    "MetricsClient",
    "NotFound",
    "RateLimited",
    "SeriesAnswer",
    "Unavailable",
]
