"""A collection reads the posts that are due, makes up for what it missed, and can be told to read single posts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from metrics_pipeline.collection.summary import CollectionSummary, Verdict
from metrics_pipeline.sandbox.faults import Fault
from metrics_pipeline.sandbox.server import PLATFORMS, SandboxServer
from metrics_pipeline.windows import HOUR
from metrics_pipeline_tests.collection.desk import WEDNESDAY, Desk

# a WhatsApp template has daily series and no counters of the moment
WITH_POST_COUNTERS = [name for name in PLATFORMS if name != "whatsapp"]


def ages(summary: CollectionSummary, now: datetime) -> list[float]:
    """The ages in days of the posts that were read."""
    read = {r.post_id for a in summary.accounts for r in a.result.readings if r.post_id}
    posts = {p.post_id: p for a in summary.accounts for p in a.result.posts}
    published = [posts[post_id].published_at for post_id in read if posts[post_id].post_type != "story"]
    return [(now - at) / timedelta(days=1) for at in published if at is not None]


@pytest.mark.parametrize("platform", WITH_POST_COUNTERS)
def test_only_what_is_due_is_read(sandbox: SandboxServer, tmp_path: Path, platform: str) -> None:
    desk = Desk(sandbox, tmp_path, platform)
    first = ages(desk.collect(WEDNESDAY), WEDNESDAY)
    assert max(first) > 20, "an account that was never read is read whole"
    for hours, oldest in ((1, 1), (2, 7), (3, 1), (14, 20)):
        now = WEDNESDAY + hours * HOUR
        assert max(ages(desk.collect(now), now), default=0) <= oldest
    closing = WEDNESDAY + 14 * HOUR
    assert max(ages(desk.collect(closing), closing), default=0) > 7, "the last hour closes the day of older posts too"


def test_a_missed_slot_is_made_up_for(sandbox: SandboxServer, tmp_path: Path) -> None:
    desk = Desk(sandbox, tmp_path, "instagram")
    desk.collect(WEDNESDAY)
    after = WEDNESDAY + 15 * HOUR  # nothing ran in the hour that closed the day
    assert 7 < max(ages(desk.collect(after), after)) <= 20
    after += HOUR
    assert max(ages(desk.collect(after), after), default=0) <= 1


def test_a_look_that_was_cut_short_does_not_count(sandbox: SandboxServer, tmp_path: Path) -> None:
    desk = Desk(sandbox, tmp_path, "instagram", http_max_attempts=1)
    desk.collect(WEDNESDAY - 10 * HOUR)
    desk.collect(WEDNESDAY)
    sandbox.faults.add(Fault(platform="instagram", external_id=desk.account, fault="server_errors"))
    slot = WEDNESDAY + 2 * HOUR
    assert desk.collect(slot).verdict is Verdict.FAILED
    sandbox.faults.clear()
    after = slot + HOUR
    assert 1 < max(ages(desk.collect(after), after)) <= 7


def test_an_account_on_a_slower_cadence_is_left_alone_in_between(sandbox: SandboxServer, tmp_path: Path) -> None:
    desk = Desk(sandbox, tmp_path, "linkedin", cadence={"linkedin": "account:6h 7d:6h 35d:1d"})
    desk.collect(WEDNESDAY)
    asked = sandbox.requests.count()
    summary = desk.collect(WEDNESDAY + HOUR)
    assert (summary.verdict, summary.not_due) == (Verdict.EMPTY, 1)
    assert "nothing is due for 1 accounts" in summary.line()
    assert sandbox.requests.count() == asked
    assert desk.collect(WEDNESDAY + 2 * HOUR).not_due == 0


def test_everything_can_be_asked_for(sandbox: SandboxServer, tmp_path: Path) -> None:
    desk = Desk(sandbox, tmp_path, "instagram")
    desk.collect(WEDNESDAY)
    now = WEDNESDAY + HOUR
    assert max(ages(desk.collect(now, everything=True), now)) > 20


@pytest.mark.parametrize("platform", WITH_POST_COUNTERS)
def test_a_single_post_is_read_and_nothing_else(sandbox: SandboxServer, tmp_path: Path, platform: str) -> None:
    desk = Desk(sandbox, tmp_path, platform)
    first = desk.collect(WEDNESDAY)
    young = max(
        (p for p in first.accounts[0].result.posts if p.post_type != "story" and p.published_at is not None),
        key=lambda p: (p.published_at or WEDNESDAY, p.post_id),
    )
    before = desk.rows("collection_status")
    now = WEDNESDAY + timedelta(minutes=20)
    summary = desk.collect(now, accounts=(desk.account,), posts=(young.post_id,))
    result = summary.accounts[0].result
    assert summary.verdict is Verdict.COMPLETED
    assert {r.post_id for r in result.readings} == {young.post_id}
    assert {p.post_id for p in result.posts} == {young.post_id}
    assert result.calls <= first.accounts[0].result.calls
    assert desk.rows("collection_status") == before, "a look at one post says nothing about the account's day"
    summary = desk.collect(now + HOUR)
    assert summary.accounts[0].result.readings, "and does not stand for a look at the account"
