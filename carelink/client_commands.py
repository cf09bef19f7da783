"""What `carelink clients` does, each as a function that gives its lines."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carelink.audit.trail import Event, append
from carelink.errors import Invalid
from carelink.identity import registering
from carelink.identity.assertions import ALGORITHMS
from carelink.identity.registering import Wanted
from carelink.identity.rim import AUTHORIZE, TOKEN
from carelink.ids import Ods
from carelink.jobs.shop import Shop

FHIR = "/fhir/R4"


@dataclass(frozen=True)
class Keys:
    """How a client is to prove who it is; without an address and a file by a secret."""

    jwks_url: str = ""
    jwks: Path | None = None
    secret: str = ""
    public: bool = False

    @property
    def by_secret(self) -> bool:
        return not (self.jwks_url or self.jwks or self.public)

    def read(self) -> Mapping[str, Any] | None:
        """The keys of the file. Raises `Invalid`."""
        if self.jwks is None:
            return None
        try:
            found = json.loads(self.jwks.read_text("utf-8"))
        except (OSError, ValueError) as wrong:
            raise Invalid("--jwks", f"{self.jwks} can't be read as JSON") from wrong
        return found if isinstance(found, dict) else {}


def add(shop: Shop, name: str, organisation: str, role: str, scopes: str, keys: Keys, redirects: tuple[str, ...], launch_url: str = "") -> list[str]:  # fmt: skip
    """Register a system or an app, or change it; what it needs to know. A secret is told nowhere else.

    Raises `Invalid`, `NotFound`.
    """
    _check(shop, keys)
    if keys.public and not redirects:
        raise Invalid("--public", "is for apps, which need --redirect; a system proves who it is by a key")
    if launch_url and not redirects:
        raise Invalid("--launch-url", "is for apps, which need --redirect")
    wanted = Wanted(
        id=name,
        organisation=organisation,
        role=role if role or redirects else _usual(shop, organisation),
        scopes=scopes,
        secret=keys.secret,
        jwks=keys.read(),
        jwks_url=keys.jwks_url,
        redirect_uris=redirects,
        launch_url=launch_url,
        public=keys.public,
        safe=shop.settings.safe,
    )
    with shop.engine.begin() as conn:
        secret = registering.add(conn, shop.place, wanted)
        detail = {"client": name, "organisation": organisation, "role": wanted.role, "scopes": scopes}
        append(conn, Event("client", user=_operator(), detail=detail), shop.clock())
    return [f"id: {name}", f"secret: {secret}"] if secret else [f"id: {name}", *_needs(shop, wanted)]


def listed(shop: Shop) -> list[str]:
    """A line a client: its id, whose it is, how it proves that, what it may ask for."""
    with shop.engine.begin() as conn:
        rows = registering.listed(conn)
    return [
        f"{row.id}: {row.kind} of {row.organisation}{', ' + row.role if row.role else ''}; {_proof(row)}; "
        f"{row.scopes}{'' if row.active else '; revoked'}"
        for row in rows
    ]


def rotate(shop: Shop, name: str, keys: Keys) -> list[str]:
    """Other keys, or another secret, from now on. Raises `Invalid`, `NotFound`."""
    if keys.by_secret:
        _check(shop, keys)
    with shop.engine.begin() as conn:
        secret = registering.rotate(
            conn, name, secret=keys.secret, jwks=keys.read(), jwks_url=keys.jwks_url, safe=shop.settings.safe
        )
        append(conn, Event("client", user=_operator(), detail={"client": name, "change": "rotate"}), shop.clock())
    return [f"id: {name}", f"secret: {secret}" if secret else "keys: changed"]


def revoke(shop: Shop, name: str) -> str:
    """The end of a client. Raises `NotFound`."""
    with shop.engine.begin() as conn:
        registering.revoke(conn, name)
        append(conn, Event("client", user=_operator(), detail={"client": name, "change": "revoke"}), shop.clock())
    return f"{name} gets no more tokens; those that it has are over within five minutes"


def _check(shop: Shop, keys: Keys) -> None:
    if keys.by_secret and not shop.settings.has_client_secrets:
        told = "is for development: give --jwks-url or --jwks, so that the client proves by a key who it is"
        raise Invalid("--secret", told)


def _usual(shop: Shop, organisation: str) -> str:
    """The role of the first of the staff there, where nothing was said; empty where there is nobody."""
    staff = (one for one in shop.place.staff.values() if one.organisation == Ods(organisation))
    return next((one.role for one in staff), "")


def _needs(shop: Shop, wanted: Wanted) -> list[str]:
    """What whoever runs the client must know."""
    base = shop.settings.base_url
    told = [
        f"token endpoint: {base}{TOKEN}",
        f"FHIR: {base}{FHIR}",
        f"SMART: {base}{FHIR}/.well-known/smart-configuration",
    ]
    if wanted.redirect_uris:
        told.append(f"authorization endpoint: {base}{AUTHORIZE} (with PKCE, S256)")
    if not wanted.public:
        told.append(
            f"client assertion: {' or '.join(ALGORITHMS)}, aud {base}{TOKEN}, at most five minutes, each jti once"
        )
    return told


def _proof(row: Any) -> str:
    if row.jwks_url:
        return f"keys at {row.jwks_url}"
    if row.jwks:
        return f"keys {', '.join(str(one['kid']) for one in row.jwks['keys'])}"
    return "a secret" if row.secret_hash else "PKCE alone"


def _operator() -> str:
    return f"operator:{getpass.getuser()}"
