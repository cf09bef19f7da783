"""Who calls CDS Hooks: a system of the place's list, by a token that it signed itself for this one call (CDS Hooks 2.0,
Trusting CDS Clients)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection

from carelink.consent.requester import Requester
from carelink.errors import CareLinkError, Forbidden
from carelink.identity import key_sets
from carelink.identity.assertions import ALGORITHMS, LARGEST, LONGEST, SLACK
from carelink.identity.client_proof import use
from carelink.identity.key_sets import KeySets
from carelink.ids import UserId
from carelink.place import CdsClient, Place

_KIND = {"RS384": "RSA", "ES384": "EC"}
_MOST = 200  # characters of a `jti`


class NotTrusted(Forbidden):
    """The token proves nothing. Which of its faults it was is said to nobody who has not proved who they are."""

    def __init__(
        self, why: str = "Send a token that a system of this place's list has signed for this service"
    ) -> None:
        super().__init__(why, rule="cds-client")


@dataclass(frozen=True)
class Called:
    """The system that calls."""

    client: CdsClient

    def requester(self, place: Place, user: str, request: str) -> Requester:
        """As whom it asks: the worker of the place that `user` is there, else as the system itself in its role."""
        staff = _worker(place, self.client, user)
        organisation = place.organisations[self.client.organisation]
        role = staff.role if staff else self.client.role
        return Requester(
            user=staff.id if staff else UserId(f"client:{self.client.issuer}"),
            name=staff.name if staff else self.client.label,
            organisation=organisation.ods,
            organisation_type=organisation.type,
            role=role,
            purpose=place.roles[role].purposes[0],
            team=staff.team if staff else "",
            request=request,
        )


def _worker(place: Place, client: CdsClient, user: str) -> Any:
    """The worker of that organisation who has the identifier that the system knows them by; None for nobody."""
    if not client.worker_system:
        return None
    named = f"{client.worker_system}|{user.rpartition('/')[2]}"
    found = [
        one for one in place.staff.values() if named in one.identifiers and one.organisation == client.organisation
    ]
    return found[0] if len(found) == 1 else None


def called(conn: Connection, place: Place, sets: KeySets, authorization: str, audience: str, now: datetime) -> Called:
    """Who calls, by the token of the call, which is good once. Raises `NotTrusted`."""
    token = _bearer(authorization)
    header, claims = _part(token, 0), _part(token, 1)
    client = next((one for one in place.cds_clients if one.issuer == claims.get("iss")), None)
    if client is None or header.get("alg") not in ALGORITHMS:
        raise NotTrusted()
    checked = _signed(token, header, _keys(client, sets, str(header.get("kid", "")), now))
    _in_time(checked, now)
    audiences = checked.get("aud")
    if audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise NotTrusted(f"aud must be {audience}")
    jti, ends = checked.get("jti"), datetime.fromtimestamp(float(checked["exp"]), UTC) + SLACK
    if not (isinstance(jti, str) and 1 <= len(jti) <= _MOST):
        raise NotTrusted(f"jti must be a text of at most {_MOST} characters")
    if not use(conn, f"cds:{client.issuer}", jti, ends, now):
        raise NotTrusted("jti was used before; sign a new token for each call")
    return Called(client)


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or token.count(".") != 2 or len(token) > LARGEST:
        raise NotTrusted()
    return token.strip()


def _part(token: str, number: int) -> Mapping[str, Any]:
    """What stands there, not believed yet."""
    part = token.split(".")[number]
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError) as wrong:
        raise NotTrusted() from wrong
    if not isinstance(found, dict):
        raise NotTrusted()
    return found


def _keys(client: CdsClient, sets: KeySets, kid: str, now: datetime) -> KeySet:
    """Those of the pack, or at the address that the pack names: never those that a token names (`jku`)."""
    try:
        return key_sets.public(json.loads(client.jwks)) if client.jwks else sets.of(client.jwks_url, kid, now)
    except (ValueError, CareLinkError) as away:
        raise NotTrusted() from away


def _signed(token: str, header: Mapping[str, Any], keys: KeySet) -> Mapping[str, Any]:
    algorithm = str(header["alg"])
    key = next((one for one in keys.keys if one.kid == header.get("kid")), None)
    if key is None or key.key_type != _KIND[algorithm]:
        raise NotTrusted()
    try:
        return jwt.decode(token, key, algorithms=[algorithm]).claims
    except (JoseError, ValueError) as wrong:
        raise NotTrusted() from wrong


def _in_time(claims: Mapping[str, Any], now: datetime) -> None:
    at, slack = now.timestamp(), SLACK.total_seconds()
    ends, made = claims.get("exp"), claims.get("iat")
    if not (_is_time(ends) and _is_time(made)):
        raise NotTrusted("exp and iat must be times in seconds")
    if float(ends) <= at - slack or float(made) > at + slack:  # type: ignore[arg-type]
        raise NotTrusted("the token has expired, or is of a time that has not come")
    if float(ends) > at + LONGEST.total_seconds() + slack:  # type: ignore[arg-type]
        raise NotTrusted("exp must be at most five minutes ahead")


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e11
