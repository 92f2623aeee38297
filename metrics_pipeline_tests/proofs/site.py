"""One installation under proof: a data directory, a running sandbox, and ways to run work in either process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa

from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.lake.anomaly_tables import ANOMALIES
from metrics_pipeline.lake.application_tables import APPLICATION_READS, APPLICATION_TABLES
from metrics_pipeline.lake.content_state_tables import CONTENT_STATE_TABLES
from metrics_pipeline.lake.custom_metric_tables import CUSTOM_METRIC_VALUES
from metrics_pipeline.lake.event_tables import EVENT_TABLES
from metrics_pipeline.lake.messaging_tables import MESSAGING_TABLES
from metrics_pipeline.lake.reconciliation_tables import REALTIME_RECONCILIATIONS, RECONCILIATIONS
from metrics_pipeline.lake.snapshot_tables import ANALYTICS_SNAPSHOTS
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.server import PLATFORMS, SandboxServer
from metrics_pipeline.settings import load_settings

COMMAND = [sys.executable, "-c", "from metrics_pipeline.cli.main import main; main()"]
RUN_COLUMNS = frozenset({"run_id"})
# Raw responses tell what was received and when: two runs rightly leave two sets of them.
# First-party content, the application database and anomalies have proofs of their own.
_WRITTEN_ELSEWHERE = (
    *EVENT_TABLES,
    *CONTENT_STATE_TABLES,
    *APPLICATION_TABLES,
    ANOMALIES,
    RECONCILIATIONS,
    REALTIME_RECONCILIATIONS,
    APPLICATION_READS,
    *MESSAGING_TABLES,
    ANALYTICS_SNAPSHOTS,
    CUSTOM_METRIC_VALUES,
)
_ELSEWHERE = {spec.name for spec in _WRITTEN_ELSEWHERE}
COMPARED = tuple(name for name in TABLES if name != "api_responses" and name not in _ELSEWHERE)
REGISTERED = datetime(2026, 3, 1, tzinfo=UTC)

AccountSpec = tuple[str, str, str]
"""Workspace, platform, external id."""


def instant(text: str) -> datetime:
    """An ISO instant in UTC, such as 2026-03-20T10:30."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def account_id(platform: str, external_id: str) -> str:
    return f"{platform}-{external_id}"


@dataclass
class Site:
    """A data directory and the environment of every process that works on it."""

    data_dir: Path
    sandbox: SandboxServer
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = {
            "METRICS_DATA_DIR": str(self.data_dir),
            "METRICS_PIPELINE_START": "2026-02-01",
            "METRICS_COLLECTION_START": "2026-03-01",
            "METRICS_HTTP_MAX_ATTEMPTS": "2",
            "METRICS_HTTP_MAX_WAIT_SECONDS": "0.2",
            **{f"METRICS_{p.upper()}_BASE_URL": self.sandbox.base_url(p) for p in PLATFORMS},
            **self.environment,
        }

    def register(self, accounts: Collection[AccountSpec]) -> None:
        with self.at(REGISTERED) as pipeline:
            for workspace in sorted({workspace for workspace, _, _ in accounts}):
                add_workspace(pipeline.control, workspace.title(), workspace, now=REGISTERED)
            for workspace, platform, external_id in accounts:
                add_account(
                    pipeline.control,
                    pipeline.ring,
                    workspace,
                    platform,
                    external_id,
                    token=f"token-{workspace}",
                    now=REGISTERED,
                )
            pipeline.control.dispose()

    def variables(self, now: datetime | None) -> dict[str, str]:
        """The environment of a process whose clock stands at `now`."""
        frozen = {"METRICS_NOW": now.isoformat()} if now else {}
        return {**self.environment, **frozen}

    @contextmanager
    def at(self, now: datetime | None) -> Iterator[Pipeline]:
        """This process as one of the site's own, its clock at `now`."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("METRICS_", "DAGSTER_"))}
        with patch.dict(os.environ, {**kept, **self.variables(now)}, clear=True):
            yield Pipeline(load_settings())

    def start(self, *arguments: str, now: datetime | None = None, **more: str) -> subprocess.Popen[str]:
        """Start the command line in a process of its own."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], **self.variables(now), **more},
        )

    def run(self, *arguments: str, now: datetime | None = None, stdin: str = "", **more: str) -> str:
        """Run the command line to its end and give what it printed."""
        process = self.start(*arguments, now=now, **more)
        printed, errors = process.communicate(stdin)
        assert process.returncode == 0, errors
        return printed

    def tables(
        self, names: Collection[str] = COMPARED, leave_out: Collection[str] = RUN_COLUMNS
    ) -> dict[str, pa.Table]:
        """Every row of the tables in one order, without the columns that name a run."""
        with self.at(None) as pipeline:
            return {name: ordered(pipeline, name, leave_out) for name in names}

    def versions(self) -> Mapping[str, int]:
        with self.at(None) as pipeline:
            return {name: pipeline.lake.version(name) for name in TABLES}


def ordered(pipeline: Pipeline, table: str, leave_out: Collection[str] = RUN_COLUMNS) -> pa.Table:
    """All rows of a table, sorted by every column that is compared."""
    columns = ", ".join(f'"{c.name}"' for c in TABLES[table].columns if c.name not in leave_out)
    with pipeline.engine.session() as session:
        return session.run(f"select {columns} from {table} order by all").read_all()


def assert_same(left: Mapping[str, pa.Table], right: Mapping[str, pa.Table]) -> None:
    """Row for row the same; says where it is not."""
    for name, rows in left.items():
        other = right[name]
        if not rows.equals(other):
            ours, theirs = {str(r) for r in rows.to_pylist()}, {str(r) for r in other.to_pylist()}
            difference = [*sorted(ours - theirs)[:3], "---", *sorted(theirs - ours)[:3]]
            raise AssertionError(
                f"{name}: {rows.num_rows} and {other.num_rows} rows, {len(ours ^ theirs)} of them in one only:\n"
                + "\n".join(difference)
            )
