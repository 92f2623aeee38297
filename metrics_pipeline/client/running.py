"""Starting runs, and what became of them. Scope `admin`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import partial
from typing import Literal, TypedDict, Unpack

from metrics_pipeline.client.asking import Asking, json_body
from metrics_pipeline.client.link import Ask, segment
from metrics_pipeline.client.pages import rows_of
from metrics_pipeline.shapes.admin import (
    CoverageAnswer,
    JobRow,
    JobsAnswer,
    RunAnswer,
    RunState,
    SchedulerAnswer,
    StatsAnswer,
)
from metrics_pipeline.shapes.erasures import ErasureAnswer
from metrics_pipeline.shapes.runs import Aggregate, Collect, CollectAccount, CollectPost, NoBody, StartedAnswer

Level = Literal[
    "content", "daily", "weekly", "monthly", "snapshots", "daily_snapshots", "weekly_snapshots", "monthly_snapshots"
]
Body = CollectAccount | Collect | CollectPost | Aggregate | NoBody
_ENDED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})


class JobsOptions(TypedDict, total=False):
    """Which runs. since: asked for since then, with an offset."""

    state: Literal["RUNNING", "COMPLETED", "PARTIAL", "FAILED", "CANCELED"]
    name: str
    since: datetime
    limit: int
    cursor: str


class Running(Asking):
    """The administering half of the client.

    What starts runs sends an Idempotency-Key, one of its own making unless given, so that it may try again without
    starting anything twice. Give your own to be sure across restarts of your program.
    """

    def run_collections(
        self,
        *,
        platforms: Sequence[str] | None = None,
        start: date | None = None,
        end: date | None = None,
        idempotency_key: str | None = None,
    ) -> StartedAnswer:
        """Collect every connected account the key may see; without days, the counters as they stand."""
        body = Collect(platforms=None if platforms is None else list(platforms), start=start, end=end)
        return self._start("/v1/collections:run", body, idempotency_key)

    def collect_workspace(
        self,
        workspace_id: str,
        *,
        platforms: Sequence[str] | None = None,
        start: date | None = None,
        end: date | None = None,
        idempotency_key: str | None = None,
    ) -> StartedAnswer:
        """Collect the accounts of one workspace."""
        body = Collect(platforms=None if platforms is None else list(platforms), start=start, end=end)
        return self._start(f"/v1/workspaces/{segment(workspace_id)}:collect", body, idempotency_key)

    def collect_account(
        self,
        account_id: str,
        *,
        start: date | None = None,
        end: date | None = None,
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> StartedAnswer:
        """Collect one account now. workspace_id: for an operator's key."""
        path = f"/v1/accounts/{segment(account_id)}:collect"
        return self._start(path, CollectAccount(start=start, end=end), idempotency_key, workspace_id)

    def collect_post(
        self,
        post_id: str,
        *,
        account_id: str | None = None,
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> StartedAnswer:
        """Read the counters of one post now. account_id: needed for one that was never read."""
        path = f"/v1/posts/{segment(post_id)}:collect"
        return self._start(path, CollectPost(account_id=account_id), idempotency_key, workspace_id)

    def run_aggregations(
        self, levels: Sequence[Level], start: date, end: date, *, idempotency_key: str | None = None
    ) -> StartedAnswer:
        """Rebuild tables of numbers over the days; an operator's key."""
        body = Aggregate(levels=list(levels), start=start, end=end)
        return self._start("/v1/aggregations:run", body, idempotency_key)

    def process_events(self, *, idempotency_key: str | None = None) -> StartedAnswer:
        """Move what waits in the inbox into the lake now; an operator's key."""
        return self._start("/v1/events:process", NoBody(), idempotency_key)

    def run(self, run_id: str) -> RunState:
        """What became of a run."""
        return self._get(RunAnswer, f"/v1/admin/runs/{segment(run_id)}").data

    def wait(self, run_id: str, *, timeout: float = 600.0, every: float = 1.0) -> RunState:
        """Wait until a run has ended, well or not: see `status` (null where only the jobs log knows it still).

        Raises:
            TimeoutError: it has not ended within so many seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            state = self.run(run_id)
            if state.status in _ENDED or (state.status is None and state.ended_at is not None):
                return state
            if time.monotonic() + every > deadline:
                raise TimeoutError(f"Run {run_id} is {state.status} after {timeout:g} s.")
            time.sleep(every)

    def jobs(self, **options: Unpack[JobsOptions]) -> JobsAnswer:
        """A page of the jobs log, newest first."""
        return self._get(JobsAnswer, "/v1/admin/jobs", **options)

    def iter_jobs(self, **options: Unpack[JobsOptions]) -> Iterator[JobRow]:
        """The jobs log, page after page."""
        return rows_of(partial(self.jobs, **options))

    def stats(self, *, workspace_id: str | None = None) -> StatsAnswer:
        """What the pipeline holds and how fresh it is."""
        return self._get(StatsAnswer, "/v1/admin/stats", workspace_id=workspace_id)

    def scheduler(self) -> SchedulerAnswer:
        """Schedules and sensors, and whether the daemon that starts them works."""
        return self._get(SchedulerAnswer, "/v1/admin/scheduler")

    def coverage(
        self,
        *,
        start: date | None = None,
        end: date | None = None,
        platform: str | None = None,
        workspace_id: str | None = None,
    ) -> CoverageAnswer:
        """How many of the accounts that were asked gave something, by platform and day."""
        path = "/v1/admin/coverage"
        return self._get(CoverageAnswer, path, start=start, end=end, platform=platform, workspace_id=workspace_id)

    def erase_user(self, user_id: str, *, workspace_id: str | None = None) -> ErasureAnswer:
        """Ask for a person to be erased. workspace_id: for an operator's key."""
        ask = Ask("DELETE", f"/v1/users/{segment(user_id)}", {"workspace_id": workspace_id})
        return self._ask(ErasureAnswer, ask)

    def erasure(self, erasure_id: str) -> ErasureAnswer:
        """How far an erasure is, and the proof of it."""
        return self._get(ErasureAnswer, f"/v1/erasures/{segment(erasure_id)}")

    def _start(
        self, path: str, body: Body, idempotency_key: str | None, workspace_id: str | None = None
    ) -> StartedAnswer:
        content = json_body(body.model_dump(mode="json", exclude_none=True))
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        ask = Ask("POST", path, {"workspace_id": workspace_id}, body=lambda: content, headers=headers)
        return self._ask(StartedAnswer, ask)
