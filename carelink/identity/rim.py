"""What the OAuth2 server needs of the world: its tokens, a connection, the time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from carelink.consent.requester import Requester
from carelink.identity.clients import Client
from carelink.identity.id_tokens import IdTokens
from carelink.identity.launches import Launches
from carelink.identity.tokens import Tokens

TOKEN = "/oauth2/token"
AUTHORIZE = "/oauth2/authorize"
INTROSPECT = "/oauth2/introspect"
REVOKE = "/oauth2/revoke"
KEYS = "/oauth2/keys"


@dataclass(frozen=True)
class Rim:
    """Given to the server once; asked in each request."""

    tokens: Tokens
    id_tokens: IdTokens
    launches: Launches
    find: Callable[[str], Client | None]
    connection: Callable[[], Connection]  # of this request
    apart: Callable[[], AbstractContextManager[Connection]]  # a transaction that stands whatever becomes of the request
    clock: Callable[[], datetime]
    practitioner: Callable[[Requester], str]  # the address of a worker's Practitioner; empty where they have none
    secrets: bool = False  # whether a client may prove who it is by a secret: for development

    def url(self, path: str) -> str:
        """The address of one of our endpoints."""
        return self.tokens.issuer + path
