"""/fhir/R4/Patient/[id]/$summary: an International Patient Summary of what the client may see of somebody."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from carelink.cases.patient_summary import patient_summary
from carelink.errors import Invalid
from carelink.fhir import bearer, operation_body
from carelink.fhir.asking import Given
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.ids import PersonKey
from carelink.web.parts import parts
from carelink.web.transaction import connection

PROFILES = frozenset(
    {
        "http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips",
        "http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips",
    }
)

blueprint = Blueprint("fhir_summary", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.get("/Patient/<uuid:person>/$summary")
def summary(person: UUID) -> Response:
    """The document, put together anew each time: it is not kept here."""
    return _answered(person, ())


@blueprint.post("/Patient/<uuid:person>/$summary")
def summary_by_body(person: UUID) -> Response:
    """The same, asked with Parameters."""
    return _answered(person, operation_body.as_given(operation_body.in_body()))


def _answered(person: UUID, sent: Given) -> Response:
    lens = bearer.lens("Patient")
    _check([*request.args.items(multi=True), *sent])
    return bearer.answer(patient_summary(connection(), parts().place, lens, PersonKey(person), endpoint().base))


def _check(given: Given) -> None:
    for name, value in given:
        if name == "profile" and value.partition("|")[0] in PROFILES:
            continue
        if name == "profile":
            raise Invalid(name, f"must be one of {', '.join(sorted(PROFILES))}")
        if name not in ("_format", "_pretty"):
            raise Invalid(name[:100], "is not a parameter of this operation here; known is profile")
