"""What a reviewer judges by: whose record it was, what was looked at while it was open, and the ties then and now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from carelink.audit.trail import looked
from carelink.cases.breakglass_finding import Who, who
from carelink.cases.breakglass_opening import ENDED
from carelink.cases.breakglass_review import Case, case, must_review
from carelink.consent.facts import Facts, Related
from carelink.consent.known import facts_of
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.consent.rules import BY_ID, Rule
from carelink.db.tables import audit_event
from carelink.place import Place
from carelink.record.timeline_words import KINDS

OWN_STEPS = ("break-glass", ENDED)  # breaking and closing the glass are no looks
WHOLE = 4  # a question about more types than this is about the whole record
TIES: Mapping[str, str] = {
    "caseload": "allocated to them or their team",
    "registered-practice": "registered with their practice",
    "encounter": "in the care of their organisation",
    "referral": "referred to their organisation",
    "care-team": "in the care team",
    "mdt": "in the multidisciplinary team",
}
DONE: Mapping[str, str] = {
    "read": "Read",
    "search": "Looked at",
    "history": "Looked at older versions of",
    "vread": "Looked at an older version of",
    "refusal": "Was refused",
    "print": "Printed",
    "export": "Exported",
}


@dataclass(frozen=True)
class Look:
    """Looks of one kind: how often, and how many items they showed in all."""

    words: str
    times: int
    shown: int


@dataclass(frozen=True)
class Evidence:
    """`then` and `now` are ties of the worker to the person, besides the broken glass; empty: none is known."""

    case: Case
    who: Who
    looks: tuple[Look, ...]
    rules: tuple[Rule, ...]
    then: tuple[str, ...]
    now: tuple[str, ...]


def evidence(conn: Connection, place: Place, lens: Lens, grant: int) -> Evidence:
    """All of it for one case. Audited with the person. Raises `NotFound`, `Forbidden` as the queue."""
    must_review(lens)
    asked = case(conn, place, lens, grant)
    rows = _trail(conn, asked)
    facts = facts_of(conn, asked.person)
    looked(conn, lens, "search", "a break-glass review", (), asked.person, len(rows))
    return Evidence(
        case=asked,
        who=who(conn, lens, asked.person, "who they are, for a break-glass review"),
        looks=looks(rows),
        rules=tuple(BY_ID[id_] for id_ in sorted({id_ for row in rows for id_ in row.rules}) if id_ in BY_ID),
        then=_ties(place, asked, facts, asked.starts),
        now=_ties(place, asked, facts, lens.at),
    )


def _trail(conn: Connection, asked: Case) -> Sequence[Any]:
    """What the worker did with this person's record while the glass was broken, the first first."""
    t = audit_event.c
    about = or_(t.person == asked.person, t.detail["persons"].contains([str(asked.person)]))
    theirs = (t.user == asked.user, t.organisation == asked.organisation)
    during = (t.at >= asked.starts, t.at < asked.ends, t.action.not_in(OWN_STEPS))
    columns = (t.action, t.query, t.count, t.rules)
    return conn.execute(select(*columns).where(about, *theirs, *during).order_by(t.at, t.id)).all()


def looks(rows: Iterable[Any]) -> tuple[Look, ...]:
    """The rows of the audit in words, alike ones together, in the order in which they first came."""
    found: dict[str, Look] = {}
    for row in rows:
        words = f"{DONE.get(row.action, row.action.capitalize())}: {kind_of(row.query or '')}"
        before = found.get(words, Look(words, 0, 0))
        found[words] = Look(words, before.times + 1, before.shown + (row.count or 0))
    return tuple(found.values())


def kind_of(query: str) -> str:
    """What a question in the audit was about, in words."""
    types = query.partition("?")[0].split(",")
    if "?" in query and ("*" in types or len(types) > WHOLE):
        return "the whole record"
    named = sorted({_named(type_) for type_ in types})
    return ", ".join(named) if all(named) else (OTHER_QUESTIONS.get(query) or "other")


def _named(type_: str) -> str:
    return "who they are" if type_ == "Patient" else KINDS[type_].name.lower() if type_ in KINDS else ""


OTHER_QUESTIONS: Mapping[str, str] = {
    "by key": "what other items name",
    "my caseload": "their caseload",
    "who they are, before break-glass": "who they are",
}


def _ties(place: Place, asked: Case, facts: Facts, at: datetime) -> tuple[str, ...]:
    requester = _opener(place, asked)
    terms = Lens.compile(place, requester, at).standing
    on_duty = terms.terms.on_duty if terms else False
    held = (one for one in facts.related if one.holds(requester, at, on_duty=on_duty))
    return tuple(dict.fromkeys(_tie(one) for one in held))


def _tie(one: Related) -> str:
    return TIES.get(one.kind, one.kind)


def _opener(place: Place, asked: Case) -> Requester:
    """The worker as they asked then."""
    role, organisation = place.roles.get(asked.role), place.organisations.get(asked.organisation)
    return Requester(
        user=asked.user,
        name=asked.name,
        organisation=asked.organisation,
        organisation_type=organisation.type if organisation else "",
        role=asked.role,
        purpose=role.purposes[0] if role else "",
        team=asked.team,
    )
