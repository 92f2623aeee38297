"""The command that sends what became of the sample application's messages."""

from __future__ import annotations

import pytest

from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.sandbox.whatsapp_webhooks import send
from metrics_pipeline_tests.cli.conftest import Run


def test_what_cannot_be_sent_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="METRICS_WHATSAPP_CLIENT_SECRET"):
        run("sandbox-statuses")
    monkeypatch.setenv("METRICS_WHATSAPP_CLIENT_SECRET", "app-secret")
    with pytest.raises(UserError, match="is no instant"):
        run("sandbox-statuses --until soon")
    with pytest.raises(RunFailedError, match="cannot be reached"):
        send("http://127.0.0.1:1/", "app-secret", [b"{}"])
