"""A person whose record tells of others, and a request for all of it, brought as far as a test needs."""

from __future__ import annotations

from datetime import datetime

from ingest_builders import condition, item, observation, patient, person_of, take
from page_builders import ME, identified, lens
from sqlalchemy import Connection, select

from carelink.cases import subject_access as requests
from carelink.cases import subject_access_release as release
from carelink.cases import subject_access_review as review
from carelink.cases.subject_access import Asked
from carelink.cases.subject_access_package import Item, Package, from_json
from carelink.cases.subject_access_review import Said
from carelink.consent.lens import Lens
from carelink.db.tables import subject_request
from carelink.ids import PersonKey
from carelink.place import Place
from fhir_adapters.source import Rejected

IRIS = "iris.lang"  # information governance lead
LABELS = "https://carelink.example/CodeSystem/sensitivity"
SECRET = "tells what nobody may tell"
DAUGHTER = item(
    "RelatedPerson",
    "rp",
    patient=ME["subject"],
    name=[{"family": "Hart", "given": ["Susan"]}],
    telecom=[{"system": "phone", "value": "01632 960 777"}],
    relationship=[{"text": "Daughter"}],
)


def who(conn: Connection, place: Place, now: datetime) -> PersonKey:
    """Nora Hart: a diabetes that changed, a note that names her daughter, a restricted item, an item in quarantine."""
    somebody = identified(
        "9990000018", "Hart", "Nora", "1944-05-06", telecom=[{"system": "phone", "value": "01632 960 111"}]
    )
    items = [
        patient("p1", **somebody),
        DAUGHTER,
        condition("plain", onsetDateTime="2019-05"),
        condition("told", onsetDateTime="2020", note=[{"text": "Susan says that she drinks. Ring 01632 960 888."}]),
        condition("law", onsetDateTime="2021", **_labelled("LEGAL", SECRET)),
        condition("own", onsetDateTime="2018", note=[{"text": "Ring her on 01632 960111."}]),
        observation("wrong", status="nonsense"),
    ]
    take(conn, place, items, now)
    changed = condition("plain", onsetDateTime="2019-06", note=[{"text": "Seen again"}])
    take(conn, place, [changed], now, rejected=[Rejected("Observation", "x", "{}", ())])
    return person_of(conn, patient("p1"))


def _labelled(name: str, note: str) -> dict[str, object]:
    return {"meta": {"security": [{"system": LABELS, "code": name}]}, "note": [{"text": note}]}


def iris(conn: Connection, place: Place, now: datetime) -> Lens:
    return lens(conn, place, now, IRIS)


def opened(conn: Connection, place: Place, now: datetime, person: PersonKey) -> int:
    """Asked today by herself, who was seen."""
    return requests.open_request(conn, iris(conn, place, now), person, Asked("Nora Hart", "self", now, now))


def gathered(conn: Connection, place: Place, now: datetime, id_: int) -> Package:
    """What a worker gathers."""
    release.gather_for(conn, place, Lens.system("test: gather", now), id_)
    return kept(conn, id_)


def kept(conn: Connection, id_: int) -> Package:
    return from_json(conn.execute(select(subject_request.c.package).where(subject_request.c.id == id_)).scalar())


def as_proposed(one: Item) -> Said:
    """The answer that a reviewer gives who agrees."""
    assert one.proposal is not None
    words = "\n".join(one.proposal.words)
    answer = one.proposal.answer.value
    if answer == "redact" and not words:
        answer = "leave-out"
    return Said(one.id, answer, words, review.reasons(one))


def reviewed(conn: Connection, place: Place, now: datetime, id_: int) -> None:
    """Every proposal is agreed to."""
    asks = iris(conn, place, now)
    assert review.decide(conn, asks, id_, map(as_proposed, kept(conn, id_).open)) == {}
    review.finish(conn, asks, id_)


def released(conn: Connection, place: Place, now: datetime, id_: int) -> None:
    """As a worker makes it."""
    review.release(conn, iris(conn, place, now), id_)
    release.make(conn, place, Lens.system("test: release", now), id_, "http://localhost/fhir")
