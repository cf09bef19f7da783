"""What the whole FHIR endpoint needs: wider indexes of search, OAuth2, subscriptions, exports."""

from __future__ import annotations

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
    """What searches look up."""


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
