"""`metrics-pipeline account history`: what an account was called and whether it was connected, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from metrics_pipeline.cli.app import DataDir, err, use_data_dir
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine as ControlEngine


def history(
    account_id: Annotated[str, typer.Argument(metavar="ACCOUNT_ID")],
    workspace: Annotated[
        str | None, typer.Option("--workspace", help="Its workspace, where the id is not unique.")
    ] = None,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """What changed about an account: its name, type and status, oldest first. Removed accounts have one too."""
    from metrics_pipeline.collection.account_history import record_changes
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.lake.engine import Engine
    from metrics_pipeline.lake.lake import Lake

    use_data_dir(data_dir)
    settings = load_settings()
    engine = Engine(Lake.open(settings))
    record_changes(engine, open_control(settings))
    found = engine.query(
        "collection/account_versions.sql", {"account_id": account_id, "workspace_id": workspace}
    ).to_pylist()
    owners = sorted({row["workspace_id"] for row in found})
    if not found:
        where = f" in workspace {workspace}" if workspace is not None else ""
        raise UserError(f"There never was an account {account_id[:80]!r}{where}; see: metrics-pipeline account list")
    if len(owners) > 1:
        raise UserError(
            f"Account {account_id} existed in several workspaces ({', '.join(owners)}); choose with --workspace."
        )
    print_rows(found, output, empty="")


def keep_history(settings: Settings, control: ControlEngine) -> None:
    """Bring a change of status into the lake at once; where that fails the next collection does it."""
    from metrics_pipeline.collection.account_history import record_changes
    from metrics_pipeline.lake.engine import Engine
    from metrics_pipeline.lake.lake import Lake

    try:
        record_changes(Engine(Lake.open(settings)), control)
    except UserError as error:
        err.print(f"{error} The change is made; account_history gets it with the next collection.", markup=False)
