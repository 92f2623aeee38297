"""One account can be lost in any way; the others are collected, and its rows say what happened."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from metrics_pipeline.collection.collector import Collector
from metrics_pipeline.collection.request import CollectionRequest, PastHourError, observation_instant
from metrics_pipeline.collection.summary import AccountReport, CollectionSummary, Verdict
from metrics_pipeline.collection.tokens import TokenKeeper
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.platforms.contract import (
    Account,
    AccountResult,
    CollectionContext,
    Outcome,
    Reading,
    State,
)
from metrics_pipeline.platforms.oauth import refresh
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import HOUR, Window

NOW = datetime(2026, 11, 20, 10, 50, tzinfo=UTC)
THIS_HOUR = Window(NOW.replace(minute=0), NOW.replace(minute=0) + HOUR)
TOKEN = "a-token-that-must-not-be-seen"


class PartlyBroken:
    """An adapter with a mistake in it that only one account's answers reach."""

    name = "x"

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        day = context.observed_at.date()
        result.readings.append(Reading("account", None, "followers", "followers_count", "gauge", day, 7.0))
        result.outcomes.append(Outcome("account", "followers", day, State.VALUE, objects_ok=1))
        if account.external_id == "odd":
            raise KeyError(f"in an answer to {account.token}")

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        raise AssertionError("not asked for here")

    async def aclose(self) -> None:
        pass


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    pipeline = Pipeline(load_settings(data_dir=tmp_path, now=NOW))
    add_workspace(pipeline.control, "W", "w", now=NOW)
    for external_id in ("even", "odd", "sealed"):
        add_account(pipeline.control, pipeline.ring, "w", "x", external_id, external_id, TOKEN, now=NOW)
    return pipeline


def collect(pipeline: Pipeline) -> CollectionSummary:
    spec = pipeline.catalog.platforms["x"]
    collector = Collector(
        spec=spec,
        settings=pipeline.settings,
        engine=pipeline.engine,
        control=pipeline.control,
        tokens=TokenKeeper(spec, pipeline.settings, pipeline.control, pipeline.ring, refresh),
        build_adapter=lambda _meter: PartlyBroken(),
        can_observe_past=False,
    )
    return collector.run(CollectionRequest("counters", THIS_HOUR, "run-1"))


def test_a_mistake_in_an_adapter_costs_one_account(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        summary = collect(pipeline)
    assert summary.verdict is Verdict.PARTIAL
    assert {a.account_id: a.is_ok for a in summary.accounts} == {"even": True, "odd": False, "sealed": True}
    with pipeline.engine.session() as session:
        rows = session.run(
            "select metric, state, reason from collection_status where account_id = 'odd' and level = 'account'"
        ).read_all()
    states = {row["metric"]: row["state"] for row in rows.to_pylist()}
    assert states.pop("followers") == "value"
    assert set(states.values()) == {"failed"}
    assert "KeyError" in caplog.text
    assert TOKEN not in caplog.text + str(rows.to_pylist())


def test_a_token_that_cannot_be_decrypted_costs_one_account(pipeline: Pipeline) -> None:
    with pipeline.control.begin() as connection:
        connection.execute(text("update credentials set ciphertext = x'00' where account_id = 'sealed'"))
    summary = collect(pipeline)
    lost = next(a for a in summary.accounts if a.account_id == "sealed")
    assert lost.skipped
    assert lost.error_class == "config"
    assert next(a for a in summary.accounts if a.account_id == "even").is_ok


@pytest.mark.parametrize(
    ("minutes", "past", "expected"),
    [
        (0, False, 0),
        (59, False, 59),
        (74, False, 74),
        (75, False, None),
        (75, True, 50),
        (600, True, 50),
        (-1, False, None),
        (-1, True, None),
    ],
)
def test_an_hour_is_observed_while_it_runs_and_shortly_after(minutes: int, past: bool, expected: int | None) -> None:
    start = THIS_HOUR.start
    now = start + timedelta(minutes=minutes)
    if expected is None:
        with pytest.raises(PastHourError, match="cannot be read"):
            observation_instant(THIS_HOUR, now, can_observe_past=past, platform="X")
    else:
        instant = observation_instant(THIS_HOUR, now, can_observe_past=past, platform="X")
        assert instant == start + timedelta(minutes=expected)


def test_a_range_leaves_out_the_hours_that_have_not_begun() -> None:
    request = CollectionRequest("counters", Window(THIS_HOUR.start, THIS_HOUR.start + 5 * HOUR), "r")
    assert [w for w, _ in request.slots(NOW, can_observe_past=False, platform="X")] == [THIS_HOUR]


@pytest.mark.parametrize(("error_class", "is_ok"), [("permission", True), ("config", True), ("retry", False)])
def test_an_optional_metric_may_be_refused_but_an_outage_is_told(error_class: str, is_ok: bool) -> None:
    lacking = Outcome("post", "clicks", date(2026, 3, 1), State.FAILED, "no answer", error_class)
    report = AccountReport("w", "a", AccountResult(outcomes=[lacking]), optional=frozenset({"clicks"}))
    assert report.is_ok is is_ok
