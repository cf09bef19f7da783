"""Who may ask: registering a system or an app, giving it other keys, and ending it."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from carelink.db.tables import client, oauth_code, oauth_refresh
from carelink.db.tables import organisation as organisation_table
from carelink.errors import Invalid, NotFound
from carelink.identity import key_sets, scopes
from carelink.place import Place

SHORTEST_SECRET = 32  # characters
ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")  # no colon: an id and its secret travel as id:secret
_OF_MACHINE = ("localhost", "127.0.0.1", "::1")
_NEVER = ("javascript", "data", "file", "vbscript", "about", "blob")


@dataclass(frozen=True)
class Wanted:
    """A client as it is to be. Without keys and without `public` it has a secret, for development."""

    id: str
    organisation: str
    role: str = ""
    scopes: str = ""
    secret: str = ""  # empty: a new one is made
    jwks: Mapping[str, Any] | None = None
    jwks_url: str = ""
    redirect_uris: tuple[str, ...] = ()  # some: it is an app
    launch_url: str = ""  # where an app is opened from a person's page
    public: bool = False  # an app that can keep no secret: PKCE alone
    safe: bool = True  # keys over https alone

    @property
    def kind(self) -> str:
        return "app" if self.redirect_uris else "system"

    @property
    def has_secret(self) -> bool:
        return not (self.jwks or self.jwks_url or self.public)


def register(
    conn: Connection, place: Place, id_: str, organisation: str, role: str, asked: str, secret: str = ""
) -> str:
    """A system with a secret, for development; gives the secret. Raises as `add` does."""
    return add(conn, place, Wanted(id_, organisation, role, asked, secret))


def add(conn: Connection, place: Place, wanted: Wanted) -> str:
    """Register (or change) a client; gives its secret, which is not kept, or nothing where it has none.

    Raises `Invalid` for what the place doesn't know, `NotFound` where the database does not know it yet.
    """
    _check(place, wanted)
    known = select(organisation_table).where(organisation_table.c.ods == wanted.organisation)
    if conn.execute(known).first() is None:
        told = f"{wanted.organisation} is in the place pack and not in the database; run carelink db upgrade first"
        raise NotFound(told)
    secret = (wanted.secret or secrets.token_urlsafe(32)) if wanted.has_secret else ""
    row = {
        "name": wanted.id,
        "organisation": wanted.organisation,
        "role": wanted.role,
        "scopes": wanted.scopes,
        "secret_hash": digest(secret) if secret else "",
        "kind": wanted.kind,
        "jwks": wanted.jwks,
        "jwks_url": wanted.jwks_url,
        "redirect_uris": list(wanted.redirect_uris),
        "launch_url": wanted.launch_url,
        "active": True,
    }
    statement = insert(client).values(id=wanted.id, **row)
    conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))
    return secret


def opened_from_here(conn: Connection, organisation: str) -> Sequence[Any]:
    """The apps of that organisation that open at a person, by their id."""
    c = client.c
    asked = select(c.id, c.launch_url).where(c.organisation == organisation, c.kind == "app", c.active)
    return conn.execute(asked.where(c.launch_url != "").order_by(c.id)).all()


def listed(conn: Connection) -> Sequence[Row[Any]]:
    """All clients, also those that were ended, by their id."""
    return conn.execute(select(client).order_by(client.c.id)).all()


def rotate(conn: Connection, id_: str, *, secret: str = "", jwks: Mapping[str, Any] | None = None, jwks_url: str = "", safe: bool = True) -> str:  # fmt: skip
    """Other keys, or another secret, from now on; gives the secret where it has one. Raises `Invalid`, `NotFound`."""
    found = _active(conn, id_)
    by_key = bool(jwks or jwks_url)
    if not by_key and not found.secret_hash:
        raise Invalid("NAME", f"{id_} has no secret: give --jwks-url or --jwks")
    _check_keys(jwks, jwks_url, safe)
    _check_secret(secret)
    new = "" if by_key else secret or secrets.token_urlsafe(32)
    row = {"secret_hash": digest(new) if new else "", "jwks": jwks, "jwks_url": jwks_url}
    conn.execute(update(client).where(client.c.id == id_).values(row))
    return new


def revoke(conn: Connection, id_: str) -> None:
    """No more tokens for it, neither by refreshing nor by a code. Raises `NotFound`."""
    _active(conn, id_)
    conn.execute(update(client).where(client.c.id == id_).values(active=False))
    conn.execute(update(oauth_refresh).where(oauth_refresh.c.client == id_).values(revoked=True))
    conn.execute(oauth_code.delete().where(oauth_code.c.client == id_))


def _active(conn: Connection, id_: str) -> Row[Any]:
    found = conn.execute(select(client).where(client.c.id == id_, client.c.active)).one_or_none()
    if found is None:
        raise NotFound(f"There is no client {id_} that may ask; carelink clients list shows all")
    return found


def digest(secret: str) -> str:
    """A secret is 256 random bits or as long, so one round of SHA-256 is enough: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _check(place: Place, wanted: Wanted) -> None:
    if not ID.fullmatch(wanted.id):
        raise Invalid("NAME", "is at most 63 lower-case letters, digits, full stops, hyphens and underscores")
    if wanted.organisation not in place.organisations:
        raise Invalid("--organisation", f"the place has no organisation {wanted.organisation}")
    if wanted.role not in place.roles and not (wanted.kind == "app" and not wanted.role):
        raise Invalid("--role", f"the place has no role {wanted.role}; it has {', '.join(sorted(place.roles))}")
    _check_scopes(wanted)
    _check_keys(wanted.jwks, wanted.jwks_url, wanted.safe)
    _check_secret(wanted.secret)
    for one in wanted.redirect_uris:
        _check_redirect("--redirect", one, wanted.safe)
    if wanted.launch_url:
        _check_redirect("--launch-url", wanted.launch_url, wanted.safe)


def _check_scopes(wanted: Wanted) -> None:
    words = scopes.IN_WORDS[wanted.kind]
    asked = wanted.scopes.split()
    if unknown := sorted(one for one in set(asked) if not scopes.is_known(one, wanted.kind)):
        raise Invalid("--scopes", f"not given here: {', '.join(unknown)}; given are {words}")
    if not asked:
        raise Invalid("--scopes", f"names none; given are {words}")


def _check_keys(jwks: Mapping[str, Any] | None, jwks_url: str, safe: bool) -> None:
    if jwks_url:
        key_sets.check(jwks_url, safe)
    if jwks is not None:
        try:
            key_sets.public(jwks)
        except ValueError as wrong:
            raise Invalid("--jwks", str(wrong)) from wrong


def _check_secret(secret: str) -> None:
    if secret and len(secret) < SHORTEST_SECRET:
        raise Invalid("--secret", f"has fewer than {SHORTEST_SECRET} characters; without it, one is made")


def _check_redirect(place: str, uri: str, safe: bool) -> None:
    """https, an app's own scheme (RFC 8252 7.1), or http on the worker's own machine."""
    parts = urlsplit(uri)
    if not uri.isprintable() or " " in uri or not parts.scheme or parts.scheme in _NEVER or parts.fragment:
        raise Invalid(place, f"{uri} is no address that an app can be returned to")
    if parts.scheme == "https" and not parts.hostname:
        raise Invalid(place, f"{uri} names no host")
    if parts.scheme == "http" and parts.hostname not in _OF_MACHINE and safe:
        raise Invalid(place, f"{uri} must start with https://: a code over http could be read by anybody")
