"""What an app is opened with from a page of ours: whose record is open, and who opened it, sealed (SMART App Launch 2.2, 2.0.4)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from carelink.ids import PersonKey, UserId

LIFE = timedelta(minutes=5)
LONGEST = 1000  # characters
_HEADER = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = ["dir", "A256GCM"]


@dataclass(frozen=True)
class Launched:
    """One opening of one app."""

    client: str
    user: UserId
    person: PersonKey


@dataclass(frozen=True)
class Launches:
    """Seals and opens what one server gives out. Nothing is kept: it is good for that app and that worker, for five minutes."""

    key: OctKey

    @classmethod
    def of(cls, secret_key: str) -> Launches:
        """Sealed with a key of their own, derived from the installation's secret."""
        return cls(OctKey.import_key(hashlib.sha256(b"carelink launches|" + secret_key.encode()).digest()))

    def sealed(self, one: Launched, now: datetime) -> str:
        """As the app is given it: it tells nobody whose record it is."""
        said = [one.client, one.user, str(one.person), (now + LIFE).timestamp()]
        return str(jwe.encrypt_compact(_HEADER, msgspec.json.encode(said), self.key, _ALGORITHMS))

    def opened(self, text: str, client: str, now: datetime) -> Launched | None:
        """What it stands for; None where it is not ours, not that app's, or over."""
        try:
            plain = jwe.decrypt_compact(text[:LONGEST], self.key, _ALGORITHMS).plaintext or b""
            whose, user, person, until = msgspec.json.decode(plain, type=tuple[str, str, str, float])
        except (JoseError, ValueError):
            return None
        if whose != client or until <= now.timestamp():
            return None
        return Launched(whose, UserId(user), PersonKey(UUID(person)))
