"""`metrics-pipeline sandbox-statuses`: what became of the sample application's messages, sent to the webhook."""

from __future__ import annotations

from typing import Annotated

import typer

from metrics_pipeline.cli.app import out
from metrics_pipeline.cli.arguments import parse_instant
from metrics_pipeline.errors import UserError


def register(app: typer.Typer) -> None:
    """Attach the command."""
    app.command("sandbox-statuses")(sandbox_statuses)


def sandbox_statuses(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The webhook; default that of an API on this machine.")
    ] = "http://127.0.0.1:8000/v1/webhooks/whatsapp",
    days: Annotated[
        int, typer.Option(min=1, max=3_660, help="Days of history, today included; as the database was made with.")
    ] = 35,
    seed: Annotated[int, typer.Option(help="As the database was made with.")] = 7,
    until: Annotated[
        str | None, typer.Option("--until", help="Instant up to which things have happened (ISO, UTC); default now.")
    ] = None,
) -> None:
    """Send signed statuses of the sample application's messages to the webhook, out of order and some twice."""
    from metrics_pipeline.sandbox.messaging import WORKSPACES, Messaging
    from metrics_pipeline.sandbox.whatsapp_webhooks import notifications, send
    from metrics_pipeline.settings import load_settings
    from metrics_pipeline.windows import DAY, Window

    settings = load_settings()
    if settings.whatsapp_client_secret is None:
        raise UserError("Set METRICS_WHATSAPP_CLIENT_SECRET to what the API has: statuses are signed with it.")
    end = parse_instant(until, "--until") if until is not None else settings.clock.now()
    window = Window.of_days(end.date() - DAY * (days - 1), end.date() + DAY)
    for workspace_id in WORKSPACES:
        messaging = Messaging(seed, workspace_id, window.days()[0])
        bodies = notifications(messaging, window.days(), end)
        sent = send(url, settings.whatsapp_client_secret.get_secret_value(), bodies)
        accounts = ", ".join(account.removeprefix("whatsapp-") for account in messaging.accounts)
        out.print(f"{workspace_id:<8} {sent:>5} notifications of accounts {accounts}", markup=False)
