"""Parameters of texts, which are compared without case and accents, and of URIs, which are compared as they are."""

from __future__ import annotations

from functools import partial

from carelink.record.parameters.shape import Kind, Parameter, row

_row = partial(row, Kind.STRING)
_uri = partial(row, Kind.URI)
_WITH_ADDRESS = "Location Organization Patient Practitioner RelatedPerson"

STRINGS: tuple[Parameter, ...] = (
    _row(
        2,
        "name",
        ("name", "HealthcareService Patient Practitioner Questionnaire RelatedPerson"),
        ("name | alias", "Location Organization"),
    ),
    _row(3, "family", ("name.family", "Patient Practitioner")),
    _row(4, "given", ("name.given", "Patient Practitioner")),
    _row(7, "address-postalcode", ("address.postalCode", _WITH_ADDRESS), locating=True, solid=True),
    _row(10, "address", ("address", _WITH_ADDRESS), locating=True),
    _row(11, "address-city", ("address.city", _WITH_ADDRESS), locating=True),
    _row(12, "address-country", ("address.country", _WITH_ADDRESS), locating=True),
    _row(13, "address-state", ("address.state", _WITH_ADDRESS), locating=True),
    _row(300, "abatement-string", ("abatementString", "Condition")),
    _row(302, "description", ("description", "DocumentReference Questionnaire")),
    _row(303, "lot-number", ("lotNumber", "Immunization")),
    _row(304, "notes", ("note.text", "List")),
    _row(305, "onset-info", ("onsetString", "Condition")),
    _row(306, "publisher", ("publisher", "Questionnaire")),
    _row(307, "series", ("protocolApplied.series", "Immunization")),
    _row(308, "title", ("title", "Composition List Questionnaire")),
    _row(309, "value-string", ("valueString | valueCodeableConcept.text", "Observation")),
)

URIS: tuple[Parameter, ...] = (
    _uri(42, "url", ("url", "Questionnaire")),
    _uri(500, "definition", ("item.definition", "Questionnaire")),
    _uri(501, "instantiates-uri", ("instantiatesUri", "CarePlan Communication Procedure ServiceRequest")),
    _uri(502, "location", ("content.attachment.url", "DocumentReference"), locating=True),
)
