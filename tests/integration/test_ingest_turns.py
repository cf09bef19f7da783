"""Two sources speak of one person at the same moment: what is worked out of both has both in it, once."""

from __future__ import annotations

from datetime import datetime
from threading import Thread

from ingest_builders import NHS, item, patient, person_of, take
from page_builders import ME, allocation, stay
from processes import until
from sqlalchemy import Connection, Engine, select, text

from carelink.consent import directives, relationships
from carelink.db import sync
from carelink.db.tables import directive, relationship
from carelink.place import Place

VERIFIED = {
    "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus",
    "valueCodeableConcept": {"coding": [{"code": "01"}]},
}
ONE = patient(identifier=[{"system": NHS, "value": "9990000018", "extension": [VERIFIED]}])
SCOPE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]}


def rows(conn: Connection) -> list[tuple[object, ...]]:
    """What is worked out of the record, less the ids that PostgreSQL counts up."""
    found = []
    for table in (relationship, directive):
        columns = [column for column in table.c if column.name != "id"]
        found += sorted((tuple(map(str, row)) for row in conn.execute(select(*columns))), key=str)
    return found


def blocked(engine: Engine) -> bool:
    with engine.connect() as conn:
        waiting = "select count(*) from pg_locks where not granted"
        return bool(conn.execute(text(waiting)).scalar())


def test_both_are_in_what_is_worked_out_of_them(engine: Engine, place: Place, now: datetime) -> None:
    with engine.begin() as conn:
        sync.sync(conn, place)
        take(conn, place, [ONE], now, "council-a")
        take(conn, place, [ONE], now)
    denied = {"type": "deny"}
    consent = item("Consent", "c1", status="active", scope=SCOPE, provision=denied, patient=ME["subject"],
                   category=[{"text": "sharing"}], policyRule={"text": "opt-out"})  # fmt: skip

    def hospital() -> None:
        with engine.begin() as conn:
            take(conn, place, [stay(), consent], now)

    with engine.connect() as first:
        transaction = first.begin()
        take(first, place, [allocation()], now, "council-a")
        second = Thread(target=hospital)
        second.start()
        until(lambda: blocked(engine), "the hospital's batch waits for the council's")
        transaction.commit()
        second.join()
    with engine.begin() as conn:
        found = rows(conn)
        person = person_of(conn, ONE)
        relationships.refresh(conn, place, [person], now)
        directives.refresh(conn, place, [person], now)
        assert rows(conn) == found
        kinds = set(conn.execute(select(relationship.c.kind)).scalars())
        assert {"caseload", "encounter"} <= kinds
        assert conn.execute(select(directive.c.effect)).scalar_one() == "deny"
