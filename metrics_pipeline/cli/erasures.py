"""`metrics-pipeline erasure ...`: forgetting a person, and proving it."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings

group = typer.Typer(help="Erase persons from events and everything made of them.", no_args_is_help=True)

WorkspaceOption = Annotated[str, typer.Option("--workspace", help="The workspace whose events name the person.")]
UserStdin = Annotated[
    bool, typer.Option("--user-stdin", help="Read the user id from standard input: no shell history, no process list.")
]
User = Annotated[str | None, typer.Argument(metavar="USER_ID", help="The user id that events carry.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="erasure")


@group.command("request")
def request(
    workspace: WorkspaceOption, user: User = None, user_stdin: UserStdin = False, data_dir: DataDir = None
) -> None:
    """Ask for a person to be erased. Events of that person are refused from now on; the daemon does the rest."""
    from metrics_pipeline.control.erasures import request_erasure
    from metrics_pipeline.pipeline import Pipeline

    use_data_dir(data_dir)
    pipeline = Pipeline(load_settings())
    record = request_erasure(
        pipeline.control,
        pipeline.ring,
        workspace,
        _user(user, user_stdin),
        now=pipeline.settings.clock.now(),
        requested_by="command line",
    )
    out.print(
        f"Erasure {record.erasure_id} is asked for. A running daemon carries it out within minutes; without one: "
        "metrics-pipeline erasure run",
        markup=False,
    )


@group.command("run")
def run(data_dir: DataDir = None) -> None:
    """Carry out what was asked for, here and now. Leave it to the daemon where one runs."""
    from metrics_pipeline.erasing import run_erasures
    from metrics_pipeline.pipeline import Pipeline

    use_data_dir(data_dir)
    done = run_erasures(Pipeline(load_settings()))
    people = "1 person" if len(done.erased) == 1 else f"{len(done.erased)} people"
    out.print(
        f"Erased {people}: {done.rows} rows, {len(done.days)} days counted anew. "
        f"Completed: {', '.join(done.completed) or 'none'}.",
        markup=False,
    )
    if done.days:
        out.print(
            "Daily, weekly and monthly metrics follow with the daemon, or with: metrics-pipeline backfill "
            f"daily_metrics/content daily_metrics/creator weekly_metrics monthly_metrics --from {done.days[0]}",
            markup=False,
        )
    if done.forsaken:
        out.print(
            f"{done.forsaken} files belong to a process at work or to one that crashed; run this again in an hour.",
            markup=False,
        )


@group.command("list")
def list_(
    workspace: Annotated[str | None, typer.Option("--workspace", help="Only this workspace's.")] = None,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """List erasures: never whom."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.erasures import list_erasures

    use_data_dir(data_dir)
    rows = [
        {
            "erasure_id": record.erasure_id,
            "workspace_id": record.workspace_id,
            "state": record.state,
            "requested_by": record.requested_by,
            "requested_at": record.requested_at,
            "completed_at": record.completed_at,
        }
        for record in list_erasures(open_control(load_settings()), workspace)
    ]
    print_rows(rows, output, empty="Nobody was erased. Ask with: metrics-pipeline erasure request --workspace ID")


@group.command("show")
def show(
    erasure_id: Annotated[str, typer.Argument(metavar="ERASURE_ID", help="As `erasure list` names it.")],
    data_dir: DataDir = None,
) -> None:
    """Print the proof of one erasure as JSON: rows deleted by table, files deleted, table versions, when."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.erasures import get_erasure

    use_data_dir(data_dir)
    record = get_erasure(open_control(load_settings()), erasure_id)
    out.print_json(json.dumps(record.summary(), default=str))


@group.command("allow")
def allow(
    workspace: WorkspaceOption, user: User = None, user_stdin: UserStdin = False, data_dir: DataDir = None
) -> None:
    """Take events of an erased person again, who came back. What was erased stays erased."""
    from metrics_pipeline.control.erasures import allow_return
    from metrics_pipeline.pipeline import Pipeline

    use_data_dir(data_dir)
    pipeline = Pipeline(load_settings())
    allow_return(pipeline.control, pipeline.ring, workspace, _user(user, user_stdin))
    out.print("Events of that person are taken again, within five seconds.", markup=False)


def _user(given: str | None, from_stdin: bool) -> str:
    if from_stdin == (given is not None):
        raise UserError("Name the person: a USER_ID, or --user-stdin.")
    return given if given is not None else sys.stdin.readline().rstrip("\n")
