"""`metrics-pipeline team ...`: teams that own metrics together."""

from __future__ import annotations

from typing import Annotated

import typer

from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.settings import load_settings

group = typer.Typer(help="Teams of a workspace, which own metrics together.", no_args_is_help=True)

TeamId = Annotated[str, typer.Argument(metavar="TEAM", help="The team's id.")]
PrincipalId = Annotated[str, typer.Argument(metavar="ID", help="Who; see: metrics-pipeline principal list.")]
WorkspaceOption = Annotated[str, typer.Option("--workspace", help="The workspace it belongs to.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="team")


@group.command("add")
def add(
    team: TeamId,
    workspace: WorkspaceOption,
    name: Annotated[str | None, typer.Option("--name", help="What people call it (default: its id).")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a team."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.teams import add_team

    use_data_dir(data_dir)
    settings = load_settings()
    add_team(open_control(settings), workspace, team, name, now=settings.clock.now())
    out.print(f"Added team {team}.", markup=False)
    out.print(f"Next: metrics-pipeline team join {team} ID --workspace {workspace}", markup=False)


@group.command("list")
def list_(
    workspace: Annotated[str | None, typer.Option("--workspace", help="Only this workspace's.")] = None,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """List teams with their members."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.teams import list_teams

    use_data_dir(data_dir)
    rows = [
        {
            "team_id": record.team_id,
            "workspace_id": record.workspace_id,
            "name": record.name,
            "members": ",".join(record.members) or None,
            "created_at": record.created_at,
        }
        for record in list_teams(open_control(load_settings()), workspace)
    ]
    print_rows(rows, output, empty="No teams yet. Make one with: metrics-pipeline team add TEAM --workspace ID")


@group.command("remove")
def remove(team: TeamId, workspace: WorkspaceOption, data_dir: DataDir = None) -> None:
    """Remove a team that owns no metric any more."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.teams import remove_team

    use_data_dir(data_dir)
    settings = load_settings()
    remove_team(open_control(settings), workspace, team, now=settings.clock.now())
    out.print(f"Removed team {team}.", markup=False)


@group.command("join")
def join(team: TeamId, principal: PrincipalId, workspace: WorkspaceOption, data_dir: DataDir = None) -> None:
    """Put somebody into a team; doing so again changes nothing."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.teams import join_team

    use_data_dir(data_dir)
    settings = load_settings()
    joined = join_team(open_control(settings), workspace, team, principal, now=settings.clock.now())
    out.print(f"{principal} {'joined' if joined else 'is already in'} team {team}.", markup=False)


@group.command("leave")
def leave(team: TeamId, principal: PrincipalId, workspace: WorkspaceOption, data_dir: DataDir = None) -> None:
    """Take somebody out of a team; what the team owns is the team's."""
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.teams import leave_team

    use_data_dir(data_dir)
    left = leave_team(open_control(load_settings()), workspace, team, principal)
    out.print(f"{principal} {'left' if left else 'was not in'} team {team}.", markup=False)
