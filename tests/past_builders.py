"""A record that changes step by step, what each worker could see at each step, and what as-it-was says of it later."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from conftest import NOW, ROOT
from ingest_builders import condition, item, key, observation, patient, person_of, take
from page_builders import ME, NORA, RECORD, allocation, identified, objection, stay
from sqlalchemy import Connection, select

from carelink.consent import capacity_codes as codes
from carelink.consent import directives, policies, relationships
from carelink.consent.as_it_was import Asked, of_then
from carelink.consent.lens import Lens
from carelink.consent.mind import AuthorityKind, Decision, Outcome
from carelink.db.tables import access_grant, person, resource
from carelink.errors import Conflict, Invalid, NotFound
from carelink.identity.requesters import requester
from carelink.ids import PersonKey, ResourceKey, UserId
from carelink.place import Place
from carelink.place_loader import load
from carelink.record import persons
from carelink.record.writing import ended_row, stored_labels, write

EXAMPLE = ROOT / "config" / "places" / "example"
WORKERS = tuple(
    UserId(one)
    for one in ("sam.okafor", "priya.nair", "gwen.price", "nadia.rahman", "tom.ellis", "iris.lang", "noor.haddad")
)
Seen = dict[ResourceKey, tuple[int, str]]  # resource -> the version and text that was shown
RESTRICTED = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"


def seen(conn: Connection, place: Place, user: UserId, of: PersonKey, at: datetime) -> Seen:
    """What the lens of this worker shows of this person now."""
    lens = Lens.compile(place, requester(conn, place, user), at)
    asked = select(resource.c.key, resource.c.version, lens.body().label("sent"))
    rows = conn.execute(asked.where(resource.c.person == of, resource.c.deleted.is_(False), lens.where()))
    return {row.key: (row.version, row.sent) for row in rows}


def seen_then(conn: Connection, place: Place, user: UserId, of: PersonKey, at: datetime) -> Seen:
    """What as-it-was says that they could see; nothing of a person whom nobody knew then."""
    try:
        answer = of_then(conn, place, Asked(user, of, at))
    except (NotFound, Invalid):  # nothing was known of them, or no such worker
        return {}
    return {one.version.key: (one.version.version, one.shown) for one in answer.shown}


@dataclass
class Story:
    """One database as time goes by: each step changes something an hour or more later, and all are asked what they see."""

    conn: Connection
    place: Place
    at: datetime = NOW
    told: list[tuple[datetime, UserId, PersonKey, Seen]] = field(default_factory=list)

    def step(self, change: Callable[[Story], None], hours: int = 1) -> None:
        """The change, and what everybody sees of everybody after it."""
        self.at += timedelta(hours=hours)
        change(self)
        for of in self.conn.execute(select(person.c.key).order_by(person.c.key)).scalars():
            for user in WORKERS:
                if user in self.place.staff:
                    self.told.append(
                        (self.at, user, PersonKey(of), seen(self.conn, self.place, user, PersonKey(of), self.at))
                    )

    def take(self, *items: Any, source: str = "hospital") -> None:
        take(self.conn, self.place, items, self.at, source)

    def switch(self, place: Place) -> None:
        """Another pack from now on, as `carelink db upgrade` and a worker bring it in."""
        self.place = place
        policies.note(self.conn, place, self.at, "test")
        everybody = [PersonKey(one) for one in self.conn.execute(select(person.c.key)).scalars()]
        relationships.refresh(self.conn, place, everybody, self.at)
        directives.refresh(self.conn, place, everybody, self.at)


# What can happen ------------------------------------------------------------------------------------------


def known(story: Story) -> None:
    """Three sources know Nora."""
    policies.note(story.conn, story.place, story.at, "test")
    package = item("EpisodeOfCare", "e1", status="active", type=[{"text": "Home Support"}], patient=ME["subject"])
    story.take(patient("p1", **NORA), allocation(), package, source="council-a")
    story.take(patient("p1", **NORA), stay(), condition("c1"), condition("c2", code="66590003"), observation())
    registered = NORA | {"generalPractitioner": [{"identifier": {"system": ODS, "value": "P81001"}}]}
    story.take(item("Patient", "p1", RECORD, **registered), source="gp")


def _team(*participants: Mapping[str, Any], id_: str, category: str) -> Any:
    coded = {"system": "https://carelink.example/CodeSystem/care-team", "code": category}
    return allocation(id_=id_, category=[{"coding": [coded]}], participant=list(participants))


def _named(worker: str, role: str) -> dict[str, Any]:
    coded = {"system": "https://carelink.example/CodeSystem/enquiry-role", "code": role}
    member = {"identifier": {"system": "https://northdale.example/worker", "value": worker}}
    return {"role": [{"coding": [coded]}], "member": member}


def unstorable(story: Story) -> None:
    broken = objection("broken")
    del broken.body["status"]
    story.take(broken)


def gone(story: Story) -> None:
    """The hospital tells the condition no more."""
    row = story.conn.execute(stored_labels().where(resource.c.key == key(condition("c1")))).one_or_none()
    if row is not None:
        write(story.conn, [ended_row(row)], story.at)


def parted(story: Story) -> None:
    """The hospital's record was of somebody else."""
    with suppress(Conflict):  # it was, and stands alone already
        persons.unlink(story.conn, story.place, key(patient("p1")), "operator:ada", "not she", story.at)


