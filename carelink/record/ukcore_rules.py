"""The rules of UK Core of people and organisations, as a table: what must hold, where, and which profile says so.

An error means that the profile is not met. A warning is what the profile leaves open and the NHS asks for nevertheless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from carelink.ids import NHS_NUMBER, ODS
from carelink.record.partial_dates import before
from carelink.record.ukcore_extensions import PREFIX as EXTENSION
from carelink.record.ukcore_finding import Body, Loc, Rule, Severity, codings, each, more_than_one, text
from carelink.record.ukcore_forms import LANGUAGES, ODS_SITE, is_language, is_postcode

ERROR, WARNING = Severity.ERROR, Severity.WARNING
_PATIENT, _RELATED = "UK Core Patient 2.6.1", "UK Core RelatedPerson 2.5.0"
_ORGANIZATION, _LOCATION = "UK Core Organization 2.5.1", "UK Core Location 2.3.0"
_VERIFIED = f"{EXTENSION}NHSNumberVerificationStatus"
_UK = frozenset({"", "GB", "GBR", "UK", "UNITED KINGDOM", "ENGLAND", "SCOTLAND", "WALES", "NORTHERN IRELAND"})


def _is_of(system: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda identifier: identifier.get("system") == system


def _is_extension(name: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda extension: extension.get("url") == EXTENSION + name


def _without_value(system: str) -> Callable[[Body], Iterator[Loc]]:
    def broken(body: Body) -> Iterator[Loc]:
        for index, one in each(body, "identifier"):
            if one.get("system") == system and "value" not in one:
                yield "identifier", index

    return broken


def _two_statuses(body: Body) -> Iterator[Loc]:
    for index, one in each(body, "identifier"):
        if one.get("system") == NHS_NUMBER:
            statuses = [number for number, inner in each(one, "extension") if inner.get("url") == _VERIFIED]
            yield from (("identifier", index, "extension", number) for number in statuses[1:])


def _unverified(body: Body) -> Iterator[Loc]:
    for index, one in each(body, "identifier"):
        told = any(inner.get("url") == _VERIFIED for _, inner in each(one, "extension"))
        if one.get("system") == NHS_NUMBER and "value" in one and not told:
            yield "identifier", index


def _no_official_name(body: Body) -> Iterator[Loc]:
    if not any(one.get("use") in ("official", "usual") for _, one in each(body, "name")):
        yield ("name",)


def _nameless(body: Body) -> Iterator[Loc]:
    for index, one in each(body, "name"):
        if one.get("use") in ("official", "usual") and not one.keys() & {"family", "_family", "text"}:
            yield "name", index


def _postcodes(body: Body) -> Iterator[Loc]:
    for index, one in each(body, "address"):
        code = text(one, "postalCode")
        if code and text(one, "country").strip().upper() in _UK and not is_postcode(code):
            yield "address", index, "postalCode"


def _languages(name: str, concept_in: str) -> Callable[[Body], Iterator[Loc]]:
    """A language is one by its tag; other codings may stand beside it."""

    def broken(body: Body) -> Iterator[Loc]:
        for index, one in each(body, name):
            concept = one.get(concept_in) if concept_in else one
            if concept is not None and not any(
                system == LANGUAGES and is_language(code) for system, code in codings(concept)
            ):
                yield (name, index, concept_in) if concept_in else (name, index)

    return broken


def _notified(body: Body) -> str:
    """The code of the death notification; empty where there is none."""
    for _, one in each(body, "extension"):
        if one.get("url") == f"{EXTENSION}DeathNotificationStatus":
            for _, part in each(one, "extension"):
                if part.get("url") == "deathNotificationStatus":
                    return next((code for _, code in codings(part.get("valueCodeableConcept"))), "")
    return ""


def _dead(body: Body) -> bool:
    return bool(body.get("deceasedDateTime")) or body.get("deceasedBoolean") is True


def _notice_contradicts(body: Body) -> Iterator[Loc]:
    said = _notified(body)
    if (said in ("1", "2") and not _dead(body)) or (said == "U" and _dead(body)):
        yield ("extension",)


def _died_before_birth(body: Body) -> Iterator[Loc]:
    if before(body.get("deceasedDateTime"), body.get("birthDate")):
        yield ("deceasedDateTime",)


def _rank_twice(body: Body) -> Iterator[Loc]:
    seen: set[object] = set()
    for index, contact in each(body, "contact"):
        for number, one in each(contact, "extension"):
            if one.get("url") == f"{EXTENSION}ContactRank":
                rank = one.get("valuePositiveInt")
                if isinstance(rank, int) and rank in seen:
                    yield "contact", index, "extension", number
                seen.add(rank if isinstance(rank, int) else None)


_OFFICIAL = Rule(
    "uk-official-name",
    "name",
    WARNING,
    "business-rule",
    "Give the name that is used officially with use 'official'; PDS gives it as 'usual'",
    "UK Core, guidance on Patient.name: the name that the person is known by to the NHS says so by its use",
    _no_official_name,
)
_POSTCODE = Rule(
    "uk-postcode",
    "address.postalCode",
    WARNING,
    "value",
    "Write a UK postcode as Royal Mail does ('LS17 7DF'), or name the country",
    "NHS Data Dictionary, POSTCODE",
    _postcodes,
)


def _language(because: str, name: str = "communication", concept_in: str = "language") -> Rule:
    return Rule(
        "uk-language",
        f"{name}.{concept_in}".rstrip("."),
        ERROR,
        "code-invalid",
        f"Give the language as a code of {LANGUAGES}; other codings may stand beside it",
        f"{because}: required binding to all-languages",
        _languages(name, concept_in),
    )


def _one_of(system: str, what: str, because: str) -> tuple[Rule, ...]:
    """An identifier of that system stands once, and has a value."""
    one = Rule(
        "uk-identifier-once",
        "identifier",
        ERROR,
        "structure",
        f"Give one {what}",
        f"{because}: identifier of system {system}, 0..1",
        more_than_one("identifier", _is_of(system)),
    )
    return one, Rule(
        "uk-identifier-value",
        "identifier.value",
        ERROR,
        "required",
        f"Give the {what}, or leave the identifier out",
        f"{because}: identifier of system {system}, value 1..1",
        _without_value(system),
    )


PEOPLE: Mapping[str, tuple[Rule, ...]] = {
    "Patient": (
        *_one_of(NHS_NUMBER, "NHS number", _PATIENT),
        Rule(
            "uk-verification-once",
            "identifier.extension",
            ERROR,
            "structure",
            "Give one verification status with an NHS number",
            f"{_PATIENT}: identifier:nhsNumber.extension:nhsNumberVerificationStatus 0..1",
            _two_statuses,
        ),
        Rule(
            "uk-verification",
            "identifier",
            WARNING,
            "business-rule",
            "Say by the extension NHSNumberVerificationStatus whether the number was traced",
            "NHS Data Dictionary, NHS NUMBER STATUS INDICATOR CODE: a number that was not traced must not be relied on",
            _unverified,
        ),
        Rule(
            "uk-ethnic-category-once",
            "extension",
            ERROR,
            "structure",
            "Give one ethnic category",
            f"{_PATIENT}: extension:ethnicCategory 0..1",
            more_than_one("extension", _is_extension("EthnicCategory")),
        ),
        _OFFICIAL,
        Rule(
            "uk-family-name",
            "name",
            WARNING,
            "required",
            "Give an official name with its family name",
            "UK Core, guidance on Patient.name",
            _nameless,
        ),
        _POSTCODE,
        Rule(
            "uk-death-notification",
            "extension",
            WARNING,
            "business-rule",
            "Let the death notification status and deceased[x] say the same",
            "UK Core, Extension-UKCore-DeathNotificationStatus: 1 and 2 say that a death was notified, U that it was not one",
            _notice_contradicts,
        ),
        Rule(
            "uk-died-before-birth",
            "deceasedDateTime",
            WARNING,
            "business-rule",
            "Correct one of the two: the death is before the birth",
            "NHS Data Dictionary, PERSON DEATH DATE",
            _died_before_birth,
        ),
        Rule(
            "uk-contact-rank-twice",
            "contact.extension",
            WARNING,
            "business-rule",
            "Give each contact a rank of its own: 1 is called first",
            "UK Core, Extension-UKCore-ContactRank: the preferred ranking of contacts",
            _rank_twice,
        ),
        _language(_PATIENT),
    ),
    "RelatedPerson": (_POSTCODE, _language(_RELATED)),
    "Practitioner": (_POSTCODE, _language("UK Core Practitioner 2.4.0", "communication", "")),
    "HealthcareService": (_language("UK Core HealthcareService 1.3.0", "communication", ""),),
    "Organization": (
        *_one_of(ODS, "ODS organisation code", _ORGANIZATION),
        *_one_of(ODS_SITE, "ODS site code", _ORGANIZATION),
        _POSTCODE,
    ),
    "Location": _one_of(ODS_SITE, "ODS site code", _LOCATION),
}
