"""How systems ask for a person as a whole: everything in parts, the summary, whom a description means, how it is labelled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from worlds_asking import Ask
from worlds_bodies import NUMBERS, born, key, person
from worlds_routes import UNKNOWN, Drawing, Route, get

from carelink.fhir import meta
from carelink.ids import NHS_NUMBER

FHIR_JSON = {"Content-Type": "application/fhir+json"}


def _whom(draw: Drawing) -> Any:
    return person(draw.number())


def _parts(draw: Drawing) -> dict[str, str]:
    """All, or some of it; a page of one has a link to the next."""
    return draw.one(
        {},
        {},
        {"_count": "1"},
        {"_count": "2", "_type": "Condition,Observation,Practitioner,MedicationStatement"},
        {"_type": draw.one("Patient", "Flag", "Encounter,Location", "Organization")},
        {"start": "2026-01-01"},
        {"start": "2024", "end": "2025", "_count": "2"},
        {"_since": "2026-11-24T10:30:00Z"},
    )


def _everything_by_body(draw: Drawing) -> Ask:
    kinds = {"_count": "valueInteger", "_since": "valueInstant", "_type": "valueCode"}
    said = [
        {"name": name, kinds.get(name, "valueDate"): int(one) if name == "_count" else one}
        for name, value in _parts(draw).items()
        for one in value.split(",")
    ]
    body = json.dumps({"resourceType": "Parameters", "parameter": said}).encode()
    return Ask("fhir.everything_by_body", {"person": _whom(draw)}, "POST", body=body, headers=FHIR_JSON)


def _match(draw: Drawing) -> Ask:
    """Somebody who is there, described well or badly: by where they live, by a name that they had, by another's number."""
    number, other = draw.number(), draw.number()
    mark = draw.one("000", "010", "020", "001")
    said: dict[str, Any] = {
        "resourceType": "Patient",
        "name": [
            draw.one(
                {"family": f"Family{number}", "given": [f"Given{number}"]},
                {"family": f"Family{number}"},
                {"family": f"Formermk{mark}", "given": [f"Given{number}"]},
            )
        ],
        **draw.one({"birthDate": born(number)}, {"birthDate": born(number)}, {"birthDate": born(other)}, {}),
        **draw.one({}, {"identifier": [{"system": NHS_NUMBER, "value": NUMBERS[number]}]}),
        **draw.one({}, {"gender": "female"}, {"gender": "male"}),
        **draw.one({}, {"address": [{"line": [f"where{number}"], "postalCode": f"DM{draw.one(number, other)} 4QT"}]}),
        **draw.one({}, {"telecom": [{"system": "phone", "value": f"01632 960006{mark[-3:]}"}]}),
    }
    asked = [
        {"name": "resource", "resource": said},
        *draw.one(
            [], [], [{"name": "onlyCertainMatches", "valueBoolean": True}], [{"name": "count", "valueInteger": 1}]
        ),
    ]
    body = json.dumps({"resourceType": "Parameters", "parameter": asked}).encode()
    return Ask("fhir_match.match", {}, "POST", body=body, headers=FHIR_JSON)


def _meta(draw: Drawing) -> Ask:
    thing = draw.thing(*meta.TYPES)
    type_ = thing.type if thing is not None and draw.chance.random() < 0.9 else "Condition"
    return Ask("fhir_meta.meta", {"type_": type_, "key": key(thing) if thing is not None else UNKNOWN})


def _summary_by_body(draw: Drawing) -> Ask:
    body = json.dumps({"resourceType": "Parameters"}).encode()
    return Ask("fhir_summary.summary_by_body", {"person": _whom(draw)}, "POST", body=body, headers=FHIR_JSON)


PERSON: Mapping[str, Route] = {
    "fhir.everything": Route(lambda draw: Ask("fhir.everything", {"person": _whom(draw), **_parts(draw)}), whose="system"),
    "fhir.everything_by_body": Route(_everything_by_body, whose="system"),
    "fhir_match.match": Route(_match, whose="system"),
    "fhir_meta.meta": Route(_meta, whose="system"),
    "fhir_summary.summary": Route(get("fhir_summary.summary", person=_whom), whose="system"),
    "fhir_summary.summary_by_body": Route(_summary_by_body, whose="system"),
}  # fmt: skip
