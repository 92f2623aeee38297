"""`metrics-pipeline metric ...`: metrics that users define."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.cli.arguments import parse_day, parse_window
from metrics_pipeline.cli.metric_files import documents_of, shown, told
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.errors import UserError

if TYPE_CHECKING:
    from metrics_pipeline.custom_metrics.flow import CustomMetricFlow
    from metrics_pipeline.custom_metrics.periods import Period
    from metrics_pipeline.custom_metrics.registry.records import MetricRecord

group = typer.Typer(help="Custom metrics: definitions in the format metric/v1 and their values.", no_args_is_help=True)

Workspace = Annotated[str, typer.Option("--workspace", help="The workspace it belongs to.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The metric's name or id.")]


class AskedGrain(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="metric")


def _flow(data_dir: Path | None) -> CustomMetricFlow:
    from metrics_pipeline.custom_metrics.flow import CustomMetricFlow
    from metrics_pipeline.pipeline import Pipeline

    use_data_dir(data_dir)
    return CustomMetricFlow(Pipeline.from_environment())


@group.command("add")
def add(
    workspace: Workspace,
    file: Annotated[Path | None, typer.Argument(help="YAML or JSON; - reads standard input.", metavar="FILE")] = None,
    example: Annotated[
        str | None, typer.Option("--example", help="One that comes with the package; see metric examples.")
    ] = None,
    effective_from: Annotated[
        str | None, typer.Option("--effective-from", help="First day that the new versions count for (default: all).")
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="Why, for the history.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Add the definitions of a file, or change those that are there: all of them or none."""
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor

    documents = documents_of(file, example)
    flow = _flow(data_dir)
    since = None if effective_from is None else parse_day(effective_from, "--effective-from")
    with told(documents):
        changes = flow.registry.create_all(cli_actor(workspace), documents, effective_from=since, note=note)
    for change in changes:
        others = f"; new versions of {', '.join(change.others)}" if change.others else ""
        out.print(f"{change.record.name}: {change.what}, version {change.record.version}{others}", markup=False)
    if any(change.what != "unchanged" for change in changes):
        out.print(
            "Values follow within minutes where the daemon runs; at once with: metrics-pipeline backfill "
            "custom_metric_values --from FIRST --to END",
            markup=False,
        )


