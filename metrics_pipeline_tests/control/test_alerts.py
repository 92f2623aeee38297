"""Alerts and the jobs log on SQLite and on Postgres: what many notice at once is decided once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from metrics_pipeline.control.alerts import (
    Telling,
    claim_message,
    fire,
    firing_keys,
    forget_alerts,
    note_sent,
    release_message,
    resolve,
)
from metrics_pipeline.control.job_runs import FailureAlerts, JobRunRecord, failing_runs, list_runs, record_run
from metrics_pipeline_tests.control.conftest import NOW

TELLING = Telling(("email", "webhook"), timedelta(hours=24))
RUN = JobRunRecord("run-1", "daily_close", "daily_close", "RUNNING", "UI", NOW, started_at=NOW)
FAILED = replace(RUN, state="FAILED", ended_at=NOW + timedelta(minutes=1), error="broken")


def messages(engine: Engine) -> list[tuple[str, str]]:
    """Every message that waits, claimed and sent."""
    found = []
    while message := claim_message(engine, TELLING.channels, now=NOW, not_before=NOW):
        note_sent(engine, message.number, now=NOW)
        found.append((message.channel, message.text))
    return found


def test_of_many_who_notice_at_once_one_tells(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: fire(engine, TELLING, "key", "Text.", "error", now=NOW), range(16)))
    assert sum(told) == 1
    with ThreadPoolExecutor(8) as pool:
        over = list(pool.map(lambda _: resolve(engine, TELLING, "key", "Over.", now=NOW), range(16)))
    assert sum(over) == 1
    assert messages(engine) == [("email", "Text."), ("webhook", "Text."), ("email", "Over."), ("webhook", "Over.")]


def test_a_message_is_claimed_by_one_and_given_back(engine: Engine) -> None:
    fire(engine, TELLING, "key", "Text.", "error", now=NOW)
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda _: claim_message(engine, TELLING.channels, now=NOW, not_before=NOW), range(8)))
    claimed = [claim for claim in claims if claim is not None]
    assert sorted(claim.channel for claim in claimed) == ["email", "webhook"]
    release_message(engine, claimed[0].number)
    assert messages(engine) == [(claimed[0].channel, "Text.")]


def test_an_end_that_many_see_at_once_is_told_once(engine: Engine) -> None:
    alerts = FailureAlerts(TELLING, 1)
    assert record_run(engine, RUN, alerts, now=NOW)
    with ThreadPoolExecutor(8) as pool:
        changed = list(pool.map(lambda _: record_run(engine, FAILED, alerts, now=NOW), range(16)))
    assert sum(changed) == 1
    assert not record_run(engine, RUN, alerts, now=NOW), "an ended run stays ended"
    assert [channel for channel, _ in messages(engine)] == ["email", "webhook"]
    assert [run.state for run in list_runs(engine)] == ["FAILED"]
    assert [run.run_id for run in failing_runs(engine, NOW)] == ["run-1"]


def test_an_older_end_that_is_seen_late_changes_nothing(engine: Engine) -> None:
    alerts = FailureAlerts(TELLING, 1)
    record_run(engine, replace(FAILED, run_id="run-2", ended_at=NOW + timedelta(hours=1)), alerts, now=NOW)
    assert firing_keys(engine, "run:") == {"run:daily_close"}
    record_run(engine, replace(FAILED, state="COMPLETED"), alerts, now=NOW)
    assert firing_keys(engine, "run:") == {"run:daily_close"}
    record_run(
        engine, replace(FAILED, run_id="run-3", state="PARTIAL", ended_at=NOW + timedelta(hours=2)), alerts, now=NOW
    )
    assert firing_keys(engine, "run:") == set()


def test_keys_are_compared_as_they_are(engine: Engine) -> None:
    for key in ("a_b:1", "axb:1", "a%b:1"):
        fire(engine, TELLING, key, "Text.", "error", now=NOW)
    assert firing_keys(engine, "a_b:") == {"a_b:1"}
    assert firing_keys(engine, "a%") == {"a%b:1"}


def test_old_messages_and_alerts_go(engine: Engine) -> None:
    fire(engine, TELLING, "old", "Text.", "error", now=NOW - timedelta(days=2))
    fire(engine, TELLING, "new", "Text.", "error", now=NOW)
    assert forget_alerts(engine, NOW - timedelta(days=1)) == 2
    assert firing_keys(engine, "") == {"new"}
