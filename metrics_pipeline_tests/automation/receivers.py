"""Where alerts arrive in tests: a webhook and a mail server on loopback that keep what they are given."""

from __future__ import annotations

import base64
import json
import socketserver
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Webhook:
    """A real HTTP server; `status` is what it answers."""

    def __init__(self) -> None:
        received: list[str] = []
        self.received, self.status = received, 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if outer.status < 300:
                    received.append(body["text"])
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/secret-path"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class MailServer:
    """As much SMTP as a client needs to leave a message: EHLO, AUTH PLAIN, MAIL, RCPT, DATA, QUIT. No TLS."""

    def __init__(self) -> None:
        received: list[Mail] = []
        seen: list[str] = []
        self.received, self.is_refusing = received, False
        self.logins: list[tuple[str, str]] = []
        self.commands, self.recipients = seen, list[str]()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 mail.example")
                for line in iter(self.rfile.readline, b""):
                    text = line.decode().strip()
                    verb = text.split(" ")[0].upper()
                    seen.append(verb)
                    if verb == "EHLO":
                        self._say("250-mail.example\r\n250 AUTH PLAIN")
                    elif verb == "AUTH":
                        _, user, password = base64.b64decode(text.split(" ")[2]).decode().split("\0")
                        outer.logins.append((user, password))
                        self._say("235 welcome")
                    elif verb == "MAIL" and outer.is_refusing:
                        self._say("451 not now")
                    elif verb == "RCPT":
                        outer.recipients.append(text.split("<")[1].rstrip(">"))
                        self._say("250 ok")
                    elif verb == "DATA":
                        self._say("354 go on")
                        lines = list(iter(self.rfile.readline, b".\r\n"))
                        received.append(message_from_bytes(b"".join(lines)))
                        self._say("250 taken")
                    elif verb == "STARTTLS":
                        self._say("502 no")
                    else:
                        self._say("221 bye" if verb == "QUIT" else "250 ok")

            def _say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"smtp://robot:hunter2@{self.address}?starttls=off"

    @property
    def texts(self) -> list[str]:
        return [str(mail.get_payload(decode=True).decode()).strip() for mail in self.received]  # type: ignore[union-attr]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
