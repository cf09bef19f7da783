"""A small place with every kind of agreement, those who ask there, and records stored exactly as they are labelled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from conftest import NOW
from sqlalchemy import Connection

from carelink.consent.facts import Directed, Facts, Grant, KeptOut, Labelled, Related
from carelink.consent.known import row_of
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.consent.sensitivity import mask
from carelink.db.tables import access_grant, directive, kept_out, person, relationship, resource, resource_version
from carelink.ids import Ods, PersonKey, ResourceKey, UserId
from carelink.place import (
    Agreement,
    LabelRule,
    Linking,
    Organisation,
    Place,
    RelationshipRule,
    Role,
    SourceEntry,
    Staff,
    Survivorship,
    Words,
)
from fhir_adapters import exact_json

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
_NAMESPACE = UUID("6f2f3bb6-7a0a-4a3e-9b52-0a7c5e0c1d11")

NORTH, SOUTH, SURGERY, OTHER_SURGERY, HOSPITAL, BOARD = map(Ods, ("901", "902", "P81001", "P81002", "RDV", "QDM"))


def _agreement(
    id_: str, custodian: str, recipient: str, roles: str, purposes: str, categories: str, *named: str
) -> Agreement:
    split = [frozenset(text.split()) for text in (roles, categories, purposes)]
    return Agreement(id_, custodian, recipient, *split, f"agreement {id_}", frozenset(named))


_CARERS = "social-worker nurse gp"
AGREEMENTS = (
    _agreement("identity", "*", "*", _CARERS, "TREAT ETREAT CAREMGT", "demographics contacts"),
    _agreement("health-to-care", "gp-practice", "council", "social-worker", "CAREMGT", "problems medicines alerts"),
    _agreement("hospital-to-care", "nhs-trust", "council", "social-worker", "CAREMGT", "problems encounters"),
    _agreement("one-to-one", HOSPITAL, NORTH, "social-worker", "CAREMGT", "documents", "SAFEGUARDING"),
    _agreement("care-to-health", "council", "nhs-trust", "nurse", "TREAT", "services alerts"),
    _agreement("hospital-to-gp", "nhs-trust", "gp-practice", "gp", "TREAT", "problems mental-health", "MH", "ETH"),
    _agreement("against-the-law", "nhs-trust", "gp-practice", "gp", "TREAT", "problems", "LEGAL", "MH"),
    _agreement("planning", "*", BOARD, "ig-lead", "HOPERAT", "problems"),
)
_CATEGORIES = (
    "demographics contacts problems medicines alerts encounters documents services mental-health safeguarding "
    "results assessments referrals plans legal consent directory other"
)
ROLES = (
    Role("social-worker", "Social worker", ("CAREMGT",)),
    Role("nurse", "Ward nurse", ("TREAT", "ETREAT")),
    Role("gp", "General practitioner", ("TREAT",), frozenset({"see-restricted"})),
    Role(
        "ig-lead", "Information governance lead", ("HOPERAT",), frozenset({"explain", "decide-links", "see-quarantine"})
    ),
    Role("person", "The person", ("PATRQT",)),
)
STAFF = (
    Staff(UserId("sam"), "Sam Okafor", NORTH, "social-worker", "adults-north", identifiers=("worker|W1",)),
    Staff(UserId("lena"), "Lena Holt", NORTH, "social-worker", "adults-west", identifiers=("worker|W2",)),
    Staff(UserId("gwen"), "Gwen Price", SOUTH, "social-worker", "adults-south", identifiers=("worker|S1",)),
    Staff(UserId("nadia"), "Nadia Rahman", HOSPITAL, "nurse", "ward-7"),
    Staff(UserId("tom"), "Dr Tom Ellis", SURGERY, "gp"),
    Staff(UserId("ana"), "Dr Ana Reid", OTHER_SURGERY, "gp"),
    Staff(UserId("iris"), "Iris Lang", BOARD, "ig-lead"),
)
_TYPES = {
    NORTH: "council",
    SOUTH: "council",
    SURGERY: "gp-practice",
    OTHER_SURGERY: "gp-practice",
    HOSPITAL: "nhs-trust",
    BOARD: "icb",
}


def _source(order: int, name: str, organisation: Ods) -> SourceEntry:
    return SourceEntry(name, name.title(), "fhir_r4", organisation, order, 15, 60)


PLACE = Place(
    name="proving-ground",
    folder=Path("."),
    words=Words("CareLink", "Proving Ground", "Some information is not shown.", "help desk"),
    organisations={ods: Organisation(ods, f"Organisation {ods}", type_) for ods, type_ in _TYPES.items()},
    roles={role.id: role for role in ROLES},
    staff={one.id: one for one in STAFF},
    sources=(
        _source(1, "pds", BOARD),
        _source(2, "gp", SURGERY),
        _source(3, "hospital", HOSPITAL),
        _source(4, "council", NORTH),
    ),
    agreements=AGREEMENTS,
    relationships={
        kind: RelationshipRule(kind, days, f"rule {kind}")
        for kind, days in (
            ("caseload", 28),
            ("registered-practice", 0),
            ("encounter", 14),
            ("referral", 28),
            ("care-team", 7),
            ("mdt", 7),
        )
    },
    labels=(
        LabelRule(
            "misuse", "policy", sensitivities=("ETH",), codes=frozenset({("http://snomed.info/sct", "66590003")})
        ),
    ),
    linking=Linking(20.0, 10.0, {}),
    survivorship=tuple(
        Survivorship(element, ("pds", "gp", "*"))
        for element in ("identifier", "name", "birthDate", "gender", "address", "telecom", "generalPractitioner")
    ),
    categories={name: name.title() for name in _CATEGORIES.split()},
)
SILENT = replace(PLACE, words=replace(PLACE.words, tell_withheld=False))


def staff(user: str, purpose: str = "", role: str = "", organisation: Ods | None = None) -> Requester:
    """A worker of the place in their usual role, or in another."""
    one = PLACE.staff[UserId(user)]
    ods, role = organisation or one.organisation, role or one.role
    purpose = purpose or PLACE.roles[role].purposes[0]
    return Requester(one.id, one.name, ods, PLACE.organisations[ods].type, role, purpose, one.team)


def themselves(key: PersonKey) -> Requester:
    """The person, who looks at their own record."""
    return Requester(UserId(f"self-{key}"), "Nora Hart", Ods(""), "", "person", "PATRQT", person=key)


def lens_of(requester: Requester, place: Place = PLACE, at: datetime = NOW) -> Lens:
    return Lens.compile(place, requester, at)


def key_of(name: str) -> PersonKey:
    return PersonKey(uuid5(_NAMESPACE, name))


ANN = key_of("ann")


def item(
    custodian: Ods,
    category: str,
    *sensitivities: str,
    of: PersonKey | None = ANN,
    locating: bool = False,
    type_: str = "Condition",
    **more: Any,
) -> Labelled:
    return Labelled(of, custodian, category, mask(sensitivities), locating, type=type_, **more)


def related(
    kind: str = "caseload",
    organisation: Ods = NORTH,
    *,
    user: str | None = None,
    team: str | None = None,
    starts: datetime = LONG_AGO,
    ends: datetime | None = None,
) -> Related:
    return Related(kind, organisation, starts, ends, team, UserId(user) if user else None)


def objects(
    to: Ods | None = None,
    category: str | None = None,
    *,
    starts: datetime = LONG_AGO,
    ends: datetime | None = None,
    rule: str = "L7-objection",
    effect: str = "deny",
) -> Directed:
    return Directed(
        effect,
        starts,
        ends,
        rule,
        uuid5(_NAMESPACE, "consent"),
        organisation=to,
        categories=category and frozenset({category}),
    )


def says(effect: str, *, consent: str = "consent", **conditions: Any) -> Directed:
    """One provision of a consent; those of one name are of one consent."""
    plain = conditions.keys() <= {"organisation", "categories", "depth", "made", "starts", "ends"}
    permit = "L6-consent-exception" if conditions.get("depth") else "L6-consent-permit"
    rule = permit if effect == "permit" else "L7-objection" if plain else "L6-consent-deny"
    sets = {name: frozenset(value) if isinstance(value, set) else value for name, value in conditions.items()}
    return Directed(effect, **{"rule": rule, "consent": uuid5(_NAMESPACE, consent), **sets})


def broke_glass(user: str, organisation: Ods, starts: datetime = LONG_AGO, ends: datetime | None = None) -> Grant:
    return Grant(UserId(user), organisation, starts, ends or NOW + timedelta(hours=1))


def barred(
    kind: str, organisation: Ods | None = None, user: str | None = None, ends: datetime | None = None
) -> KeptOut:
    return KeptOut(kind, LONG_AGO, ends, organisation, UserId(user) if user else None)


def facts(*about: Related | Directed | KeptOut | Grant, restricted: bool = False) -> Facts:
    return Facts(
        tuple(one for one in about if isinstance(one, Related)),
        tuple(one for one in about if isinstance(one, Directed)),
        restricted,
        tuple(one for one in about if isinstance(one, KeptOut)),
        tuple(one for one in about if isinstance(one, Grant)),
    )


_numbers = count(1)


def store_person(conn: Connection, key: PersonKey, known: Facts) -> None:
    """The person with what is known of them, as the tables hold it."""
    conn.execute(person.insert().values(key=key, created=LONG_AGO, restricted=known.restricted))
    for one in known.related:
        row = {"kind": one.kind, "organisation": one.organisation, "team": one.team, "user": one.user}
        conn.execute(relationship.insert().values(person=key, starts=one.starts, ends=one.ends, **row))
    for directed in known.directed:
        conn.execute(directive.insert().values(person=key, consent=directed.consent, **row_of(directed)))
    for kept in known.kept_out:
        row = {"kind": kept.kind, "organisation": kept.organisation, "user": kept.user, "origin": key}
        conn.execute(kept_out.insert().values(person=key, starts=kept.starts, ends=kept.ends, **row))
    for grant in known.grants:
        conn.execute(access_grant.insert().values(person=key, **broken(grant)))


def broken(grant: Grant) -> dict[str, object]:
    """The columns of a grant, but whose it is."""
    who = {"user": grant.user, "organisation": grant.organisation, "role": "nurse"}
    why = {"reason": "emergency", "words": "Found unconscious"}
    review = {"reviewer_role": "ig-lead", "review_due": grant.ends + DAY}
    return {**who, **why, **review, "starts": grant.starts, "ends": grant.ends}


def store_item(conn: Connection, one: Labelled, type_: str = "", deleted: bool = False) -> ResourceKey:
    """A resource under exactly that label, with its first version. Its body says FULL, its redacted form LESS."""
    key = ResourceKey(one.key or uuid5(_NAMESPACE, f"item {next(_numbers)}"))
    labelled = labels_of(one, type_ or one.type or "Condition", key, deleted)
    conn.execute(resource.insert().values(key=key, version=1, source="gp", source_id=str(key), **labelled))
    conn.execute(resource_version.insert().values(key=key, version=1, **labelled))
    return key


def labels_of(one: Labelled, type_: str, key: ResourceKey, deleted: bool = False) -> dict[str, object]:
    """The columns that `resource` and `resource_version` have in common."""

    def said(text: str) -> str:
        coded = [{"coding": [{"system": system, "code": code}]} for system, code in sorted(one.codes)]
        return exact_json.dumps({"resourceType": type_, "id": str(key), "note": text, "category": coded}).decode()

    return {
        "type": type_,
        "person": one.person,
        "custodian": one.custodian,
        "category": one.category,
        "sensitivities": one.sensitivities,
        "last_updated": NOW,
        "body": said("FULL"),
        "redacted": said("LESS") if one.locating else None,
        "for_person": said("OWN") if one.names_others else None,
        "hash": b"",
        "deleted": deleted,
        "clinical": one.clinical,
    }
