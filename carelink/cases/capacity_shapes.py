"""What is recorded of who decides, as values, and the FHIR R4 that says it. Pure; `capacity_reading` reads it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from carelink.cases.capacity_words import ABOUT, CAPACITY_PARTS, GILLICK_PARTS, HOLDS
from carelink.cases.consent_form import USER
from carelink.clock import LONDON
from carelink.consent import capacity_codes as codes
from carelink.consent.mind import AuthorityKind, Decision, Outcome
from carelink.ids import ODS, Ods, PersonKey, UserId

Json = dict[str, Any]

_FOUND: Mapping[Outcome, str] = {Outcome.HAS: "found able to decide", Outcome.LACKS: "found unable to decide"}
_ROLE_CODES: Mapping[AuthorityKind, tuple[str, str]] = {
    AuthorityKind.LPA_HEALTH: ("HPOWATT", "healthcare power of attorney"),
    AuthorityKind.LPA_PROPERTY: ("POWATT", "power of attorney"),
    AuthorityKind.ENDURING: ("DPOWATT", "durable power of attorney"),
}
_HEARD: Mapping[str, str] = {
    "consulted": "Consulted:",
    "imca": "Independent mental capacity advocate:",
    "nobody-because": "Nobody was consulted, because:",
    "wishes": "What the person wants or wanted:",
}


@dataclass(frozen=True)
class Recorder:
    """The worker who writes it down."""

    user: UserId
    name: str
    organisation: Ods
    organisation_name: str
    at: datetime


@dataclass(frozen=True)
class Assessment:
    """One assessment of capacity (Mental Capacity Act 2005 s2, s3), of a child of Gillick competence."""

    child: bool
    decision: Decision
    outcome: Outcome
    at: datetime
    by: str
    parts: Mapping[str, bool]
    reasons: str
    cause: str = ""  # the impairment or disturbance that they are unable because of (s2(1))
    support: str = ""  # what was done to help them decide (s1(3))
    until: date | None = None  # its last day


@dataclass(frozen=True)
class Interests:
    """One best-interests decision (Mental Capacity Act 2005 s4). `heard`: by the codes of `_HEARD`."""

    decision: Decision
    in_favour: bool
    at: datetime
    by: str
    heard: Mapping[str, str]
    reasons: str


@dataclass(frozen=True)
class Paper:
    """An authority that somebody has seen."""

    kind: AuthorityKind
    name: str
    seen: date
    reference: str = ""
    registered: bool = False
    starts: date | None = None
    ends: date | None = None
    jointly: bool = False
    decisions: frozenset[Decision] = frozenset()  # empty: all that its kind can
    confirms: str = ""  # key of the RelatedPerson of a source that tells of the same


def assessment(person: PersonKey, said: Assessment, by: Recorder) -> Json:
    """The Observation of an assessment."""
    kind = codes.GILLICK if said.child else codes.CAPACITY
    what = "Competence (Gillick)" if said.child else "Capacity"
    asked = GILLICK_PARTS if said.child else CAPACITY_PARTS
    answers = [_part(name, asked[name], {"valueBoolean": answer}) for name, answer in said.parts.items()]
    more = {"cause": ("Because of:", said.cause), "support": ("Helped to decide by:", said.support)}
    answers += [_part(name, words, {"valueString": text}) for name, (words, text) in more.items() if text]
    return {
        **_observed(person, kind, f"{what} to decide about {ABOUT[said.decision]}:", said.at, said.until),
        "performer": list(_performer(said.by, by)),
        "valueCodeableConcept": _concept(codes.OUTCOME, said.outcome.value, _FOUND[said.outcome]),
        "component": [*answers, _decision(said.decision)],
        "note": [_note(said.reasons, by)],
    }


def interests(person: PersonKey, said: Interests, by: Recorder) -> Json:
    """The Observation of a best-interests decision."""
    code, words = (codes.IN_FAVOUR, "yes") if said.in_favour else (codes.AGAINST, "no")
    heard = [_part(name, _HEARD[name], {"valueString": text}) for name, text in said.heard.items() if text]
    return {
        **_observed(
            person, codes.BEST_INTERESTS, f"Best-interests decision for {ABOUT[said.decision]}:", said.at, None
        ),
        "performer": list(_performer(said.by, by)),
        "valueCodeableConcept": _concept(codes.INTERESTS, code, words),
        "component": [*heard, _decision(said.decision)],
        "note": [_note(said.reasons, by)],
    }


def paper(person: PersonKey, said: Paper, by: Recorder) -> Json:
    """The RelatedPerson who holds an authority, with what was seen of it."""
    own = {"system": codes.AUTHORITY, "code": said.kind.value, "display": HOLDS[said.kind]}
    code = _ROLE_CODES.get(said.kind)
    wider = [{"system": codes.ROLE_CODE, "code": code[0], "display": code[1]}] if code else []
    period = {name: day.isoformat() for name, day in (("start", said.starts), ("end", said.ends)) if day}
    return {
        "resourceType": "RelatedPerson",
        "active": True,
        "patient": {"reference": f"Patient/{person}"},
        "name": [{"text": said.name}],
        "relationship": [{"coding": [own, *wider], "text": HOLDS[said.kind]}],
        "extension": [{"url": codes.SEEN, "extension": list(_seen(said, by))}],
        **({"period": period} if period else {}),
    }


def _seen(said: Paper, by: Recorder) -> Iterator[Json]:
    yield {"url": "seen", "valueDate": said.seen.isoformat()}
    yield {"url": "seen-by", "valueString": f"{by.name}, {by.organisation_name}"}
    yield {"url": "registered", "valueBoolean": said.registered}
    if said.jointly:
        yield {"url": "jointly", "valueBoolean": True}
    for name, text in (("reference", said.reference), ("confirms", said.confirms)):
        if text:
            yield {"url": name, "valueString": text}
    for decision in sorted(said.decisions, key=lambda one: one.value):
        yield {"url": "decision", "valueCode": decision.value}


def _observed(person: PersonKey, kind: str, words: str, at: datetime, until: date | None) -> Json:
    started = at.astimezone(LONDON).isoformat(timespec="seconds")
    when: Json = {"effectiveDateTime": started}
    if until is not None:
        when = {"effectivePeriod": {"start": started, "end": until.isoformat()}}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": _concept(codes.RECORD, kind, words),
        "subject": {"reference": f"Patient/{person}"},
        **when,
    }


def _performer(name: str, by: Recorder) -> Iterator[Json]:
    """Who assessed or decided; with their sign-in where that is who writes it down."""
    mine = {"identifier": {"system": USER, "value": by.user}} if name == by.name else {}
    yield {"type": "Practitioner", **mine, "display": name}
    ods = {"system": ODS, "value": by.organisation}
    yield {"type": "Organization", "identifier": ods, "display": by.organisation_name}


def _part(code: str, words: str, value: Json) -> Json:
    return {"code": _concept(codes.PART, code, words), **value}


def _decision(decision: Decision) -> Json:
    value = _concept(codes.DECISION, decision.value, ABOUT[decision])
    return _part("decision", "About:", {"valueCodeableConcept": value})


def _concept(system: str, code: str, words: str) -> Json:
    return {"coding": [{"system": system, "code": code}], "text": words}


def _note(text: str, by: Recorder) -> Json:
    written = by.at.astimezone(LONDON).isoformat(timespec="seconds")
    return {"authorString": f"{by.name}, {by.organisation_name}", "time": written, "text": text}
