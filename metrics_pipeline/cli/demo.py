"""`metrics-pipeline demo`: five weeks of sample data in a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from metrics_pipeline.cli.app import DataDir, err, out, use_data_dir
from metrics_pipeline.settings import load_settings

if TYPE_CHECKING:
    from metrics_pipeline.demo.run import DemoResult

SHOWN = (
    (
        "Workspaces, last four weeks (views of different platforms are never added up)",
        "select week_start, workspace_id, platform, followers, views, likes, engagement_rate "
        "from workspace_weekly where platform <> 'all' and workspace_id = 'acme' "
        "and week_start > (select max(week_start) - 22 from weekly_metrics) order by platform, week_start",
    ),
    (
        "Growth that tells the truth: partial weeks are compared over the days both have",
        "select week_start, entity_id, metric, value, previous_value, change, growth_state, growth_rate, compared_days "
        "from weekly_growth where platform = 'youtube' and entity_type = 'account' and metric = 'views' "
        "and workspace_id = 'acme' order by week_start",
    ),
    (
        "Content of one's own, counted from events",
        "select content_id, views, unique_viewers, median_watch_time, completion_rate, engagement_rate, trend, "
        "quality_score from content_metrics where workspace_id = 'acme' order by views desc limit 5",
    ),
    (
        "Messages of the application, by the day they were sent",
        "select week_start, workspace_id, messages_sent, delivery_rate, read_rate, reply_rate, average_response_time, "
        "contacts_active from workspace_weekly where platform = 'app' and workspace_id in ('acme', 'bistro') "
        "and week_start > (select max(week_start) - 15 from weekly_metrics) order by workspace_id, week_start",
    ),
    (
        "Metrics of one's own, defined in a file: docs/custom_metrics.md",
        "select definition_name as metric, period_start as month, dimensions, value, numerator, denominator, "
        "is_complete from custom_metric_values where is_current and grain = 'month' and value is not null "
        "and definition_name in "
        "('active_users_30d', 'revenue_per_customer', 'licence_renewal_rate', 'asset_utilisation', 'roi') "
        "and (dimensions <> '{}' or definition_name not in ('licence_renewal_rate', 'asset_utilisation')) "
        "and period_start = (select max(period_start) from custom_metric_values where grain = 'month') "
        "order by metric, dimensions",
    ),
    (
        "What is missing, and why",
        "select platform, state, reason, count(distinct metric) as metrics, count(distinct date) as days "
        "from daily_metrics where entity_type = 'account' and value is null group by all order by days desc limit 6",
    ),
)


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    data_dir: DataDir = None,
    days: Annotated[int, typer.Option(help="Days of history, today included.")] = 35,
    seed: Annotated[int, typer.Option(help="Another seed is another world.")] = 7,
    reset: Annotated[bool, typer.Option("--reset", help="Remove an earlier demo and start over.")] = False,
) -> None:
    """Build weeks of sample data: collected over HTTP from simulated platforms, rolled up by Dagster."""
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.demo.run import prepare, run_demo

    marker = prepare(settings, days, seed, reset=reset)
    out.print(f"Demo: {days} days, 3 workspaces, seed {seed}, in {settings.data_dir.absolute()}", markup=False)
    with _Bar(err) as report:
        result = run_demo(settings, marker, report)
    _show(result)


class _Bar:
    """A progress bar on a terminal; on a pipe one line whenever the kind of work changes."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description:<48}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._console = console
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("start", total=None)
        self._title = ""

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, title: str, done: int, total: int) -> None:
        self._progress.update(self._task, description=title, completed=done, total=total)
        if title != self._title and not self._console.is_terminal:
            self._console.print(f"[{done}/{total}] {title}", markup=False)
        self._title = title


def _show(result: DemoResult) -> None:
    from metrics_pipeline.cli.sql import SqlFormat, answer, print_answer
    from metrics_pipeline.connection import connect
    from metrics_pipeline.demo.reading_back import read_back

    out.print(
        f"{'Resumed and built' if result.resumed else 'Built'} in {result.seconds:.0f} s: {result.accounts} accounts, "
        f"{result.calls} HTTP calls, {result.events} content events, {result.runs} Dagster runs.",
        markup=False,
    )
    connection = connect(result.data_dir, functions=False)
    counts = "select '{0}' as table, count(*) as rows from {0}"
    tables = (
        "counter_readings",
        "insight_readings",
        "posts",
        "events",
        "content_daily",
        "daily_metrics",
        "weekly_metrics",
        "monthly_metrics",
        "app_messages",
        "analytics_snapshots",
        "custom_metric_values",
    )
    out.print()
    answer(connection, " union all ".join(counts.format(t) for t in tables), SqlFormat.TABLE)
    for title, query in SHOWN:
        out.print(f"\n{title}", markup=False)
        answer(connection, query, SqlFormat.TABLE)
    out.print("\nThe same over HTTP, asked for with the Python client", markup=False)
    compared = read_back(load_settings(), connection)
    rows: list[tuple[object, ...]] = [(each.request, each.over_http, each.in_sql) for each in compared]
    print_answer(["request", "over HTTP", "in SQL"], rows, SqlFormat.TABLE)
    out.print("A key of your own: metrics-pipeline key create --workspace acme --scope read", markup=False)
    out.print(
        '\nNext: metrics-pipeline sql "show tables"   |   metrics-pipeline dev   (Dagster at port 3000)', markup=False
    )
