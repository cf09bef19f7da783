"""The golden Patient as UK Core has it: codes whose system has moved are written in the one of today; the profile if met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carelink.record import ukcore
from carelink.record.ukcore_codes import KEPT_CODES, MOVED

Json = dict[str, Any]


def as_uk_core(golden: Json) -> Json:
    """The same Patient, naming UK Core Patient in `meta.profile` where it is one.

    PDS still writes the verification status in its former code system; 01 to 08 mean the same in England's of today.
    """
    identifiers = [_present(one) for one in golden.get("identifier", ())]
    said = {**golden, "identifier": identifiers} if identifiers else golden
    return ukcore.profiled("Patient", said).body


def _present(identifier: Mapping[str, Any]) -> Json:
    extensions = [_moved(one) for one in identifier.get("extension", ())]
    return {**identifier, "extension": extensions} if extensions else dict(identifier)


def _moved(extension: Mapping[str, Any]) -> Mapping[str, Any]:
    concept = extension.get("valueCodeableConcept")
    if not isinstance(concept, Mapping) or not isinstance(concept.get("coding"), list):
        return extension
    codings = [_coding(one) for one in concept["coding"]]
    return {**extension, "valueCodeableConcept": {**concept, "coding": codings}}


def _coding(coding: Mapping[str, Any]) -> Mapping[str, Any]:
    system = MOVED.get(str(coding.get("system")))
    if system is None or coding.get("code") not in KEPT_CODES:
        return coding
    return {name: value for name, value in coding.items() if name != "version"} | {"system": system}
