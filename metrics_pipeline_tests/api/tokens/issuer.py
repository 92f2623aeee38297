"""A small issuer of tokens over HTTP, whose keys can be changed and which can be away."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa

AUDIENCE = "metrics-api"
SigningKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey
RSA = generate_rsa(65_537, 2048)


def ec_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def public_jwk(key_id: str, key: SigningKey, **more: object) -> dict[str, Any]:
    """A public key as a key set has it."""
    if isinstance(key, RSAPrivateKey):
        found = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, EllipticCurvePrivateKey):
        found = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        found = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {key: value for key, value in found.items() if key != "key_ops"} | {"kid": key_id, **more}


class Issuer:
    """A context manager. keys: what it answers with; asked: how often, by path."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()
        self.status = 200
        self.discovery: dict[str, Any] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked[self.path] += 1
                documents = {
                    "/.well-known/openid-configuration": {
                        "issuer": issuer.url,
                        "jwks_uri": f"{issuer.url}/keys",
                        **issuer.discovery,
                    },
                    "/keys": {"keys": issuer.keys},
                }
                body = json.dumps(documents.get(self.path, {})).encode()
                self.send_response(issuer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def claims(self, **changed: object) -> dict[str, object]:
        """Those of a good token; None leaves one out."""
        now = int(time.time())
        good = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "anna@example.com",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "workspace_id": "acme",
            "scope": "read ingest",
        }
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def token(self, key: SigningKey = RSA, key_id: str = "rsa", algorithm: str = "RS256", **changed: object) -> str:
        return jwt.encode(self.claims(**changed), key, algorithm, headers={"kid": key_id})

    def signed(self, changed: dict[str, object]) -> str:
        """A token of the first key with claims that are changed."""
        return jwt.encode(self.claims(**changed), RSA, "RS256", headers={"kid": "rsa"})

    def __enter__(self) -> Issuer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
