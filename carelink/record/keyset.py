"""Paging by key: the next page starts after the last row of this one, so writes in between lose and repeat nothing."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from carelink.errors import Invalid


def token(value: datetime, key: UUID) -> str:
    """The opaque place of a row in its order."""
    return base64.urlsafe_b64encode(f"{value.isoformat()}|{key}".encode()).decode().rstrip("=")


def after(text: str, value: ColumnElement[Any], falling: bool, key: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition of all rows that come after that place. Raises `Invalid` for what is no token of ours."""
    try:
        moment, _, last = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition("|")
        at, row = datetime.fromisoformat(moment), UUID(last)
    except ValueError as wrong:
        raise Invalid("after", "is not the next link of a page of ours") from wrong
    further = value < at if falling else value > at
    return or_(further, and_(value == at, key > row))
