"""Tells subscribers what is news to them: noted in the outbox, sent apart, tried again until it is given up."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection

from carelink.cases import subscription_sending as sending
from carelink.cases.subscription_sending import From, Ready
from carelink.jobs.outbox import Later
from carelink.jobs.posting import post
from carelink.jobs.shop import Shop

log = structlog.get_logger()
TURN = 10.0  # seconds that one subscriber has, until others have their turn


def work(shop: Shop, payload: Mapping[str, Any]) -> None:
    """Send what waits for that subscriber, one notification after the other.

    Raises `Later` where it failed and is tried again, and where its turn is over.
    """
    ours = From(shop.place, f"{shop.settings.base_url}/fhir/R4", shop.settings.secret_key)
    key, began = UUID(payload["subscription"]), monotonic()
    while (ready := _next(shop, ours, key)) is not None:
        _send(shop, ready)
        if monotonic() - began > TURN:
            raise Later("others have their turn", shop.clock())


def end(shop: Shop, conn: Connection, payload: Mapping[str, Any]) -> None:
    """In the transaction in which the row is done: nothing came meanwhile. Raises `Later` where something did."""
    if sending.rest(conn, UUID(payload["subscription"])):
        raise Later("there is more to tell", shop.clock())


def _next(shop: Shop, ours: From, key: UUID) -> Ready | None:
    with shop.engine.begin() as conn:
        return sending.begin(conn, ours, key, shop.clock())


def _send(shop: Shop, ready: Ready) -> None:
    """Raises `Later` where it failed."""
    posted = post(ready.endpoint, ready.to, ready.body, ready.headers)
    with shop.engine.begin() as conn:
        if not posted.why:
            sending.took(conn, ready, shop.clock())
            return
        again = sending.failed(conn, ready, posted.why, shop.clock(), left=posted.left)
    log.warning("a subscriber did not take it", subscription=str(ready.key), why=posted.why, again=bool(again))
    if again is not None:
        raise Later(posted.why, again)
