"""Every kind of person, of item and of requester, each with each."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle, product
from uuid import uuid4

from conftest import NOW
from consent_builders import (
    BOARD,
    DAY,
    HOSPITAL,
    NORTH,
    OTHER_SURGERY,
    SOUTH,
    SURGERY,
    barred,
    broke_glass,
    facts,
    key_of,
    labels_of,
    objects,
    related,
    says,
    staff,
    store_person,
    themselves,
)
from consent_cases import GWEN, HIS, IRIS, LENA, NADIA, NOBODY, SAM, TOM, also
from sqlalchemy import Connection

from carelink.consent.facts import Facts, Labelled
from carelink.consent.requester import Requester
from carelink.consent.sensitivity import mask
from carelink.db.tables import resource, resource_version
from carelink.ids import Ods, ResourceKey

# name -> what is known of them
EVERYBODY: dict[str, Facts] = {
    "known to nobody": NOBODY,
    "on a caseload": HIS,
    "of a team": facts(related("caseload", NORTH, team="adults-north")),
    "on a ward, and at a practice": facts(related("encounter", HOSPITAL), related("registered-practice", SURGERY)),
    "of two councils": facts(related("caseload", NORTH, user="sam"), related("referral", SOUTH)),
    "no longer anybody's": facts(related(ends=NOW), related("encounter", HOSPITAL, ends=NOW - DAY)),
    "soon somebody's": facts(related(starts=NOW + DAY)),
    "objects to everything": also(HIS, related("encounter", HOSPITAL), objects()),
    "objects to one council": also(HIS, related("referral", SOUTH), objects(to=NORTH)),
    "objects to one kind": also(HIS, related("encounter", HOSPITAL), objects(category="problems")),
    "objects to one kind at the ward": also(HIS, related("encounter", HOSPITAL), objects(HOSPITAL, "services")),
    "objected once": also(HIS, objects(ends=NOW)),
    "will object": also(HIS, objects(starts=NOW + DAY)),
    "can't be read": also(HIS, related("encounter", HOSPITAL), objects(rule="L7-objection-unclear")),
    "permits": also(HIS, objects(effect="permit")),
    "denies a role, but for one council": also(
        HIS, related("referral", SOUTH), says("deny", role="social-worker"), says("permit", depth=1, organisation=SOUTH)
    ),
    "denies what is of one hospital": also(HIS, related("encounter", HOSPITAL), says("deny", custodians={HOSPITAL})),
    "harmed by a worker": also(HIS, related("encounter", HOSPITAL), barred("enquiry", user="sam")),
    "kept from a worker by a court": also(HIS, related("encounter", HOSPITAL), barred("court-order", user="sam")),
    "opened in need": also(NOBODY, broke_glass("lena", NORTH), broke_glass("nadia", HOSPITAL)),
    "restricted": also(HIS, related("registered-practice", SURGERY), related("encounter", HOSPITAL), restricted=True),
    "restricted, and objects": also(HIS, related("registered-practice", SURGERY), objects(), restricted=True),
    "of the board": facts(related("referral", BOARD)),
}
CUSTODIANS = (NORTH, SOUTH, SURGERY, OTHER_SURGERY, HOSPITAL, BOARD, Ods("X99"))
KINDS = ("demographics", "problems", "services", "documents", "mental-health", "directory", "rumours")
CARE = ("", "HIV", "MH", "MH ETH", "SAFEGUARDING", "NOPAT", "THIRD-PARTY", "LEGAL MH")
WHO: tuple[Requester, ...] = (
    SAM,
    LENA,
    GWEN,
    NADIA,
    TOM,
    IRIS,
    staff("ana"),
    staff("nadia", "ETREAT"),
    staff("nadia", "HRESCH"),
    staff("tom", "CAREMGT"),
    staff("sam", organisation=SOUTH),
    replace(SAM, role="inspector"),
    replace(SAM, team=""),
    *(themselves(key_of(name)) for name in ("known to nobody", "objects to everything", "restricted")),
)


def store_world(conn: Connection) -> dict[ResourceKey, Labelled]:
    """Every person above with an item of every kind."""
    made: dict[ResourceKey, Labelled] = {}
    locating = cycle((False, True, False))
    for name, known in EVERYBODY.items():
        store_person(conn, key_of(name), known)
    for of, custodian, category, care in product((*EVERYBODY, None), CUSTODIANS, KINDS, CARE):
        whose = key_of(of) if of else None
        key = ResourceKey(uuid4())
        made[key] = Labelled(whose, custodian, category, mask(care.split()), next(locating), type="Condition", key=key)
    rows = [{"key": key, **labels_of(one, "Condition", key)} for key, one in made.items()]
    conn.execute(resource.insert(), [{**row, "version": 1, "source": "gp", "source_id": "1"} for row in rows])
    conn.execute(resource_version.insert(), [{**row, "version": 1} for row in rows])
    return made
