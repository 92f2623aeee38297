"""How Meta shows that it is Meta: a word when the webhook is set up, a signature on every notification."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.events.recipients import Recipients
from metrics_pipeline.settings import Settings

_SCHEME = "sha256="
_SIGNATURE_LENGTH = len(_SCHEME) + 64


@dataclass(frozen=True)
class WhatsAppWebhook:
    """Checks verifications and signatures, both in constant time. Never in a repr."""

    verify_token: bytes = field(repr=False)
    app_secret: bytes = field(repr=False)
    recipients: Recipients

    @classmethod
    def of(cls, settings: Settings) -> WhatsAppWebhook | None:
        """The configured one; None where the word or the secret is missing: half of it could not be trusted.

        Raises:
            UserError: the key ring cannot be read.
        """
        token, secret = settings.whatsapp_verify_token, settings.whatsapp_client_secret
        if token is None or secret is None:
            return None
        recipients = Recipients.under(load_key_ring(settings))
        return cls(token.get_secret_value().encode(), secret.get_secret_value().encode(), recipients)

    def knows(self, token: str) -> bool:
        """Whether this is the word that was agreed on."""
        return hmac.compare_digest(self.verify_token, token.encode(errors="replace"))

    def has_signed(self, body: bytes, signature: str) -> bool:
        """Whether this header was made from exactly these bytes with the app's secret."""
        made = _SCHEME + hmac.digest(self.app_secret, body, hashlib.sha256).hex()
        return hmac.compare_digest(made.encode(), signature.encode(errors="replace"))


def is_signature(text: str) -> bool:
    """Whether a header can be a signature at all: without one nothing of a body needs to be read."""
    return len(text) == _SIGNATURE_LENGTH and text.startswith(_SCHEME)
