"""Recipients of messages, told apart without being known: digests under a pepper that follows from the key ring.

A recipient is digested before anything is stored, when nobody has looked yet whose message it was; on the way into the
lake the digest is mixed with the workspace, so that two tenants cannot compare whom they write to. After a new key in
the ring the same person has another digest: it serves to count the recipients of some weeks, not for ever.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from metrics_pipeline.control.key_ring import KeyRing

_DIGEST_BYTES = 16
_PURPOSE = b"metrics-pipeline message recipients v1"


@dataclass(frozen=True)
class Recipients:
    """Makes digests under the newest key of a ring."""

    pepper: bytes = field(repr=False)

    @classmethod
    def under(cls, ring: KeyRing) -> Recipients:
        return cls(hmac.digest(ring.newest[1], _PURPOSE, hashlib.sha256))

    def digest(self, kind: str, recipient: str) -> str:
        """The digest of a recipient; `kind` keeps numbers apart from ids that look like numbers."""
        told = f"{kind}\x1f{recipient}".encode(errors="surrogatepass")
        return hashlib.blake2b(told, digest_size=_DIGEST_BYTES, key=self.pepper).hexdigest()


def within(workspace_id: str, digest: str) -> str:
    """A recipient's digest as one workspace knows it."""
    return hashlib.blake2b(f"{workspace_id}\x1f{digest}".encode(), digest_size=_DIGEST_BYTES).hexdigest()


def message_key(message_id: str) -> str:
    """What a message is known by: an id of WhatsApp's spells out the recipient's number, merely encoded.

    The id also has 80 random bits, so nobody finds it by trying numbers. `message_key` in SQL is the same.
    """
    return hashlib.sha256(message_id.encode(errors="surrogatepass")).hexdigest()
