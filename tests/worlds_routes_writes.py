"""How systems write in invented worlds: of what they see and what they do not, under conditions, and many at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from worlds_asking import Ask
from worlds_bodies import BODIES, NUMBERS, Thing, key, person
from worlds_routes import UNKNOWN, Drawing, Route

from carelink.fhir.writes import TYPES
from carelink.ids import NHS_NUMBER

SCOPES = "system/*.cruds"
SENT = {"Content-Type": "application/fhir+json"}
Json = dict[str, Any]


def _subject(draw: Drawing) -> str:
    """Somebody as they are golden, or as a source knows them."""
    return f"Patient/{draw.one(draw.person(), draw.person(), draw.key('Patient'))}"


def _reference(draw: Drawing) -> str:
    thing = draw.thing("Encounter", "Condition", "Observation", "DocumentReference")
    return f"{thing.type}/{key(thing)}" if thing is not None else f"Encounter/{UNKNOWN}"


def _observation(draw: Drawing) -> Json:
    body: Json = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": _subject(draw)},
        "effectiveDateTime": "2026-06-01",
        "identifier": [{"system": "urn:world", "value": draw.one("1", "2")}],
    }
    return body | draw.one({}, {}, {"focus": [{"reference": _reference(draw)}]}, {"code": {}})


def _patient(draw: Drawing) -> Json:
    number = draw.one(*NUMBERS)
    return {
        "resourceType": "Patient",
        "identifier": [{"system": NHS_NUMBER, "value": number}],
        "name": [{"family": "World", "given": ["New"]}],
        "birthDate": "1950-01-02",
    }


def _criteria(draw: Drawing, type_: str) -> str:
    thing = draw.thing(type_)
    whose = person(thing.of) if thing is not None and thing.of is not None else draw.person()
    id_ = key(thing) if thing is not None else UNKNOWN
    number = draw.one(*NUMBERS)
    if type_ == "Patient":
        return str(draw.one(f"identifier={NHS_NUMBER}|{number}", f"identifier={number}"))
    return str(draw.one(f"_id={id_}", f"patient={whose}&code=1", f"patient={draw.person()}", "identifier=urn:world|1"))


def _prefer(draw: Drawing) -> dict[str, str]:
    wanted = draw.one("", "", "representation", "OperationOutcome")
    return {"Prefer": f"return={wanted}"} if wanted else {}


def _create(draw: Drawing) -> Ask:
    type_ = draw.one("Observation", "Observation", "Patient")
    body = _observation(draw) if type_ == "Observation" else _patient(draw)
    condition = {"If-None-Exist": _criteria(draw, type_)} if draw.chance.random() < 0.4 else {}
    return Ask(
        "fhir_writes.create", {"type_": type_}, "POST", body=_sent(body), headers=SENT | _prefer(draw) | condition
    )


def _sent(body: Json) -> bytes:
    return json.dumps(body).encode()


def _written(draw: Drawing) -> Thing | None:
    """Of a type that systems write; mostly of their own organisation."""
    return draw.thing(*TYPES)


def _changed(draw: Drawing, thing: Thing | None) -> Json:
    """What it says, with another word in it now and then."""
    if thing is None:
        return _observation(draw) | {"id": str(UNKNOWN)}
    said = BODIES[thing.type].said(thing, thing.said[-1])
    return {"resourceType": thing.type, "id": str(key(thing)), **said} | draw.one({}, {"language": "en"})


def _match(draw: Drawing, thing: Thing | None) -> dict[str, str]:
    version = len(thing.said) if thing is not None else 1
    return draw.one({}, {}, {"If-Match": f'W/"{version}"'}, {"If-Match": 'W/"9"'})


def _update(draw: Drawing) -> Ask:
    thing = _written(draw)
    body = _changed(draw, thing)
    values = {"type_": body["resourceType"], "id_": body["id"]}
    return Ask(
        "fhir_writes.update", values, "PUT", body=_sent(body), headers=SENT | _prefer(draw) | _match(draw, thing)
    )


def _update_by_condition(draw: Drawing) -> Ask:
    thing = _written(draw)
    type_ = thing.type if thing is not None else "Observation"
    body = draw.one(_changed(draw, thing), _observation(draw) if type_ == "Observation" else _changed(draw, thing))
    sent = {name: value for name, value in body.items() if name != "id" or draw.chance.random() < 0.3}
    by_id = f"_id={key(thing)}" if thing is not None else "_id=x"
    asked = draw.one(by_id, by_id, _criteria(draw, type_))
    return Ask("fhir_writes.update_by_condition", _query(type_, asked), "PUT", body=_sent(sent), headers=SENT)


def _query(type_: str, criteria: str) -> Mapping[str, Any]:
    return {"type_": type_, **dict(one.split("=", 1) for one in criteria.split("&"))}


def _delete(draw: Drawing) -> Ask:
    thing = _written(draw)
    values = {"type_": thing.type if thing is not None else "Observation", "id_": key(thing) if thing is not None else UNKNOWN}  # fmt: skip
    return Ask("fhir_writes.delete", values, "DELETE", headers=_match(draw, thing))


def _delete_by_condition(draw: Drawing) -> Ask:
    thing = _written(draw)
    type_ = thing.type if thing is not None else "Observation"
    by_id = f"_id={key(thing)}" if thing is not None else "_id=x"
    return Ask("fhir_writes.delete_by_condition", _query(type_, draw.one(by_id, _criteria(draw, type_))), "DELETE")


def _bundle(draw: Drawing) -> Ask:
    kind = draw.one("batch", "transaction")
    entries = [_entry(draw, number) for number in range(draw.one(1, 1, 2, 3))]
    body = {"resourceType": "Bundle", "type": kind, "entry": entries}
    return Ask("fhir_batches.take", {}, "POST", body=_sent(body), headers=SENT | _prefer(draw))


def _entry(draw: Drawing, number: int) -> Json:
    thing = _written(draw)
    id_ = f"{thing.type}/{key(thing)}" if thing is not None else f"Observation/{UNKNOWN}"
    observation = _observation(draw)
    by_search = observation | {"subject": {"reference": f"Patient?{_criteria(draw, 'Patient')}"}}
    return draw.one(
        {"request": {"method": "GET", "url": id_}},
        {"request": {"method": "GET", "url": f"Observation?patient={draw.person()}"}},
        {"request": {"method": "GET", "url": f"Patient/{draw.person()}/$everything"}},
        {"request": {"method": "DELETE", "url": id_}},
        {"request": {"method": "PUT", "url": id_}, "resource": _changed(draw, thing)},
        {"request": {"method": "POST", "url": "Observation"}, "resource": observation},
        {"request": {"method": "POST", "url": "Observation"}, "resource": by_search},
        {"request": {"method": "POST", "url": "Patient"}, "resource": _patient(draw), "fullUrl": f"urn:uuid:{number}"},
        {"request": {"method": "POST", "url": "Observation", "ifNoneExist": _criteria(draw, "Observation")}, "resource": observation},
    )  # fmt: skip


WRITES: Mapping[str, Route] = {
    "fhir_writes.create": Route(_create, good=201, whose="system"),
    "fhir_writes.update": Route(_update, whose="system"),
    "fhir_writes.update_by_condition": Route(_update_by_condition, whose="system"),
    "fhir_writes.delete": Route(_delete, good=204, whose="system"),
    "fhir_writes.delete_by_condition": Route(_delete_by_condition, good=204, whose="system"),
    "fhir_batches.take": Route(_bundle, whose="system"),
}
