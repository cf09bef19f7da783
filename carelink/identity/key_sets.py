"""Public keys of others by their address (RFC 7517): fetched carefully, kept for a while, and read anew after a rotation."""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from carelink.errors import Invalid, SourceUnavailable

SECONDS = 5.0  # for all of one fetch, from the name to the last byte
LARGEST = 100_000  # bytes; a set of keys has some thousands
USUALLY = timedelta(minutes=15)  # where the answer does not say how long it is good
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=1)
BETWEEN = timedelta(seconds=30)  # an unknown key makes us ask again, and no oftener than so
MOST_KEYS = 50
_MAX_AGE = re.compile(r"\bmax-age=(\d{1,9})\b")

Resolve = Callable[[str, int], list[str]]


def _addresses(host: str, port: int) -> list[str]:
    return list(dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


@dataclass(frozen=True)
class _Kept:
    keys: KeySet
    asked: datetime
    until: datetime
    etag: str = ""


@dataclass
class KeySets:
    """The sets of keys that this process knows. `nearby`: hosts that may be on a private network.

    `safe`: nothing but https; off for development alone.
    """

    safe: bool = True
    nearby: frozenset[str] = frozenset()
    resolve: Resolve = _addresses
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False)
    )
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _failed: dict[str, tuple[datetime, SourceUnavailable]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, url: str, kid: str, now: datetime) -> KeySet:
        """The keys at that address; read anew where they are too old, or don't have `kid` among them.

        Raises `SourceUnavailable` where there are none to be had, `Invalid` for an address that is not asked.
        """
        with self._lock:
            known = self._kept.get(url)
            if known is None or now >= known.until or (not _has(known.keys, kid) and now - known.asked >= BETWEEN):
                known = self._kept[url] = self._asked(url, known, now)
            return known.keys

    def _asked(self, url: str, known: _Kept | None, now: datetime) -> _Kept:
        """Asked for; who did not answer just now is not asked again at once, whoever wants to know."""
        since, failed = self._failed.get(url, (None, None))
        if since is not None and failed is not None and now - since < BETWEEN:
            raise failed
        try:
            return self._fresh(url, known, now)
        except SourceUnavailable as failed_now:
            self._failed[url] = (now, failed_now)
            raise

    def _fresh(self, url: str, known: _Kept | None, now: datetime) -> _Kept:
        answer, body = self._get(url, known.etag if known else "")
        until = now + _good_for(answer.headers.get("Cache-Control", ""))
        if answer.status_code == 304 and known is not None:
            return replace(known, asked=now, until=until)
        if answer.status_code != 200:
            raise _unavailable(url, f"its keys are answered with {answer.status_code}")
        try:
            return _Kept(public(json.loads(body)), now, until, answer.headers.get("ETag", "")[:200])
        except ValueError as wrong:
            raise _unavailable(url, "its keys can't be read") from wrong

    def _get(self, url: str, etag: str) -> tuple[httpx.Response, bytes]:
        at, host, headers = self._address(url)
        if etag:
            headers["If-None-Match"] = etag
        began, body = monotonic(), b""
        try:
            with self.http.stream("GET", at, headers=headers, extensions={"sni_hostname": host}) as answer:
                for piece in answer.iter_raw(8192):
                    body += piece
                    if len(body) > LARGEST or monotonic() - began > SECONDS:
                        raise _unavailable(url, "its keys are too large or come too slowly")
                return answer, body
        except httpx.HTTPError as failed:
            raise _unavailable(url, "its keys do not answer") from failed

    def _address(self, url: str) -> tuple[str, str, dict[str, str]]:
        """The address by number, so that what was looked at is what is asked; with the name for TLS and for the server."""
        check(url, self.safe)
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = self.resolve(host, port)
        except OSError as unknown:
            raise _unavailable(url, "its name is not known") from unknown
        if not found or not (host in self.nearby or not self.safe or all(map(_public, found))):
            raise _unavailable(url, "it is on a private network; CARELINK_KEYS_NEARBY names those that may be")
        number = f"[{found[0]}]" if ":" in found[0] else found[0]
        query = f"?{parts.query}" if parts.query else ""
        headers = {"Host": parts.netloc, "Accept": "application/json", "Accept-Encoding": "identity"}
        return f"{parts.scheme}://{number}:{port}{parts.path or '/'}{query}", host, headers


def check(url: str, safe: bool) -> None:
    """Nothing, where keys may be asked for at that address. Raises `Invalid`."""
    try:
        parts = urlsplit(url)
        named = parts.hostname and parts.port != 0
    except ValueError:
        named = None
    if not named or parts.scheme not in ("https", "http") or parts.username or parts.fragment or not url.isprintable():
        raise Invalid("--jwks-url", "must be an address that starts with https://, without a name or a fragment in it")
    if safe and parts.scheme != "https":
        raise Invalid("--jwks-url", "must start with https://: keys over http could be anybody's")


def public(found: Any) -> KeySet:
    """A set of keys of which each is public, asymmetric and has a name. Raises ValueError for whatever else it is."""
    keys = found.get("keys") if isinstance(found, Mapping) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MOST_KEYS:
        raise ValueError('must be a JSON object with "keys"')
    for one in keys:
        if not isinstance(one, dict) or one.get("kty") not in ("RSA", "EC") or not isinstance(one.get("kid"), str):
            raise ValueError("each key must be of RSA or EC and have a kid")
        if "d" in one:
            raise ValueError("holds a private key: make a new one, and give its public half")
    try:
        return KeySet.import_key_set({"keys": [_bare(one) for one in keys]})
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise ValueError("holds a key that can't be read") from wrong


def _bare(key: Mapping[str, Any]) -> dict[str, Any]:
    """What makes the key, and its name: what else a set says of it (use, key_ops, x5c) is not needed."""
    return {name: key[name] for name in ("kty", "kid", "n", "e", "crv", "x", "y") if name in key}


def _has(keys: KeySet, kid: str) -> bool:
    return any(one.kid == kid for one in keys.keys)


def _public(address: str) -> bool:
    number = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(number, "ipv4_mapped", None)
    return (mapped or number).is_global and not (mapped or number).is_multicast


def _good_for(cache_control: str) -> timedelta:
    if "no-store" in cache_control or "no-cache" in cache_control:
        return SHORTEST
    said = _MAX_AGE.search(cache_control)
    return min(max(timedelta(seconds=int(said[1])), SHORTEST), LONGEST) if said else USUALLY


def _unavailable(url: str, why: str) -> SourceUnavailable:
    return SourceUnavailable(urlsplit(url).hostname or "the client", None, why)
