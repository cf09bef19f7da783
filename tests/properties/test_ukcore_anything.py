"""Whatever is sent to be validated, there is an answer; and what is stored of it names only what it meets."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from carelink.record.attachments import addressed
from carelink.record.ukcore import judge, profiled
from carelink.record.ukcore_finding import Severity
from carelink.record.ukcore_profiles import PROFILES
from carelink.record.validating import issues

_NAMES = st.sampled_from(
    [
        *("meta", "profile", "identifier", "extension", "url", "system", "value", "name", "use", "address", "postalCode"),
        *("communication", "language", "coding", "code", "contact", "status", "category", "media", "link", "collection"),
        *("collector", "valueCodeableConcept", "valueString", "photo", "data", "content", "attachment", "text", "div"),
        *("contained", "resourceType", "entry", "resource", "deceasedDateTime", "birthDate", "reference", "country"),
    ]
)  # fmt: skip
_SCALARS = st.one_of(
    st.sampled_from(
        [
            "https://fhir.nhs.uk/Id/nhs-number",
            "https://fhir.nhs.uk/Id/ods-organization-code",
            "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-AddressKey",
            "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory",
            "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient",
            "urn:ietf:bcp:47",
            "9990000018",
            "official",
            "Patient",
            "not-done",
            "",
        ]
    ),
    st.text(max_size=8),
    st.integers(-5, 5),
    st.booleans(),
    st.none(),
)
_ANYTHING = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=14
)
_BODIES = st.builds(
    lambda type_, said: {**said, "resourceType": type_, "id": "a"},
    st.sampled_from(["Patient", "Observation", "Specimen", "DiagnosticReport", "Immunization", "Bundle", "Location"]),
    st.dictionaries(_NAMES, _ANYTHING, max_size=6),
)


@settings(max_examples=250, deadline=None)
@given(_BODIES, st.sampled_from(["", *PROFILES]))
def test_whatever_is_sent_there_is_an_answer(body: dict[str, Any], profile: str) -> None:
    found = issues(body["resourceType"], body, profile)
    assert found
    assert all(one.severity in ("error", "warning", "information") for one in found)
    assert all(one.place and one.words for one in found)


_WELL_SHAPED = st.builds(
    lambda type_, claimed, names, numbers: {
        "resourceType": type_,
        "id": "a",
        "meta": {"profile": claimed},
        "name": names,
        "identifier": numbers,
    },
    st.sampled_from(["Patient", "RelatedPerson", "Practitioner"]),
    st.lists(st.sampled_from([*list(PROFILES)[:4], "https://x.example/p", "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient"]), min_size=1, max_size=3, unique=True),
    st.lists(st.builds(lambda use: {"use": use, "family": "Hill"}, st.sampled_from(["official", "old"])), max_size=2),
    st.lists(st.builds(lambda value: {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": value}, st.sampled_from(["9990000018", "1"])), max_size=2),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(_WELL_SHAPED)
def test_a_profile_is_named_only_where_nothing_of_it_fails_and_naming_twice_is_naming_once(
    body: dict[str, Any],
) -> None:
    type_ = body["resourceType"]
    made = profiled(type_, body).body
    named = made.get("meta", {}).get("profile", [])
    for url in named:
        if url in PROFILES:
            assert PROFILES[url].type == type_
            assert not [one for one in judge(made, (PROFILES[url],)) if one.severity is Severity.ERROR]
    assert profiled(type_, made).body == made
    assert [url for url in named if "x.example" in url] == [
        url for url in body["meta"]["profile"] if "x.example" in url
    ]
    assert addressed(made)[0] is made
