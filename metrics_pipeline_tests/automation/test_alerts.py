"""An alert reaches a webhook and a mail server once; what fails is tried again, stops nothing and is not named."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.automation.conftest import Load, instant
from metrics_pipeline_tests.automation.receivers import MailServer, Webhook

NOW = instant("2026-03-18T10:30")


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    yield hook
    hook.close()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch, webhook: Webhook, mail: MailServer) -> None:
    monkeypatch.setenv("METRICS_ALERT_WEBHOOK_URL", webhook.url)
    monkeypatch.setenv("METRICS_ALERT_SMTP_URL", mail.url)
    monkeypatch.setenv("METRICS_ALERT_EMAIL_TO", "night@example.com, day@example.com")
    monkeypatch.setenv("METRICS_ALERT_EMAIL_FROM", "metrics@example.com")


def alerts_at(load: Load, now: datetime) -> Alerts:
    return Alerts.of(load(now))


@pytest.mark.usefixtures("both")
def test_an_alert_reaches_every_channel_once(load: Load, webhook: Webhook, mail: MailServer) -> None:
    alerts = alerts_at(load, NOW)
    assert alerts.alert("token:x:acme/x-1", "The token ends.")
    assert not alerts.alert("token:x:acme/x-1", "The token ends.")
    assert alerts.deliver() == 2
    assert alerts.deliver() == 0
    assert webhook.received == ["The token ends."]
    assert mail.texts == ["The token ends."]
    assert mail.recipients == ["night@example.com", "day@example.com"]
    assert mail.logins == [("robot", "hunter2")]
    assert mail.received[0]["Subject"] == "[warning] The token ends."
    assert mail.received[0]["From"] == "metrics@example.com"


@pytest.mark.usefixtures("both")
def test_what_lasts_is_told_again_after_a_day_and_its_end_once(load: Load, webhook: Webhook) -> None:
    for hours in (0, 1, 23.9, 24, 25, 47.9, 48):
        alerts = alerts_at(load, NOW + timedelta(hours=hours))
        alerts.alert("partitions:x", "A day is missing.")
        alerts.deliver()
    assert webhook.received == ["A day is missing.", *["A day is missing. (since 2026-03-18 10:30 UTC)"] * 2]
    del webhook.received[:]
    assert alerts.recovered("partitions:x", "It is there.")
    assert not alerts.recovered("partitions:x", "It is there.")
    assert not alerts.recovered("partitions:y", "It is there.")
    alerts.deliver()
    assert webhook.received == ["It is there."]
    assert alerts.alert("partitions:x", "Missing anew."), "a new occurrence is told at once"
    alerts.deliver()
    assert webhook.received == ["It is there.", "Missing anew."]


@pytest.mark.usefixtures("both")
def test_what_is_over_for_good_is_told_a_single_time(load: Load, webhook: Webhook) -> None:
    for days in range(5):
        alerts = alerts_at(load, NOW + timedelta(days=days))
        alerts.alert("anomalies:2026-03-17", "Views fell.", once=True)
        alerts.deliver()
    assert webhook.received == ["Views fell."]


@pytest.mark.usefixtures("both")
def test_a_channel_that_fails_is_tried_again_alone_and_never_named(
    load: Load, webhook: Webhook, mail: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.status, mail.is_refusing = 500, True
    alerts = alerts_at(load, NOW)
    alerts.alert("one", "First.")
    alerts.alert("two", "Second.")
    with caplog.at_level(logging.DEBUG):
        assert alerts.deliver() == 0
        mail.is_refusing = False
        assert alerts.deliver() == 2
        webhook.status = 200
        assert alerts.deliver() == 2
        webhook.close()
        alerts.alert("three", "Third.")
        assert alerts.deliver() == 1
    # the one that was not tried yet goes first: a message that a channel never takes holds no other one up
    assert webhook.received == ["First.", "Second."]
    assert mail.texts == ["Second.", "First.", "Third."]
    assert "did not take a message" in caplog.text
    own = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("httpcore"))
    assert "secret-path" not in own
    assert "hunter2" not in own


@pytest.mark.usefixtures("both")
def test_a_message_nobody_took_for_a_day_is_not_news_any_more(load: Load, webhook: Webhook) -> None:
    webhook.status = 500
    first = alerts_at(load, NOW)
    first.alert("one", "It began.")
    first.deliver()
    webhook.status = 200
    later = alerts_at(load, NOW + timedelta(hours=24.5))
    later.alert("one", "It lasts.")
    later.deliver()
    assert webhook.received == ["It lasts. (since 2026-03-18 10:30 UTC)"]


def _tell(barrier: object, results: object) -> None:
    from metrics_pipeline.pipeline import Pipeline

    alerts = Alerts.of(Pipeline.from_environment())
    barrier.wait()  # type: ignore[attr-defined]
    told = [alerts.alert(f"key {n}", f"Text {n}.") for n in range(20)]
    results.put((sum(told), alerts.deliver()))  # type: ignore[attr-defined]


@pytest.mark.usefixtures("both")
def test_two_processes_that_notice_the_same_at_once_tell_it_once(
    load: Load, webhook: Webhook, mail: MailServer
) -> None:
    alerts_at(load, NOW)
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    processes = [context.Process(target=_tell, args=(barrier, results)) for _ in range(2)]
    for process in processes:
        process.start()
    told, _ = zip(*(results.get(timeout=60) for _ in processes), strict=True)
    for process in processes:
        process.join()
    assert sum(told) == 20
    alerts_at(load, NOW).deliver()
    assert sorted(webhook.received) == sorted(f"Text {n}." for n in range(20))
    assert sorted(mail.texts) == sorted(webhook.received)


def test_a_process_that_died_while_sending_holds_its_message_up_for_two_minutes(
    load: Load, monkeypatch: pytest.MonkeyPatch, webhook: Webhook
) -> None:
    from metrics_pipeline.control.alerts import claim_message

    monkeypatch.setenv("METRICS_ALERT_WEBHOOK_URL", webhook.url)
    alerts = alerts_at(load, NOW)
    alerts.alert("one", "First.")
    assert claim_message(alerts.control, ["webhook"], now=NOW, not_before=NOW) is not None
    assert alerts_at(load, NOW + timedelta(minutes=1)).deliver() == 0
    assert alerts_at(load, NOW + timedelta(minutes=3)).deliver() == 1


def test_without_channels_alerts_are_noted_and_nothing_waits(load: Load) -> None:
    alerts = alerts_at(load, NOW)
    assert alerts.alert("one", "First.")
    assert alerts.deliver() == 0


def test_a_password_is_not_sent_to_a_server_without_tls(
    load: Load, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRICS_ALERT_SMTP_URL", mail.url.replace("?starttls=off", ""))
    monkeypatch.setenv("METRICS_ALERT_EMAIL_TO", "night@example.com")
    alerts = alerts_at(load, NOW)
    alerts.alert("one", "First.")
    assert alerts.deliver() == 0
    assert mail.logins == []
    assert "AUTH" not in mail.commands


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SMTP_URL", "http://robot:hunter2@host", "METRICS_ALERT_SMTP_URL cannot be used"),
        ("SMTP_URL", "smtp://robot:hunter2@host:port", "METRICS_ALERT_SMTP_URL cannot be used"),
        ("SMTP_URL", "smtp://robot:hunter2@host?tls=maybe", "METRICS_ALERT_SMTP_URL cannot be used"),
        ("SMTP_URL", "smtp://robot:hunter2@host", "needs METRICS_ALERT_EMAIL_TO"),
        ("EMAIL_TO", "nobody", "METRICS_ALERT_EMAIL_TO cannot be used"),
        ("EMAIL_FROM", "a@b\nBcc: c@d", "METRICS_ALERT_EMAIL_FROM cannot be used"),
    ],
)
def test_settings_of_mail_are_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"METRICS_ALERT_{name}", value)
    with pytest.raises(UserError, match=message) as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)
