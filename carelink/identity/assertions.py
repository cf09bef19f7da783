"""Who a client is, proved by its own key: `private_key_jwt` (RFC 7523; SMART App Launch 2.2, Asymmetric Authentication)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from carelink.errors import CareLinkError, Forbidden

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
METHOD = "private_key_jwt"
ALGORITHMS = ("RS384", "ES384")  # SMART's two: with a public key in hand never `none`, and never a shared secret
LONGEST = timedelta(minutes=5)
SLACK = timedelta(seconds=30)  # that two clocks may differ
LARGEST = 8_000  # characters
_MOST = 200  # of a `jti`
_OF_KEY = {"RS384": "RSA", "ES384": "EC"}


class Refused(Forbidden):
    """The assertion proves nothing; its text says why, to whoever made it."""

    def __init__(self, why: str) -> None:
        super().__init__(why, rule="oauth2-assertion")


class Known(Protocol):
    """A client as far as it is proved by its keys."""

    @property
    def id(self) -> str: ...

    def keys(self, kid: str, now: datetime) -> KeySet | None: ...


@dataclass(frozen=True)
class Assertion:
    """What was sent, read and not believed yet."""

    text: str
    algorithm: str
    kid: str
    subject: str

    @classmethod
    def read(cls, text: str) -> Assertion:
        """Raises `Refused` for what is no assertion."""
        try:
            if len(text) > LARGEST:
                raise ValueError
            first, second, _ = text.split(".")
            header, claims = _object(first), _object(second)
            kid, subject = header["kid"], claims["sub"]
            if not (isinstance(kid, str) and isinstance(subject, str)):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError) as wrong:
            raise Refused("client_assertion: must be a signed JWT with kid in its header, and sub") from wrong
        if header.get("alg") not in ALGORITHMS:
            raise Refused(f"client_assertion: alg must be {' or '.join(ALGORITHMS)}")
        return cls(text, header["alg"], kid, subject)


def proved(sent: Assertion, client: Known | None, audience: str, now: datetime) -> Mapping[str, Any]:
    """The claims of the assertion, where it was signed by a key of that client, for us, and is not over.

    Raises `Refused`. Whether it was used before is asked of `used_jti`.
    """
    unknown = Refused("client_assertion: the client is not known here, or this is not signed by a key of it")
    try:
        keys = client.keys(sent.kid, now) if client is not None and client.id == sent.subject else None
    except CareLinkError as away:
        raise Refused(f"client_assertion: the client's keys can't be had: {away}") from away
    key = next((one for one in keys.keys if one.kid == sent.kid), None) if keys is not None else None
    if key is None or key.key_type != _OF_KEY[sent.algorithm]:
        raise unknown
    try:
        claims = jwt.decode(sent.text, key, algorithms=[sent.algorithm]).claims
    except (JoseError, ValueError) as wrong:
        raise unknown from wrong
    if why := _wrong(claims, sent.subject, audience, now):
        raise Refused(f"client_assertion: {why}")
    return claims


def _wrong(claims: Mapping[str, Any], subject: str, audience: str, now: datetime) -> str:
    """What is wrong with the claims; empty where nothing is."""
    audiences = claims.get("aud")
    if claims.get("iss") != subject:
        return "iss and sub must both be the id of the client"
    if audience not in (audiences if isinstance(audiences, list) else [audiences]):
        return f"aud must be {audience}"
    if why := _when(claims, now):
        return why
    jti = claims.get("jti")
    return (
        "" if isinstance(jti, str) and 1 <= len(jti) <= _MOST else f"jti must be a text of at most {_MOST} characters"
    )


def _when(claims: Mapping[str, Any], now: datetime) -> str:
    at, slack = now.timestamp(), SLACK.total_seconds()
    ends: Any = claims.get("exp")
    begins: Any = claims.get("nbf", 0)
    if not _is_time(ends) or not _is_time(begins):
        return "exp must be a time in seconds"
    if ends <= at - slack:
        return "it has expired"
    if ends > at + LONGEST.total_seconds() + slack:
        return "exp must be at most five minutes ahead"
    return "nbf has not come yet" if begins > at + slack else ""


def _is_time(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e11


def digest(client: str, jti: str) -> str:
    """What is kept of a `jti`."""
    return hashlib.sha256(f"{client}|{jti}".encode()).hexdigest()


def _object(part: str) -> dict[str, Any]:
    found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found
