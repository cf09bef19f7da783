"""Of a restricted person nothing is found by what is taken out of what is sent, and all by what stays (rule L3).

Each parameter of each type is tried: an element is filled, what locates is taken out, and what was indexed of both is
compared. A row that is gone may only be found by whom the whereabouts may be known to; `lookups.tellable` asks so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from r4_definitions import Defined, datatype, filled, in_json, parameters
from r4_samples import THERE, place_of, sample

from carelink.consent.redaction import redact
from carelink.consent.unplaced import unplaced
from carelink.fhir import searched
from carelink.record.indexing import Indexed, index
from carelink.record.parameters import ALIASES, LOCATING_TYPES, Parameter, of_type
from fhir_adapters import exact_json

OTHER_ORGANISATION = "R0A"
LOCAL_ID = {
    "system": "https://trust.example/numbers",
    "value": "7",
    "type": {"coding": [{"system": "urn:t", "code": "MR"}]},
}
ODS = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RDV"}
# Of these nobody is the person: who is restricted has none of them in their record.
DIRECTORY = frozenset(type_ for type_ in searched.TYPES if not searched.needs_a_person(type_))
ANYTHING = ("Observation", "Organization", "PractitionerRole", "RelatedPerson", "ServiceRequest")


def asked() -> list[Defined]:
    """Each parameter of the types of people that has rows of its own."""
    types = ("Patient", *(type_ for type_ in searched.TYPES if type_ not in DIRECTORY))
    return [
        one
        for one in parameters()
        if one.type in types
        and one.code in of_type(one.type)
        and one.kind not in ("composite", "special")
        and one.code not in ALIASES
        and not of_type(one.type)[one.code].of
    ]


def values(one: Defined, path: str) -> Iterator[Any]:
    """What may stand there, as far as it makes a difference to what is sent."""
    kind = "boolean" if path == "deceased.exists()" else datatype(one.type, path)
    if kind == "Identifier":
        yield from (LOCAL_ID, ODS)
    elif kind == "Reference":
        only = path.partition(":")[2]
        types = (only,) if only else sorted(one.targets) if len(one.targets) < 100 else ANYTHING
        yield from ({"reference": f"{type_}/{THERE}"} for type_ in types)
        yield from ({"reference": f"{type_}/{THERE}/_history/2"} for type_ in types)
        if not only:
            yield from ({"reference": "https://trust.example/fhir/Thing/1"}, {"identifier": LOCAL_ID})
    else:
        yield sample(one, path)[0]


def sent(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of it is sent to whom the whereabouts may not be known to, of another organisation."""
    type_ = body["resourceType"]
    less = redact(type_, body)
    text = exact_json.dumps(body if less is None else less).decode()
    return exact_json.loads(unplaced(text, OTHER_ORGANISATION, own_item=False))  # type: ignore[no-any-return]


Row = tuple[str, tuple[Any, ...]]


def rows(made: Indexed, of: Parameter) -> set[Row]:
    return {(table, row) for table, found in made.tables() for row in found if abs(row[0]) in of.numbers}


def held_back(of: Parameter, row: Row) -> bool:
    """As `lookups.tellable` has it."""
    table, values = row
    if of.locating or not of.locating_by_type:
        return of.locating
    return table != "index_reference" or values[1] is None or values[3] in LOCATING_TYPES


def differences(one: Defined) -> tuple[set[Row], set[Row]]:
    """The rows that go with what is taken out, and those that stay."""
    of = of_type(one.type)[one.code]
    gone, left = set[Row](), set[Row]()
    for path in in_json(one):
        for value in values(one, path):
            body = filled(one.type, place_of(path), value)
            full, less = rows(index(one.type, body), of), rows(index(one.type, sent(body)), of)
            gone |= full - less
            left |= full & less
    return gone, left


def test_nothing_is_found_by_what_is_taken_out() -> None:
    told = [
        (one.type, one.code, row)
        for one in asked()
        for row in differences(one)[0]
        if not held_back(of_type(one.type)[one.code], row)
    ]
    assert told == []


def test_all_is_found_by_what_stays() -> None:
    """But where one number is asked of several types, and one of them tells."""
    kept_back = {one.code: one for one in asked() if of_type(one.type)[one.code].locating}
    telling = {one.code for one in asked() if differences(one)[0]}
    assert sorted(set(kept_back) - telling) == []
    wrongly = [
        (one.type, one.code, row)
        for one in asked()
        for row in differences(one)[1]
        if not of_type(one.type)[one.code].locating and held_back(of_type(one.type)[one.code], row)
    ]
    assert wrongly == []


@pytest.mark.parametrize("code", ["address-postalcode", "telecom", "identifier", "general-practitioner", "part-status"])
def test_what_tells_where_somebody_is_is_marked_so(code: str) -> None:
    assert any(of_type(type_)[code].locating for type_ in ("Patient", "Appointment") if code in of_type(type_))
