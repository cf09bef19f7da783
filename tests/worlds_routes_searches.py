"""How systems search the FHIR API: of one person and of many, by what is seen and by what is not, in every way there is."""

from __future__ import annotations

from collections.abc import Mapping

from worlds_asking import Ask
from worlds_bodies import NUMBERS, Thing, born, key, person
from worlds_routes import UNKNOWN, Drawing, Route

from carelink.fhir import searched
from carelink.ids import NHS_NUMBER

Given = dict[str, str]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _people(draw: Drawing) -> Given:
    """Patients: by who they are, where they are, and what others say of them."""
    number = draw.number()
    who = draw.one(
        {"identifier": f"{NHS_NUMBER}|{draw.nhs_number()}"},
        {"identifier": draw.one(draw.nhs_number(), ",".join(NUMBERS), f"{NHS_NUMBER}|", "nobody")},
        {"family": draw.one(f"family{number}", "former", "f")},
        {"family:contains": draw.one(f"{number}", "mer")},
        {"name": "given", "birthdate": draw.one(born(number), "gt1950", "1950")},
        {"_lastUpdated": "gt2020-01-01"},
        {"_id": f"{draw.person()},{draw.key('Patient')}"},
    )
    by = draw.one(who, _where(draw), _where(draw), _has(draw), _has(draw))
    return {"type_": "Patient"} | by | _shaped(draw, "Patient")


def _where(draw: Drawing) -> Given:
    """Patients by where they are."""
    number = draw.number()
    return {"gender": "female"} | draw.one(
        {"address-postalcode": f"DM{number}"},
        {"address:contains": draw.one("elsewhere", "e")},
        {"address": "elsewhere"},
        {"phone:missing": draw.one("true", "false")},
        {"telecom:missing": draw.one("true", "false")},
        {"general-practitioner:missing": draw.one("true", "false")},
        {"general-practitioner:identifier": "P81001"},
        {"_sort": draw.one("address", "-address", "telecom", "-telecom,_id")},
    )


def _has(draw: Drawing) -> Given:
    """By what refers to them: something seen or not, by its id or by what it says."""
    thing = draw.thing(*searched.TYPES)
    type_ = thing.type if thing is not None and thing.of is not None else "Condition"
    name = draw.one("patient", "subject")
    return draw.one(
        {f"_has:{type_}:{name}:_id": str(key(thing)) if thing is not None else str(UNKNOWN)},
        {f"_has:{type_}:{name}:_lastUpdated": "gt2020-01-01"},
        {f"_has:{type_}:{name}:_lastUpdated": "gt2020-01-01", "gender": "female"},
        {"_has:Condition:patient:code": draw.one("73211009", "86406008", "1")},
        {"_has:Condition:patient:onset-date": draw.one("gt2020", "lt2026-11-01", "gt2026-11-10")},
        {"_has:Condition:patient:code:text": "thing"},
        {"_has:Encounter:patient:_has:Condition:encounter:code": "73211009"},
        {"_has:Encounter:patient:class": "IMP", "gender": "female"},
        {"_has:AllergyIntolerance:patient:criticality": "high"},
    )


def _things(draw: Drawing) -> Given:
    """Of somebody, or of what one source said of them; or of whomever it is, by something that it says."""
    thing = draw.thing(*searched.TYPES)
    type_ = thing.type if thing is not None else "Condition"
    whose = person(thing.of) if thing is not None and thing.of is not None else draw.person()
    patient = {"patient": str(draw.one(whose, whose, draw.person(), draw.key("Patient")))}
    by = draw.one(patient, patient, _of_whomever(draw, thing)) if searched.needs_a_person(type_) else {}
    return {"type_": type_} | by | _narrowed(draw, type_) | _shaped(draw, type_)


def _of_whomever(draw: Drawing, thing: Thing | None) -> Given:
    return draw.one(
        {"_id": str(key(thing)) if thing is not None else str(UNKNOWN)},
        {"_lastUpdated": "gt2020-01-01"},
        {"patient.identifier": f"{NHS_NUMBER}|{draw.nhs_number()}"},
        {"patient.gender": "female"},
        {"patient.address-postalcode": "DM"},
        {"patient.address:contains": "elsewhere"},
        {"patient.family": "former"},
        {"patient.telecom:missing": "false"},
        {"patient:Patient.general-practitioner:identifier": "P81001"},
    )


