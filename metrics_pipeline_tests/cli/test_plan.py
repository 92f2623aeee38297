"""`plan`, `resume` and `collect` as they are typed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from metrics_pipeline.collection.request import CollectionRequest
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.errors import UserError
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.faults import Fault
from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import HOUR, Window
from metrics_pipeline_tests.cli.conftest import Run


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        for platform in ("instagram", "linkedin", "x"):
            monkeypatch.setenv(f"METRICS_{platform.upper()}_BASE_URL", server.base_url(platform))
        yield server


def connect(run: Run, platform: str, *external_ids: str) -> None:
    for external_id in external_ids:
        command = f"account add --workspace acme --platform {platform} --external-id {external_id} --token-stdin"
        run(command, stdin=f"sandbox-token~{external_id}\n")


def test_a_plan_without_accounts_says_what_to_do(run: Run) -> None:
    assert "metrics-pipeline account add" in run("plan")
    assert json.loads(run("plan --format json")) == []


def test_a_plan_tells_calls_units_and_money_before_anything_is_spent(run: Run) -> None:
    run("workspace add Acme --id acme")
    connect(run, "x", "1001", "1002")
    connect(run, "youtube", "UCone")
    x, youtube = json.loads(run("plan --format json --posts-per-day 2"))
    assert (x["platform"], x["accounts"], youtube["platform"]) == ("x", 2, "youtube")
    # a day: two users at 0.010, and the posts of 30 days, 60 an account, at 0.005; the weekly look at older ones on top
    assert 2 * (0.010 + 60 * 0.005) <= x["usd_a_day"] <= 2 * (0.010 + 60 * 0.005) * 1.6
    assert youtube["usd_a_day"] is None
    assert 24 * 2 < youtube["units_a_day"] < 24 * 4 + 20
    text = run("plan --posts-per-day 2")
    assert "2 a day assumed" in text
    assert f"About ${x['usd_a_day']:.2f} a day" in text
    assert "/2/users/{id}/tweets" in run("plan --endpoints")


def test_a_plan_beyond_a_limit_or_a_budget_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("workspace add Acme --id acme")
    pipeline = Pipeline(load_settings())
    names = {"x": ["1001"], "youtube": [f"UC{n}" for n in range(140)], "linkedin": [str(5000 + n) for n in range(130)]}
    for platform, external_ids in names.items():
        for name in external_ids:
            now = pipeline.settings.clock.now()
            add_account(pipeline.control, pipeline.ring, "acme", platform, name, token=f"sandbox-token~{name}", now=now)
    text = " ".join(run("plan").split())
    assert "units a day planned, collecting stops at 10,000" in text
    assert "Development tier allows 500" in text
    monkeypatch.setenv("METRICS_BUDGETS", '{"x": {"usd": 0.1}}')
    assert "usd a day planned, collecting stops at 0.1" in run("plan")


@pytest.mark.parametrize("value", ['{"x": {"euro": 5}}', '{"x": {"usd": 0}}', '{"x": 5}', "five"])
def test_a_budget_that_cannot_be_used_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("METRICS_BUDGETS", value)
    with pytest.raises(UserError, match="METRICS_BUDGETS"):
        run("plan")


def test_one_post_is_read_at_once_and_nothing_else(run: Run, sandbox: SandboxServer) -> None:
    run("workspace add Acme --id acme")
    connect(run, "instagram", "1001")
    assert "the account and" in run("collect instagram-1001")
    with Pipeline(load_settings()).engine.session() as session:
        query = "select post_id from posts where post_type <> 'story' order by published_at desc limit 1"
        (newest,) = session.run(query).read_all()["post_id"].to_pylist()
    before = sandbox.requests.count()
    assert "numbers of 1 posts" in run(f"collect instagram-1001 --workspace acme --post {newest}")
    assert sandbox.requests.count() - before <= 3
    assert "the account and" in run("collect instagram-1001 --everything")


def test_collecting_what_cannot_be_collected_says_why(run: Run) -> None:
    run("workspace add Acme --id acme")
    connect(run, "instagram", "1001")
    run("account disable instagram-1001")
    with pytest.raises(UserError, match="enable it with"):
        run("collect instagram-1001")
    with pytest.raises(UserError, match="no account"):
        run("collect nobody")


def test_a_platform_that_asked_to_wait_is_shown_and_can_be_resumed(run: Run, sandbox: SandboxServer) -> None:
    run("workspace add Acme --id acme")
    connect(run, "linkedin", "5001")
    sandbox.faults.add(Fault(platform="linkedin", external_id="5001", fault="throttled"))
    pipeline = Pipeline(load_settings())
    hour = pipeline.settings.clock.now().replace(minute=0, second=0, microsecond=0)
    pipeline.collector("linkedin").run(CollectionRequest("counters", Window(hour, hour + HOUR), "r"))
    for command in ("plan", "status"):
        assert "left alone until" in run(command)
    assert "1 holds forgotten" in run("resume linkedin")
    assert "nothing holds it back" in run("resume linkedin")
    with pytest.raises(UserError, match="There is no platform"):
        run("resume myspace")
