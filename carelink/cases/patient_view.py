"""What a hospital's own system says when a patient's chart is opened: what this requester may know of social care.

For CDS Hooks 2.0, `patient-view`: one card, or none. None for somebody who is not here, who may not be known, or of whom
nothing may be told: the three are the same to the byte, and are asked alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import nhs_number
from sqlalchemy import Connection

from carelink.audit.trail import looked
from carelink.cases import sections
from carelink.cases.standing import standings, told
from carelink.consent.holders import KIND, holder_name
from carelink.consent.lens import Lens
from carelink.ids import NHS_NUMBER, PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Criterion, Query, Row
from carelink.record.timeline_names import Read, opened
from carelink.record.timeline_values import Body, Names, called, concept, listed
from carelink.record.timeline_words import say

COUNCIL = "council"  # the type of organisation that is adult social care
TYPES = ("CareTeam", "EpisodeOfCare", "Flag", "ServiceRequest", "Task")  # what social care does for somebody
SAFEGUARDING = "safeguarding"  # the category
MOST = 200  # rows that are looked at, the newest
LINES = 3  # care packages, and alerts, that a card has room for
SUMMARY = 140  # characters that CDS Hooks lets a summary have
_NAMED = re.compile(r'"reference":"(?:Practitioner|PractitionerRole|Organization)/([0-9a-f-]{36})"')
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~-])")
_CARD = UUID("0b6f4f2b-8f0e-5b9c-8a3e-2c7d5d1f6a90")


@dataclass(frozen=True)
class Links:
    """Where a card leads: `launch` for SMART, `page` of a person before their key."""

    home: str
    launch: str
    page: str


@dataclass(frozen=True)
class Known:
    """What may be said."""

    person: PersonKey
    by: tuple[str, ...]  # councils, by name
    workers: tuple[str, ...]  # who is allocated, with how to reach them
    care: tuple[str, ...]
    alerts: tuple[str, ...]
    safeguarding: bool  # something of it is open, and may be told
    doubt: str  # why there may be more


def number_of(patient: Body) -> str:
    """The NHS number of a Patient as the caller knows them; empty where it has none that is one."""
    for one in listed(patient.get("identifier")):
        value = str(one.get("value", "")).replace(" ", "")
        if one.get("system") == NHS_NUMBER and one.get("use") != "old" and nhs_number.is_valid(value):
            return value
    return ""


def known(conn: Connection, place: Place, lens: Lens, number: str) -> Known | None:
    """What of the person of that NHS number may be said; None where nothing may. Audited as a read of theirs."""
    criteria = (Criterion("identifier", (f"{NHS_NUMBER}|{number}",)),)
    found = search.run(conn, lens, Query(types=("Patient",), criteria=criteria))
    persons = {row.person for row in found.rows if row.person is not None}
    if len(persons) != 1:
        return None
    return _of(conn, place, lens, persons.pop(), hidden=any(row.hidden for row in found.rows))


def _of(conn: Connection, place: Place, lens: Lens, person: PersonKey, *, hidden: bool) -> Known | None:
    page = search.unkept(conn, lens, Query(types=TYPES, person=person, count=MOST))
    rows = [row for row in page.rows if _is_council(place, row)]
    named = {ResourceKey(UUID(key)) for row in rows if row.type == "CareTeam" for key in _NAMED.findall(row.body)}
    people = search.unkept_by_keys(conn, lens, named)
    looked(conn, lens, "read", "patient-view", (*rows, *people), person)
    if not rows:
        return None
    stand = told(standings(conn, place, person, lens.at), place, lens, hidden=hidden)
    return Known(
        person=person,
        by=tuple(sorted({holder_name(place, row.custodian) for row in rows})),
        **_told(opened(rows), {f"{row.type}/{row.key}": body for row, body in opened(people)}),
        doubt=sections.doubt(stand, lens.withheld(conn, person)),
    )


def _is_council(place: Place, row: Row) -> bool:
    """Whether a council answers for it, also where it may not be told which."""
    organisation = place.organisations.get(row.custodian)
    return row.custodian == KIND + COUNCIL or (organisation is not None and organisation.type == COUNCIL)


def _told(read: Read, people: Mapping[str, Body]) -> dict[str, Any]:
    """What is going on, in words."""
    current = [(row, body, said) for row, body in read if not (said := say(body, Names())).over]
    return {
        "workers": tuple(
            dict.fromkeys(line for row, body, _ in current if row.type == "CareTeam" for line in _workers(body, people))
        ),
        "care": tuple(
            dict.fromkeys(said.title for row, _, said in current if row.type == "EpisodeOfCare" and said.title)
        ),
        "alerts": tuple(dict.fromkeys(said.title for row, _, said in current if _is_alert(row) and said.title)),
        "safeguarding": any(row.category == SAFEGUARDING for row, _, _ in current),
    }


def _is_alert(row: Row) -> bool:
    return row.type == "Flag" and row.category != SAFEGUARDING


def _workers(team: Body, people: Mapping[str, Body]) -> Iterator[str]:
    """Each worker of a team that is allocated: name, role, team, and the number to ring."""
    for one in listed(team.get("participant")):
        member = one.get("member", {})
        person = people.get(str(member.get("reference", "")), {})
        name = called(person) if person else str(member.get("display", ""))
        words = (name, concept(one.get("role")), str(team.get("name", "")), _number(person) or _number(team))
        if line := ", ".join(filter(None, words)):
            yield line


def _number(body: Body) -> str:
    numbers = (
        one for one in listed(body.get("telecom")) if one.get("system") in ("phone", "sms") and one.get("use") != "old"
    )
    return next((str(one.get("value", "")) for one in numbers), "")


# The card -------------------------------------------------------------------------------------------


def card(place: Place, found: Known, links: Links, instance: str) -> dict[str, Any]:
    """What is known as a card of CDS Hooks 2.0. The words of sources are text, never markup. Pure."""
    return {
        "uuid": str(uuid5(_CARD, f"{instance}|{found.person}")),
        "summary": _short(f"Known to adult social care: {', '.join(found.by)}"),
        "indicator": "warning" if found.safeguarding or found.alerts else "info",
        "detail": "\n".join(f"- {line}" for line in _lines(found)),
        "source": {"label": place.words.service_name, "url": links.home},
        "links": [
            {"label": f"Open in {place.words.service_name}", "url": links.launch, "type": "smart"},
            {"label": f"Open {place.words.service_name} in the browser", "url": f"{links.page}{found.person}", "type": "absolute"},
        ],
    }  # fmt: skip


def _lines(found: Known) -> Iterator[str]:
    if found.safeguarding:
        yield "**Safeguarding: a concern or enquiry is open**"
    for heading, said in (("Allocated worker", found.workers), ("Alert", found.alerts), ("Care now", found.care)):
        for line in said[:LINES]:
            yield f"{heading}: {plain(line)}"
        if len(said) > LINES:
            yield f"{heading}: and {len(said) - LINES} more"
    if not found.workers:
        yield "No allocated worker is known here"
    if found.doubt:
        yield plain(found.doubt)


def plain(words: str) -> str:
    """As Markdown that shows just these words."""
    return _MARKDOWN.sub(r"\\\1", " ".join(words.split()))


def _short(words: str) -> str:
    return words if len(words) <= SUMMARY else words[: SUMMARY - 1] + "…"


def cards(place: Place, found: Known | None, links: Links, instance: str) -> Sequence[dict[str, Any]]:
    """The cards of the answer."""
    return [card(place, found, links, instance)] if found is not None else []
