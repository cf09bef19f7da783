"""The golden Patient: one person composed of what the sources say, each element naming its source (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Any

from carelink.consent.sensitivity import CONFIDENTIALITY, NATIONAL, Sensitivities, confidential
from carelink.ids import NHS_NUMBER, ODS, PersonKey
from carelink.place import Organisation, Survivorship
from carelink.record import traits_fold as fold
from carelink.record.survivorship import SourceRecord, Survivor, survivors, trusted
from carelink.record.traits import is_verified

ELEMENT_SOURCE = "https://carelink.example/StructureDefinition/element-source"  # valueString: name of the source
ELEMENT_DATE = "https://carelink.example/StructureDefinition/element-date"  # valueDateTime: when it said so
RESTRICTED = {"system": CONFIDENTIALITY, "code": "R", "display": "restricted"}
ETHNICITY = "Extension-UKCore-EthnicCategory"

Json = dict[str, Any]

# Names of survivorship.toml that are not one FHIR element of their own name.
_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType({"deceased": ("deceasedBoolean", "deceasedDateTime")})
# What tells where a restricted person is: PDS gives none of it, so no other source may either.
_LOCATING = frozenset({"address", "telecom", "generalPractitioner"})
_MAY_BE_OLD = frozenset({"identifier", "address", "telecom"})  # a former name is kept: people are looked for by it


def compose(
    person: PersonKey,
    records: Sequence[SourceRecord],
    rules: Sequence[Survivorship],
    home: Organisation,
    known: Sensitivities = NATIONAL,
) -> Json:
    """The golden R4 Patient of these source Patients.

    Restricted where any of them carries confidentiality R: then without address, telecom and practice. What a
    sensitive Patient says (a former name, say) is not in it, because it is shared like any other demographics; where
    there are no others it is as sensitive as they are. Nor is what a Patient says that the person keeps back, where
    another says who they are. The order of `records` makes no difference.
    """
    restricted = any(is_restricted(record.body) for record in records)
    plain = [record for record in records if not known.told(record.body)]
    plain = [record for record in plain if not record.kept_back] or plain
    security: list[Mapping[str, str]] = [RESTRICTED] if restricted else []
    if not plain:
        security += known.coded(reduce(or_, (known.told(record.body) for record in records), 0))
    records = plain or records
    body: Json = {
        "resourceType": "Patient",
        "id": str(person),
        "meta": {"security": security} if security else {},
        "active": True,
        "managingOrganization": {"identifier": {"system": ODS, "value": home.ods}, "display": home.name},
        "link": [
            {"other": {"reference": f"Patient/{key}"}, "type": "seealso"}
            for key in sorted(str(record.key) for record in records)
        ],
    }
    for rule in rules:
        if not (restricted and rule.element in _LOCATING):
            _put(body, rule, [record for record in records if trusted(rule, record)])
    if restricted:
        _drop_contact_details(body)
    return {key: value for key, value in body.items() if value not in ([], {})}


def replaced(person: PersonKey, by: PersonKey) -> Json:
    """The golden Patient of a person who was merged into another."""
    return {
        "resourceType": "Patient",
        "id": str(person),
        "active": False,
        "link": [{"other": {"reference": f"Patient/{by}"}, "type": "replaced-by"}],
    }


def is_restricted(patient: Mapping[str, Any]) -> bool:
    """True where meta.security holds confidentiality R (PDS 'S' flag), or V, of whom PDS tells nothing at all."""
    return confidential(patient)


def is_deceased(patient: Mapping[str, Any]) -> bool:
    """True where the Patient is said to have died."""
    return bool(patient.get("deceasedDateTime")) or patient.get("deceasedBoolean") is True


def _put(body: Json, rule: Survivorship, records: Sequence[SourceRecord]) -> None:
    if rule.element == "ethnicity":
        found = survivors(rule, [(one, stated) for one in records if (stated := _ethnicity(one.body))])
        body.setdefault("extension", []).extend(_on_value(one) for one in found)
        return
    element, stated = _stated(rule.element, records)
    found = survivors(rule, stated)
    if not found:
        return
    if not isinstance(found[0].value, dict):
        chosen = _choice(rule.element, found[0])
        body[chosen] = found[0].value
        body[f"_{chosen}"] = {"extension": _origin(found[0].record)}
    elif isinstance(stated[0][1], list):
        body[element] = [_marked(one) for one in _once(found, _SAME.get(element, _as_written))]
    else:
        body[element] = _marked(found[0])


def _stated(element: str, records: Sequence[SourceRecord]) -> tuple[str, list[tuple[SourceRecord, Any]]]:
    """The FHIR element, and each record that has it with what it says."""
    names = _CHOICES.get(element, (element,))
    said = [(one, _current(element, one.body[name])) for one in records for name in names if name in one.body]
    return names[0], [(one, stated) for one, stated in said if stated not in ([], {}, "")]


def _current(element: str, stated: Any) -> Any:
    """Without what is said to be over: superseded NHS numbers, former addresses, dead telephones."""
    if element not in _MAY_BE_OLD:
        return stated
    return [one for one in stated if one.get("use") != "old"]


def _choice(element: str, survivor: Survivor) -> str:
    names = _CHOICES.get(element, (element,))
    return next(name for name in names if survivor.record.body.get(name) == survivor.value)


def _ethnicity(patient: Mapping[str, Any]) -> list[Any]:
    return [one for one in patient.get("extension", ()) if ETHNICITY in str(one.get("url", ""))]


def _on_value(survivor: Survivor) -> Json:
    """An extension's source is told on its value: an extension may not have both a value and extensions."""
    extension = dict(survivor.value)
    value = extension.get("valueCodeableConcept")
    if isinstance(value, dict):
        extension["valueCodeableConcept"] = _with_origin(value, survivor.record)
    return extension


