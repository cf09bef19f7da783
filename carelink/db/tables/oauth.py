"""What OAuth2 must remember. Codes and tokens are kept as hashes: who reads these tables can use none of them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table, Text, Uuid, text

from carelink.db.tables.base import metadata, when

# An authorization code, from the worker's word to its one use (RFC 6749 4.1.2).
oauth_code = Table(
    "oauth_code",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("family", Uuid, nullable=False),  # of the tokens that come of it: used twice, all of them end
    Column("client", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("assignment", Text, nullable=False),  # organisation|team|role
    Column("purpose", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("person", Uuid),  # in whose context the app runs (SMART App Launch 2.2, `patient`)
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", Text, nullable=False),  # RFC 7636, S256
    Column("nonce", Text, nullable=False, server_default=""),
    when("expires", nullable=False),
    when("used"),
)

# A refresh token: good for one use, which gives the next of its family.
oauth_refresh = Table(
    "oauth_refresh",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("family", Uuid, nullable=False),
    Column("client", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("assignment", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("person", Uuid),
    when("expires", nullable=False),  # of the whole family: using it makes it no longer
    when("used"),
    Column("revoked", Boolean, nullable=False, server_default=text("false")),
    Index("oauth_refresh_family", "family"),
    Index("oauth_refresh_client", "client"),
)

# An assertion that has proved who a client is, until it is over by itself (RFC 7523 3: `jti`).
used_jti = Table(
    "used_jti",
    metadata,
    Column("client", Text, primary_key=True),
    Column("jti", Text, primary_key=True),  # its hash: what a client sends need not be short
    when("expires", nullable=False),
)

# An access token that was given back before its five minutes were over (RFC 7009): introspection says so.
revoked_token = Table(
    "revoked_token",
    metadata,
    Column("jti", Text, primary_key=True),
    when("expires", nullable=False),
)
