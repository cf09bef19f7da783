"""Rules for vaccinations: given or not, when, which, and where in its course."""

from __future__ import annotations

from typing import Any

from fhir_adapters.gp_connect.elements import STU3_ELEMENT, Body, extend, objects, pop_objects, text
from fhir_adapters.gp_connect.extensions import name_of, take, value_of
from fhir_adapters.gp_connect.rules import NotDone, Rename, Special, Trail, TypeRules

# What R4 dropped of STU3's vaccinationProtocol, and its datatype.
PROTOCOL_KEPT = {"description": "String", "doseStatus": "CodeableConcept", "doseStatusReason": "CodeableConcept"}


def _reasons(body: Body, trail: Trail) -> None:
    """Why given is a list in both; why not given is one reason in R4."""
    why = body.get("explanation")
    if not isinstance(why, dict):
        return
    del body["explanation"]
    if given := pop_objects(why, "reason"):
        body["reasonCode"] = given
    not_given = pop_objects(why, "reasonNotGiven")
    if why:
        trail.note("GP-no-place-in-r4", "explanation", why, "R4 has no explanation: what else it said")
    if not_given:
        body["statusReason"] = not_given[0]
    url = f"{STU3_ELEMENT}Immunization.explanation.reasonNotGiven"
    for further in not_given[1:]:
        extend(body, {"url": url, "valueCodeableConcept": further})


def _protocols(body: Body, trail: Trail) -> None:
    if protocols := pop_objects(body, "vaccinationProtocol"):
        body["protocolApplied"] = [_protocol(one, trail) for one in protocols]


def _protocol(was: Body, trail: Trail) -> Body:
    new = {key: value for key, value in was.items() if key.lstrip("_") not in PROTOCOL_KEPT}
    Rename("doseSequence", "doseNumberPositiveInt").apply(new, trail)
    Rename("seriesDoses", "seriesDosesPositiveInt").apply(new, trail)
    if "doseNumberPositiveInt" not in new:
        new["doseNumberString"] = "not known"
        trail.note("GP-required-by-r4", "protocolApplied.doseNumber", "", "R4 asks for the dose's number: not known")
    for element, kind in PROTOCOL_KEPT.items():
        if element in was:
            url = f"{STU3_ELEMENT}Immunization.vaccinationProtocol.{element}"
            extend(new, {"url": url, f"value{kind}": was[element]})
        trail.beside(f"protocolApplied.{element}", was.get(f"_{element}"))
    return new


def _recorded(body: Body, trail: Trail) -> None:
    dates = take(body, "DateRecorded")
    if dates and "recorded" not in body and value_of(dates[0]) is not None:
        body["recorded"] = value_of(dates.pop(0))
    if dates:
        extend(body, *dates)


def _occurrence(body: Body, trail: Trail) -> None:
    if not any(key.lstrip("_").startswith("occurrence") for key in body):
        body["occurrenceString"] = "not known"
        trail.note("GP-required-by-r4", "occurrence", "", "R4 asks when it was given: not known")


def _vaccine_in_words(body: Body, trail: Trail) -> None:
    """GP systems code the procedure, and the vaccine only as unknown: the words of the procedure say which it was."""
    vaccine = body.get("vaccineCode")
    words = next(filter(None, map(_words, objects(body.get("extension")))), "")
    if not isinstance(vaccine, dict) or not words:
        return
    codes = {text(coding.get("code")) for coding in objects(vaccine.get("coding"))}
    if codes <= {"UNK"} and str(vaccine.get("text", "Unknown")).lower() == "unknown":
        if "text" in vaccine:
            trail.note(
                "GP-vaccine-in-words", "vaccineCode.text", vaccine["text"], "the words of the procedure say which"
            )
        body["vaccineCode"] = vaccine | {"text": words}


def _words(extension: Body) -> str:
    procedure: Any = extension.get("valueCodeableConcept")
    if name_of(str(extension.get("url", ""))) != "VaccinationProcedure" or not isinstance(procedure, dict):
        return ""
    chosen = sorted(objects(procedure.get("coding")), key=lambda one: one.get("userSelected") is not True)
    return str(procedure.get("text") or next((one["display"] for one in chosen if one.get("display")), ""))


IMMUNIZATION = TypeRules(
    "Immunization",
    (
        NotDone("notGiven"),
        Rename("date", "occurrenceDateTime"),
        Special(_occurrence, "R4 requires when"),
        Special(_recorded, "R4 has Immunization.recorded for what CareConnect had an extension for"),
        Rename("practitioner", "performer"),
        Rename("role", "function", at="performer"),
        Special(_reasons, "R4 has reasonCode and statusReason for STU3's explanation"),
        Special(_protocols, "R4's protocolApplied has the dose's number and the series' length"),
        Special(_vaccine_in_words, "a vaccine that is called unknown in every list helps nobody"),
    ),
    about="patient",
)
