"""`metrics-pipeline account ...`: the platform accounts of a workspace and their tokens."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from metrics_pipeline.catalog.platform_names import PLATFORM_NAMES
from metrics_pipeline.cli.account_history import history, keep_history
from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.cli.secret_input import token_from_stdin
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings

group = typer.Typer(help="Platform accounts and their tokens.", no_args_is_help=True)

AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT_ID")]
Workspace = Annotated[str | None, typer.Option("--workspace", help="Its workspace, where the id is not unique.")]
TokenStdin = Annotated[bool, typer.Option("--token-stdin", help="Read the token from standard input.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="account")
    group.command("history")(history)


@group.command("add")
def add(
    workspace: Annotated[str, typer.Option("--workspace", help="The workspace it belongs to.")],
    platform: Annotated[str, typer.Option("--platform", help=", ".join(PLATFORM_NAMES))],
    external_id: Annotated[str, typer.Option("--external-id", help="The id the platform knows it by.")],
    account_id: Annotated[
        str | None, typer.Option("--id", help="Its id here (default: platform and external id).")
    ] = None,
    token_stdin: TokenStdin = False,
    data_dir: DataDir = None,
) -> None:
    """Add an account, or bring back one that was removed."""
    from metrics_pipeline.control.accounts import add_account
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.key_ring import load_key_ring

    use_data_dir(data_dir)
    settings = load_settings()
    engine = open_control(settings)
    token = token_from_stdin() if token_stdin else None
    record = add_account(
        engine,
        load_key_ring(settings),
        workspace,
        platform,
        external_id,
        account_id,
        token,
        now=settings.clock.now(),
    )
    keep_history(settings, engine)
    out.print(f"Added account {record.account_id} to workspace {record.workspace_id}: {record.status}.", markup=False)
    if token is None:
        out.print(
            f"Next: metrics-pipeline account token {record.account_id} "
            f"--workspace {record.workspace_id} --token-stdin < TOKEN_FILE",
            markup=False,
        )


@group.command("list")
def list_(
    workspace: Annotated[str | None, typer.Option("--workspace", help="Only this workspace.")] = None,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """List accounts and whether they can be collected."""
    from metrics_pipeline.control.accounts import list_accounts
    from metrics_pipeline.control.database import open_control

    use_data_dir(data_dir)
    records = list_accounts(open_control(load_settings()), workspace_id=workspace)
    if output is ListFormat.JSON:
        rows = [{key: value for key, value in asdict(record).items() if key != "removed_at"} for record in records]
    else:
        rows = [
            {
                "workspace": record.workspace_id,
                "account": record.account_id,
                "platform": record.platform,
                "external_id": record.external_id,
                "status": record.status,
                "reason": record.status_reason,
                "token_stored": record.credentials_updated_at,
            }
            for record in records
        ]
    print_rows(
        rows,
        output,
        empty="No accounts yet. Add one with: metrics-pipeline account add "
        f"--workspace {workspace or 'ID'} --platform instagram --external-id ID --token-stdin",
    )


@group.command("token")
def token(
    account_id: AccountId, token_stdin: TokenStdin = False, workspace: Workspace = None, data_dir: DataDir = None
) -> None:
    """Store or replace the token of an account: a bare access token, or the JSON a token endpoint answered with.

    With a refresh_token in the JSON the pipeline gets the next access tokens by itself.
    """
    from metrics_pipeline.control.account_status import set_token
    from metrics_pipeline.control.accounts import get_account
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.key_ring import load_key_ring

    if not token_stdin:
        raise UserError("A token is read from standard input only: add --token-stdin and pipe it in.")
    use_data_dir(data_dir)
    settings = load_settings()
    engine = open_control(settings)
    known = get_account(engine, account_id, workspace)  # before asking for a secret that could not be stored
    record = set_token(
        engine,
        load_key_ring(settings),
        account_id,
        token_from_stdin(),
        known.workspace_id,
        now=settings.clock.now(),
    )
    keep_history(settings, engine)
    out.print(f"Stored the token of account {record.account_id}: {record.status}.", markup=False)
    if record.status == "disabled":
        out.print(f"Next: metrics-pipeline account enable {_named(record.account_id, workspace)}", markup=False)


@group.command("disable")
def disable(account_id: AccountId, workspace: Workspace = None, data_dir: DataDir = None) -> None:
    """Stop collecting an account; its numbers and its token stay."""
    from metrics_pipeline.control import account_status
    from metrics_pipeline.control.database import open_control

    use_data_dir(data_dir)
    settings = load_settings()
    engine = open_control(settings)
    record = account_status.disable(engine, account_id, workspace, "disabled by hand", now=settings.clock.now())
    keep_history(settings, engine)
    out.print(f"Disabled account {record.account_id}; its numbers stay.", markup=False)
    out.print(
        f"To collect it again: metrics-pipeline account enable {_named(record.account_id, workspace)}", markup=False
    )


@group.command("enable")
def enable(account_id: AccountId, workspace: Workspace = None, data_dir: DataDir = None) -> None:
    """Collect a disabled account again."""
    from metrics_pipeline.control import account_status
    from metrics_pipeline.control.database import open_control

    use_data_dir(data_dir)
    settings = load_settings()
    engine = open_control(settings)
    record = account_status.enable(engine, account_id, workspace, now=settings.clock.now())
    keep_history(settings, engine)
    out.print(f"Account {record.account_id} is {record.status}.", markup=False)
    if record.status == "needs_reauth":
        out.print(
            f"Next: metrics-pipeline account token {_named(record.account_id, workspace)} --token-stdin < TOKEN_FILE",
            markup=False,
        )


@group.command("remove")
def remove(account_id: AccountId, workspace: Workspace = None, data_dir: DataDir = None) -> None:
    """Remove an account and delete its token; its numbers stay."""
    from metrics_pipeline.control.account_status import remove_account
    from metrics_pipeline.control.database import open_control

    use_data_dir(data_dir)
    settings = load_settings()
    engine = open_control(settings)
    record = remove_account(engine, account_id, workspace, now=settings.clock.now())
    keep_history(settings, engine)
    out.print(f"Removed account {record.account_id} and its token; its numbers stay.", markup=False)
    out.print(
        f"To bring it back: metrics-pipeline account add --workspace {record.workspace_id} "
        f"--platform {record.platform} --external-id {record.external_id} --token-stdin",
        markup=False,
    )


def _named(account_id: str, workspace: str | None) -> str:
    return account_id if workspace is None else f"{account_id} --workspace {workspace}"
