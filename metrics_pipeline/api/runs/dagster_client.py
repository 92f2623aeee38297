"""Talks to Dagster's web server over GraphQL: starts runs, and asks what became of them and of the schedules.

Nothing of Dagster is imported: its own client costs 80 MB and two seconds. What it answers is never handed on as it
comes: its errors hold traces and configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import httpx

from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.runs.dagster_documents import FIND, LAUNCH, RUN, RUNS, SCHEDULER
from metrics_pipeline.settings import Settings

# A web server that starts again takes some ten seconds to load the definitions.
RETRY_SECONDS = 5
# Every installation of the pipeline has it: the repository with this job is the pipeline's.
KNOWN_JOB = "daily_close"
MOST_RUNS = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunInfo:
    """A run as Dagster knows it. status: QUEUED, STARTING, STARTED, SUCCESS, FAILURE, CANCELED and a few more."""

    run_id: str
    job: str
    status: str
    tags: dict[str, str]
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def read(cls, run: Mapping[str, Any]) -> RunInfo:
        """From an answer."""
        tags = {tag["key"]: tag["value"] for tag in run["tags"]}
        times = (instant(run[name]) for name in ("creationTime", "startTime", "endTime"))
        return cls(run["runId"], run["jobName"], run["status"], tags, *times)


def instant(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as Dagster gives them."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def dagster_unavailable(detail: str = "Dagster does not answer at present.") -> Problem:
    """503: ask again later. Whether a run was started just before is not known."""
    return Problem(503, "dagster_unavailable", detail, headers={"Retry-After": str(RETRY_SECONDS)})


class DagsterClient:
    """One process's way to Dagster. Safe to use from several requests on one event loop.

    Every method raises Problem: 503 `dagster_unavailable` where nobody answers, 502 with the code `job_not_found`,
    `run_config_refused` or `dagster_error` where the answer is a refusal.
    """

    def __init__(self, settings: Settings) -> None:
        self._url = f"{settings.dagster_url}/graphql"
        self._timeout = settings.dagster_timeout_seconds
        self._repository: dict[str, str] | None = None

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=self._timeout, trust_env=False)

    async def launch(self, job: str, config: Mapping[str, object], tags: Mapping[str, str]) -> RunInfo:
        """Start a run of a job, with the configuration that the UI takes for it."""
        params = {"runConfigData": config, "executionMetadata": {"tags": _listed(tags)}}
        for is_last_try in (False, True):
            selector = {"jobName": job, **await self._pipeline()}
            result = (await self._ask(LAUNCH, {"params": {"selector": selector, **params}}))["launchRun"]
            if result["__typename"] == "PipelineNotFoundError" and not is_last_try:
                self._repository = None  # it may have been loaded again under another name
                continue
            if result["__typename"] == "LaunchRunSuccess":
                return RunInfo.read(result["run"])
            raise self._refusal(result, job)
        raise AssertionError("unreachable: the last try raises")

    async def run(self, run_id: str) -> RunInfo | None:
        """What is known of a run; None where there is none."""
        found = (await self._ask(RUN, {"id": run_id}))["runOrError"]
        if found["__typename"] == "Run":
            return RunInfo.read(found)
        if found["__typename"] == "RunNotFoundError":
            return None
        raise self._refusal(found)

    async def runs_tagged(self, tags: Mapping[str, str], since: datetime) -> list[RunInfo]:
        """Runs that carry all of these tags and were created after an instant, oldest first."""
        wanted = {"tags": _listed(tags), "createdAfter": since.timestamp()}
        found = (await self._ask(RUNS, {"filter": wanted, "limit": MOST_RUNS}))["runsOrError"]
        if found["__typename"] != "Runs":
            raise self._refusal(found)
        return [RunInfo.read(run) for run in found["results"]][::-1]

    async def scheduler(self) -> dict[str, Any]:
        """Schedules, sensors and daemons, in Dagster's own words."""
        pipeline = await self._pipeline()
        answer = await self._ask(SCHEDULER, {"selector": pipeline})
        repository = answer["repositoryOrError"]
        if repository["__typename"] != "Repository":
            self._repository = None
            raise self._refusal(repository)
        daemons = answer["instance"]["daemonHealth"]["allDaemonStatuses"]
        return {"schedules": repository["schedules"], "sensors": repository["sensors"], "daemons": daemons}

    async def close(self) -> None:
        """Let go of the connections."""
        if "_http" in self.__dict__:
            await self._http.aclose()

    async def _pipeline(self) -> dict[str, str]:
        """Names of the repository that has the pipeline, and of its code location; asked for once."""
        if self._repository is None:
            found = (await self._ask(FIND, {}))["repositoriesOrError"]
            for node in found.get("nodes", ()):
                if any(job["name"] == KNOWN_JOB for job in node["jobs"]):
                    self._repository = {
                        "repositoryName": node["name"],
                        "repositoryLocationName": node["location"]["name"],
                    }
                    break
            else:
                raise dagster_unavailable("Dagster answers, but has not loaded the pipeline's definitions.")
        return self._repository

    async def _ask(self, document: str, variables: Mapping[str, object]) -> dict[str, Any]:
        try:
            answer = await self._http.post(self._url, json={"query": document, "variables": variables})
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:  # ValueError: a page of some proxy, no JSON
            log.warning("Dagster does not answer: %s", type(error).__name__)
            raise dagster_unavailable() from None
        data = body.get("data") if isinstance(body, dict) else None
        if isinstance(data, dict):  # also with status 500: then the refusal stands in the data
            return data
        log.error("Dagster refuses a question with status %d", answer.status_code)
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise dagster_unavailable()
        raise Problem(502, "dagster_error", "Dagster does not understand what it is asked; is it another version?")

    def _refusal(self, result: Mapping[str, Any], job: str = "") -> Problem:
        kind = str(result["__typename"])
        log.error("Dagster refuses %s: %s %s", job or "a question", kind, result.get("className") or "")
        if kind == "PipelineNotFoundError":
            return Problem(502, "job_not_found", f"Dagster does not know the job {job}; is its code another version?")
        if kind == "RunConfigValidationInvalid":
            errors = [{"reason": error["reason"], "path": "/".join(error["path"])} for error in result["errors"]]
            detail = f"Dagster refuses the configuration of the job {job}; is its code another version?"
            return Problem(502, "run_config_refused", detail, extensions={"errors": errors})
        return Problem(502, "dagster_error", "Dagster refuses; its own log says why.", extensions={"reason": kind})


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
