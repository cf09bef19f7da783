"""What the whole FHIR endpoint needs: wider indexes of search, OAuth2, subscriptions, exports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each part by itself."""
    _indexes()
    _oauth()
    _subscriptions()
    _exports()
    _quality()


def _indexes() -> None:
    """What searches look up. The rows stay; what is new in them is filled in by `carelink db reindex`."""
    op.add_column("index_token", sa.Column("place", sa.SmallInteger()))
    op.add_column("index_string", sa.Column("exact", sa.Text()))
    for name, kind in (("type", sa.Text()), ("place", sa.SmallInteger())):
        op.add_column("index_reference", sa.Column(name, kind))
    op.create_index(
        "index_reference_global",
        "index_reference",
        ["parameter", "target", "key"],
        postgresql_where=sa.text("parameter < 100"),
    )
    op.drop_index("index_number_person", table_name="index_number")
    op.alter_column("index_number", "value", new_column_name="low")
    for name, kind in (
        ("high", sa.Numeric()),
        ("system", sa.Text()),
        ("code", sa.Text()),
        ("place", sa.SmallInteger()),
    ):
        op.add_column("index_number", sa.Column(name, kind))
    op.execute("update index_number set high = low, code = unit, unit = null")
    op.alter_column("index_number", "high", nullable=False)
    op.create_index("index_number_person", "index_number", ["person", "parameter", "low", "key"])
    op.create_index("resource_version_type", "resource_version", ["type", "last_updated", "key", "version"])


def _oauth() -> None:
    """Clients, codes and refresh tokens."""
    op.add_column("client", sa.Column("kind", sa.Text(), nullable=False, server_default="system"))
    op.add_column("client", sa.Column("jwks", JSONB()))
    for name in ("jwks_url", "launch_url"):
        op.add_column("client", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "client", sa.Column("redirect_uris", sa.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'"))
    )
    granted = ("client", "user", "assignment", "purpose", "scope")
    op.create_table(
        "oauth_code",
        sa.Column("hash", sa.Text(), primary_key=True),
        sa.Column("family", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in granted),
        sa.Column("person", sa.Uuid()),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False, server_default=""),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "oauth_refresh",
        sa.Column("hash", sa.Text(), primary_key=True),
        sa.Column("family", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in granted),
        sa.Column("person", sa.Uuid()),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True)),
        sa.Column("revoked", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.create_index("oauth_refresh_family", "oauth_refresh", ["family"])
    op.create_index("oauth_refresh_client", "oauth_refresh", ["client"])
    op.create_table(
        "used_jti",
        sa.Column("client", sa.Text(), primary_key=True),
        sa.Column("jti", sa.Text(), primary_key=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "revoked_token",
        sa.Column("jti", sa.Text(), primary_key=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
    )


def _subscriptions() -> None:
    """Who is told of what."""
    op.create_table(
        "subscription",
        sa.Column("key", sa.Uuid(), primary_key=True),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("client", "purpose", "scopes", "status", "topic", "endpoint", "content")
        ),
        sa.Column("filters", JSONB(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True)),
        sa.Column("events", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("failures", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("error", sa.Text()),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
    )
    here = sa.text("deleted_at is null")
    op.create_index("subscription_client", "subscription", ["client"], postgresql_where=here)
    op.create_index("subscription_topic", "subscription", ["topic", "status"], postgresql_where=here)
    op.create_table(
        "subscription_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("subscription", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger()),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.Text()),
        sa.UniqueConstraint("subscription", "resource", "version"),
    )
    op.create_index("subscription_event_number", "subscription_event", ["subscription", "number"])
    op.create_index(
        "subscription_event_open",
        "subscription_event",
        ["subscription", "id"],
        postgresql_where=sa.text("done_at is null"),
    )


def _exports() -> None:
    """Bulk exports and their files."""
    op.create_table(
        "export_job",
        sa.Column("id", sa.Uuid(), primary_key=True),
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("client", "organisation", "role", "purpose", "scopes", "level")
        ],
        sa.Column("types", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("patients", sa.ARRAY(sa.Uuid())),
        sa.Column("since", sa.DateTime(timezone=True)),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("ignored", JSONB(), nullable=False, server_default=sa.text("'[]'")),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("why", sa.Text()),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Column("transaction_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Uuid()),
        sa.Column("files", JSONB(), nullable=False, server_default=sa.text("'[]'")),
    )
    op.create_index("export_job_client", "export_job", ["client", "asked_at"])


def _quality() -> None:
    """What fails of UK Core in what is stored, and where the files of resources are."""
    op.create_table(
        "finding",
        sa.Column("resource", sa.Uuid(), primary_key=True),
        sa.Column("rule", sa.Text(), primary_key=True),
        sa.Column("place", sa.Text(), primary_key=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "attachment",
        sa.Column("key", sa.Uuid(), primary_key=True),
        sa.Column("resource", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
    )
    op.create_index("attachment_resource", "attachment", ["resource"])


def downgrade() -> None:
    """Back again, the last part first."""
    _no_quality()
    _no_exports()
    _no_subscriptions()
    _no_oauth()
    _narrow_indexes()


def _no_quality() -> None:
    """As before `_quality`."""
    op.drop_table("attachment")
    op.drop_table("finding")


def _no_exports() -> None:
    """As before `_exports`."""
    op.drop_table("export_job")


def _no_subscriptions() -> None:
    """As before `_subscriptions`."""
    op.drop_table("subscription_event")
    op.drop_table("subscription")


def _no_oauth() -> None:
    """As before `_oauth`."""
    for name in ("revoked_token", "used_jti", "oauth_refresh", "oauth_code"):
        op.drop_table(name)
    for name in ("launch_url", "redirect_uris", "jwks_url", "jwks", "kind"):
        op.drop_column("client", name)


def _narrow_indexes() -> None:
    """As before `_indexes`."""
    op.drop_index("resource_version_type", table_name="resource_version")
    op.execute("update index_number set unit = code where code is not null")
    op.drop_index("index_number_person", table_name="index_number")
    for name in ("high", "system", "code", "place"):
        op.drop_column("index_number", name)
    op.alter_column("index_number", "low", new_column_name="value")
    op.create_index("index_number_person", "index_number", ["person", "parameter", "value", "key"])
    op.drop_index("index_reference_global", table_name="index_reference")
    op.drop_column("index_reference", "type")
    op.drop_column("index_reference", "place")
    op.drop_column("index_string", "exact")
    op.drop_column("index_token", "place")
