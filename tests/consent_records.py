"""Whole invented records for the lens to be tried on: every resource marked, every place of a person marked by whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from conftest import NOW
from consent_builders import PLACE, key_of, store_person
from hypothesis import strategies as st
from sqlalchemy import Connection

from carelink.consent.facts import Facts, Labelled
from carelink.consent.sensitivity import CONFIDENTIALITY, mask
from carelink.ids import NHS_NUMBER, Ods, PersonKey, ResourceKey, resource_key
from carelink.record.golden_store import recompose
from carelink.record.writing import Writable, ended, write

MARK = re.compile(r"mk\d{4}", re.IGNORECASE)
Json = dict[str, Any]


@dataclass(frozen=True)
class Thing:
    """One resource: whose it is (None: nobody's), its labels now, and those of the version before if there was one."""

    of: int | None
    type: str
    now: Labelled
    before: Labelled | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Person:
    known: Facts
    things: tuple[Thing, ...]


def person(number: int) -> PersonKey:
    return key_of(f"generated {number}")


def where(number: int) -> str:
    """What tells where that person is, in whatever element it stands."""
    return f"where{number}x"


def postcode(number: int) -> str:
    return f"ZZ{number} 9XY"


def telephone(number: int) -> str:
    return f"01632 96000{number}"


def nhs_number(number: int) -> str:
    return f"999000000{number}"


def key(number: int, thing: int, type_: str) -> ResourceKey:
    return resource_key("generated", "", type_, f"{number}-{thing}")


def ward(number: int) -> ResourceKey:
    return resource_key("generated", "", "Location", f"ward {number}")


def _text(mark: str) -> Json:
    return {"text": f"Thing {mark}"}


def _place(number: int) -> Json:
    return {"reference": f"Location/{ward(number)}", "display": where(number)}


def _patient(number: int, mark: str) -> Json:
    return {
        "identifier": [{"system": NHS_NUMBER, "value": nhs_number(number)}],
        "name": [{"family": f"Family{number}", "given": [f"Given{mark}"]}],
        "birthDate": f"195{number}-02-03",
        "gender": "female",
        "address": [{"line": [where(number)], "postalCode": postcode(number)}],
        "telecom": [{"system": "phone", "value": telephone(number)}],
        "generalPractitioner": [{"display": where(number)}],
    }


# What each type says, by its mark and whose it is.
BODIES = {
    "Patient": _patient,
    "Condition": lambda n, mark: {"code": _text(mark), "onsetDateTime": "2019-05", "clinicalStatus": _active(), "encounter": {"reference": f"Encounter/{key(n, 3, 'Encounter')}"}},
    "AllergyIntolerance": lambda n, mark: {"code": _text(mark), "clinicalStatus": _active(), "recordedDate": "2018-01-01"},
    "Observation": lambda n, mark: {"status": "final", "code": _text(mark), "effectiveDateTime": "2026-06-01", "valueQuantity": {"value": 7, "unit": "%"}},
    "Medication": lambda n, mark: {"code": _text(mark)},
    "MedicationStatement": lambda n, mark: {"status": "active", "medicationReference": {"reference": f"Medication/{key(n, 2, 'Medication')}"}, "note": [_text(mark)], "dateAsserted": "2026-01-01"},
    "Encounter": lambda n, mark: {"status": "in-progress", "class": {"code": "IMP"}, "serviceType": _text(mark), "period": {"start": "2026-11-01"}, "location": [{"location": _place(n)}], "serviceProvider": _place(n)},
    "Task": lambda n, mark: {"status": "requested", "intent": "order", "code": _text(mark), "location": _place(n), "authoredOn": "2026-11-20"},
    "Flag": lambda n, mark: {"status": "active", "code": _text(mark), "period": {"start": "2025"}},
    "EpisodeOfCare": lambda n, mark: {"status": "active", "type": [_text(mark)], "managingOrganization": {"display": where(n)}, "extension": [{"url": "https://carelink.example/StructureDefinition/provider", "valueString": where(n)}]},
    "RelatedPerson": lambda n, mark: {"name": [{"family": f"Relative{mark}"}], "telecom": [{"system": "phone", "value": telephone(n)}], "address": [{"text": where(n)}]},
    "DocumentReference": lambda n, mark: {"status": "current", "type": _text(mark), "content": [{"attachment": {"data": where(n), "title": f"Letter {mark}"}}]},
    "CarePlan": lambda n, mark: {"status": "active", "intent": "plan", "instantiatesUri": ["https://example.org/plans/home"], "title": f"Plan {mark}", "activity": [{"detail": {"status": "scheduled", "location": _place(n)}}]},
    "Practitioner": lambda n, mark: {"name": [{"family": f"Doctor{mark}"}]},
}  # fmt: skip
TYPES = tuple(sorted(BODIES))
DIRECTORY = ("Practitioner",)


def _active() -> Json:
    return {"coding": [{"code": "active"}]}


def things(
    custodians: Sequence[Ods], categories: Sequence[str], care: Sequence[str], type_: str, of: int | None
) -> st.SearchStrategy[Thing]:
    """A resource of that type with any labels, perhaps with others before."""
    label = st.builds(
        lambda ods, category, bits: Labelled(person(of) if of is not None else None, ods, category, mask(bits.split())),
        st.sampled_from(custodians),
        st.sampled_from(categories),
        st.sampled_from(care),
    )
    return st.builds(
        Thing, st.just(of), st.just(type_), label, st.none() | label, st.sampled_from((False,) * 7 + (True,))
    )


def store(conn: Connection, people: Sequence[Person], directory: Sequence[Thing]) -> None:
    """Everything of these people, and what is about nobody, as ingest would have stored it."""
    for number, one in enumerate(people):
        store_person(conn, person(number), one.known)
        _write(conn, number, one.things, one.known.restricted)
    _write(conn, 9, directory, restricted=False)
    wards = [_ward(number) for number in range(len(people))]
    write(conn, wards, NOW)
    recompose(conn, PLACE, [person(number) for number in range(len(people))], NOW)


def _ward(number: int) -> Writable:
    body = {"resourceType": "Location", "id": str(ward(number)), "name": f"ward{number}x"}
    return Writable(ward(number), "Location", body, "hospital", f"ward {number}", "RDV", "directory")


def _write(conn: Connection, number: int, made: Sequence[Thing], restricted: bool) -> None:
    """Old versions first, then what is now, then what is no more."""
    thens = [(place, thing, thing.before, 0) for place, thing in enumerate(made) if thing.before is not None]
    nows = [(place, thing, thing.now, 1) for place, thing in enumerate(made)]
    for turn, round_ in enumerate((thens, nows)):
        stored = [_writable(number, place, thing, label, age, restricted) for place, thing, label, age in round_]
        write(conn, stored, NOW + turn * timedelta(hours=1))
    gone = [
        _writable(number, place, thing, thing.now, 1, restricted) for place, thing in enumerate(made) if thing.deleted
    ]
    write(conn, [ended(one) for one in gone], NOW + timedelta(hours=2))


def _writable(number: int, place: int, thing: Thing, label: Labelled, age: int, restricted: bool) -> Writable:
    key_ = key(number, place, thing.type)
    body = {"resourceType": thing.type, "id": str(key_), **BODIES[thing.type](number, f"mk{number}{place:02}{age}")}
    if thing.type == "Patient" and restricted:
        body["meta"] = {"security": [{"system": CONFIDENTIALITY, "code": "R"}]}
    return Writable(
        key=key_,
        type=thing.type,
        body=body,
        source=("gp", "hospital", "council")[place % 3],
        source_id=f"{number}-{place}",
        custodian=label.custodian,
        category=label.category,
        sensitivities=label.sensitivities,
        person=label.person,
        patient=None,
    )


def marks(text: str) -> set[str]:
    return {found.lower() for found in MARK.findall(text)}


def places_of(number: int) -> Iterator[str]:
    """Everything that would tell where that person is."""
    yield from (where(number), f"ward{number}x", postcode(number), postcode(number).replace(" ", ""), telephone(number))