@group.command("validate")
def validate(
    workspace: Workspace,
    file: Annotated[Path | None, typer.Argument(help="YAML or JSON; - reads standard input.", metavar="FILE")] = None,
    example: Annotated[str | None, typer.Option("--example", help="One that comes with the package.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Check definitions, show how their formulas are read, what they cost, and their last 7 days; nothing is stored."""
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor

    documents = documents_of(file, example)
    flow = _flow(data_dir)
    with told(documents):
        trials = flow.try_out(cli_actor(workspace), documents)
    for trial in trials:
        out.print(f"{trial.metric.name}: cost {trial.cost}, by {', '.join(trial.grains)}", markup=False)
        for place, text in trial.formulas:
            out.print(f"  {place} = {text}", markup=False)
        for condition in trial.usual:
            out.print(f"  {condition}", markup=False)
        for previewed in trial.preview:
            running = "" if previewed.is_complete else ", not complete"
            value = shown(previewed.value) if previewed.value is not None else previewed.state
            out.print(f"  {previewed.period.first}: {value}{running}", markup=False)


@group.command("list")
def list_(
    workspace: Workspace,
    status: Annotated[str | None, typer.Option("--status", help="active, draft, deprecated or archived.")] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only those that have it.")] = None,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """List metrics."""
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor
    from metrics_pipeline.custom_metrics.registry.reader import Filters

    flow, actor = _flow(data_dir), cli_actor(workspace)
    _require(flow, workspace)
    records: list[MetricRecord] = []
    after: str | None = None
    while True:
        page = flow.registry.list(actor, Filters(status=status, tag=tag), after=after)
        records += page.records
        after = page.next_after
        if after is None:
            break
    rows = [
        {
            "name": record.name,
            "type": record.type,
            "version": record.version,
            "status": record.status,
            "visibility": record.visibility,
            "owner": record.owner,
        }
        for record in records
    ]
    hint = f"No metrics yet. Add some with: metrics-pipeline metric add --workspace {workspace} --example revenue"
    print_rows(rows, output, empty=hint)


@group.command("examples")
def examples(data_dir: DataDir = None) -> None:
    """List the definitions that come with the package."""
    from metrics_pipeline.custom_metrics.documents import example_files, name_of, read_definitions

    use_data_dir(data_dir)
    for name, file in example_files().items():
        text = file.read_text()
        out.print(f"{name}: {', '.join(map(name_of, read_definitions(text)))}", markup=False)
        out.print(f"  {text.splitlines()[0].removeprefix('# ')}", markup=False)


@group.command("show")
def show(
    name: Name,
    workspace: Workspace,
    version: Annotated[int | None, typer.Option("--version", help="An earlier version.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Print a definition as YAML, ready for metric add."""
    from metrics_pipeline.custom_metrics.documents import as_yaml
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor

    found = _flow(data_dir).registry.readable(cli_actor(workspace), name, version)
    sys.stdout.write(as_yaml([found.definition]))


@group.command("history")
def history(name: Name, workspace: Workspace, output: Format = ListFormat.TABLE, data_dir: DataDir = None) -> None:
    """List the versions of a metric."""
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor

    rows = [
        {
            "version": entry.version,
            "effective_from": entry.effective_from,
            "created_at": entry.created_at,
            "created_by": entry.created_by,
            "note": entry.change_note,
        }
        for entry in _flow(data_dir).registry.history(cli_actor(workspace), name)
    ]
    print_rows(rows, output, empty="No versions.")


@group.command("calculate")
def calculate(
    name: Name,
    workspace: Workspace,
    first: Annotated[str | None, typer.Option("--from", help="First day; not needed with --calendar.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="First day after it (default: the day after --from).")] = None,
    grain: Annotated[AskedGrain, typer.Option("--grain", help="The length of the periods.")] = AskedGrain.DAY,
    calendar: Annotated[
        str | None, typer.Option("--calendar", help="The ranges of a calendar of the workspace; see period list.")
    ] = None,
    by: Annotated[list[str] | None, typer.Option("--by", help="Break it down by this field; repeatable.")] = None,
    version: Annotated[int | None, typer.Option("--version", help="As an earlier version makes it.")] = None,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """Compute a metric now, over every period that overlaps the days; nothing is stored."""
    from metrics_pipeline.custom_metrics.periods import Period
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor

    flow, actor = _flow(data_dir), cli_actor(workspace)
    labels: dict[Period, str] = {}
    if calendar is not None:
        labels = _ranges(flow, workspace, calendar)
        days = (min(labels).first, max(labels).end)
        answer = flow.answerer.ask(actor, name, "custom", days, by or (), version, list(labels))
    else:
        if first is None:
            raise UserError("Say which days: --from and --to, or --calendar.")
        window = parse_window(first, end)
        answer = flow.answerer.ask(actor, name, grain.value, (window.first_day, window.end_day), by or (), version)
    rows: list[dict[str, object]] = [
        {
            **({"label": labels[Period(value.first, value.end)]} if labels else {}),
            "period_start": value.first,
            "period_end": value.end,
            **({"dimensions": value.dimensions} if by else {}),
            "value": shown(value.value) if output is ListFormat.TABLE else value.value,
            "state": value.state,
            "is_complete": value.is_complete,
            "version": value.version,
        }
        for value in answer.values
    ]
    print_rows(rows, output, empty="No rows, so no parts to break it down by.")


@group.command("activate")
def activate(
    name: Name,
    version: Annotated[int, typer.Argument(help="The version that shall count.")],
    workspace: Workspace,
    effective_from: Annotated[
        str | None, typer.Option("--effective-from", help="First day it counts for (default: all).")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Put an earlier version in force again."""
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor

    registry, actor = _flow(data_dir).registry, cli_actor(workspace)
    since = None if effective_from is None else parse_day(effective_from, "--effective-from")
    record = registry.get(actor, name)
    changed = registry.activate(actor, name, version, expected_version=record.version, effective_from=since)
    out.print(f"{record.name}: version {changed.record.version} is in force.", markup=False)


@group.command("archive")
def archive(
    name: Name,
    workspace: Workspace,
    force: Annotated[bool, typer.Option("--force", help="With all metrics that are made of it.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Take a metric out of use. Its versions and values stay; metric restore undoes it."""
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor

    changed = _flow(data_dir).registry.archive(cli_actor(workspace), name, force=force)
    others = f", with it {', '.join(changed.others)}" if changed.others else ""
    out.print(f"Archived {changed.record.name}{others}.", markup=False)


@group.command("restore")
def restore(name: Name, workspace: Workspace, data_dir: DataDir = None) -> None:
    """Bring an archived metric back."""
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor

    changed = _flow(data_dir).registry.restore(cli_actor(workspace), name)
    out.print(f"Restored {changed.record.name}, version {changed.record.version}.", markup=False)


def _require(flow: CustomMetricFlow, workspace: str) -> None:
    """A workspace without metrics and one that is not there look alike to the registry."""
    from metrics_pipeline.control.database import reading
    from metrics_pipeline.control.workspaces import require_workspace

    with reading(flow.pipeline.control) as session:
        require_workspace(session, workspace)


def _ranges(flow: CustomMetricFlow, workspace: str, name: str) -> dict[Period, str]:
    """The labels of a calendar's ranges."""
    from metrics_pipeline.custom_metrics.periods import Period
    from metrics_pipeline.custom_metrics.registry.periods import Calendars

    found = Calendars(flow.pipeline.control, flow.pipeline.settings.clock).calendars(workspace)
    known = {calendar.name: calendar for calendar in found}
    if name not in known:
        raise UserError(f"There is no calendar {name!r}; there is {', '.join(known) or 'none'}. See period add.")
    return {Period(each.start, each.end): each.label for each in known[name].ranges}
