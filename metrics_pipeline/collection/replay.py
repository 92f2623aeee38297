"""Replays: today's parsers over the responses of earlier runs, so that a parser's mistake can be mended later.

The adapter runs as it did, against a transport that gives it the recorded answers in their order. What it reads is
merged under the original run's id and instant: the same parser gives the same rows, a corrected one replaces them.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import cast

import httpx

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.collection.known_posts import KnownPosts
from metrics_pipeline.collection.request import CollectionKind
from metrics_pipeline.collection.rows import Provenance, batch
from metrics_pipeline.collection.scope import TurnScope
from metrics_pipeline.collection.store import store_batch
from metrics_pipeline.collection.summary import AccountReport, CollectionSummary
from metrics_pipeline.collection.turn import explain_gaps, optional_metrics, take_turn
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.platforms.contract import Account, AccountResult, Adapter
from metrics_pipeline.platforms.http import Sleep
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

Row = Mapping[str, object]
# Stands where a token would be: a replay sends nothing anywhere.
NO_TOKEN = "token-of-a-replay-that-is-never-sent"  # noqa: S105
# The first path segment is the instant, as in every base URL that can answer for the past.
BASE_URL = "http://replay.invalid/{at}"

MakeAdapter = Callable[[Settings, Sleep, httpx.AsyncBaseTransport], Adapter]


class RecordedAnswers(httpx.AsyncBaseTransport):
    """Gives recorded answers, each once and in order, by method and path; a request never made before fails."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._waiting: dict[tuple[str, str, str], deque[Row]] = defaultdict(deque)
        for row in rows:
            self._waiting[
                (str(row["method"]), str(row["endpoint"]), _canonical(json.loads(str(row["params"]))))
            ].append(row)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = "/" + request.url.path.lstrip("/").partition("/")[2]
        key = (request.method, path.rstrip("/"), _canonical(dict(request.url.params)))
        waiting = self._waiting.get(key)
        if not waiting:
            raise httpx.ConnectError("no such request was recorded", request=request)
        row = waiting.popleft()
        return httpx.Response(cast(int, row["status"]), text=str(row["body"]), request=request)


def _canonical(params: Mapping[str, object]) -> str:
    """Parameters in one form; what a request sends in its body stands beside them in the record and is left out."""
    return json.dumps({k: str(v) for k, v in params.items() if not k.startswith("body")}, sort_keys=True)


@dataclass(frozen=True)
class Replayer:
    """Replays one platform's recorded responses."""

    spec: PlatformSpec
    settings: Settings
    engine: Engine
    external_ids: Mapping[tuple[str, str], str]
    make_adapter: MakeAdapter

    def run(self, collection: CollectionKind, window: Window) -> CollectionSummary:
        """Replay every turn that asked about an instant in the window; what it gave, and how many rows are new."""
        rows = self.engine.query(
            "collection/recorded_responses.sql",
            {
                "platform": self.spec.platform,
                "collection": collection,
                "start": window.start,
                "end": window.end,
                "start_day": window.first_day,
            },
        ).to_pylist()
        summary = CollectionSummary(self.spec.platform, collection)
        for _, run_rows in groupby(rows, key=lambda r: r["run_id"]):
            turns = asyncio.run(self._run(collection, list(run_rows)))
            # the responses are there already: what is merged is what today's parser makes of them
            answers = [report.result.responses for _, report in turns]
            for _, report in turns:
                report.result.responses = []
            summary.rows_gained += store_batch(self.engine, self.spec.platform, collection, batch(collection, turns))
            for (_, report), recorded in zip(turns, answers, strict=True):
                report.result.responses = recorded
            summary.accounts += [report for _, report in turns]
        return summary

    async def _run(self, collection: CollectionKind, rows: list[Row]) -> list[tuple[Provenance, AccountReport]]:
        """The turns of one original run, account by account, each of its instants in order."""
        turns = []
        first = min(cast(datetime, row["asked_at"]) for row in rows)
        # counters tell of posts themselves; a run of series knew those that counters had seen up to its own instant
        known_posts = self._known_at(first if collection == "counters" else first + timedelta(microseconds=1))
        for (workspace_id, account_id), of_account in groupby(rows, key=lambda r: (r["workspace_id"], r["account_id"])):
            known = known_posts.get((str(workspace_id), str(account_id)), KnownPosts())
            slots = groupby(of_account, key=lambda r: (r["asked_at"], r["window_start"], r["window_end"]))
            for (asked_at, start, end), answers in slots:
                recorded = list(answers)
                provenance = Provenance(
                    str(workspace_id),
                    self.spec.platform,
                    str(account_id),
                    collection,
                    str(recorded[0]["run_id"]),
                    cast(datetime, asked_at),
                    Window(cast(datetime, start), cast(datetime, end)),
                    self._scope_of(recorded[0]),
                )
                turns.append((provenance, await self._turn(provenance, recorded, known)))
        return turns

    async def _turn(self, p: Provenance, recorded: list[Row], known: KnownPosts) -> AccountReport:
        settings = self.settings.with_base_url(self.spec.platform, BASE_URL).model_copy(
            update={"now": p.read_at, "http_max_wait_seconds": 1e9}
        )
        adapter = self.make_adapter(settings, _do_not_wait, RecordedAnswers(recorded))
        collection = cast(CollectionKind, p.collection)
        report = AccountReport(
            p.workspace_id, p.account_id, AccountResult(), optional=optional_metrics(self.spec, collection)
        )
        asked_from = p.window.start if collection == "insights" else p.read_at
        context = p.scope.context(p.read_at, p.read_at, known, asked_from - p.scope.age)
        external_id = self.external_ids[(p.workspace_id, p.account_id)]
        account = Account(p.workspace_id, p.account_id, p.platform, external_id, NO_TOKEN)
        try:
            lost = await take_turn(adapter, collection, account, p.window, context, report.result)
        finally:
            await adapter.aclose()
        if lost is not None:
            report.problem, report.error_class = str(lost), lost.act.value
            explain_gaps(self.spec, collection, p.window, report.result, lost, levels=p.scope.levels)
        known.learn(report.result.posts)
        return report

    def _scope_of(self, row: Row) -> TurnScope:
        """What the original turn covered; one recorded before this was kept covered everything."""
        if row["only_posts"]:
            return TurnScope(0, tuple(json.loads(str(row["only_posts"]))))
        if row["post_hours"] is None:
            return TurnScope.whole(self.spec.cadence_under(self.settings.cadence))
        return TurnScope(cast(int, row["post_hours"]))

    def _known_at(self, instant: datetime) -> dict[tuple[str, str], KnownPosts]:
        """The posts that the original run knew when it began."""
        known: dict[tuple[str, str], KnownPosts] = defaultdict(KnownPosts)
        parameters: dict[str, Parameter] = {"platform": self.spec.platform, "instant": instant}
        for row in self.engine.query("collection/posts_known_at.sql", parameters).to_pylist():
            known[(row["workspace_id"], row["account_id"])].published[row["post_id"]] = row["published_at"]
        return known


async def _do_not_wait(_seconds: float) -> None:
    """What made the original run wait is over."""
