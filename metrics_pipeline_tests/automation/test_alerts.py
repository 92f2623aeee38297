"""A failed run is told once to a webhook; a webhook that fails stops nothing and is not named."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import dagster as dg
import pytest

from metrics_pipeline.automation.alerts import post_alert
from metrics_pipeline.automation.sensors import _failure_alert
from metrics_pipeline.settings import Settings, load_settings


class Webhook:
    """A real HTTP server that keeps what it is sent."""

    def __init__(self) -> None:
        received: list[dict[str, str]] = []
        self.received, self.status = received, 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/secret-path"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    yield hook
    hook.close()


def settings_for(hook: Webhook) -> Settings:
    return load_settings(alert_webhook_url=hook.url)


def failed_run(instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.RunFailureSensorContext:
    @dg.asset(name="daily_close_stand_in")
    def broken() -> None:
        raise RuntimeError("the disk is full")

    result = dg.materialize([broken], instance=instance, raise_on_error=False, tags=tags)
    context = dg.build_run_status_sensor_context(
        sensor_name="failure_alert",
        dagster_instance=instance,
        dagster_run=result.dagster_run,
        dagster_event=result.get_run_failure_event(),
    )
    return context.for_run_failure()


def test_a_failed_run_reaches_the_webhook_once(webhook: Webhook) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        sensor = _failure_alert(settings_for(webhook))
        sensor(failed_run(instance, {"dagster/partition": "2026-11-19"}))
    assert len(webhook.received) == 1
    assert "2026-11-19" in webhook.received[0]["text"]
    assert "failed" in webhook.received[0]["text"]


def test_a_run_that_will_be_tried_again_is_not_told(webhook: Webhook) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        _failure_alert(settings_for(webhook))(failed_run(instance, {"dagster/will_retry": "true"}))
    assert webhook.received == []


def test_without_a_webhook_nothing_is_sent() -> None:
    assert not post_alert(load_settings(), "text")


def test_a_failing_webhook_stops_nothing_and_is_not_named(webhook: Webhook, caplog: pytest.LogCaptureFixture) -> None:
    webhook.status = 500
    with caplog.at_level(logging.WARNING):
        assert not post_alert(settings_for(webhook), "text")
    webhook.close()
    assert "did not take the message" in caplog.text
    assert "secret-path" not in caplog.text
