"""Gathering for a request of a person, and making what is released: by a worker, since a whole record takes a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from carelink.cases import subject_access_release
from carelink.consent.lens import Lens
from carelink.jobs.shop import Shop


def gather(shop: Shop, conn: Connection, payload: Mapping[str, Any]) -> None:
    """Everything that is held, into the request's package."""
    id_ = int(payload["request"])
    lens = Lens.system(f"subject access request {id_}: gather", shop.clock())
    subject_access_release.gather_for(conn, shop.place, lens, id_)


def release(shop: Shop, conn: Connection, payload: Mapping[str, Any]) -> None:
    """What was reviewed, as PDF and FHIR, into the request."""
    id_ = int(payload["request"])
    lens = Lens.system(f"subject access request {id_}: release", shop.clock(), str(payload["user"]))
    subject_access_release.make(conn, shop.place, lens, id_, f"{shop.settings.base_url}/fhir")
