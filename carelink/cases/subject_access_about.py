"""What is held about a person beside their record: how it was joined, who looked, what was decided. In words.

Workers are told by role and organisation. Who they are by name is theirs too, and is told only where that is asked for
and reasonable (DPA 2018 Sch 2 para 16 and 17).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from carelink.cases.subject_access_package import Item, Part, fingerprint_of
from carelink.clock import LONDON
from carelink.consent.sensitivity import Sensitivity
from carelink.db import tables
from carelink.ids import Ods, PersonKey
from carelink.place import Place
from carelink.record.timeline_dates import whole

Gathers = Callable[[Connection, Place, UUID], Iterator[Item]]


def _line(part: str, number: Any, title: str, *lines: str) -> Item:
    said = tuple(line for line in lines if line)
    return Item(f"{part}:{number}", part, title, said, fingerprint=fingerprint_of(title, *said))


def _day(moment: datetime | None) -> str:
    return whole(moment.astimezone(LONDON)) if moment else ""


def _organisation(place: Place, ods: str | None) -> str:
    known = place.organisations.get(Ods(ods)) if ods else None
    return known.name if known else ods or ""


def _role(place: Place, role: str | None) -> str:
    known = place.roles.get(role or "")
    return known.label if known else role or ""


def _source(place: Place, name: str) -> str:
    return next((entry.label for entry in place.sources if entry.name == name), name)


# How the records were joined -----------------------------------------------------------------------

METHODS = {
    "founder": "the first record of this person",
    "nhs-number": "by the NHS number",
    "weights": "by name, date of birth and address together",
    "human": "by somebody who compared the two records",
}


def _links(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    t, r = tables.person_link.c, tables.resource.c
    asked = (
        select(tables.person_link, r.source).outerjoin(tables.resource, r.key == t.patient).where(t.person == person)
    )
    for row in conn.execute(asked.order_by(t.id)):
        undone = f"Undone on {_day(row.undone_at)}: {row.undone_why}" if row.undone_at else ""
        made = f"Joined on {_day(row.made_at)} {METHODS.get(row.method, row.method)}"
        yield _line("links", row.id, f"A record of {_source(place, row.source or 'a source')}", made, undone)


def _decisions(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    t = tables.link_decision.c
    mine = select(tables.person_link.c.patient).where(tables.person_link.c.person == person)
    asked = select(tables.link_decision).where(or_(t.candidate == person, t.patient.in_(mine)))
    for row in conn.execute(asked.order_by(t.id)):
        answer = {"same": "one person", "different": "two people"}.get(row.answer or "", "not decided yet")
        title = "A question whether two records are one person"
        yield _line("links", f"question-{row.id}", title, f"Asked on {_day(row.raised_at)}; {answer}")


def _traits(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    t = tables.person_trait.c
    named = ("nhs_number", "family", "given", "birth_date", "gender", "postcode", "address", "telephone")
    for row in conn.execute(select(tables.person_trait).where(t.person == person).order_by(t.patient)):
        lines = [f"{name.replace('_', ' ')}: {getattr(row, name)}" for name in named if getattr(row, name)]
        yield _line("links", f"traits-{row.patient}", "What a record is compared with others by", *lines)


# Who may see it, and who did -----------------------------------------------------------------------

KINDS = {
    "caseload": "You are on their caseload",
    "registered-practice": "It is your GP practice",
    "encounter": "You were seen there",
    "referral": "You were referred there",
    "care-team": "They are in your care team",
    "mdt": "They are in a meeting about your care",
}


def _relationships(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    t = tables.relationship.c
    for row in conn.execute(select(tables.relationship).where(t.person == person).order_by(t.starts, t.id)):
        who = f"{_organisation(place, row.organisation)}{f', team {row.team}' if row.team else ''}"
        until = f" to {_day(row.ends)}" if row.ends else ""
        yield _line("involved", row.id, who, f"{KINDS.get(row.kind, row.kind)}: from {_day(row.starts)}{until}")


def _directives(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    t = tables.directive.c
    for row in conn.execute(select(tables.directive).where(t.person == person).order_by(t.starts, t.id)):
        to = _organisation(place, row.organisation) or row.role or row.organisation_type or "anyone else"
        of = ", ".join(place.categories.get(one, one) for one in row.categories or ()) or "the whole record"
        verb = "is not shared with" if row.effect == "deny" else "may be shared with"
        until = f" until {_day(row.ends)}" if row.ends else ""
        exactly = "" if "unclear" not in row.rule else "What was written could not be read exactly."
        yield _line("consents", row.id, f"{of[:1].upper()}{of[1:]} {verb} {to}{until}", exactly)


ACTIONS = {
    "read": "read something",
    "search": "looked through your record",
    "history": "looked at earlier versions",
    "vread": "looked at an earlier version",
    "explain": "looked at why somebody sees what",
    "export": "took a copy out",
    "print": "printed something",
    "break-glass": "opened your record in an emergency",
    "refusal": "was refused",
    "gather": "gathered what is held, for a request of yours",
}


def _looks(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    """By day, role and organisation: how often each kind of look was taken."""
    t = tables.audit_event.c
    day = func.date(func.timezone("Europe/London", t.at))
    kinds = (day.label("day"), t.organisation, t.role, t.action)
    mine = or_(t.person == person, t.detail["persons"].contains([str(person)]))
    asked = select(*kinds, func.count().label("times")).where(mine, t.user.is_not(None)).group_by(*kinds)
    for row in conn.execute(asked.order_by(day.desc(), *kinds[1:])):
        who = ": ".join(filter(None, (_organisation(place, row.organisation), _role(place, row.role))))
        times = f"{row.times} times" if row.times > 1 else "once"
        said = f"{whole(row.day)}: {ACTIONS.get(row.action, row.action.replace('-', ' '))}, {times}"
        id_ = f"{row.day}-{row.organisation}-{row.role}-{row.action}"
        yield _line("looked", id_, who or "The operator of CareLink", said)


def _grants(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    t = tables.access_grant.c
    reasons: Mapping[str, str] = place.glass.reasons if place.glass else {}
    for row in conn.execute(select(tables.access_grant).where(t.person == person).order_by(t.starts)):
        who = f"{_organisation(place, row.organisation)}: {_role(place, row.role)}"
        told = f"{_day(row.starts)}: {reasons.get(row.reason, row.reason)}. {row.words}"
        found = f"Looked into on {_day(row.reviewed_at)}: {row.finding}" if row.reviewed_at else "Not looked into yet"
        yield _line("glass", row.id, who, told, found, row.finding_words or "")


# What was done with it -----------------------------------------------------------------------------


def _corrections(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    """Not of what the law restricts: the words of the correction would tell of it."""
    t, r = tables.label_correction.c, tables.resource.c
    told = r.sensitivities.op("&")(Sensitivity.LEGAL) == 0
    asked = select(tables.label_correction).join(tables.resource, r.key == t.resource).where(r.person == person, told)
    for row in conn.execute(asked.order_by(t.id)):
        who = _organisation(place, row.organisation)
        yield _line("labels", row.id, f"{who} corrected how something is labelled", f"{_day(row.made_at)}: {row.why}")


def _refused(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    t = tables.quarantine.c
    for row in conn.execute(select(tables.quarantine).where(t.person == person).order_by(t.id)):
        why = [f"{one.get('place', '')} {one.get('why', '')}".strip() for one in row.reasons]
        state = f"Settled on {_day(row.resolved_at)}: {row.resolution}" if row.resolved_at else "Not settled"
        title = f"{row.type} from {_source(place, row.source)}, {_day(row.seen_at)}"
        yield _line("refused", row.id, title, *why, state, f"As it was sent: {row.raw}")


def _holds(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    t = tables.legal_hold.c
    for row in conn.execute(select(tables.legal_hold).where(t.person == person).order_by(t.id)):
        ended = f"Ended on {_day(row.ended_at)}" if row.ended_at else "Nothing of your record is erased until it ends"
        yield _line("holds", row.id, f"Since {_day(row.made_at)}: {row.why}", ended)


def _requests(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    t = tables.subject_request.c
    columns = (t.id, t.status, t.requested_by, t.asked_at, t.released_at, t.ended_at, t.ended_why)
    for row in conn.execute(select(*columns).where(t.person == person).order_by(t.id)):
        done = f"Answered on {_day(row.released_at)}" if row.released_at else ""
        ended = f"Ended on {_day(row.ended_at)}: {row.ended_why}" if row.ended_at else ""
        yield _line("requests", row.id, f"Asked on {_day(row.asked_at)} by {row.requested_by}", done, ended)


def _erased(conn: Connection, place: Place, person: UUID) -> Iterator[Item]:
    t = tables.erasure.c
    day = func.date(func.timezone("Europe/London", t.erased_at)).label("day")
    kinds = (day, t.custodian, t.category)
    asked = select(*kinds, func.count().label("items")).where(t.person == person).group_by(*kinds)
    for row in conn.execute(asked.order_by(*kinds)):
        what = f"{row.items} items: {place.categories.get(row.category, row.category)}"
        id_ = f"{row.day}-{row.custodian}-{row.category}"
        yield _line("erased", id_, _organisation(place, row.custodian), f"{whole(row.day)}: {what}")


# A part, and what gathers it.
PARTS: tuple[tuple[Part, tuple[Gathers, ...]], ...] = (
    (Part("consents", "What you agreed or objected to, as CareLink applies it"), (_directives,)),
    (Part("involved", "Who is involved with you, and so may see what is shared"), (_relationships,)),
    (Part("looked", "Who looked at your record", "By day, organisation and role."), (_looks,)),
    (Part("glass", "When your record was opened in an emergency"), (_grants,)),
    (Part("links", "How your records were joined"), (_links, _decisions, _traits)),
    (Part("labels", "How things were labelled by hand"), (_corrections,)),
    (Part("refused", "What sources sent that could not be stored"), (_refused,)),
    (Part("holds", "What is kept for legal reasons"), (_holds,)),
    (Part("requests", "What you asked for before"), (_requests,)),
    (Part("erased", "What was erased because its time was over"), (_erased,)),
)


def beside(conn: Connection, place: Place, person: PersonKey) -> tuple[Item, ...]:
    """All of it, in the order of the parts."""
    return tuple(item for _, gathers in PARTS for gather in gathers for item in gather(conn, place, person))