def broken_glass(story: Story) -> None:
    now, until = story.at, story.at + timedelta(hours=2)
    of = person_of(story.conn, patient("p1"), "council-a")
    row = {
        "user": "gwen.price",
        "organisation": "902",
        "role": "social-worker",
        "reason": "emergency",
        "words": "in need",
    }
    review = {"reviewer_role": "ig-lead", "review_due": until + timedelta(days=3)}
    story.conn.execute(access_grant.insert().values(person=of, starts=now, ends=until, **row, **review))


CHANGES: Mapping[str, Callable[[Story], None]] = {
    "the allocation ends": lambda story: story.take(
        allocation(
            status="inactive", period={"start": "2025-01-01", "end": (story.at - timedelta(days=1)).date().isoformat()}
        ),
        source="council-a",
    ),
    "somebody else is allocated": lambda story: story.take(allocation("W002"), source="council-a"),
    "the stay ends": lambda story: story.take(
        stay(status="finished", period={"start": "2026-11-20T14:20:00Z", "end": story.at.isoformat()})
    ),
    "she objects to everything": lambda story: story.take(objection()),
    "she objects to one council": lambda story: story.take(
        objection(
            actor=[
                {"role": {"coding": [{"code": "IRCP"}]}, "reference": {"identifier": {"system": ODS, "value": "901"}}}
            ]
        )
    ),
    "she objects to one kind": lambda story: story.take(
        objection(**{"class": [{"system": "https://carelink.example/category", "code": "problems"}]})
    ),
    "she objects to what carries a code": lambda story: story.take(
        objection(code=[{"coding": [{"system": "http://snomed.info/sct", "code": "73211009"}]}])
    ),
    "the objection is withdrawn": lambda story: story.take(objection_withdrawn()),
    "an objection can't be read": lambda story: story.take(
        objection(actor=[{"role": {"text": "them"}, "reference": {"display": "the neighbours"}}])
    ),
    "a consent can't be stored": unstorable,
    "she is restricted": lambda story: story.take(patient("p1", **NORA, meta=RESTRICTED), source="pds"),
    "she is not restricted any more": lambda story: story.take(patient("p1", **NORA), source="pds"),
    "an enquiry keeps a worker out": lambda story: story.take(
        _team(_named("W001", "source-of-harm"), id_="enquiry", category="safeguarding-enquiry"), source="council-a"
    ),
    "her daughter permits it for her": lambda story: story.take(permission()),
    "her daughter is her attorney": lambda story: story.take(attorney()),
    "her daughter is her attorney no more": lambda story: story.take(attorney(active=False)),
    "she is found unable to decide": lambda story: story.take(unable()),
    "a condition changes": lambda story: story.take(condition("c1", onsetDateTime=story.at.date().isoformat())),
    "a condition is told no more": gone,
    "the hospital's record is parted from hers": parted,
    "the hospital tells of somebody else": lambda story: story.take(
        patient("p2", **identified("9990000026", "Moss", "Ada", "1950-01-01")),
        condition("c9", "p2"),
        stay("s2", subject="p2"),
    ),
    "glass is broken": broken_glass,
    "weeks pass": lambda story: setattr(story, "at", story.at + timedelta(days=20)),
}


