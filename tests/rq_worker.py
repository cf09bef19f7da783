"""A worker as `carelink worker`, that knows one more kind of work: it counts what it does, and can be held in the middle.

`python tests/rq_worker.py`, with the environment of a worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, text

from carelink.cli import main
from carelink.db.tables import job_receipt
from carelink.jobs import handlers
from carelink.jobs.handlers import Kind
from carelink.jobs.shop import Shop

HELD = 0x7E57  # an advisory lock: whoever has it holds up all work that asks for it


def counted(shop: Shop, conn: Connection, payload: Mapping[str, Any]) -> None:
    """The effect: a receipt for the number; twice done would be two receipts."""
    row = {"outbox": payload["number"], "step": str(uuid4()), "done_at": shop.clock()}
    conn.execute(job_receipt.insert().values(row))
    if payload.get("held"):
        conn.execute(text("select pg_advisory_xact_lock_shared(:held)"), {"held": HELD})


if __name__ == "__main__":
    handlers.KINDS = {**handlers.KINDS, "test": Kind(handler=counted)}
    main(["worker"])
