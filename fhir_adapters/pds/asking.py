"""The two questions that PDS answers about one person, and what each answer means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import uuid4

from nhs_number.validate import is_valid

from fhir_adapters.http import Answer, Client
from fhir_adapters.source import Wanted

NO_SUCH_PATIENT = frozenset({400, 404})  # INVALID_RESOURCE_ID; RESOURCE_NOT_FOUND, INVALIDATED_RESOURCE
CANT_SEARCH = frozenset({400, 422})  # the demographics are not fit for a search


class Outcome(StrEnum):
    """How asking about one person ended. All but `found` store nothing, and are no failure of the source."""

    FOUND = "found"
    INVALID = "invalid"  # the NHS number's check digit is wrong: not asked
    UNKNOWN = "unknown"  # PDS knows no such person
    SEVERAL = "several"  # more than one match: choosing would be guessing
    TOO_LITTLE = "too-little"  # no NHS number, and no family name with a full birth date


@dataclass(frozen=True)
class Found:
    """PDS's Patient as it came, and the NHS number that it was asked by (empty: found by demographics)."""

    outcome: Outcome
    patient: Any = None
    asked_by: str = ""


def ask(client: Client, wanted: Wanted) -> Found:
    """What PDS knows of the person: by NHS number where there is one, else the only match of their demographics.

    Raises SourceFailed.
    """
    if wanted.nhs_number:
        return _read(client, wanted.nhs_number.replace(" ", ""))
    return _search(client, wanted)


def _read(client: Client, number: str) -> Found:
    if not is_valid(number):
        return Found(Outcome.INVALID)
    answer = client.get(f"Patient/{number}", headers=_headers(), expect=NO_SUCH_PATIENT)
    if answer.status in NO_SUCH_PATIENT:
        _must_be_outcome(client, answer)
        return Found(Outcome.UNKNOWN)
    return Found(Outcome.FOUND, answer.json, number)


def _search(client: Client, wanted: Wanted) -> Found:
    if not wanted.family or len(wanted.birth_date) != len("2000-12-31"):
        return Found(Outcome.TOO_LITTLE)
    answer = client.get("Patient", _demographics(wanted), headers=_headers(), expect=CANT_SEARCH)
    if answer.status in CANT_SEARCH or _is(answer.json, "OperationOutcome"):
        _must_be_outcome(client, answer)  # TOO_MANY_MATCHES is an OperationOutcome with status 200
        return Found(Outcome.SEVERAL if answer.status == 200 else Outcome.TOO_LITTLE)
    matches = _matches(client, answer.json)
    if len(matches) != 1:
        return Found(Outcome.SEVERAL if matches else Outcome.UNKNOWN)
    # A match of a search is only a part of the Patient: read the whole.
    read = _read(client, matches[0])
    return Found(read.outcome, read.patient)


def _demographics(wanted: Wanted) -> dict[str, str]:
    asked = {
        "family": wanted.family,
        "given": wanted.given,
        "birthdate": f"eq{wanted.birth_date}",
        "gender": wanted.gender,
        "address-postalcode": wanted.postcode,
    }
    return {name: text for name, text in asked.items() if text}


def _matches(client: Client, bundle: Any) -> list[str]:
    """The NHS numbers that matched."""
    if not _is(bundle, "Bundle") or not isinstance(bundle.get("entry", []), list):
        client.fail("the answer to a search is no Bundle")
    resources = [entry.get("resource") if isinstance(entry, Mapping) else None for entry in bundle.get("entry", [])]
    total = bundle.get("total", len(resources))
    if isinstance(total, int) and total > len(resources):
        client.fail(f"half a page: {len(resources)} came of the {total} that it says there are")
    ids = [one.get("id") for one in resources if isinstance(one, Mapping) and _is(one, "Patient")]
    if len(ids) != len(resources) or not all(isinstance(id_, str) for id_ in ids):
        client.fail("a match of a search is no Patient with an id")
    return [str(id_) for id_ in ids]


def _must_be_outcome(client: Client, answer: Answer) -> None:
    """A 404 of a gateway says nothing about the person: only an OperationOutcome does."""
    if not _is(answer.json, "OperationOutcome"):
        client.fail(f"answered {answer.status}, and not as PDS does")


def _is(value: Any, type_: str) -> bool:
    return isinstance(value, Mapping) and value.get("resourceType") == type_


def _headers() -> dict[str, str]:
    return {"X-Request-ID": str(uuid4())}  # PDS asks for one on every request
