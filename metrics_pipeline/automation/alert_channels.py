"""The ways an alert leaves: a webhook, Slack style, and e-mail."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from metrics_pipeline.control.alerts import Message
from metrics_pipeline.mail_server import MailServer
from metrics_pipeline.settings import Settings
from metrics_pipeline.settings.watching import listed

# At INFO it logs the address of every request, and a webhook's address is a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)

Send = Callable[[Message], None]

# An alert must not hold up the sensor daemon, whose ticks are cut off after 60 s.
TIMEOUT_SECONDS = 10.0


class ChannelError(Exception):
    """A channel did not take a message. Names the kind of failure only: an address may hold a password or be one."""


def channels(settings: Settings) -> dict[str, Send]:
    """The configured channels by name: webhook, email."""
    found: dict[str, Send] = {}
    if settings.alert_webhook_url is not None:
        url = settings.alert_webhook_url.get_secret_value()
        found["webhook"] = lambda message: _post(url, message)
    if settings.alert_smtp_url is not None:
        server = MailServer.parse(settings.alert_smtp_url.get_secret_value())
        recipients = listed(settings.alert_email_to)
        found["email"] = lambda message: _mail(server, settings.alert_email_from, recipients, message)
    return found


def _post(url: str, message: Message) -> None:
    import httpx  # a tenth of a second at every start of Dagster

    try:
        httpx.post(url, json={"text": message.text}, timeout=TIMEOUT_SECONDS).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        raise ChannelError(type(error).__name__) from None


def _mail(server: MailServer, sender: str, recipients: list[str], message: Message) -> None:
    try:
        _deliver(server, sender, recipients, message)
    except (smtplib.SMTPException, ssl.SSLError, OSError, UnicodeError) as error:
        raise ChannelError(type(error).__name__) from None


def _deliver(server: MailServer, sender: str, recipients: list[str], message: Message) -> None:
    mail = EmailMessage()
    first_line = " ".join(message.text.split())
    mail["Subject"] = f"[{message.severity}] {first_line[:120]}"
    mail["From"], mail["To"] = sender, ", ".join(recipients)
    mail["Date"], mail["Message-ID"] = format_datetime(message.created_at), make_msgid(domain="metrics-pipeline")
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{message.text}\n")
    context = ssl.create_default_context()
    if server.security == "tls":
        with smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context) as session:
            _send(session, server, mail)
        return
    with smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS) as session:
        if server.security == "starttls":
            session.starttls(context=context)  # raises where the server has none: no password in clear text
        _send(session, server, mail)


def _send(session: smtplib.SMTP, server: MailServer, mail: EmailMessage) -> None:
    if server.user is not None:
        session.login(server.user, server.password or "")
    session.send_message(mail)
