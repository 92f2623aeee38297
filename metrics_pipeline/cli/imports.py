"""`metrics-pipeline import ...`: numbers from files, and taking them back."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metrics_pipeline.cli.app import DataDir, err, out, use_data_dir
from metrics_pipeline.cli.event_imports import count_events, revert_import_of_events
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.imports.file_format import FileFormat
from metrics_pipeline.settings import load_settings

if TYPE_CHECKING:
    from metrics_pipeline.imports.reading_store import TouchedDays
    from metrics_pipeline.imports.rebuild import Affected
    from metrics_pipeline.pipeline import Pipeline
    from metrics_pipeline.settings import Settings

group = typer.Typer(help="Imports: numbers from files, checked, listed, undoable.", no_args_is_help=True)

NoBuild = Annotated[bool, typer.Option("--no-build", help="Do not rebuild days, weeks and months afterwards.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="import")


@group.command("readings")
def readings(
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or NDJSON; docs/importing.md lists the columns.")],
    file_format: Annotated[
        FileFormat | None, typer.Option("--format", help="What the file is, where its name does not say so.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing if any row is bad.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Import a file that was imported before.")] = False,
    report: Annotated[Path | None, typer.Option("--report", help="Write every bad row to this CSV file.")] = None,
    no_build: NoBuild = False,
    data_dir: DataDir = None,
) -> None:
    """Import readings. Bad rows are reported, the others are kept; the same file twice changes nothing."""
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.cli.import_report import plural, reading_bar, show_checked, write_problems
    from metrics_pipeline.imports.readings import check_file, store_checked, touched_of
    from metrics_pipeline.imports.source_files import checked_file
    from metrics_pipeline.pipeline import Pipeline

    checked_file(file, file_format)  # before anything is created
    pipeline = Pipeline(settings)
    with reading_bar(err, file) as progress:
        checked = check_file(pipeline, file, file_format, progress)
    if checked.earlier is not None and not again:
        out.print(
            f"{file.name} was imported already, on {checked.earlier.created_at:%Y-%m-%d %H:%M} UTC as "
            f"{checked.earlier.import_id}: nothing was changed. (--again imports it anyway.)",
            markup=False,
        )
        return
    show_checked(checked)
    if report is not None:
        write_problems(report, checked.rows.problems)
    bad = checked.rows.problems.num_rows
    if strict and bad:
        raise UserError(f"{plural(bad, 'bad row')} in {file.name}: nothing was imported (--strict).")
    if checked.rows.accepted.num_rows == 0:
        raise UserError(f"No row of {file.name} could be imported.")
    with err.status("Writing") if err.is_terminal else nullcontext():
        record = store_checked(pipeline, checked)
    added = record.rows_accepted - record.rows_unchanged
    known = f", {plural(record.rows_unchanged, 'row')} known already" if record.rows_unchanged else ""
    out.print(
        f"Imported {plural(added, 'reading')} of {record.first_date} to {record.last_date} from {file.name} "
        f"as {record.import_id}{known}.",
        markup=False,
    )
    if not added:
        out.print("Every reading was there before: the numbers are unchanged.", markup=False)
    _open_partitions(settings, touched_of(record))
    _rebuild(pipeline, touched_of(record), no_build=no_build)
    out.print(f"To take it back: metrics-pipeline import revert {record.import_id}", markup=False)


@group.command("events")
def events(
    file: Annotated[Path, typer.Argument(help="NDJSON, CSV or Parquet; docs/importing.md lists the columns.")],
    workspace: Annotated[str | None, typer.Option("--workspace", help="For rows that name no workspace.")] = None,
    file_format: Annotated[
        FileFormat | None, typer.Option("--format", help="What the file is, where its name does not say so.")
    ] = None,
    old: Annotated[bool, typer.Option("--old", help="Also take events from before the lateness window.")] = False,
    no_build: NoBuild = False,
    data_dir: DataDir = None,
) -> None:
    """Import content events. They are checked and counted like those that come over HTTP; twice changes nothing."""
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.cli.import_report import plural, reading_bar, show_bad_rows
    from metrics_pipeline.imports.events import import_events
    from metrics_pipeline.imports.source_files import checked_file
    from metrics_pipeline.pipeline import Pipeline

    checked_file(file, file_format)  # before anything is created
    pipeline = Pipeline(settings)
    with reading_bar(err, file) as progress:
        done = import_events(pipeline, file, workspace, file_format, take_old=old, progress=progress)
    show_bad_rows(done.problems)
    known = f", {done.duplicates} known already" if done.duplicates else ""
    out.print(f"Imported {plural(done.accepted, 'event')} from {file.name} as {done.import_id}{known}.", markup=False)
    count_events(pipeline, no_build=no_build)
    out.print(f"To take it back: metrics-pipeline import revert {done.import_id}", markup=False)


@group.command("content")
def content(
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or NDJSON of content attributes; see docs/importing.md.")],
    workspace: Annotated[str | None, typer.Option("--workspace", help="For rows that name no workspace.")] = None,
    file_format: Annotated[
        FileFormat | None, typer.Option("--format", help="What the file is, where its name does not say so.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing if any row is bad.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Import attributes of content: creator, kind, caption, length, publication. The newest word on an item counts."""
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.cli.import_report import plural, reading_bar, show_bad_rows
    from metrics_pipeline.imports.content import import_content
    from metrics_pipeline.imports.source_files import checked_file
    from metrics_pipeline.pipeline import Pipeline

    checked_file(file, file_format)  # before anything is created
    with reading_bar(err, file) as progress:
        done = import_content(Pipeline(settings), file, workspace, file_format, strict=strict, progress=progress)
    show_bad_rows(done.problems)
    if done.extra_columns:
        out.print(f"Ignored unknown columns: {', '.join(done.extra_columns)}.", markup=False)
    out.print(
        f"Imported {plural(done.items, 'item')} from {file.name} as {done.import_id}, {done.new} of them new.",
        markup=False,
    )


