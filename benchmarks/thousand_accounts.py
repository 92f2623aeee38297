"""A thousand accounts on nine platforms, each answering after 50 ms: run with `make bench-accounts`.

One process per platform, three at a time, as Dagster runs them. Four looks: the first one (every post), an ordinary
hour, the hour that closes the day, and the nightly series. Printed: wall time, the processes' peak memory, calls per
account, and whether a documented limit was passed: the sandbox counts what it was asked in any minute.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.collection.request import CollectionRequest
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.usage import used
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.process import SandboxProcess
from metrics_pipeline.sandbox.server import HOST, PLATFORMS
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import DAY, HOUR, Window

ACCOUNTS = int(os.environ.get("BENCH_ACCOUNTS", "1000"))
LATENCY_MS = 50
WORKSPACES = max(1, ACCOUNTS // 10)
RUNS_AT_ONCE = 3
MORNING = datetime(2026, 3, 18, 9, 50, tzinfo=UTC)  # a Wednesday
LOOKS = (
    ("first look, every post", "counters", MORNING),
    ("an ordinary hour", "counters", MORNING + HOUR),
    ("the hour that closes the day", "counters", MORNING.replace(hour=23)),
    ("the nightly series", "insights", MORNING.replace(hour=2, minute=30) + DAY),
)


@dataclass(frozen=True)
class Figures:
    """What one platform's run took, as its process printed it."""

    platform: str
    accounts: int
    accounts_ok: int
    calls: int
    readings: int
    seconds: float
    peak_mb: float


def external_id(platform: str, number: int) -> str:
    return f"UCbench{number:05d}" if platform == "youtube" else f"{7_000_000 + number}"


def shares() -> dict[str, int]:
    """Accounts per platform, together exactly ACCOUNTS."""
    return {p: ACCOUNTS // len(PLATFORMS) + (n < ACCOUNTS % len(PLATFORMS)) for n, p in enumerate(PLATFORMS)}


def register(sandbox: SandboxProcess) -> None:
    """The accounts, spread over the workspaces, each slow to answer."""
    settings = load_settings()
    control, ring = open_control(settings), load_key_ring(settings)
    for number in range(WORKSPACES):
        add_workspace(control, f"Workspace {number}", f"w{number}", now=MORNING)
    with httpx.Client(base_url=f"http://{HOST}:{sandbox.port}") as client:
        for platform, count in shares().items():
            for number in range(count):
                name = external_id(platform, number)
                token = f"sandbox-token~{name}"
                workspace = f"w{number % WORKSPACES}"
                add_account(control, ring, workspace, platform, name, token=token, now=MORNING)
                slow = {"platform": platform, "external_id": name, "fault": "slow", "ms": LATENCY_MS}
                client.post("/sandbox/faults", json=slow).raise_for_status()


def collect(platform: str, collection: str, now: datetime) -> None:
    """In a process of its own: one run of one platform, its figures on standard output."""
    pipeline = Pipeline(load_settings())
    hour = now.replace(minute=0)
    days = pipeline.catalog.platforms[platform].restatement_days + 1
    series = Window.of_days(now.date() - timedelta(days=days), now.date())
    window = Window(hour, hour + HOUR) if collection == "counters" else series
    started = time.perf_counter()
    summary = pipeline.collector(platform).run(CollectionRequest(collection, window, f"{platform}-{now:%H%M}"))  # type: ignore[arg-type]
    figures = Figures(
        platform,
        len(summary.accounts),
        summary.ok,
        summary.calls,
        summary.readings,
        time.perf_counter() - started,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    sys.stdout.write(json.dumps(vars(figures)) + "\n")


def launch(sandbox: SandboxProcess, platform: str, collection: str, now: datetime) -> Figures:
    """Run `collect` in a process whose clock, and whose platforms, stand at `now`."""
    url = sandbox.base_url(platform).replace("{at}", f"{now:%Y-%m-%dT%H:%M:%SZ}")
    environment = {**os.environ, "METRICS_NOW": now.isoformat(), f"METRICS_{platform.upper()}_BASE_URL": url}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.thousand_accounts", platform, collection]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def busiest_minutes(sandbox: SandboxProcess) -> list[str]:
    """One line for every documented limit per minute: the most that any minute saw."""
    answer = httpx.get(f"http://{HOST}:{sandbox.port}/sandbox/log", timeout=60).json()
    seen: dict[str, dict[str, int]] = defaultdict(dict)
    for row in answer["busiest_minute"]:
        seen[row["platform"]][row["path"]] = row["count"]
    lines = []
    settings = load_settings()
    for platform, spec in catalog().platforms.items():
        for limit in spec.limits:
            if limit.every == "minute" and limit.applies(settings):
                most = max(seen[platform].values(), default=0)
                lines.append(f"{platform}: at most {most} calls of one endpoint in a minute, {limit.amount:g} allowed")
    return lines


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, SandboxProcess(seed=7) as sandbox:
        os.environ["METRICS_DATA_DIR"] = directory
        register(sandbox)
        print(f"{ACCOUNTS} accounts in {WORKSPACES} workspaces, {LATENCY_MS} ms latency, {RUNS_AT_ONCE} runs at once")
        for title, collection, now in LOOKS:
            started = time.perf_counter()
            with ThreadPoolExecutor(RUNS_AT_ONCE) as pool:
                done = list(pool.map(lambda p, c=collection, n=now: launch(sandbox, p, c, n), PLATFORMS))
            wall = time.perf_counter() - started
            calls, accounts = sum(f.calls for f in done), sum(f.accounts for f in done)
            print(f"\n{title}: {wall:.0f} s, {calls} calls, {sum(f.readings for f in done)} readings")
            for f in done:
                print(
                    f"  {f.platform:10} {f.accounts_ok:4} of {f.accounts:4} ok  {f.calls:6} calls "
                    f"({f.calls / max(1, f.accounts):5.1f} an account)  {f.seconds:6.1f} s  {f.peak_mb:5.0f} MB"
                )
            print(f"  {calls / max(1, accounts):.1f} calls an account, peak {max(f.peak_mb for f in done):.0f} MB")
        print()
        for line in busiest_minutes(sandbox):
            print(line)
        control = open_control(load_settings())
        for platform, spec in catalog().platforms.items():
            for limit in spec.limits:
                if limit.every == "day" and limit.enforced:
                    spent = max(
                        used(control, platform, (MORNING + n * DAY).date()).get(limit.unit, 0) for n in range(-1, 2)
                    )
                    print(f"{platform}: {spent:g} {limit.unit} in a day, {limit.amount:g} allowed")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        collect(sys.argv[1], sys.argv[2], datetime.fromisoformat(os.environ["METRICS_NOW"]))
    else:
        main()