def permission() -> Any:
    """Her daughter says that the other council may know."""
    to = {"role": {"coding": [{"code": "IRCP"}]}, "reference": {"identifier": {"system": ODS, "value": "902"}}}
    given = objection("yes", actor=[to])
    given.body["provision"]["type"] = "permit"
    given.body["performer"] = [{"type": "RelatedPerson", "display": "Susan Hart"}]
    return given


def attorney(**changed: Any) -> Any:
    """Of a registered power, whose paper somebody has seen."""
    held = {"relationship": [{"coding": [{"system": codes.AUTHORITY, "code": AuthorityKind.LPA_HEALTH.value}]}]}
    paper = [{"url": "registered", "valueBoolean": True}, {"url": "seen", "valueDate": "2026-01-01"}]
    about = {"patient": ME["subject"], "name": [{"text": "Susan Hart"}]}
    return item(
        "RelatedPerson", "susan", extension=[{"url": codes.SEEN, "extension": paper}], **about, **held, **changed
    )


def unable() -> Any:
    """To decide about sharing; found before her daughter gave leave."""
    about = {"coding": [{"system": codes.DECISION, "code": Decision.SHARING.value}]}
    found = {"valueCodeableConcept": {"coding": [{"system": codes.OUTCOME, "code": Outcome.LACKS.value}]}}
    part = {"code": {"coding": [{"system": codes.PART, "code": "decision"}]}, "valueCodeableConcept": about}
    said = {"code": {"coding": [{"system": codes.RECORD, "code": codes.CAPACITY}]}, "component": [part], **found}
    return item("Observation", "mind", status="final", effectiveDateTime="2026-10-01", **said, **ME)


def objection_withdrawn() -> Any:
    withdrawn = objection()
    withdrawn.body["status"] = "inactive"
    return withdrawn


# name of the pack -> (file, what it says there, what it says instead)
PACKS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "no days of grace": (("relationships.toml", "grace_days = 28", "grace_days = 0"),),
    "councils share less": (("agreements.toml", '"services", "assessments"', '"assessments"'),),
    "sam works elsewhere": (
        ("staff.toml", 'name = "Sam Okafor"\norganisation = "901"', 'name = "Sam Okafor"\norganisation = "902"'),
    ),
    "sam is gone": (("staff.toml", 'id = "sam.okafor"', 'id = "sam.other"'),),
    "she is asked first": (("consent.toml", 'view = "implied"', 'view = "explicit"'),),
}


_RULE = '[[label]]\nid = "tried"\nbecause = "to be tried"\n'
# Packs that differ in what they label, too.
LABELLING: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "diabetes is sensitive": (
        (
            "labels.toml",
            "[[label]]",
            f'{_RULE}sensitivities = ["PSY"]\ncodes = [["http://snomed.info/sct", "73211009"]]\n[[label]]',
        ),
    ),
    "misuse is mental health": (("labels.toml", 'sensitivities = ["ETH"]', 'sensitivities = ["MH"]'),),
    "stays are documents": (
        ("labels.toml", "[[label]]", f'{_RULE}category = "documents"\ntypes = ["Encounter"]\n[[label]]'),
    ),
    "what the hospital tells is about others": (
        ("labels.toml", "[[label]]", f'{_RULE}sensitivities = ["THIRD-PARTY"]\nsources = ["hospital"]\n[[label]]'),
    ),
    "where restricted people are is for nobody": (("staff.toml", '"see-restricted", ', ""),),
}


def packs(folder: Path) -> dict[str, Place]:
    """The example pack as it is, and each of its changes, in a folder of its own."""
    made = {"as it is": load(EXAMPLE)}
    for name, edits in {**PACKS, **LABELLING}.items():
        there = folder / name.replace(" ", "-")
        shutil.copytree(EXAMPLE, there)
        for file, was, now in edits:
            said = (there / file).read_text("utf-8")
            assert was in said, (name, file)
            (there / file).write_text(said.replace(was, now, 1), "utf-8")
        made[name] = load(there)
    return made