def _marked(survivor: Survivor) -> Json:
    """The value with its source; without its `id`, which is only unique within the source's own Patient."""
    return _with_origin({key: part for key, part in survivor.value.items() if key != "id"}, survivor.record)


def _with_origin(value: Mapping[str, Any], record: SourceRecord) -> Json:
    return {**value, "extension": [*value.get("extension", ()), *_origin(record)]}


def _origin(record: SourceRecord) -> list[Json]:
    return [
        {"url": ELEMENT_SOURCE, "valueString": record.source},
        {"url": ELEMENT_DATE, "valueDateTime": record.seen.isoformat(timespec="seconds")},
    ]


def _once(found: Iterable[Survivor], same: Callable[[Mapping[str, Any]], tuple[str, ...]]) -> list[Survivor]:
    """Each thing once, from the most trusted who says it; a verified NHS number before others."""
    kept: dict[tuple[str, ...], Survivor] = {}
    for one in found:
        alike = same(one.value)
        if alike not in kept or (_is_proof(one.value) and not _is_proof(kept[alike].value)):
            kept[alike] = one
    return list(kept.values())


def _is_proof(identifier: Mapping[str, Any]) -> bool:
    """A current, verified NHS number."""
    return identifier.get("system") == NHS_NUMBER and is_verified(identifier) and identifier.get("use") != "old"


def _as_written(value: Mapping[str, Any]) -> tuple[str, ...]:
    return (repr(sorted(value.items(), key=str)),)


def _same_identifier(value: Mapping[str, Any]) -> tuple[str, ...]:
    """There is one NHS number: a superseded or mistyped one is not shown beside it."""
    system = str(value.get("system", ""))
    return (system,) if system == NHS_NUMBER else (system, str(value.get("value", "")))


def _same_telecom(value: Mapping[str, Any]) -> tuple[str, ...]:
    written = str(value.get("value", ""))
    system = str(value.get("system", ""))
    return (system, (fold.telephone(written) or written) if system in ("phone", "sms", "fax") else written.lower())


_SAME: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, ...]]] = MappingProxyType(
    {"identifier": _same_identifier, "telecom": _same_telecom}
)


def _drop_contact_details(body: Json) -> None:
    """Those who live with a restricted person would tell where they are."""
    for contact in body.get("contact", ()):
        contact.pop("address", None)
        contact.pop("telecom", None)
