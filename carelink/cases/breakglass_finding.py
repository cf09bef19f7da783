"""Whom two identifying facts name exactly: for a worker who must open a record that they are not involved with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import nhs_number
from sqlalchemy import ColumnElement, Connection, exists, literal, not_, select

from carelink.audit.trail import Event, append
from carelink.cases import banner
from carelink.cases.breakglass import must_be_offered
from carelink.cases.finding import POSTCODE, birth_date, typed
from carelink.consent.lens import Lens
from carelink.consent.rules import GLASS
from carelink.consent.sensitivity import EVERY_BIT, ONLY_FOR_THE_PERSON, Sensitivity
from carelink.db.tables import audit_event, index_string, person, resource
from carelink.ids import NHS_NUMBER, PersonKey
from carelink.place import Place
from carelink.record.criteria import condition
from carelink.record.indexing import folded
from carelink.record.parameters import of_type
from carelink.record.parts import Over
from carelink.record.query import Criterion
from carelink.record.timeline_values import human_name
from fhir_adapters import exact_json

SEARCHED = "break-glass-search"  # the action in the audit
FOUND_LASTS = timedelta(minutes=15)  # between finding somebody and breaking the glass


@dataclass(frozen=True)
class Named:
    """What was typed, cleaned: an NHS number and a birth date, or a family name, a birth date and a postcode."""

    nhs_number: str = ""
    family: str = ""
    born: str = ""  # ISO date
    postcode: str = ""

    @property
    def kinds(self) -> str:
        """Which facts they are, without what they say: for the audit."""
        return "identifier&birthdate" if self.nhs_number else "family&birthdate&address-postalcode"


@dataclass(frozen=True)
class Who:
    """Who somebody is, as far as two facts may confirm it: never where they are."""

    person: PersonKey
    name: str = banner.UNKNOWN
    born: str = ""
    nhs_number: str = ""


def read(form: Mapping[str, str]) -> tuple[Named, dict[str, str]]:
    """What was typed, and what is wrong with it by field."""
    born, wrong = birth_date(form)
    number = re.sub(r"[\s-]", "", typed(form, "nhs_number"))
    facts = Named(number, typed(form, "family"), born, typed(form, "postcode").upper())
    if not (born or wrong):
        wrong = {"born": "Enter the whole date of birth"}
    return facts, _wrong_name(facts) | wrong


def _wrong_name(facts: Named) -> dict[str, str]:
    if facts.nhs_number:
        good = nhs_number.is_valid(facts.nhs_number)
        return {} if good else {"nhs_number": "This is not an NHS number: check the ten digits"}
    if not facts.family and not facts.postcode:
        return {"nhs_number": "Enter the NHS number, or the family name and the postcode"}
    wrong = {} if facts.family else {"family": "Enter the family name"}
    if not POSTCODE.match(facts.postcode):
        wrong["postcode"] = "Enter a whole postcode, like DM1 4QT"
    return wrong


def find(conn: Connection, place: Place, lens: Lens, facts: Named) -> PersonKey | None:
    """The one person whom the facts name, and of whom this requester sees more than before once the glass is broken.

    None for nobody, for several, and for somebody whom break-glass opens nothing of: nobody learns which it was. Also
    somebody whom they are involved with is found. Every attempt is in the audit, without what was typed. Raises
    `Forbidden` for who may not break glass.
    """
    must_be_offered(place, lens)
    people = _people(conn, lens, facts)
    found = people[0] if len(people) == 1 and _may_know(conn, lens, people[0]) else None
    event = Event(SEARCHED, lens.requester, found, query=facts.kinds, count=int(found is not None), rules=(GLASS.id,))
    append(conn, event, lens.at)
    return found


def _may_know(conn: Connection, lens: Lens, key: PersonKey) -> bool:
    return lens.breakable(conn, key) or lens.person_visible(conn, key)


def _people(conn: Connection, lens: Lens, facts: Named) -> list[PersonKey]:
    """Up to two people of whom one Patient, as a source tells it, says all of the facts; none by a name that the law hides."""
    t, everybody = resource.c, Lens.system("break-glass: whom the facts name", lens.at)
    parts = [condition(("Patient",), one, lens.at) for one in _criteria(facts)]
    says = [part.sql(Over(resource, everybody), *map(literal, part.values)) for part in parts]
    says += [_says(code, text) for code, text in _texts(facts)]
    found = (
        select(t.person).distinct().where(t.type == "Patient", not_(t.deleted), t.person.is_not(None), _LAWFUL, *says)
    )
    if facts.postcode and not facts.nhs_number:
        found = found.where(*_where_they_are_may_be_told(lens))
    return [PersonKey(key) for key in conn.execute(found.order_by(t.person).limit(2)).scalars()]


_LAWFUL = resource.c.sensitivities.op("&")(int(Sensitivity.LEGAL)) == 0


def _where_they_are_may_be_told(lens: Lens) -> tuple[ColumnElement[bool], ...]:
    """A hit by postcode confirms where somebody is.

    Of a restricted person (PDS 'S') to no role here, of nobody to whom a court keeps away from them, and never by a
    record that is sensitive: where somebody fled to, a source may know in confidence.
    """
    restricted = exists().where(person.c.key == resource.c.person, person.c.restricted)
    in_confidence = resource.c.sensitivities.op("&")(EVERY_BIT & ~int(ONLY_FOR_THE_PERSON)) != 0
    return not_(restricted), not_(in_confidence), lens.locating_allowed(resource.c.person)


def _criteria(facts: Named) -> tuple[Criterion, ...]:
    born = Criterion("birthdate", (facts.born,))
    return (Criterion("identifier", (f"{NHS_NUMBER}|{facts.nhs_number}",)), born) if facts.nhs_number else (born,)


def _texts(facts: Named) -> tuple[tuple[str, str], ...]:
    return () if facts.nhs_number else (("family", facts.family), ("address-postalcode", facts.postcode))


def _says(code: str, text: str) -> ColumnElement[bool]:
    """Whether a Patient says that, the whole of it, in whatever case and with or without accents."""
    number = of_type("Patient")[code].number
    i = index_string.c
    said = select(i.key).where(i.parameter == number, i.value == folded(number, text))
    return resource.c.key.in_(said)


def found_lately(conn: Connection, lens: Lens, key: PersonKey) -> bool:
    """Whether this requester named the person by two facts just now: who only holds their key has to, first."""
    t = audit_event.c
    lately = exists().where(
        t.user == lens.user,
        t.at > lens.at - FOUND_LASTS,
        t.at <= lens.at,
        t.action == SEARCHED,
        t.person == key,
        t.organisation == (lens.requester.organisation if lens.requester else None),
    )
    return bool(conn.execute(select(lately)).scalar())


def who(conn: Connection, lens: Lens, key: PersonKey, why: str) -> Who:
    """The person's name, birth date and NHS number; `why` is what the audit says. Of a merged person, who they are now.

    Nothing of somebody of whom nothing is known but what the law restricts.
    """
    now_is = conn.execute(select(person.c.merged_into).where(person.c.key == key)).scalar() or key
    t = resource.c
    asked = select(t.body).where(t.key == now_is, t.type == "Patient", not_(t.deleted), _LAWFUL)
    text = conn.execute(asked).scalar()
    append(conn, Event("read", lens.requester, key, query=why, count=int(text is not None), rules=(GLASS.id,)), lens.at)
    if text is None:
        return Who(key)
    body = exact_json.loads(text)
    born = str(body.get("birthDate", ""))
    return Who(key, human_name(body.get("name")) or banner.UNKNOWN, born, banner.nhs_number(body))
