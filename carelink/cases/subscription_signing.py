"""How a subscriber knows that a notification is ours, whole and new: signed with a secret that it alone was shown."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

from joserfc import jwe
from joserfc.jwk import OctKey

TIMESTAMP = "X-CareLink-Timestamp"  # seconds since 1970, of this try
SIGNATURE = "X-CareLink-Signature"  # v1= and HMAC-SHA256 of the timestamp, a full stop and the body, in hexadecimal
_HEADER = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = ["dir", "A256GCM"]


def drawn() -> str:
    """A new secret: 256 random bits."""
    return secrets.token_urlsafe(32)


def sealed(secret: str, installation: str) -> bytes:
    """As it is kept: whoever has the database alone signs nothing."""
    return jwe.encrypt_compact(_HEADER, secret.encode(), _key(installation), _ALGORITHMS).encode()


def unsealed(kept: bytes, installation: str) -> str:
    """The secret. Raises JoseError where the installation's own secret is another one by now."""
    return (jwe.decrypt_compact(bytes(kept), _key(installation), _ALGORITHMS).plaintext or b"").decode()


def headers(secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """What goes with a notification. A receiver refuses a timestamp of five minutes ago, and a number that it has."""
    at = str(int(now.timestamp()))
    return {TIMESTAMP: at, SIGNATURE: signature(secret, at, body)}


def signature(secret: str, at: str, body: bytes) -> str:
    """The value of the header for that timestamp and that body."""
    return "v1=" + hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()


def _key(installation: str) -> OctKey:
    return OctKey.import_key(hashlib.sha256(b"carelink subscription secrets|" + installation.encode()).digest())
