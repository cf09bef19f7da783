"""Who gave a FHIR Consent, and whether they might: between `performer` and the rules of capacity. Pure."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from carelink.consent.capacity import Answer, AuthorityKind, Decision, Giver, Mind, Relation, may_consent
from carelink.consent.capacity_children import PARENTAL
from carelink.consent.periods import LONDON, Unclear, moment
from carelink.ids import PersonKey, ResourceKey

GIVER = "https://carelink.example/StructureDefinition/consent-giver"
_PERSON = Giver(Relation.THE_PERSON)

# As what the holder of each authority speaks. Where a source doesn't say over what, the rules refuse and say that.
_HOLDS: Mapping[AuthorityKind, Relation] = {
    AuthorityKind.LPA_HEALTH: Relation.ATTORNEY_HEALTH,
    AuthorityKind.LPA_PROPERTY: Relation.ATTORNEY_PROPERTY,
    AuthorityKind.ENDURING: Relation.ATTORNEY_ENDURING,
    AuthorityKind.DEPUTY_WELFARE: Relation.DEPUTY_WELFARE,
    AuthorityKind.DEPUTY_PROPERTY: Relation.DEPUTY_PROPERTY,
    AuthorityKind.DEPUTY_UNSTATED: Relation.DEPUTY_WELFARE,
    AuthorityKind.ATTORNEY_UNSTATED: Relation.ATTORNEY_HEALTH,
    AuthorityKind.PARENTAL_RESPONSIBILITY: Relation.PARENTAL_RESPONSIBILITY,
    AuthorityKind.CARE_ORDER: Relation.LOCAL_AUTHORITY_CARE_ORDER,
    AuthorityKind.COURT_ORDER: Relation.COURT,
}
# As what somebody speaks of whom a source tells no more than what kind of resource they are.
_UNTOLD: Mapping[str, Relation] = {
    "RelatedPerson": Relation.NEXT_OF_KIN,
    "Practitioner": Relation.PROFESSIONAL_BEST_INTERESTS,
    "PractitionerRole": Relation.PROFESSIONAL_BEST_INTERESTS,
    "Organization": Relation.PROFESSIONAL_BEST_INTERESTS,
}


def relation_of(kind: AuthorityKind) -> Relation:
    """As what the holder of this authority speaks."""
    return _HOLDS[kind]


def performer(giver: Giver, person: PersonKey) -> dict[str, Any]:
    """The giver as `Consent.performer`: a reference to the person, or to somebody who says as what they speak."""
    if giver.relation is Relation.THE_PERSON:
        return {"reference": f"Patient/{person}"}
    parts: list[dict[str, Any]] = [{"url": "relation", "valueCode": giver.relation.value}]
    if giver.authority is not None:
        parts.append({"url": "authority", "valueString": str(giver.authority)})
    if giver.with_the_others:
        parts.append({"url": "with-the-others", "valueBoolean": True})
    named = {"display": giver.name} if giver.name else {}
    return {"extension": [{"url": GIVER, "extension": parts}], "type": "RelatedPerson", **named}


def givers(body: Mapping[str, Any], mind: Mind) -> tuple[Giver, ...]:
    """Who gave it. Where it names nobody, the person: that is whose Consent it is (R4 6.2.7, `performer`)."""
    return tuple(_giver(one, body.get("patient", {}), mind) for one in body.get("performer", ())) or (_PERSON,)


def _giver(one: Mapping[str, Any], patient: Mapping[str, Any], mind: Mind) -> Giver:
    if _same(one, patient):
        return _PERSON
    name = str(one.get("display", ""))
    for told in one.get("extension", ()):
        if told.get("url") == GIVER:
            return _told(told, name)
    held = next((two for two in mind.authorities if name and two.name.casefold() == name.casefold()), None)
    if held is not None:
        return Giver(relation_of(held.kind), held.key, name)
    kind = str(one.get("reference") or one.get("type", "")).partition("/")[0]
    return Giver(_UNTOLD.get(kind, Relation.NEXT_OF_KIN), name=name)


def _same(one: Mapping[str, Any], patient: Mapping[str, Any]) -> bool:
    """Whether it is the person whom the Consent is about."""
    return any(one.get(name) and one[name] == patient.get(name) for name in ("reference", "identifier"))


def _told(extension: Mapping[str, Any], name: str) -> Giver:
    parts = {one.get("url"): one for one in extension.get("extension", ())}
    said = parts.get("relation", {}).get("valueCode")
    relation = next((one for one in Relation if one.value == said), Relation.NEXT_OF_KIN)
    together = parts.get("with-the-others", {}).get("valueBoolean") is True
    return Giver(relation, _key(parts.get("authority", {}).get("valueString")), name, with_the_others=together)


def _key(text: Any) -> ResourceKey | None:
    try:
        return ResourceKey(UUID(str(text)))
    except ValueError:
        return None


def given_at(body: Mapping[str, Any], otherwise: datetime) -> datetime:
    """When it was given; `otherwise`, when it came here, where it doesn't say so that it can be read.

    Nobody gives today what they may give once: what says that it was given later was given when it came.
    """
    try:
        return min(moment(body.get("dateTime"), last=False) or otherwise, otherwise)
    except Unclear:
        return otherwise


def permit_counts(body: Mapping[str, Any], mind: Mind, stored: datetime) -> Answer:
    """Whether somebody gave this Consent who might, when it was given (`stored`: where it doesn't say when).

    Where nobody did, what it permits has no effect and what it denies is kept: the stricter reading of both.
    """
    at = given_at(body, stored)
    answers = list(_answers(body, mind, at))
    return next((one for one in answers if one.allowed), answers[0])


def permit_ends(body: Mapping[str, Any], mind: Mind, stored: datetime) -> datetime | None:
    """The birthday on which what a parent (or the council with a care order) permitted ends; None: it stays.

    At 16 the young person is taken to decide, at 18 parental responsibility ends (Family Law Reform Act 1969 s8;
    Children Act 1989 s105(1)): neither is bound by what was said for them. Of a birth date that is not known to the
    day, the first that it may be.
    """
    at = given_at(body, stored)
    counted = [one for one in givers(body, mind) if may_consent(one, mind, Decision.SHARING, at).allowed]
    born = mind.born()
    if born is None or not counted or any(one.relation not in PARENTAL for one in counted):
        return None
    return next((day for age in (16, 18) if (day := _birthday(born[0], age)) > at), None)


def _birthday(born: date, age: int) -> datetime:
    leaps = (born.month, born.day) == (2, 29) and not isleap(born.year + age)
    day = date(born.year + age, 3, 1) if leaps else born.replace(year=born.year + age)
    return datetime.combine(day, time.min, LONDON)


def _answers(body: Mapping[str, Any], mind: Mind, at: datetime) -> Iterator[Answer]:
    for giver in givers(body, mind):
        yield may_consent(giver, mind, Decision.SHARING, at)
