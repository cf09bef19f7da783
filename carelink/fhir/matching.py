"""POST /fhir/R4/Patient/$match: which of the people that a client may know is the one whom it describes."""

from __future__ import annotations

from flask import Blueprint, Response

from carelink.cases import patient_match
from carelink.cases.patient_match import Matched, Wanted
from carelink.errors import Invalid
from carelink.fhir import bearer, bundle, operation_body
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.fhir.operation_body import Sent
from carelink.web.parts import parts
from carelink.web.transaction import connection
from fhir_adapters import exact_json
from fhir_adapters.exact_json import ExactDecimal

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
KNOWN = {"resource": "resource", "onlyCertainMatches": "Boolean", "count": "Integer"}

blueprint = Blueprint("fhir_match", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.post("/Patient/$match")
def match() -> Response:
    """A Bundle of golden Patients with how sure it is of each, the likeliest first."""
    lens = bearer.lens("Patient")
    sent = operation_body.once(operation_body.in_body(), KNOWN)
    if "resource" not in sent:
        raise Invalid("Parameters.parameter", "must have one called resource, which is the Patient whom you look for")
    said = sent["resource"]
    asked = patient_match.read(said.value, f"{said.place}.resource")
    found = patient_match.match(connection(), parts().place, lens, asked, said.value, _wanted(sent))
    here = f"{endpoint().base}/Patient/$match"
    return bearer.answer(bundle.joined([_entry(one) for one in found], here, total=len(found)))


def _wanted(sent: dict[str, Sent]) -> Wanted:
    sure, count = sent.get("onlyCertainMatches"), sent.get("count")
    if sure is not None and not isinstance(sure.value, bool):
        raise Invalid(sure.place, "must be true or false")
    if count is None:
        return Wanted(certain=sure is not None and sure.value)
    if not isinstance(count.value, int) or isinstance(count.value, bool) or count.value < 1:
        raise Invalid(count.place, "must be a whole number from 1")
    return Wanted(min(count.value, patient_match.MOST), sure is not None and sure.value)


def _entry(one: Matched) -> str:
    """As a search gives it, and how sure it is (R4 Patient-operation-match)."""
    graded = exact_json.dumps(
        {
            "extension": [{"url": GRADE, "valueCode": one.likeness.grade}],
            "mode": bundle.MATCH,
            "score": ExactDecimal(f"{one.likeness.score:.3f}"),
        }
    ).decode()
    url = f"{endpoint().base}/Patient/{one.row.key}"
    return f'{{"fullUrl":"{url}","resource":{one.row.body},"search":{graded}}}'
