"""Systems that write by the FHIR API, and what they send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_builders import ANN, BASE, api, involve, people, system
from flask import Flask
from flask.testing import FlaskClient
from ingest_builders import SNOMED, UNITS, key
from sqlalchemy import Engine, select, update

from carelink.db.tables import outbox, person, resource
from carelink.ids import ODS, PersonKey
from carelink.place import Place
from fhir_adapters import exact_json

Json = dict[str, Any]
EVERYTHING = "system/*.cruds"


@dataclass
class Pushing:
    """The hospital's ward system, and the people whom it knows: Ann is on its ward, Bob is not."""

    engine: Engine
    place: Place
    app: Flask
    people: dict[str, PersonKey]
    ward: FlaskClient

    @property
    def ann(self) -> str:
        """Ann as the hospital knows her."""
        return f"Patient/{key(ANN)}"

    def system(self, id_: str, organisation: str, role: str, scopes: str = EVERYTHING) -> FlaskClient:
        return system(self.app, self.place, id_, organisation, role, scopes)

    def involve(self, organisation: str, who: str = "ann") -> None:
        with self.engine.begin() as conn:
            involve(conn, self.people[who], organisation)

    def restrict(self, who: str) -> None:
        """The person is restricted (PDS 'S')."""
        with self.engine.begin() as conn:
            conn.execute(update(person).where(person.c.key == self.people[who]).values(restricted=True))

    def news(self) -> list[Any]:
        """What handlers are told of changes, the oldest first."""
        with self.engine.connect() as conn:
            asked = select(outbox.c.payload).where(outbox.c.kind == "record.changed").order_by(outbox.c.id)
            return list(conn.execute(asked).scalars())

    def stored(self, type_: str, *, pushed: bool = False, deleted: bool = False) -> list[Any]:
        """The rows of that type; those alone that clients made."""
        t = resource.c
        asked = select(resource).where(t.type == type_, t.deleted.is_(deleted)).order_by(t.last_updated, t.key)
        if pushed:
            asked = asked.where(t.source_id.startswith("pushed:"))
        with self.engine.connect() as conn:
            return list(conn.execute(asked))


def pushing_in(engine: Engine, place: Place) -> Pushing:
    who = people(engine, place)
    app = api(engine, place)
    return Pushing(engine, place, app, who, system(app, place, "ward-system", "RDV", "nurse", EVERYTHING))


def body(sent: Json | bytes, **headers: str) -> dict[str, Any]:
    """What the test client is given."""
    data = sent if isinstance(sent, bytes) else exact_json.dumps(sent)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"data": data, "headers": {"Content-Type": "application/fhir+json"} | named}


def observation(of: str, value: str = "7.10", **changed: Any) -> Json:
    said: Json = {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": of},
        "code": {"coding": [{"system": SNOMED, "code": "43396009", "display": "HbA1c"}]},
        "effectiveDateTime": "2026-06-01T09:30:00+01:00",
        "valueQuantity": {"value": exact_json.ExactDecimal(value), "unit": "%", "system": UNITS, "code": "%"},
    }
    return {name: one for name, one in (said | changed).items() if one is not None}


def named(value: str, system_: str = "urn:ward:results") -> list[Json]:
    return [{"system": system_, "value": value}]


def patient(number: str, **changed: Any) -> Json:
    said: Json = {
        "resourceType": "Patient",
        "identifier": named(number, "urn:ward"),
        "name": [{"family": f"Moss-{number}", "given": ["Cora"]}],
        "birthDate": "1950-03-04",
        "gender": "female",
    }
    return {name: one for name, one in (said | changed).items() if one is not None}


def encounter(subject: str) -> Json:
    """That involves the hospital."""
    return {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": subject},
        "period": {"start": "2026-01-01"},
        "serviceProvider": {"identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RDV"}},
    }


def bundle(kind: str, *entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method: str, url: str, resource_: Json | None = None, name: str = "", **request: str) -> Json:
    made: Json = {"request": {"method": method, "url": url, **request}}
    made |= {"resource": resource_} if resource_ is not None else {}
    return made | ({"fullUrl": name} if name else {})


def id_of(location: str) -> str:
    """The id in a Location."""
    return location.removeprefix(f"{BASE}/").split("/")[1]


HER_NAMES = {name: ANN.body[name] for name in ("name", "birthDate", "gender", "address")}


def consent(of: str, **changed: Any) -> Json:
    """To nobody; given by themselves."""
    said: Json = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": of},
        "dateTime": "2026-11-01T10:00:00Z",
        "performer": [{"reference": of}],
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        "provision": {"type": "permit"},
    }
    return said | changed


def permit(pushing: Pushing, organisation: str) -> None:
    """Ann permits that organisation by name."""
    who = {"identifier": {"system": ODS, "value": organisation}}
    actor = {"role": {"coding": [{"code": "IRCP"}]}, "reference": who}
    sent = consent(f"Patient/{pushing.people['ann']}", provision={"type": "permit", "actor": [actor]})
    system_ = pushing.system("consents", "RDV", "nurse", "system/Consent.c")
    answer = system_.post("/fhir/R4/Consent", **body(sent))
    assert answer.status_code == 201, answer.text
