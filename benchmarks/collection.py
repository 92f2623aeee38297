"""How long it takes to load the definitions and to collect an hour: run with `make bench`.

Nine accounts on three platforms, from the sandbox on this machine, each figure the median of the runs.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime

PLATFORMS = ("instagram", "x", "youtube")
WORKSPACES = ("one", "two", "three")
RUNS = 3

_LOAD = "from metrics_pipeline.definitions import defs; defs()"
# what Dagster's launcher starts: a fresh process that loads the definitions and runs one job
_LAUNCHED = """
import sys
import dagster as dg
from metrics_pipeline.definitions import defs
with dg.DagsterInstance.get() as instance:
    job = defs().resolve_job_def(f"collect_{sys.argv[1]}_counters")
    result = job.execute_in_process(instance=instance, partition_key=sys.argv[2])
    sys.exit(not result.success)
"""


def median_seconds(work: Callable[[], object]) -> float:
    """Median wall time of a piece of work, in seconds."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def register_accounts() -> None:
    """Three workspaces with one account on each platform."""
    from metrics_pipeline.control.accounts import add_account
    from metrics_pipeline.control.workspaces import add_workspace
    from metrics_pipeline.pipeline import Pipeline

    pipeline, now = Pipeline.from_environment(), datetime.now(UTC)
    for workspace in WORKSPACES:
        add_workspace(pipeline.control, workspace, workspace, now=now)
        for platform in PLATFORMS:
            external_id = f"bench{workspace}{platform}"
            add_account(
                pipeline.control, pipeline.ring, workspace, platform, external_id, token="sandbox-token", now=now
            )


def collect_in_process(hour: str) -> None:
    from metrics_pipeline.assets.collection import platform_asset_key
    from metrics_pipeline.automation.backfill import Backfiller, Step
    from metrics_pipeline.pipeline import Pipeline

    backfiller = Backfiller(Pipeline.from_environment())
    assets = tuple(platform_asset_key(platform, "counters") for platform in PLATFORMS)
    print(f"hourly collection in process   {median_seconds(lambda: backfiller.run(Step(assets, (hour,)))):6.2f} s")


def collect_launched(hour: str) -> None:
    def launch() -> None:
        started = [
            subprocess.Popen([sys.executable, "-W", "ignore", "-c", _LAUNCHED, p, hour], stderr=subprocess.DEVNULL)
            for p in PLATFORMS
        ]
        if any(process.wait() for process in started):
            raise SystemExit("a launched run failed")

    print(f"hourly collection, launched    {median_seconds(launch):6.2f} s (three runs side by side)")


def main() -> None:
    from metrics_pipeline.automation.home import use_dagster_home
    from metrics_pipeline.sandbox.process import SandboxProcess
    from metrics_pipeline.settings import load_settings

    with tempfile.TemporaryDirectory() as directory, SandboxProcess(seed=7) as sandbox:
        os.environ["METRICS_DATA_DIR"] = directory
        for platform in PLATFORMS:
            os.environ[f"METRICS_{platform.upper()}_BASE_URL"] = sandbox.base_url(platform)
        use_dagster_home(load_settings())
        register_accounts()
        load = [sys.executable, "-W", "ignore", "-c", _LOAD]
        print(f"definitions load               {median_seconds(lambda: subprocess.run(load, check=True)):6.2f} s")
        hour = f"{datetime.now(UTC):%Y-%m-%d-%H:00}"
        collect_in_process(hour)
        collect_launched(hour)


if __name__ == "__main__":
    main()
