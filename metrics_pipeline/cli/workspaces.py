"""`metrics-pipeline workspace ...`: the tenants whose accounts are collected."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from metrics_pipeline.cli.account_history import keep_history
from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.settings import load_settings

group = typer.Typer(help="Workspaces: the tenants whose accounts are collected.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="workspace")


@group.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    workspace_id: Annotated[str | None, typer.Option("--id", help="Its id (default: made from the name).")] = None,
    data_dir: DataDir = None,
) -> None:
    """Add a workspace."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.workspaces import add_workspace

    use_data_dir(data_dir)
    settings = load_settings()
    record = add_workspace(open_control(settings), name, workspace_id, now=settings.clock.now())
    out.print(f"Added workspace {record.workspace_id}.", markup=False)
    out.print(
        f"Next: metrics-pipeline account add --workspace {record.workspace_id} "
        "--platform instagram --external-id ID --token-stdin",
        markup=False,
    )


@group.command("list")
def list_(output: Format = ListFormat.TABLE, data_dir: DataDir = None) -> None:
    """List workspaces with their number of accounts."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.workspaces import count_accounts, list_workspaces

    use_data_dir(data_dir)
    engine = open_control(load_settings())
    accounts = count_accounts(engine)
    rows = [
        {
            "workspace_id": record.workspace_id,
            "name": record.name,
            "accounts": accounts.get(record.workspace_id, 0),
            "created_at": record.created_at,
        }
        for record in list_workspaces(engine)
    ]
    print_rows(rows, output, empty="No workspaces yet. Add one with: metrics-pipeline workspace add NAME")


@group.command("remove")
def remove(
    workspace_id: Annotated[str, typer.Argument(metavar="ID")],
    purge: Annotated[bool, typer.Option("--purge", help="Delete its collected numbers too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a purge at a terminal.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Stop collecting a workspace and delete its tokens; its numbers stay unless --purge is given."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.workspaces import remove_workspace

    use_data_dir(data_dir)
    settings = load_settings()
    engine = open_control(settings)
    if purge and not yes and sys.stdin.isatty():
        typer.confirm(f"Delete every number of workspace {workspace_id}? This cannot be undone", abort=True)
    record = remove_workspace(engine, workspace_id, now=settings.clock.now())
    if not purge:
        keep_history(settings, engine)
        out.print(f"Removed workspace {record.workspace_id} and its tokens; its numbers stay.", markup=False)
        out.print(f"To delete them: metrics-pipeline workspace remove {record.workspace_id} --purge", markup=False)
        return
    # Removed first: nothing new is collected while rows are deleted, and a purge that stops can be run again.
    from metrics_pipeline.application.lake_tables import open_lake
    from metrics_pipeline.collection.account_history import purge as purge_rows

    rows = purge_rows(open_lake(settings), engine, record.workspace_id)
    out.print(f"Removed workspace {record.workspace_id}, its tokens and its numbers ({rows} rows).", markup=False)
