"""`metrics-pipeline principal ...`: the people and services that keys and tokens act for."""

from __future__ import annotations

from typing import Annotated

import typer

from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.settings import load_settings

group = typer.Typer(help="People and services of a workspace, with their roles.", no_args_is_help=True)

PrincipalId = Annotated[str, typer.Argument(metavar="ID", help="Its id; the subject of its tokens, if it has any.")]
WorkspaceOption = Annotated[str, typer.Option("--workspace", help="The workspace it belongs to.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="principal")


@group.command("add")
def add(
    principal: PrincipalId,
    workspace: WorkspaceOption,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="metrics:read, metrics:define, metrics:publish or metrics:admin; repeatable."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="What people call it (default: its id).")] = None,
    data_dir: DataDir = None,
) -> None:
    """Register somebody; without --role it may read."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.people import READ, add_principal

    use_data_dir(data_dir)
    settings = load_settings()
    record = add_principal(open_control(settings), workspace, principal, role or [READ], name, now=settings.clock.now())
    out.print(f"Added {record.principal_id} to workspace {workspace}: {', '.join(record.roles)}.", markup=False)
    out.print(
        f"Next: metrics-pipeline key create --workspace {workspace} --scope define --principal {record.principal_id}",
        markup=False,
    )


@group.command("list")
def list_(
    workspace: Annotated[str | None, typer.Option("--workspace", help="Only this workspace's.")] = None,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """List people and services with their roles and teams."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.people import list_principals

    use_data_dir(data_dir)
    rows = [
        {
            "principal_id": record.principal_id,
            "workspace_id": record.workspace_id,
            "name": record.name,
            "roles": ",".join(record.roles),
            "teams": ",".join(record.teams) or None,
            "created_at": record.created_at,
        }
        for record in list_principals(open_control(load_settings()), workspace)
    ]
    print_rows(rows, output, empty="Nobody yet. Add somebody with: metrics-pipeline principal add ID --workspace ID")


@group.command("remove")
def remove(principal: PrincipalId, workspace: WorkspaceOption, data_dir: DataDir = None) -> None:
    """Remove somebody from the workspace and its teams, and revoke its keys; its metrics stay."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.people import remove_principal

    use_data_dir(data_dir)
    settings = load_settings()
    keys = remove_principal(open_control(settings), workspace, principal, now=settings.clock.now())
    out.print(f"Removed {principal}; {keys} of its keys revoked. Its metrics stay.", markup=False)
