"""`metrics-pipeline key ...`: who may call the HTTP interface."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated

import typer

from metrics_pipeline.cli.app import DataDir, err, out, use_data_dir
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings

group = typer.Typer(help="Keys of the HTTP interface.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="The part between the first two underscores of a key.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="key")


@group.command("create")
def create(
    workspace: Annotated[str | None, typer.Option("--workspace", help="The workspace it belongs to.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="read, ingest, define or admin; repeatable.")
    ] = None,
    operator: Annotated[bool, typer.Option("--operator", help="Across workspaces, instead of --workspace.")] = False,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", help="Makes it a browser's: ingest only, from pages of this origin; repeatable."),
    ] = None,
    label: Annotated[str | None, typer.Option("--label", help="What it is for.")] = None,
    principal: Annotated[
        str | None, typer.Option("--principal", help="Whom it acts for; see: metrics-pipeline principal list.")
    ] = None,
    expires_days: Annotated[int | None, typer.Option("--expires-days", min=1, help="Days until it ends.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a key and print it: it is shown this once."""
    from metrics_pipeline.control.api_keys import Rights, create_key
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.key_ring import load_key_ring

    if operator == (workspace is not None):
        raise UserError("Say whose key it is: --workspace ID, or --operator for all workspaces.")
    use_data_dir(data_dir)
    settings = load_settings()
    now = settings.clock.now()
    record, text = create_key(
        open_control(settings),
        load_key_ring(settings),
        Rights(workspace, scope or [], origin or [], label, principal),
        now=now,
        expires_at=None if expires_days is None else now + timedelta(days=expires_days),
    )
    owner = f"workspace {record.workspace_id}" if record.workspace_id is not None else "all workspaces"
    _show(text.reveal(), f"Key {record.key_id} of {owner}, scopes {', '.join(record.scopes)}: shown this once.")


@group.command("list")
def list_(
    workspace: Annotated[str | None, typer.Option("--workspace", help="Only this workspace's.")] = None,
    revoked: Annotated[bool, typer.Option("--revoked", help="Revoked ones too.")] = False,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """List keys: what they may do and when they were last used, to ten minutes. Never the keys themselves."""
    from metrics_pipeline.control.api_keys import list_keys
    from metrics_pipeline.control.database import open_control

    use_data_dir(data_dir)
    settings = load_settings()
    now = settings.clock.now()
    rows = [
        {
            "key_id": record.key_id,
            "workspace_id": record.workspace_id,
            "scopes": ",".join(record.scopes),
            "origins": ",".join(record.origins) or None,
            "principal_id": record.principal_id,
            "label": record.label,
            "state": record.state(now),
            "created_at": record.created_at,
            "last_used_at": record.last_used_at,
            "expires_at": record.expires_at,
            "rotated_from": record.rotated_from,
        }
        for record in list_keys(open_control(settings), workspace, include_revoked=revoked)
    ]
    print_rows(rows, output, empty="No keys. Make one with: metrics-pipeline key create --workspace ID --scope read")


@group.command("rotate")
def rotate(
    key_id: KeyId,
    overlap_hours: Annotated[
        int, typer.Option("--overlap-hours", min=0, help="Hours the old key goes on working.")
    ] = 24,
    data_dir: DataDir = None,
) -> None:
    """Make a key with the same rights and print it; the old one ends after the overlap."""
    from metrics_pipeline.control.api_keys import rotate_key
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.key_ring import load_key_ring

    use_data_dir(data_dir)
    settings = load_settings()
    overlap = timedelta(hours=overlap_hours)
    record, text = rotate_key(
        open_control(settings), load_key_ring(settings), key_id, overlap=overlap, now=settings.clock.now()
    )
    _show(text.reveal(), f"Key {record.key_id} replaces {key_id}, which ends in {overlap_hours} hours.")


@group.command("revoke")
def revoke(key_id: KeyId, data_dir: DataDir = None) -> None:
    """End a key for good; a running API refuses it within five seconds."""
    from metrics_pipeline.control.api_keys import revoke_key
    from metrics_pipeline.control.database import open_control

    use_data_dir(data_dir)
    settings = load_settings()
    record = revoke_key(open_control(settings), key_id, now=settings.clock.now())
    out.print(f"Revoked key {record.key_id}.", markup=False)


def _show(key: str, sentence: str) -> None:
    """The key alone on stdout, so that it can be piped into a secret store; the sentence beside it on stderr."""
    err.print(sentence, markup=False)
    sys.stdout.write(key + "\n")
