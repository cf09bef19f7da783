"""A row of the audit as a FHIR R4 AuditEvent, after the IHE Basic Audit Log Patterns (BALP): pure.

Who asked and for what purpose is the agent that is the requestor, their organisation another; the person, the query and
the resource are entities; the rules and relationships by which something was shown are details of the person's.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from carelink.audit import fhir_codes as codes
from carelink.audit.fhir_codes import Coding, coding
from carelink.audit.reading import Kept
from carelink.ids import ODS, Ods, PersonKey
from carelink.place import Place

USER = "https://carelink.example/user"  # system of our user ids
CLIENT = "client:"  # how a system is named among users
REQUEST = "https://carelink.example/request"  # system of the ids that X-Request-Id carries
BASIC_ENTITY = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_PERSON = coding(codes.ENTITY_TYPE, "1", "Person")
_THING = coding(codes.ENTITY_TYPE, "2", "System Object")
_RECIPIENT = coding(codes.PARTICIPATION, "IRCP", "information recipient")
_AUTHOR = coding(codes.PARTICIPATION, "AUT", "author (originator)")
_CUSTODIAN = coding(codes.PARTICIPATION, "CST", "custodian")
_SERVER = coding(codes.DCM, "110153", "Source Role ID")
_CLIENT = coding(codes.DCM, "110152", "Destination Role ID")
_APPLICATION = coding(codes.SOURCE_TYPE, "4", "Application Server")
WRITES = frozenset({"C", "U", "D"})

Json = dict[str, Any]


def event(kept: Kept, place: Place, base: str, own: PersonKey | None = None) -> Json:
    """The AuditEvent. `own`: as this person reads it, of themselves.

    They are not told purposes, rules, counts and queries, which would tell what is kept from them; nor of anybody else.
    """
    sort = codes.sort_of(kept.action)
    named = coding(codes.OURS, kept.action, kept.action)
    if own is not None:
        entities = [_patient(own)]
    else:
        entities = [*_patients(kept), *_query(kept), *_resource(kept), *_request(kept)]
    told: Json = {
        "resourceType": "AuditEvent",
        "id": str(kept.id),
        "type": dict(sort.type),
        "subtype": [*([dict(sort.subtype)] if sort.subtype else []), named],
        "action": sort.action,
        "recorded": kept.at.isoformat(),
        "outcome": codes.OUTCOMES.get(kept.outcome, "8"),
        "agent": [*_agents(kept, place, sort.action, own is not None), _server(place, base)],
        "source": _source(place),
    }
    if kept.outcome != "success" and kept.reason and not own:
        told["outcomeDesc"] = kept.reason
    if kept.purpose and not own:
        told["purposeOfEvent"] = [_purpose(kept.purpose)]
    return told | ({"entity": entities} if entities else {})


def _agents(kept: Kept, place: Place, action: str, own: bool) -> Iterator[Json]:
    yield _asker(kept, place, action, own)
    known = place.organisations.get(Ods(kept.organisation)) if kept.organisation else None
    if kept.organisation:
        who = {"identifier": {"system": ODS, "value": kept.organisation}}
        display = {"display": known.name} if known else {}
        yield {"type": _concept(_CUSTODIAN), "who": who | display, "requestor": False}
    if kept.viewed_as:
        yield {"type": _concept(_RECIPIENT), "who": _user(kept.viewed_as), "requestor": False}


def _asker(kept: Kept, place: Place, action: str, own: bool) -> Json:
    """Who asked: a worker, a system, the person; or CareLink itself, for its own reason."""
    by = kept.user or ("unknown" if kept.outcome == "refused" else "carelink")
    system = by.startswith(CLIENT)
    role = _CLIENT if system else _AUTHOR if action in WRITES else _RECIPIENT
    named = place.roles.get(kept.role or "")
    agent: Json = {"type": _concept(role), "who": _user(by), "requestor": True}
    if not own or place.watch.name_staff or (named is not None and named.id == "person"):
        agent |= _name(by, place)
    else:
        agent["who"] = {"display": named.label if named else "A worker"}
    if named is not None:
        agent["role"] = [{"coding": [{"code": named.id, "display": named.label}], "text": named.label}]
    if kept.purpose and not own:
        agent["purposeOfUse"] = [_purpose(kept.purpose)]
    return agent


def _name(user: str, place: Place) -> Json:
    known = next((one for id_, one in place.staff.items() if id_ == user), None)
    return {"name": known.name} if known else {}


def _user(user: str) -> Json:
    return {"identifier": {"system": USER, "value": user}}


def _server(place: Place, base: str) -> Json:
    network = {"address": base, "type": "5"}  # 5: URI
    return {
        "type": _concept(_SERVER),
        "who": {"display": place.words.service_name},
        "requestor": False,
        "network": network,
    }


def _source(place: Place) -> Json:
    observer = {"display": place.words.service_name}
    return {"site": place.words.place_name, "observer": observer, "type": [dict(_APPLICATION)]}


def _patients(kept: Kept) -> Iterator[Json]:
    detail = list(_details(kept))
    for key in sorted(kept.persons, key=str):
        yield _patient(key) | ({"detail": detail} if detail else {})


def _patient(key: PersonKey) -> Json:
    role = coding(codes.OBJECT_ROLE, "1", "Patient")
    return {"what": {"reference": f"Patient/{key}"}, "type": dict(_PERSON), "role": dict(role)}


def _details(kept: Kept) -> Iterator[Json]:
    for name, values in (("rule", kept.rules), ("relationship", kept.detail.get("relationships", ()))):
        yield from ({"type": name, "valueString": str(value)} for value in values)
    for name in ("severity", "glass"):
        if said := kept.detail.get(name):
            yield {"type": name, "valueString": str(said)}


def _query(kept: Kept) -> Iterator[Json]:
    if not kept.query:
        return
    role = coding(codes.OBJECT_ROLE, "24", "Query")
    asked = base64.b64encode(kept.query.encode()).decode()
    count = [{"type": "count", "valueString": str(kept.count)}] if kept.count is not None else []
    entity = {"type": dict(_THING), "role": dict(role), "query": asked}
    yield entity | ({"detail": count} if count else {})


def _resource(kept: Kept) -> Iterator[Json]:
    key, type_ = kept.detail.get("resource"), kept.query or ""
    if not key or not _is_uuid(key):
        return
    what = {"reference": f"{type_}/{key}"} if type_.isalpha() else {"identifier": {"value": str(key)}}
    yield {"what": what, "type": dict(_THING), "role": dict(coding(codes.OBJECT_ROLE, "4", "Domain Resource"))}


def _request(kept: Kept) -> Iterator[Json]:
    if kept.request:
        kind = coding(BASIC_ENTITY, "XrequestId", "X-Request-Id")
        yield {"what": {"identifier": {"system": REQUEST, "value": kept.request}}, "type": dict(kind)}


def _is_uuid(text: str) -> bool:
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True


def _purpose(code: str) -> Mapping[str, Any]:
    system = codes.OWN_PURPOSE if code == "SAFEGUARDING" else codes.ACT_REASON  # that one HL7 has not
    return {"coding": [{"system": system, "code": code}]}


def _concept(one: Coding) -> Mapping[str, Any]:
    return {"coding": [dict(one)]}
