"""What a dashboard costs over HTTP, kept and computed: run with `make bench-api`.

A lake of a thousand workspaces with five accounts each, twelve metrics and a year of days (22 million rows of accounts,
and those of the workspaces over them), the real server in a process of its own, and wrk on the same machine. `kept`
asks for the dashboards of fifty workspaces again and again; `computed` never asks for the same twice: every request is
another workspace or another span of thirty days. Beside them the bare query, without HTTP and JSON. Needs `wrk` on the
PATH (Debian and macOS have a package).
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx

from benchmarks.costs import alone, cost_of
from benchmarks.serving import serving
from benchmarks.thousand_workspaces import _DAILY, END, FIRST, NOW, draw, opened
from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.control.api_keys import READ, Rights, create_key
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.workspaces import add_workspace, list_workspaces
from metrics_pipeline.lake.connect import attach_table, connect_duckdb
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.tables import DAILY_METRICS
from metrics_pipeline.periods import months
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline.windows import Window

KEPT_WORKSPACES = 50
SPAN = 30
_SCRIPT = """
local paths = {{}}
for line in io.lines("{paths}") do paths[#paths + 1] = line end
local asked = 0
request = function()
  asked = asked + 1
  return wrk.format("GET", paths[(asked - 1) % #paths + 1])
end
"""
_BARE = """
select metric, platform, entity_type, entity_id, date, value, state, is_complete
from daily_metrics
where workspace_id = $workspace and entity_type in ('workspace', 'account')
order by metric, platform, entity_id, date
"""


def drawn(directory: Path, workspaces: int) -> str:
    """The year's days of accounts and of their workspaces, and the last weeks."""
    lake = opened(directory)

    def write() -> None:
        builder = Builder(Engine(lake), catalog(), Settings())
        for month in months(FIRST, END):
            draw(lake, DAILY_METRICS, _DAILY, month.start, month.end, workspaces)
            builder.daily("workspace", Window.of_days(month.start, month.end), NOW)
        builder.weekly(Window.of_days(END - timedelta(days=28), END), NOW)

    return str(cost_of(write))


def bare(directory: Path, workspaces: int) -> list[float]:
    """Milliseconds of the query by hand over thirty days, for a hundred workspaces."""
    lake = opened(directory)
    first = END - timedelta(days=SPAN)
    connection = connect_duckdb()
    connection.execute("set parquet_metadata_cache = true")
    attach_table(connection, DAILY_METRICS, lake.table("daily_metrics"), Partitions(between=("date", first, END)))
    found = []
    for number in range(100):
        started = time.perf_counter()
        asked = {"workspace": f"workspace-{number * 7 % workspaces:04d}"}
        assert connection.sql(_BARE, params=asked).to_arrow_table().num_rows > 0
        found.append((time.perf_counter() - started) * 1000)
    return found


def prepared(directory: Path, workspaces: int) -> str:
    """The control database with the workspaces in it, and an operator's key for all of them."""
    settings = load_settings(data_dir=directory)
    control = open_control(settings)
    known = {record.workspace_id for record in list_workspaces(control)}
    for number in range(workspaces):
        name = f"workspace-{number:04d}"
        if name not in known:
            add_workspace(control, name, now=NOW)
    text = create_key(control, load_key_ring(settings), Rights(None, (READ,)), now=datetime.now(UTC))[1].reveal()
    control.dispose()
    return text


def paths_of_series(workspaces: int) -> list[str]:
    """Series and totals of a workspace alone, never the same twice."""
    return [path.replace("/dashboard?", "/metrics?") for path in paths_computed(workspaces, 100 * workspaces)]


def paths_kept(workspaces: int) -> list[str]:
    first = END - timedelta(days=SPAN)
    return [_path(number * 17 % workspaces, first) for number in range(min(KEPT_WORKSPACES, workspaces))]


def paths_computed(workspaces: int, count: int) -> list[str]:
    """Never the same twice: every workspace at its own spans."""
    latest = END - timedelta(days=SPAN)
    return [_path(number % workspaces, latest - timedelta(days=number // workspaces)) for number in range(count)]


def _path(workspace: int, first: date, more: str = "") -> str:
    return f"/v1/workspaces/workspace-{workspace:04d}/dashboard?start={first}&end={first + timedelta(days=SPAN)}{more}"


def load(url: str, key: str, paths: list[str], connections: int, seconds: int) -> str:
    """What wrk says: requests a second, and how long they took."""
    with tempfile.TemporaryDirectory() as scratch:
        listed, script = Path(scratch) / "paths", Path(scratch) / "paths.lua"
        listed.write_text("\n".join(paths) + "\n")
        script.write_text(_SCRIPT.format(paths=listed))
        command = [
            "wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--latency", "--timeout", "30s",
            "-s", str(script), "-H", f"Authorization: Bearer {key}", url,
        ]  # fmt: skip
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"some answers were none:\n{said}")
    quantiles = dict(re.findall(r"(50|90|99)%\s+(\S+)", said))
    rate = re.search(r"Requests/sec:\s+(\S+)", said)
    assert rate is not None
    return (
        f"{float(rate[1]):9.1f} a second   p50 {quantiles['50']:>9} p90 {quantiles['90']:>9} p99 {quantiles['99']:>9}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspaces", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=15, help="of each measurement")
    parser.add_argument("--data", type=Path, help="draw the lake here, or measure the one that is here already")
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("This needs wrk on the PATH (apt install wrk, brew install wrk).")
    with tempfile.TemporaryDirectory() as scratch:
        directory = asked.data or Path(scratch)
        if not (directory / "lake").exists():
            print(f"{'drawn':34} {alone(drawn, directory, asked.workspaces)}", flush=True)
        found = sorted(alone(bare, directory, asked.workspaces))
        print(f"{'the bare query':34} p50 {statistics.median(found):.1f}ms, p99 {found[98]:.1f}ms", flush=True)
        key = prepared(directory, asked.workspaces)
        with serving(directory, NOW=NOW.isoformat(), API_SERVER_KEY_READS_PER_MINUTE="100000000") as served:
            url = served.url
            kept = paths_kept(asked.workspaces)
            with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
                for path in kept:
                    client.get(path).raise_for_status()
            for connections in (1, 8, 32):
                print(f"kept, {connections:2} connections {'':13} {load(url, key, kept, connections, asked.seconds)}")
            left = paths_computed(asked.workspaces, 300 * asked.workspaces)
            for connections in (1, 2, 4):
                # a part of its own for each: none may find what another left
                paths, left = left[: len(left) // 3], left[len(left) // 3 :]
                line = load(url, key, paths, connections, asked.seconds)
                print(f"computed, {connections:2} connections {'':9} {line}", flush=True)
            line = load(url, key, paths_of_series(asked.workspaces), 1, asked.seconds)
            print(f"computed, the series alone {'':6} {line}", flush=True)


if __name__ == "__main__":
    main()
