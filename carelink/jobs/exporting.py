"""Exports are made by a worker, in one snapshot of the record; what is over is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Connection

from carelink.cases import exporting, exporting_files, exporting_run
from carelink.cases.exporting import Export
from carelink.consent.lens import Lens
from carelink.db.alone import alone
from carelink.errors import Conflict, Forbidden
from carelink.jobs.shop import Shop

log = structlog.get_logger()


def run(shop: Shop, payload: Mapping[str, Any]) -> None:
    """Make it, where it is still to be made; done again after a crash it gives the same files.

    Raises `Conflict` where another worker is at it.
    """
    id_ = UUID(payload["export"])
    with alone(shop.engine, f"export:{id_}") as free:
        if not free:
            raise Conflict("another worker makes this export")
        with shop.engine.connect() as conn:
            export = exporting.stored(conn, id_)
        if export is not None and export.status == exporting.WAITING and export.expires_at > shop.clock():
            _make(shop, export)


def _make(shop: Shop, export: Export) -> None:
    now, attempt = shop.clock(), uuid4()
    exporting_files.remove(shop.settings.exports, export.id)  # what a killed worker left
    folder = exporting_files.folder_of(shop.settings.exports, export.id, attempt)
    try:
        with shop.engine.connect() as conn:
            lens = _lens(conn, shop, export, now)
            conn.rollback()
            conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            made = exporting_run.make(conn, lens, export, folder, lambda: _is_wanted(shop, export.id))
        with shop.engine.begin() as conn:
            exporting_run.keep(conn, lens, export, made, folder)
            if not exporting.done(conn, export, attempt, made.files, made.of, shop.clock()):
                raise exporting_run.NotWanted
    except Forbidden as refused:
        with shop.engine.begin() as conn:
            exporting.failed(conn, export.id, str(refused), now)
    except exporting_run.NotWanted:
        exporting_files.remove(shop.settings.exports, export.id)
    else:
        exporting_files.remove(shop.settings.exports, export.id, but=attempt)
        log.info("exported", export=str(export.id), lines=made.counts.total(), files=len(made.files))


def _lens(conn: Connection, shop: Shop, export: Export, now: datetime) -> Lens:
    """Compiled anew: an objection, another place pack or a revoked client count that came since it was asked for."""
    asks = exporting.requester_of(conn, shop.place, export)
    return Lens.compile(shop.place, replace(asks, request=f"export:{export.id}"), now)


def _is_wanted(shop: Shop, id_: UUID) -> bool:
    with shop.engine.connect() as conn:
        return exporting.is_waiting(conn, id_)


def expire(shop: Shop, payload: Mapping[str, Any]) -> None:
    """Delete its files and its row, where it is over or was cancelled."""
    id_ = UUID(payload["export"])
    with shop.engine.begin() as conn:
        export = exporting.stored(conn, id_)
        if export is not None and export.status != exporting.CANCELLED and export.expires_at > shop.clock():
            return
        exporting.forget(conn, id_)
    exporting_files.remove(shop.settings.exports, id_)
