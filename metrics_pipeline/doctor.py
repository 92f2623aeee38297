"""What `metrics-pipeline doctor` examines: each finding says what is so, and what to do if it is not well."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from metrics_pipeline.catalog.loader import CatalogError
from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.pipeline import Pipeline

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    subject: str
    verdict: Verdict
    text: str


def examine(pipeline: Pipeline) -> Iterator[Finding]:
    """Every check, one after the other; a failing one does not hide the next."""
    checks: tuple[tuple[str, Callable[[Pipeline], Finding]], ...] = (
        ("Python", _python),
        ("catalogue", _catalogue),
        ("lake", _lake),
        ("control database", _control),
        ("credentials", _credentials),
        ("platforms", _platforms),
        ("application database", _application),
        ("WhatsApp webhook", _webhook),
        ("partitions", _partitions),
        ("Dagster definitions", _definitions),
    )
    for subject, check in checks:
        try:
            yield check(pipeline)
        except (UserError, RunFailedError, CatalogError) as error:
            yield Finding(subject, "failed", str(error))


def _python(_pipeline: Pipeline) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    supported = (3, 11) <= sys.version_info[:2] <= (3, 12)
    return Finding("Python", "ok" if supported else "failed", f"{version}{'' if supported else ', needs 3.11 or 3.12'}")


def _catalogue(pipeline: Pipeline) -> Finding:
    sources = sum(len(p.sources) for p in pipeline.catalog.platforms.values())
    text = f"{len(pipeline.catalog.metrics)} metrics, {sources} sources on {len(pipeline.catalog.platforms)} platforms"
    return Finding("catalogue", "ok", text)


def _lake(pipeline: Pipeline) -> Finding:
    started = time.monotonic()
    files = {name: len(pipeline.lake.file_uris(name)) for name in pipeline.lake.tables}
    most = max(files, key=lambda name: files[name])
    text = f"{pipeline.lake.location}: {len(files)} tables opened in {(time.monotonic() - started) * 1000:.0f} ms"
    if files[most] > 20_000:
        return Finding("lake", "warning", f"{text}; {most} has {files[most]} files: run metrics-pipeline maintain")
    return Finding("lake", "ok", text)


def _control(pipeline: Pipeline) -> Finding:
    from metrics_pipeline.control.accounts import list_accounts
    from metrics_pipeline.control.workspaces import list_workspaces

    accounts = list_accounts(pipeline.control)
    text = f"{len(list_workspaces(pipeline.control))} workspaces, {len(accounts)} accounts"
    if not accounts:
        return Finding("control database", "warning", f"{text}; add one with: metrics-pipeline account add")
    return Finding("control database", "ok", text)


def _credentials(pipeline: Pipeline) -> Finding:
    from metrics_pipeline.control.accounts import list_accounts, read_token

    records = [a for a in list_accounts(pipeline.control) if a.credentials_updated_at is not None]
    for record in records:
        read_token(pipeline.control, pipeline.ring, record)
    waiting = [a.account_id for a in list_accounts(pipeline.control) if a.status == "needs_reauth"]
    if waiting:
        text = f"{', '.join(waiting)} have to sign in again: metrics-pipeline account token ID --token-stdin"
        return Finding("credentials", "warning", text)
    if pipeline.settings.database_url is not None and pipeline.settings.secret_keys is None:
        text = "a shared control database with a key file of this machine: set METRICS_SECRET_KEYS on all of them"
        return Finding("credentials", "warning", text)
    return Finding("credentials", "ok", f"{len(records)} tokens can be decrypted")


def _platforms(pipeline: Pipeline) -> Finding:
    overridden = [p for p in pipeline.catalog.platforms if pipeline.settings.base_url(p)]
    if overridden:
        text = f"{', '.join(overridden)} go to another host (METRICS_*_BASE_URL), not to the platform"
        return Finding("platforms", "warning", text)
    return Finding("platforms", "ok", f"{', '.join(pipeline.catalog.platforms)} at their own hosts")


def _application(pipeline: Pipeline) -> Finding:
    from metrics_pipeline.application.flow import ApplicationFlow

    flow = ApplicationFlow(pipeline)
    if not flow.is_connected:
        return Finding("application database", "ok", "none connected (METRICS_APPLICATION_DATABASE_URL)")
    tables, problems = flow.examine()
    if problems:
        return Finding("application database", "warning", "; ".join(problems))
    return Finding("application database", "ok", f"{', '.join(tables)} as declared")


def _webhook(pipeline: Pipeline) -> Finding:
    wanted = {
        "METRICS_WHATSAPP_VERIFY_TOKEN": pipeline.settings.whatsapp_verify_token,
        "METRICS_WHATSAPP_CLIENT_SECRET": pipeline.settings.whatsapp_client_secret,
    }
    missing = [name for name, value in wanted.items() if value is None]
    if len(missing) == len(wanted):
        return Finding("WhatsApp webhook", "ok", f"not set up ({', '.join(missing)})")
    if missing:
        return Finding("WhatsApp webhook", "warning", f"answers with 404 until {missing[0]} is set as well")
    days = pipeline.lake.table("message_statuses").partitions()
    newest = f"newest message of {max(day['date'] for day in days)}" if days else "nothing was told of yet"
    return Finding("WhatsApp webhook", "ok", f"verify token and app secret are set; {newest}")


def _partitions(pipeline: Pipeline) -> Finding:
    from metrics_pipeline.pipeline_start import pipeline_start

    start = pipeline_start(pipeline.settings)
    text = f"days from {start.week(pipeline.settings.week_start_index)}, hours from {start.collection}"
    old = pipeline.settings.clock.now().date() - start.collection > timedelta(days=5 * 365)
    if old:
        return Finding("partitions", "warning", f"{text}: 45,000 hourly partitions slow the UI down")
    return Finding("partitions", "ok", text)


def _definitions(pipeline: Pipeline) -> Finding:
    started = time.monotonic()
    from metrics_pipeline.automation.loadable import why_not_loadable

    problem = why_not_loadable(pipeline)
    if problem is not None:
        return Finding("Dagster definitions", "failed", problem)
    return Finding("Dagster definitions", "ok", f"load in {time.monotonic() - started:.1f} s")
