"""Paging by key: the next page starts after the last row of this one, so writes in between lose and repeat nothing."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from decimal import InvalidOperation
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, or_

from carelink.errors import Invalid
from carelink.record.ordering import Order
from carelink.record.parts import Over, Part


def token(values: Sequence[Any], key: UUID) -> str:
    """The opaque place of a row in its order: what it is sorted by, and its key."""
    said = [one.isoformat() if isinstance(one, datetime) else str(one) for one in values]
    return base64.urlsafe_b64encode(msgspec.json.encode([*said, str(key)])).decode().rstrip("=")


def after(text: str, orders: Sequence[Order]) -> Part:
    """The condition of all rows that come after that place. Raises `Invalid` for what is no token of ours."""
    try:
        said = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=list[str])
        values = [order.read(one) for order, one in zip(orders, said[:-1], strict=True)]
        key = UUID(said[-1])
    except (ValueError, IndexError, InvalidOperation) as wrong:
        raise Invalid("after", "is not the next link of a page of ours") from wrong
    return Part(("after", *(order.shape for order in orders)), (*values, key), _further(orders))


def _further(orders: Sequence[Order]) -> Any:
    """After in the first order; or alike there, and after in the next; last by key."""

    def sql(over: Over, *binds: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = over.t.c.key > binds[-1]
        for order, bind in reversed(list(zip(orders, binds[:-1], strict=True))):
            value = order.sql(over)
            further = value < bind if order.falling else value > bind
            found = or_(further, and_(value == bind, found))
        return found

    return sql
