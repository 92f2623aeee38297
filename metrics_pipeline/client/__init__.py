"""A typed client of the HTTP interface: reading, sending events and starting runs."""

from __future__ import annotations

from metrics_pipeline.client.answers import ContentAttributes, CustomValuesAnswer, SeriesAnswer
from metrics_pipeline.client.buffer import BufferFull, BufferState, EventBuffer
from metrics_pipeline.client.client import MetricsClient
from metrics_pipeline.client.delivery import Rejected
from metrics_pipeline.client.errors import ApiError, AuthError, NotFound, RateLimited, Unavailable
from metrics_pipeline.client.listening import LiveEvent
from metrics_pipeline.client.sending import MOST_EVENTS

__all__ = [
    "MOST_EVENTS",
    "ApiError",
    "AuthError",
    "BufferFull",
    "BufferState",
    "ContentAttributes",
    "CustomValuesAnswer",
    "EventBuffer",
    "LiveEvent",
    "MetricsClient",
    "NotFound",
    "RateLimited",
    "Rejected",
    "SeriesAnswer",
    "Unavailable",
]
