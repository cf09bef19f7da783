"""What the commands about retention and legal holds do, each as a function that gives its lines."""

from __future__ import annotations

import getpass

from carelink.cases import legal_hold, retention, whose
from carelink.cases.retention import WITH_THE_REST, Report
from carelink.consent.lens import Lens
from carelink.errors import Invalid
from carelink.jobs.shop import Shop


def due(shop: Shop) -> list[str]:
    """A line a schedule: what would be erased now."""
    with shop.engine.begin() as conn:
        return _told(shop, retention.what_is_due(conn, shop.place, _lens(shop, "retention: what is due")), "due")


def run(shop: Shop, reason: str) -> list[str]:
    """Erase what is due; a line a schedule. Raises `Invalid` without a reason, which the audit keeps."""
    if not reason.strip():
        raise Invalid("--reason", "must say by whose word; the audit keeps it")
    return _told(shop, retention.run(shop.engine, shop.place, _lens(shop, reason.strip())), "erased")


def _told(shop: Shop, report: Report, verb: str) -> list[str]:
    labels = {one.id: one.label for one in shop.place.schedules} | {WITH_THE_REST: "Who they were"}
    lines = [f"{labels.get(id_, id_)}: {number} items {verb}" for id_, number in sorted(report.items.items())]
    if report.answers:
        lines.append(f"Answers to requests for records: {report.answers} {verb}")
    lines.append(f"{report.people} people, of {report.whole} of them everything that is held")
    if report.held:
        lines.append(f"{report.held} people are held back: a legal hold, or a request for their record is open")
    return lines


def holds(shop: Shop) -> list[str]:
    """A line a hold that is open."""
    with shop.engine.begin() as conn:
        found = legal_hold.holds(conn, _lens(shop, "legal holds"))
    return [f"{one.id}: person {one.person}, since {one.made_at:%d %b %Y}" for one in found] or ["No hold is open"]


def hold(shop: Shop, nhs_number: str, why: str) -> str:
    """Nothing of that person is erased from now on."""
    with shop.engine.begin() as conn:
        lens = _lens(shop, "a legal hold: whose record it is")
        person = whose.by_number(conn, shop.place, lens, nhs_number, lens.reason)
        return f"Hold {legal_hold.hold(conn, lens, person.person, why)} is on"


def end_hold(shop: Shop, number: int) -> str:
    """It holds no longer."""
    with shop.engine.begin() as conn:
        legal_hold.end(conn, _lens(shop, "a legal hold ends"), number)
    return f"Hold {number} has ended"


def _lens(shop: Shop, reason: str) -> Lens:
    return Lens.system(reason, shop.clock(), f"operator:{getpass.getuser()}")
