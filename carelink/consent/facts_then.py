"""What a decision had to know of a person at a time, worked out anew from the versions of then. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from carelink.consent.capacity_facts import says
from carelink.consent.capacity_reading import mind_from
from carelink.consent.coded import codings
from carelink.consent.effect import effect
from carelink.consent.facts import Directed, Facts, KeptOut, Labelled, Related
from carelink.consent.kept_out import kept_out
from carelink.consent.mind import Mind
from carelink.consent.past import Version
from carelink.consent.relationships import RULES, involved_by
from carelink.consent.sensitivity import confidential
from carelink.ids import PersonKey
from carelink.place import Place
from fhir_adapters import exact_json


def related_then(versions: Sequence[Version], place: Place) -> tuple[Related, ...]:
    """Who was involved."""
    told = [one for one in versions if one.type in RULES and one.body]
    return tuple(
        Related(one.kind, one.organisation, one.starts, one.ends, one.team, one.user)
        for _, one in involved_by(told, place)
    )


def directed_then(versions: Sequence[Version], key: PersonKey, place: Place) -> tuple[Directed, ...]:
    """The provisions of the Consents, by who might give them as far as it was known then."""
    mind = mind_then(versions, key)
    return tuple(
        replace(one, consent=version.key)
        for version in versions
        if version.type == "Consent" and version.body
        for one in effect(exact_json.loads(version.body), place, mind, version.last_updated).directives
    )


def mind_then(versions: Iterable[Version], key: PersonKey) -> Mind:
    """Who decided for the person, as far as it was known."""
    read = [(one, exact_json.loads(one.body)) for one in versions if one.body and says(one)]
    patient: Mapping[str, Any] = next((body for one, body in read if one.key == key), {})
    return mind_from(patient, [(one.key, body) for one, body in read if one.key != key])


def kept_out_then(versions: Iterable[Version], place: Place) -> tuple[KeptOut, ...]:
    """Who was kept out of an enquiry, or away by a court."""
    return tuple(
        one
        for version in versions
        if version.type == "CareTeam" and version.body
        for one in kept_out(exact_json.loads(version.body), place)
    )


def restricted_then(versions: Iterable[Version], key: PersonKey, *, otherwise: bool) -> bool:
    """Whether the golden Patient says so; where there was none, whether any Patient did; else `otherwise`."""
    patients = {one.key: one.body for one in versions if one.type == "Patient" and one.body}
    golden = [body for patient, body in patients.items() if patient == key]
    said = golden or list(patients.values())
    return any(confidential(exact_json.loads(body)) for body in said) if said else otherwise


def labelled(one: Version, facts: Facts) -> Labelled:
    """The version as a decision by these facts must know it."""
    coded = bool(one.body) and any(directed.codes for directed in facts.directed)
    return Labelled(
        person=one.person,
        custodian=one.custodian,
        category=one.category,
        sensitivities=one.sensitivities,
        locating=one.locating,
        names_others=one.for_person is not None,
        type=one.type,
        key=one.key,
        clinical=one.clinical,
        codes=frozenset(codings(exact_json.loads(one.body))) if coded else frozenset(),
    )