@group.command("list")
def list_(output: Format = ListFormat.TABLE, data_dir: DataDir = None) -> None:
    """List imports, newest first."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.imports import list_imports

    use_data_dir(data_dir)
    rows = [
        {
            "import_id": record.import_id,
            "kind": record.kind,
            "file": record.file_name,
            "accepted": record.rows_accepted,
            "rejected": record.rows_rejected,
            "unchanged": record.rows_unchanged,
            "first_date": record.first_date and record.first_date.isoformat(),
            "last_date": record.last_date and record.last_date.isoformat(),
            "created_at": record.created_at,
            "reverted_at": record.reverted_at,
        }
        for record in list_imports(open_control(load_settings()))
    ]
    print_rows(rows, output, empty="No imports yet. Bring in a file with: metrics-pipeline import readings FILE")


@group.command("revert")
def revert(
    import_id: Annotated[str, typer.Argument(metavar="ID")],
    no_build: NoBuild = False,
    data_dir: DataDir = None,
) -> None:
    """Delete exactly the rows that an import of readings or of events added."""
    use_data_dir(data_dir)

    from metrics_pipeline.control.imports import get_import
    from metrics_pipeline.imports.content import KIND as CONTENT
    from metrics_pipeline.imports.content import no_way_back
    from metrics_pipeline.imports.events import KIND as EVENTS
    from metrics_pipeline.pipeline import Pipeline

    pipeline = Pipeline(load_settings())
    record = get_import(pipeline.control, import_id)
    if record.kind == CONTENT:
        raise no_way_back(record)
    if record.kind == EVENTS:
        revert_import_of_events(pipeline, import_id, no_build=no_build)
    else:
        _revert_readings(pipeline, import_id, no_build=no_build)


def _revert_readings(pipeline: Pipeline, import_id: str, *, no_build: bool) -> None:
    from metrics_pipeline.cli.import_report import plural
    from metrics_pipeline.imports.readings import touched_of
    from metrics_pipeline.imports.revert import revert_readings

    reverted = revert_readings(pipeline, import_id)
    out.print(
        f"Reverted {import_id}: {plural(reverted.rows, 'reading')} of {reverted.record.file_name} deleted.",
        markup=False,
    )
    for other in reverted.also_in:
        out.print(
            f"Import {other.import_id} ({other.file_name}) had readings that were known then and may be gone now; "
            f"to have them back: metrics-pipeline import readings {other.file_name} --again",
            markup=False,
        )
    _rebuild(pipeline, touched_of(reverted.record), no_build=no_build)


def _open_partitions(settings: Settings, touched: list[TouchedDays]) -> None:
    """Let partitions begin where the imported data does, and say so; or say why they do not."""
    from metrics_pipeline.imports.rebuild import affected, first_partition_after, make_room

    windows = affected(settings, touched)
    if windows is None:
        return
    first = windows.daily.first_day
    if moved := make_room(settings, first):
        out.print(f"Partitions begin with {moved} now: earlier days, weeks and months were added.", markup=False)
    if begins := first_partition_after(settings, first):
        err.print(
            f"warning: readings before {begins} are stored but lie before the first partition, so no day, week or "
            f"month shows them. Set METRICS_PIPELINE_START to {first.replace(day=1)} or earlier, then run: "
            f"{_again(windows)}",
            markup=False,
        )


def _rebuild(pipeline: Pipeline, touched: list[TouchedDays], *, no_build: bool) -> None:
    """Build the days, weeks and months that can have changed."""
    from metrics_pipeline.cli.progress import steps_bar
    from metrics_pipeline.imports.rebuild import affected, plan_rebuild

    windows = affected(pipeline.settings, touched)
    if windows is None:
        return
    if no_build:
        out.print(f"Days, weeks and months were not rebuilt. To do so: {_again(windows)}", markup=False)
        return
    backfiller, steps = plan_rebuild(pipeline, windows)
    with steps_bar(err, len(steps)) as advance:
        for step in steps:
            try:
                advance(f"{step.name} {step.span}", backfiller.run, step)
            except RunFailedError as error:
                raise RunFailedError(f"{error}. The lake is as reported; to build again: {_again(windows)}") from None
    if steps:
        out.print(f"Rebuilt {sum(len(step.keys) for step in steps)} days, weeks and months.", markup=False)


def _again(windows: Affected) -> str:
    return (
        "metrics-pipeline backfill daily_metrics weekly_metrics monthly_metrics "
        f"--from {windows.daily.first_day} --to {windows.daily.end_day}"
    )
