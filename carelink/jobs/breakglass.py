"""After a record was opened in need, and after that was reviewed: whoever must know is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from carelink.cases import breakglass_telling
from carelink.jobs.shop import Shop


def opened(shop: Shop, conn: Connection, payload: Mapping[str, Any]) -> None:
    """A Task for who reviews it, and a notice on the person's own page."""
    breakglass_telling.tell(conn, shop.place, int(payload["grant"]), shop.clock())


def reviewed(shop: Shop, conn: Connection, payload: Mapping[str, Any]) -> None:
    """The Task is done."""
    breakglass_telling.close(conn, shop.place, int(payload["grant"]), shop.clock())