_BY: Mapping[str, tuple[Given, ...]] = {
    "Condition": (
        {"code": "73211009"},
        {"code:not": "73211009"},
        {"code:text": "thing"},
        {"encounter.class": "IMP"},
        {"encounter:missing": "true"},
        {"asserter:RelatedPerson.name": "relative"},
        {"recorder:Practitioner.name:missing": "false"},
        {"recorder:missing": "true"},
    ),
    "Observation": (
        {"value-quantity": "gt5"},
        {"value-quantity:missing": "true"},
        {"performer:missing": "false"},
        {"performer:Practitioner.family:missing": "false"},
        {"combo-code": "decision"},
        {"component-code-value-concept": "decision$sharing"},
    ),
    "Encounter": (
        {"class": "IMP"},
        {"service-provider:identifier": "RDV"},
        {"service-provider:missing": "true"},
        {"location:missing": "false"},
        {"_has:Condition:encounter:code": "73211009"},
    ),
    "MedicationStatement": ({"code:text": "thing"}, {"medication.code:missing": "false"}),
    "Consent": ({"status": "active"}, {"actor:identifier": "902"}),
    "Provenance": ({"agent:identifier": "QDM"}, {"target:missing": "false"}),
    "RelatedPerson": ({"name": "relative"}, {"address:missing": "false"}, {"telecom:missing": "true"}),
    "EpisodeOfCare": ({"organization:missing": "true"}, {"status": "active"}),
    "Task": ({"owner:identifier": "902"}, {"status": "in-progress"}),
}


def _narrowed(draw: Drawing, type_: str) -> Given:
    known = _BY.get(type_, ({"_lastUpdated": "gt2020-01-01"},))
    return draw.one({}, draw.one(*known), draw.one(*known), {"_source": f"urn:carelink:source:{draw.one('gp', 'hospital', 'council')}"})  # fmt: skip


def _shaped(draw: Drawing, type_: str) -> Given:
    """In an order, as a page of one, counted, with what comes with it; now and then with what is not known."""
    when = searched.SORTED_BY.get(type_, "_lastUpdated")
    orders = {"Patient": ("family", "-birthdate,family", "address-postalcode,_id", "telecom")}
    order = draw.one({}, {}, {"_sort": draw.one(when, f"-{when},_id", "-_lastUpdated", *orders.get(type_, ()))})
    shape = draw.one({}, {}, {"_count": "1"}, {"_count": "1", "_total": "accurate"}, {"_summary": "count"}, {"_count": "0"})  # fmt: skip
    including = draw.one({}, _including(draw, type_))
    return order | shape | including | draw.one(*[{}] * 12, {"colour": "blue"})


_OF_A_PATIENT = ("Condition", "Observation", "Encounter", "AllergyIntolerance", "MedicationStatement", "Consent")


def _including(draw: Drawing, type_: str) -> Given:
    if type_ == "Patient":
        some, more = draw.one(*_OF_A_PATIENT), draw.one(*_OF_A_PATIENT)
        return {"_revinclude": f"{some}:patient", "_revinclude:iterate": f"{more}:patient"}
    if type_ == "Encounter":
        return {"_revinclude": "Condition:encounter"}
    return draw.one({"_include": "*"}, {"_include": "*", "_revinclude": "Provenance:target"})


def _asked(draw: Drawing) -> Given:
    return draw.one(_people, _things, _things)(draw)  # type: ignore[no-any-return]


def _find(draw: Drawing) -> Ask:
    lenient = draw.one({}, {}, {}, {"Prefer": "handling=lenient"})
    return Ask("fhir_search.find", _asked(draw), headers=lenient)


def _find_by_form(draw: Drawing) -> Ask:
    given = _asked(draw)
    asked = {name: value for name, value in given.items() if name != "type_"}
    return Ask("fhir_search.find_by_form", {"type_": given["type_"]}, "POST", asked, headers=FORM)


SEARCHES: Mapping[str, Route] = {
    "fhir_search.find": Route(_find, whose="system"),
    "fhir_search.find_by_form": Route(_find_by_form, whose="system"),
}
