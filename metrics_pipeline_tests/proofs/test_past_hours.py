"""A past hour's counters cannot be had from a platform that only knows the present: the run says so and stops."""

from __future__ import annotations

import dagster as dg
import httpx

from metrics_pipeline_tests.proofs.conftest import MakeSite
from metrics_pipeline_tests.proofs.runs import Daemon
from metrics_pipeline_tests.proofs.site import instant

NOW = instant("2026-03-20T10:30")
ACCOUNTS = [("acme", "x", "2244994945")]


def test_counters_of_a_past_hour_are_refused_without_retry_or_trace(make_site: MakeSite) -> None:
    site = make_site(ACCOUNTS)
    # the base URL of a platform that has no past: no {at} in it
    site.environment["METRICS_X_BASE_URL"] = f"http://127.0.0.1:{site.sandbox.port}/x"
    daemon = Daemon(site)
    assert daemon.execute(NOW, "collect_x_counters", ["2026-03-20-10:00"]).success
    rows, versions = site.tables(leave_out=()), site.versions()
    site.sandbox.requests.clear()

    result = daemon.execute(NOW, "collect_x_counters", ["2026-03-20-08:00"])

    assert not result.success
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert failed.step_failure_data.error is not None
    message = failed.step_failure_data.error.message
    assert "counters of X for 2026-03-20 08:00 UTC cannot be read: the hour is over" in message
    assert not [e for e in result.all_events if e.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY]
    assert site.versions() == versions
    assert site.tables(leave_out=()) == rows
    assert site.sandbox.requests.count() == 0
    assert httpx.get(f"http://127.0.0.1:{site.sandbox.port}/sandbox/health").status_code == 200

    # by the command line: one sentence, exit code 1
    process = site.start("backfill", "platforms/x/counters", "--from", "2026-03-19", now=NOW)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.count("Traceback") == 0
    assert "failed: platforms/x/counters" in errors
    assert "a missed hour stays missing" in errors
    assert site.versions() == versions
