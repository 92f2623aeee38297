"""Starts planned runs in Dagster, those of one request once: what was started stands in the runs' own tags."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.runs.dagster_client import DagsterClient, RunInfo
from metrics_pipeline.api.runs.partition_keys import Keys
from metrics_pipeline.api.runs.run_plans import Plan, PlannedRun
from metrics_pipeline.control.job_pages import WORKSPACE_TAG

REQUESTED_BY_TAG = "metrics/requested_by"
REQUEST_TAG = "metrics/request"
_PAYLOAD_TAG = "metrics/request_payload"
_COUNT_TAG = "metrics/request_runs"
_NAME_TAG = "metrics/request_run"
KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 200


@dataclass(frozen=True)
class Asked:
    """One request: what it asks for, and under which Idempotency-Key. workspace_id: the one it is about, if one."""

    caller: Caller
    workspace_id: str | None
    path: str
    payload: Mapping[str, object]
    idempotency_key: str | None = None

    @property
    def name(self) -> str:
        """What is the same when the same key of the API comes with the same Idempotency-Key."""
        return _digest([self.caller.key_id, self.idempotency_key])

    def tags(self) -> dict[str, str]:
        """What runs of it carry. Who asks is named by the key's id, which opens nothing."""
        tags = {REQUESTED_BY_TAG: f"API {self.caller.name}"}
        if self.workspace_id is not None:
            tags[WORKSPACE_TAG] = self.workspace_id
        if self.idempotency_key is not None:
            tags |= {REQUEST_TAG: self.name, _PAYLOAD_TAG: _digest([self.path, self.payload])}
        return tags


@dataclass(frozen=True)
class Launched:
    """Runs of a request. replayed: all of them were started by an earlier one with the same Idempotency-Key."""

    runs: Sequence[RunInfo]
    skipped: Sequence[Mapping[str, str]] = ()
    replayed: bool = False


class Launcher:
    """Starts runs. Of two requests with one Idempotency-Key at the same moment this process refuses the second."""

    def __init__(self, dagster: DagsterClient) -> None:
        self.dagster = dagster
        self._under_way: set[str] = set()

    async def launch(self, asked: Asked, make_plan: Callable[[], Awaitable[Plan]]) -> Launched:
        """Start what the plan says, or find what an earlier request with the same Idempotency-Key started.

        Where that one broke off in the middle, what it did not come to is started now.

        Raises:
            Problem: the plan's; 409 or 422 for a key that is in use; 502 or 503 where Dagster does not start a run,
                with those that were started in `started`.
        """
        with self._alone(asked):
            earlier = await self._earlier(asked)
            if earlier and len(earlier) >= int(next(iter(earlier.values())).tags.get(_COUNT_TAG, "1")):
                return Launched(list(earlier.values()), replayed=True)
            plan = await make_plan()
            started: list[RunInfo] = []
            for run in plan.runs:
                if run.name in earlier:
                    started.append(earlier[run.name])
                    continue
                try:
                    started.append(await self._start(asked, run, len(plan.runs)))
                except Problem as problem:
                    problem.extensions["started"] = [run.run_id for run in started]
                    raise
            return Launched(started, plan.skipped)

    async def _start(self, asked: Asked, run: PlannedRun, of: int) -> RunInfo:
        tags = {**run.tags, **(run.keys.tags() if run.keys is not None else {}), **asked.tags()}
        if asked.idempotency_key is not None:
            tags |= {_COUNT_TAG: str(of), _NAME_TAG: run.name}
        return await self.dagster.launch(run.job, run.config, tags)

    async def _earlier(self, asked: Asked) -> dict[str, RunInfo]:
        """Runs that a request with this Idempotency-Key started, by name."""
        if asked.idempotency_key is None:
            return {}
        found = await self.dagster.runs_tagged({REQUEST_TAG: asked.name}, datetime.now(UTC) - KEPT_FOR)
        if any(run.tags.get(_PAYLOAD_TAG) != asked.tags()[_PAYLOAD_TAG] for run in found):
            detail = "This Idempotency-Key was used for another request within 24 hours; take a new one."
            raise Problem(422, "idempotency_key_reused", detail)
        runs: dict[str, RunInfo] = {}
        for run in found:  # oldest first: a run that Dagster tried again itself has the tags of the first
            if run.status != "FAILURE" or run.started_at is not None:  # else it never began
                runs.setdefault(run.tags.get(_NAME_TAG, run.run_id), run)
        return runs

    @contextmanager
    def _alone(self, asked: Asked) -> Iterator[None]:
        if asked.idempotency_key is None:
            yield
            return
        if not 0 < len(asked.idempotency_key) <= LONGEST_KEY or not asked.idempotency_key.isprintable():
            detail = f"An Idempotency-Key has 1 to {LONGEST_KEY} printable characters."
            raise Problem(422, "invalid_idempotency_key", detail)
        if asked.name in self._under_way:
            detail = "A request with this Idempotency-Key is under way; ask again when it is answered."
            raise Problem(409, "request_in_progress", detail, headers={"Retry-After": "1"})
        self._under_way.add(asked.name)
        try:
            yield
        finally:
            self._under_way.discard(asked.name)


def partitions_of(run: RunInfo) -> dict[str, str] | None:
    """First and last partition of a run, as answers have them."""
    keys = Keys.of_tags(run.tags)
    return None if keys is None else {"first": keys.first, "last": keys.last}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
