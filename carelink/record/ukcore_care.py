"""The rules of UK Core of care and treatment, as a table; and of its special kinds of Observation and DiagnosticReport."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from carelink.record.ukcore_extensions import PREFIX as EXTENSION
from carelink.record.ukcore_finding import Body, Loc, Rule, Severity, codings, each, missing, more_than_one, text

ERROR, WARNING = Severity.ERROR, Severity.WARNING
LOINC, SNOMED, UNITS = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
_CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-"
_REPORTED = frozenset({"partial", "preliminary", "final", "amended", "corrected", "appended"})
_VITAL = "UK Core Observation-VitalSigns 1.1.1"


def _once(name: str, because: str) -> Rule:
    return Rule(
        "uk-extension-once",
        "extension",
        ERROR,
        "structure",
        f"Give the extension {name.rpartition('-')[2]} once",
        because,
        more_than_one("extension", lambda one: one.get("url") == name),
    )


def _not_done(body: Body) -> Iterator[Loc]:
    if body.get("status") == "not-done" and "statusReason" not in body:
        yield ("statusReason",)


def _linked_twice(body: Body) -> Iterator[Loc]:
    link = f"{_R5}DiagnosticReport.media.link"
    for index, one in each(body, "media"):
        if any(ext.get("url") == link for _, ext in each(one, "extension")) and text(one.get("link"), "reference"):
            yield "media", index, "link", "reference"


def _collected_twice(body: Body) -> Iterator[Loc]:
    collector = (body.get("collection") or {}).get("collector") if isinstance(body.get("collection"), Mapping) else None
    extended = any(one.get("url") == f"{_R5}Specimen.collection.collector" for _, one in each(collector, "extension"))
    if extended and text(collector, "reference"):
        yield "collection", "collector", "reference"


def _nameless_identifier(name: str) -> Callable[[Body], Iterator[Loc]]:
    def broken(body: Body) -> Iterator[Loc]:
        for index, one in each(body, "identifier"):
            if name not in one and f"_{name}" not in one:
                yield "identifier", index, name

    return broken


def _in_category(system: str, code: str, alone: bool) -> Callable[[Body], Iterator[Loc]]:
    """Not in that category; or, where it stands `alone`, in another too."""

    def broken(body: Body) -> Iterator[Loc]:
        categories = [codings(one) for _, one in each(body, "category")]
        right = [one for one in categories if (system, code) in one]
        if len(right) != 1 or (alone and len(categories) != 1):
            yield ("category",)

    return broken


def _not_final(body: Body) -> Iterator[Loc]:
    if body.get("status") != "final":
        yield ("status",)


def _loinc(code: str = "") -> Callable[[Body], Iterator[Loc]]:
    def broken(body: Body) -> Iterator[Loc]:
        codes = [given for system, given in codings(body.get("code")) if system == LOINC]
        if len(codes) != 1 or (code and codes != [code]):
            yield ("code",)

    return broken


def _measured(unit: str, code: str) -> Callable[[Body], Iterator[Loc]]:
    """Not in that unit of UCUM; `unit` is its word, where the profile fixes it too."""

    def broken(body: Body) -> Iterator[Loc]:
        value: Any = body.get("valueQuantity")
        if not isinstance(value, Mapping):
            yield ("valueQuantity",)
        elif (value.get("system"), value.get("code")) != (UNITS, code) or (unit and value.get("unit") != unit):
            yield ("valueQuantity", "code")

    return broken


def _fixed(id_: str, place: str, says: str, because: str, broken: Callable[[Body], Iterator[Loc]]) -> Rule:
    return Rule(id_, place, ERROR, "value", says, because, broken, always=False)


def _needed(element: str, because: str, *names: str) -> Rule:
    says = f"Give {element}"
    return Rule("uk-required", element, ERROR, "required", says, because, missing(*(names or (element,))), always=False)


CARE: Mapping[str, tuple[Rule, ...]] = {
    "Appointment": (_once(f"{EXTENSION}DeliveryChannel", "UK Core Appointment 1.3.0: extension:deliveryChannel 0..1"),),
    "Composition": (_once(f"{EXTENSION}CareSettingType", "UK Core Composition 2.4.0: extension:careSettingType 0..1"),),
    "DiagnosticReport": (
        Rule(
            "ukcore-diag-lab-002",
            "media.link.reference",
            ERROR,
            "invariant",
            "Give the media by the extension or by its link, not by both",
            "UK Core DiagnosticReport 2.7.0, ukcore-diag-lab-002",
            _linked_twice,
        ),
        _once(
            f"{_R5}DiagnosticReport.composition",
            "UK Core DiagnosticReport 2.7.0: extension:compositionReferenceR5 0..1",
        ),
    ),
    "Immunization": (
        Rule(
            "ukcore-imm-001",
            "statusReason",
            ERROR,
            "invariant",
            "Say why the immunisation was not done",
            "UK Core Immunization 2.4.0, ukcore-imm-001",
            _not_done,
        ),
    ),
    "List": (_once(f"{EXTENSION}CareSettingType", "UK Core List 2.4.0: extension:careSettingType 0..1"),),
    "MedicationRequest": (_needed("substitution", "UK Core MedicationRequest 2.5.0: substitution 1..1"),),
    "MedicationStatement": tuple(
        Rule(
            "uk-required",
            f"identifier.{name}",
            ERROR,
            "required",
            f"Give the {name} of the identifier",
            f"UK Core MedicationStatement 2.5.0: identifier.{name} 1..1",
            _nameless_identifier(name),
            always=False,
        )
        for name in ("system", "value")
    ),
    "ServiceRequest": tuple(
        _once(EXTENSION + name, f"UK Core ServiceRequest 2.5.1: {name} 0..1")
        for name in ("SourceOfServiceRequest", "Coverage")
    ),
    "Slot": (_once(f"{EXTENSION}DeliveryChannel", "UK Core Slot 1.3.0: extension:deliveryChannel 0..1"),),
    "Specimen": (
        Rule(
            "ukcore-spec-001",
            "collection.collector.reference",
            ERROR,
            "invariant",
            "Name the collector by the extension or by the reference, not by both",
            "UK Core Specimen 3.1.0, ukcore-spec-001",
            _collected_twice,
        ),
        _once(f"{EXTENSION}SampleCategory", "UK Core Specimen 3.1.0: extension:sampleCategory 0..1"),
    ),
}


def _laboratory(because: str, system: str, code: str) -> Rule:
    says = f"Give the category {code} of {system} once"
    return _fixed("uk-laboratory", "category", says, because, _in_category(system, code, alone=False))


def _not_issued(body: Body) -> Iterator[Loc]:
    if text(body, "status") in _REPORTED and "issued" not in body:
        yield ("issued",)


def _says_nothing(body: Body) -> Iterator[Loc]:
    if not any(name.lstrip("_").startswith(("value", "dataAbsentReason", "note")) for name in body):
        yield ()


def _has_value(body: Body) -> Iterator[Loc]:
    yield from ((name,) for name in body if name.startswith("value"))


def _should(id_: str, place: str, says: str, profile: str, broken: Callable[[Body], Iterator[Loc]]) -> Rule:
    return Rule(id_, place, WARNING, "invariant", says, f"UK Core {profile}, {id_}", broken, always=False)


def _vital(name: str, loinc: str, unit: str, code: str) -> tuple[Rule, ...]:
    because = f"UK Core Observation-VitalSigns-{name} 1.0.0"
    in_unit = f"Give valueQuantity in {code} of {UNITS}" + (f", unit {unit!r}" if unit else "")
    return (
        _fixed("uk-vital-code", "code", f"Give the LOINC code {loinc}", f"{because}: code fixed", _loinc(loinc)),
        _fixed("uk-vital-unit", "value", in_unit, f"{because}: value[x]", _measured(unit, code)),
    )


SPECIAL: Mapping[str, tuple[Rule, ...]] = {
    "DiagnosticReport-Lab": (
        _laboratory("UK Core DiagnosticReport-Lab 2.0.1", "http://terminology.hl7.org/CodeSystem/v2-0074", "LAB"),
        _needed("subject", "UK Core DiagnosticReport-Lab 2.0.1: subject 1..1"),
        _should("ukcore-diag-lab-001", "issued", "Say when it was issued", "DiagnosticReport-Lab 2.0.1", _not_issued),
    ),
    "Observation-Group-Lab": (
        _laboratory("UK Core Observation-Group-Lab 2.1.0", _CATEGORIES, "laboratory"),
        _should(
            "ukcore-obs-grplab-001", "value", "Give no value of a group", "Observation-Group-Lab 2.1.0", _has_value
        ),
    ),
    "Observation-Lab": (
        _laboratory("UK Core Observation-Lab 2.0.1", _CATEGORIES, "laboratory"),
        _should(
            "ukcore-obs-lab-001",
            "",
            "Give a value, a dataAbsentReason or a note",
            "Observation-Lab 2.0.1",
            _says_nothing,
        ),
    ),
    "Observation-VitalSigns": (
        _fixed("uk-vital-status", "status", "Give it as final", f"{_VITAL}: status fixed", _not_final),
        _fixed(
            "uk-vital-category",
            "category",
            f"Give the one category vital-signs of {_CATEGORIES}",
            f"{_VITAL}: category 1..1, fixed",
            _in_category(_CATEGORIES, "vital-signs", alone=True),
        ),
        _fixed("ukcore-obs-vs-001", "code", "Give one LOINC code", f"{_VITAL}, ukcore-obs-vs-001", _loinc()),
        _needed("subject", f"{_VITAL}: subject 1..1"),
        _needed("effectiveDateTime", f"{_VITAL}: effective[x] 1..1", "effectiveDateTime", "effectivePeriod"),
    ),
    "Observation-VitalSigns-BMI": _vital("BMI", "39156-5", "", "kg/m2"),
    "Observation-VitalSigns-BodyTemperature": _vital("BodyTemperature", "8310-5", "degree Celsius", "Cel"),
    "Observation-VitalSigns-BodyWeight": _vital("BodyWeight", "29463-7", "kilogram", "kg"),
    "Observation-VitalSigns-HeadCircumference": _vital("HeadCircumference", "9843-4", "centimeter", "cm"),
    "Observation-VitalSigns-HeartRate": _vital("HeartRate", "8867-4", "per minute", "/min"),
    "Observation-VitalSigns-OxygenSaturation": _vital("OxygenSaturation", "2708-6", "percent", "%"),
    "Observation-VitalSigns-RespirationRate": _vital("RespirationRate", "9279-1", "per minute", "/min"),
}
