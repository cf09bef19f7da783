"""Who uses an app, told to it: ID tokens (OpenID Connect Core 1.0), and the public key that they are signed with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from carelink.identity.tokens import LIFETIME

ALGORITHM = "ES256"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SEC 2, 2.4.2)


@dataclass(frozen=True)
class IdTokens:
    """Makes the ID tokens of one server."""

    key: ECKey
    issuer: str

    @classmethod
    def of(cls, secret_key: str, issuer: str) -> IdTokens:
        """Signed with a key of their own, derived from the installation's secret: all its processes have the same."""
        seed = hashlib.sha512(b"carelink id tokens|" + secret_key.encode()).digest()
        private = ec.derive_private_key(int.from_bytes(seed, "big") % (_ORDER - 1) + 1, ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        kid = ECKey.import_key(pem).thumbprint()
        return cls(ECKey.import_key(pem, {"kid": kid, "use": "sig", "alg": ALGORITHM}), issuer)

    def key_set(self) -> dict[str, Any]:
        """The public key, as anybody may have it (RFC 7517)."""
        return {"keys": [self.key.as_dict(private=False)]}

    def make(self, client: str, user: str, now: datetime, more: Mapping[str, str]) -> str:
        """Signed claims of who it is, for that app; `more`: nonce, fhirUser."""
        claims = {
            "iss": self.issuer,
            "aud": client,
            "sub": user,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            **{name: value for name, value in more.items() if value},
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self.key.kid}, claims, self.key)
