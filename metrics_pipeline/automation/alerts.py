"""Alerts leave the pipeline here: one webhook, Slack style."""

from __future__ import annotations

import logging

import httpx

from metrics_pipeline.settings import Settings

log = logging.getLogger("metrics_pipeline.alerts")

# An alert must not hold up the sensor daemon, whose ticks are cut off after 60 s.
TIMEOUT_SECONDS = 10.0


def post_alert(settings: Settings, text: str) -> bool:
    """Post a text to the configured webhook; True if it was taken. A failing webhook is logged, never raised."""
    if settings.alert_webhook_url is None:
        return False
    try:
        response = httpx.post(
            settings.alert_webhook_url.get_secret_value(), json={"text": text}, timeout=TIMEOUT_SECONDS
        )
        response.raise_for_status()
    except httpx.HTTPError as error:
        # the address of a webhook is a secret: only the kind of failure is told
        log.warning("the alert webhook did not take the message: %s", type(error).__name__)
        return False
    return True
